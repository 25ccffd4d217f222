"""Which versions of a view git knows: what can be told before anything is started."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.core.text.near_names import meant
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths
from tasks.versioning.history import view_tags


def check_version(paths: Paths, name: str, version: str | None) -> None:
    """Refuse a version of view `name` that is not tagged, and None where none is."""
    tags = view_tags(paths.root)
    known = [f"v{tag.number}" for tag in tags if tag.view == check_name(name)]
    if version not in known and (version is not None or not known):
        near = meant(name, {tag.view for tag in tags})
        raise unknown_version(name, version or "to go back to", known, near)


def unknown_version(name: str, wanted: str, known: Iterable[str], near: str = "") -> InputError:
    """Return the error for a version that there is not; near: which view was probably meant."""
    return InputError(
        f"view {name!r}{near}: no version {wanted}; expected one that is tagged;"
        f" known: {', '.join(known) or 'none'}; see 'refract versions {name}'"
    )
