"""Labels: those that there are, and those that somebody gives while he looks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from flows.explore import overview
from flows.explore.learning.learner import Learning
from flows.explore.learning.posting import LONGEST_KEY, inbox_of, name_labels, post_labels
from flows.explore.routes.views import LabelsNeeded
from flows.explore.service import Served, Service
from tasks.core.encoding.label_names import MOST as MOST_NAMES
from tasks.core.labels.inbox.checking import MOST, PostedRow
from tasks.core.labels.inbox.posted_rows import PostedLabel, read_posted
from tasks.core.labels.taxonomy import DESCRIBED, LONGEST
from tasks.core.text.discretion import shown
from tasks.core.text.near_names import listed
from tasks.core.workspace.errors import MissingError
from tasks.core.workspace.instruction_name import ANNOTATOR, check_name

router = APIRouter(tags=["labels"])
Annotator = Annotated[str, Field(pattern=f"^{ANNOTATOR.pattern}$")]
Name = Annotated[str, Field(max_length=LONGEST + DESCRIBED)]
WHO = "explore"
_ELSEWHERE = (
    "known_as: found the name of another workspace than the one that answers here now; expected"
    " its own; start 'refract explore' in theirs to have these labels taken"
)


class Row(BaseModel):
    """A label for a text that is named by its id or by itself; null withdraws one's own."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    text: str | None = None
    label: str | None


class Post(BaseModel):
    """Labels of one annotator. key: new for each request, the same when it is sent again.

    known_as: of the workspace that they are for; another one at this address refuses them.
    """

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    annotator: Annotator = WHO
    known_as: str | None = None
    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST)]


class Names(BaseModel):
    """What the labels of a new instruction are called, each with what it is for behind a colon."""

    model_config = ConfigDict(extra="forbid")

    classes: Annotated[list[Name], Field(min_length=2, max_length=MOST_NAMES)]
    known_as: str | None = None


class Named(BaseModel):
    """The names that are on disk now."""

    file: str
    classes: list[str]


class Replaced(BaseModel):
    """A label of one's own that another has replaced; label null: it was withdrawn."""

    id: str
    before: str
    label: str | None


class Taken(BaseModel):
    """What became of posted labels, which are on disk now.

    accepted, unchanged: texts; repeated: the key was answered before, and nothing was written.
    labelled, classes: of all label files of the instruction, as they are now.
    """

    key: str
    accepted: int
    replaced: list[Replaced]
    unchanged: int
    repeated: bool
    file: str
    labelled: int
    classes: dict[str, int]
    labels_needed: LabelsNeeded | None


class Label(BaseModel):
    """The label that stands for a text; annotator and time where it was given here."""

    id: str
    label: str
    annotator: str | None
    time: str | None


class Labels(BaseModel):
    """The labels of an instruction, a text each."""

    annotator: str
    rows: list[Label]


@router.get("/views/{name}/labels")
def labels(
    service: Served,
    learner: Learning,
    name: str,
    annotator: Annotated[Annotator, Query()] = WHO,
) -> Labels:
    """Return which label stands for which text, by all label files together."""
    known = overview.instructions(service.paths)
    if check_name(name) not in known:
        raise MissingError(
            f"instruction {shown(name)}: found no labels of it; expected one of:"
            f" {listed(name, known)}"
        )
    found = learner.labelled(name).label_of
    own = _posted(service, name)
    rows = []
    for key, label in found.items():
        by = next((each[key] for each in own if key in each and each[key].label == label), None)
        who, when = (by.annotator, by.time) if by else (None, None)
        rows.append(Label(id=key, label=label, annotator=who, time=when))
    return Labels(annotator=annotator, rows=rows)


@router.post("/views/{name}/labels")
def post(service: Served, learner: Learning, name: str, body: Post) -> Taken:
    """Take labels in. The view is fitted by itself once they rest; /events tells of it."""
    _check_own(service, body.known_as)
    rows = [PostedRow(row.id, row.text, row.label) for row in body.rows]
    params = service.params
    learner.labelled(name)  # refused, where a label file is none, before anything is written
    done = post_labels(
        service.paths, params, name, body.key, body.annotator, rows, learner.read.keys
    )
    now = learner.labelled(name)
    if not done.receipt.repeated:
        learner.posted(name, enough=now.needed is None)
    return Taken(
        key=body.key,
        accepted=done.receipt.accepted,
        replaced=[Replaced(**vars(each)) for each in done.receipt.replaced],
        unchanged=done.receipt.unchanged,
        repeated=done.receipt.repeated,
        file=done.file,
        labelled=len(now.label_of),
        classes=now.classes,
        labels_needed=LabelsNeeded(**now.needed, why="") if now.needed else None,
    )


@router.post("/views/{name}/classes")
def begin(service: Served, learner: Learning, name: str, body: Names) -> Named:
    """Begin an instruction by what its labels are called. Its view is made of these by itself."""
    _check_own(service, body.known_as)
    found = name_labels(service.paths, service.params, name, body.classes)
    learner.posted(name, enough=True)
    file = service.paths.classes(name)
    return Named(file=service.paths.inside(file), classes=[label.name for label in found])


def _check_own(service: Service, known_as: str | None) -> None:
    if known_as not in (None, service.known_as):
        raise HTTPException(409, _ELSEWHERE)


def _posted(service: Served, name: str) -> list[dict[str, PostedLabel]]:
    """Return the label files of all who label here, the asked one among them."""
    folder = inbox_of(service.paths, name, WHO).file.parent
    return [read_posted(file) for file in sorted(folder.glob("explore-*.jsonl"))]
