"""The versions of a view that git holds, and what moved since one of them."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from flows.explore.service import Served
from flows.queries.diff import diff
from flows.queries.versions import view_versions
from tasks.core.workspace.errors import InputError, MissingError
from tasks.core.workspace.instruction_name import check_name
from tasks.versioning.run_git_and_dvc import RepositoryError

router = APIRouter(tags=["versions"])
Name = Annotated[str, Path(description="an instruction", max_length=63)]
_LISTED = 200  # texts that moved, the farthest first
_one_at_a_time = CapacityLimiter(1)  # versions laid out; who waits holds up no other question


class Version(BaseModel):
    """A commit that changed a view: labelled texts, and scores × 100 on those held out.

    accuracy: the share of them that get their label, in percent; right: about which share of all
    texts. here: it is the live one.
    """

    date: str
    commit: str
    tag: str | None
    labels: int | None
    accuracy: float | None
    right: float | None
    before: dict[str, float | None]
    after: dict[str, float | None]
    transform: str | None
    here: bool


class Versions(BaseModel):
    """Versions of a view, newest first; why: why there is none."""

    versions: list[Version]
    why: str = ""


class Reading(BaseModel):
    """What a version says of a text."""

    label: str


class Moved(BaseModel):
    """A text with another label, or other neighbours; neighbours_kept: the share that stayed."""

    id: str
    before: Reading
    after: Reading
    neighbours_kept: float | None
    text: str | None


class Comparison(BaseModel):
    """What became of the `common` texts of a version and the live one.

    common: 0 where both are the same. total: how many have another label; moved: at most 200,
    changed labels first.
    """

    common: int
    total: int
    neighbours_kept: float | None
    moved: list[Moved]


@router.get("/views/{name}/versions")
def versions(service: Served, name: Name) -> Versions:
    """List the versions that were recorded."""
    check_name(name)
    try:
        found = view_versions(service.paths, name)
    except (InputError, RepositoryError) as error:  # a workspace without git, or nothing recorded
        return Versions(versions=[], why=str(error))
    return Versions(versions=[Version(**_told(one)) for one in found])


@router.get("/views/{name}/compare")
async def compare(
    service: Served,
    name: Name,
    to: Annotated[
        str, Query(description="a tag, branch or commit", max_length=200, pattern=r"^[^\x00]+$")
    ],
) -> Comparison:
    """Compare the live view with an earlier version of it."""
    asked = service.paths.root, check_name(name), to
    return await to_thread.run_sync(_compared, *asked, limiter=_one_at_a_time)


def _compared(root: Folder, name: str, to: str) -> Comparison:
    try:
        about = diff(root, to, None, [name], _LISTED).views[name]
    except RepositoryError as error:
        raise InputError(f"revision {to!r}: {error}") from error
    if about.state in ("new", "gone"):
        lacks = f"revision {to!r}" if about.state == "new" else "the workspace"
        raise MissingError(f"view {name!r}: {lacks} has none; expected it on both sides")
    found = about.moved
    if found is None:
        return Comparison(common=0, total=0, neighbours_kept=None, moved=[])
    moved = [
        Moved(
            id=one.id,
            before=Reading(label=one.label[0]),
            after=Reading(label=one.label[1]),
            neighbours_kept=one.neighbours_kept,
            text=one.text,
        )
        for one in found.texts
    ]
    return Comparison(
        common=found.common,
        total=found.labels_changed,
        neighbours_kept=found.neighbours_kept,
        moved=moved,
    )


def _told(version: object) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.model_fields}
