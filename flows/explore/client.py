"""Ask a `refract explore` that runs in the workspace, instead of doing its work again."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flows.explore.keys import made_by
from flows.runtime.server.server_note import Note, known
from tasks.core.views.snapshot import Hit
from tasks.core.workspace.errors import InputError, MissingError
from tasks.core.workspace.paths import Paths

INEXACT = "x-refract-inexact"  # a header: the rows hold numbers that JSON has no word for
_PATIENCE = 120.0  # seconds; what loads its encoder first, on a busy machine, takes some
_LONGEST = 16_384  # bytes of an address; a server may refuse one of 65,536
_REFUSED = {400: InputError, 404: MissingError}
_NONE: Mapping[str, float] = {}
_NO_LABELS: Mapping[str, str] = {}


def running(paths: Paths) -> Client | None:
    """Return the service of this workspace; None where none has proved to be it, and of this code.

    It is told nothing before, its secret least of all.
    """
    if not paths.explore_note.exists():
        return None
    note = known(paths, paths.explore_note)
    return Client(note) if note is not None and note.made_by == made_by() else None


class Client:
    """A service of the same code and workspace: what it finds is what would be found here."""

    def __init__(self, note: Note) -> None:
        """Ask the service that `note` is of, which has proved to be it."""
        self._note = note

    def search(
        self,
        name: str,
        text: str,
        k: int,
        where: str | None,
        weights: Mapping[str, float] = _NONE,
        *,
        distinct: bool,
    ) -> list[Hit] | None:
        """Return what `Space.search` does of view `name`; None where that is to be done here.

        weights: of all views, where there are several: then what `closest_by_all` does.
        """
        more = {"q": text, "view": _pairs(weights)}
        return self._hits(f"/views/{quote(name)}/search", k, where, distinct, more)

    def similar(
        self,
        name: str,
        key: str,
        k: int,
        where: str | None,
        weights: Mapping[str, float] = _NONE,
        towards: Mapping[str, str] = _NO_LABELS,
        *,
        distinct: bool,
    ) -> list[Hit] | None:
        """Return what `Space.similar` does of view `name`; None where that is to be done here.

        weights, towards: where there are several views: then what `similar_by_all` does.
        """
        if "\n" in key:  # in no address that a route is found by
            return None
        more = {"view": _pairs(weights), "with": _pairs(towards)}
        path = f"/views/{quote(name)}/similar/{quote(key)}"
        return self._hits(path, k, where, distinct, more)

    def _hits(
        self,
        path: str,
        k: int,
        where: str | None,
        distinct: bool,
        more: Mapping[str, Sequence[str]],
    ) -> list[Hit] | None:
        wanted = {**more, "k": str(k), "distinct": str(distinct).lower()}
        wanted |= {} if where is None else {"where": where}
        try:
            target = f"{path}?{urlencode(wanted, doseq=True)}"
        except UnicodeEncodeError:  # what the terminal could not decode is refused here
            return None
        found = None if len(target) > _LONGEST else self._asked(target)
        return None if found is None else [_hit(each) for each in found["hits"]]

    def _asked(self, target: str) -> Any:
        """Return the JSON of an answer; None where there is none of use.

        InputError, as it would be raised here, for what cannot be asked.
        """
        at = urlsplit(self._note.url)
        connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=_PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {self._note.secret}"}
            connection.request("GET", target, headers=headers)
            reply = connection.getresponse()
            found = json.loads(reply.read())
        except (OSError, ValueError, http.client.HTTPException):  # it has ended meanwhile
            return None
        finally:
            connection.close()
        if reply.status in _REFUSED:
            raise _REFUSED[reply.status](found["detail"])
        return found if reply.status == 200 and reply.headers.get(INEXACT) is None else None


def _pairs(said: Mapping[str, float] | Mapping[str, str]) -> list[str]:
    """Return view and weight, or view and label, as the service takes them, numbers exactly."""
    return [f"{name}:{value}" for name, value in said.items()]


def _hit(row: dict[str, Any]) -> Hit:
    """Read one hit: what is no key of its own came with the document."""
    own = {key: row.pop(key) for key in _OWN if key in row}
    return Hit(metadata=row, **own)


_OWN = ("score", "text", "id", "label", "confidence", "novelty")
