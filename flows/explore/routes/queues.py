"""What to label next: texts worth it, and labels that are probably wrong."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel

from flows.explore.service import Served
from flows.queries import doubts as doubting
from flows.queries.doubts import DoubtedLabels
from flows.queries.suggest import worth_labelling
from tasks.core.store.layout import exists
from tasks.core.workspace.errors import UnmadeError
from tasks.core.workspace.instruction_name import check_name

router = APIRouter(tags=["labels"])
_one_at_a_time = CapacityLimiter(1)  # fits for doubts; who waits holds up no other question
Many = Annotated[int, Query(ge=1, le=1_000)]


class Suggestion(BaseModel):
    """A text worth labelling; what the view guesses is null where there is no view yet."""

    id: str
    label: None
    suggested: str | None
    confidence: float | None
    novelty: float | None
    why: str
    text: str


class Suggestions(BaseModel):
    """Texts worth labelling, no two alike; none where all are labelled."""

    texts: list[Suggestion]


@router.get("/views/{name}/suggest")
def suggest(
    service: Served,
    name: str,
    n: Many = 20,
    novel: Annotated[float | None, Query(ge=0, le=1)] = None,
    random: bool = False,
) -> Suggestions:
    """Return texts that nobody has labelled: near a boundary, or unlike any label (`novel`).

    Or any of them, at random: labels of such prove a view soonest.
    Of an instruction that has no view yet, which may be a new name, texts that cover the corpus.
    """
    check_name(name)
    if not exists(service.paths.base_table):
        raise UnmadeError("data/vectors: no base vectors yet; expected some; run 'refract run'")
    rows = worth_labelling(service.paths, name, n, novel, random=random)
    return Suggestions(texts=[Suggestion(**row) for row in rows.to_dicts()])


@router.get("/views/{name}/doubts")
async def doubts(service: Served, name: str, n: Many = 20) -> DoubtedLabels:
    """Return labels that fits which have not seen their texts nearly rule out."""
    find = partial(doubting.doubts, service.paths, service.params, name, n)
    return await to_thread.run_sync(find, limiter=_one_at_a_time)
