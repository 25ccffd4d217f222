"""What is noted of tables that lie in an object store: pointers to them, and what readers see."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tasks.core.workspace.manifest import Manifest, Part
from tasks.core.workspace.manifests import Fingerprint
from tasks.core.workspace.network import ENDPOINT, STORE_URL


class StoreOptions(Part):
    """How an object store is reached; the keys to it are never among these.

    virtual_hosted: the bucket is part of the host's name; patience: seconds that are waited for it.
    """

    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    endpoint: Annotated[str, Field(pattern=ENDPOINT)] | None = None
    virtual_hosted: bool = False
    bulk_delete: bool = True
    patience: Annotated[float, Field(gt=0, le=3_600)] = 60.0


class Begun(Part):
    """A change of a table in a store that is under way: from which version on, by which mark."""

    version: int = 0
    mark: str = ""


class TablePointer(Manifest):
    """A table that lies in an object store: where, and which version of it this workspace means.

    version: None before the first; live: what readers of a view see; digest: tells a version from
    another one of the same number; state: of its rows, the same where a checkout has brought
    them back under another number; since: the version from which on one follows from the other;
    begun: there while a change is under way, and after a kill.
    """

    url: Annotated[str, Field(pattern=STORE_URL)] = ""
    options: StoreOptions = StoreOptions()
    version: int | None = None
    live: int | None = None
    rows: int = 0
    digest: str = ""
    state: str = ""
    since: int = 0
    begun: Begun | None = None


class PublishedTable(Part):
    """Which version of a table readers elsewhere see, as its pointer has it."""

    version: int | None = None
    live: int | None = None
    rows: int = 0
    digest: str = ""


class Published(Manifest):
    """What readers elsewhere see of a workspace: hashes of its small files by name, its tables."""

    files: dict[str, Fingerprint] = Field(default_factory=dict)
    tables: dict[str, PublishedTable] = Field(default_factory=dict)
