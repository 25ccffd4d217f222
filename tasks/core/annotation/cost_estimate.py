"""What a labelling will cost, reckoned before its first call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.core.annotation import pipeline, sampling
from tasks.core.annotation.budget import price
from tasks.core.annotation.clustering import number_of
from tasks.core.annotation.job import LabelJob
from tasks.core.labels.taxonomy import Label
from tasks.core.llm.answers import PromptRequest

# Tokens that answers are reckoned to have: five words, a label with a sentence, a label.
NOTE, NAME, CHOICE = 8, 40, 12
STAND_IN = Label("a label of words", "A sentence that says which texts it is for, in some words.")


@dataclass(frozen=True)
class Forecast:
    """One step's calls and tokens, those left out that are answered already."""

    step: str
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float


def forecast(job: LabelJob) -> list[Forecast]:
    """Return what each step will take; nothing is noted.

    Repairs, repetitions and second names of clusters are left out. Tokens are a fourth of the
    bytes. The names of clusters and labels are not known before they are found: as many as may come
    are reckoned with.
    """
    ids = pipeline.drawn(job)
    texts = sampling.lookup(job.table, ids).texts
    known = bool(job.given) or pipeline.kept(job, ids) is not None
    builder = job.prompt_builder()
    found = [] if known else _naming(job, texts)
    labels = pipeline.taxonomy(job) if known else [STAND_IN] * job.settings.clusters
    return [
        *found,
        _forecast(job, "classify", [builder.classify(text, labels) for text in texts], CHOICE),
    ]


def _naming(job: LabelJob, texts: Sequence[str]) -> list[Forecast]:
    builder, settings = job.prompt_builder(), job.settings
    if settings.direct:
        question = builder.propose(texts[: 2 * settings.shown])
        return [_forecast(job, "propose", [question], NAME * settings.clusters)]
    notes = ["x" * 4 * NOTE] * settings.shown if settings.summary else texts[: settings.shown]
    naming = [builder.name(notes, notes)] * number_of(len(texts), settings.clusters)
    found = [_forecast(job, "name", naming, NAME)]
    if settings.summary:
        questions = [builder.summarise(text) for text in texts]
        found = [_forecast(job, "summarise", questions, NOTE), *found]
    return found


def _forecast(job: LabelJob, step: str, questions: Sequence[PromptRequest], size: int) -> Forecast:
    with job.open_answers() as cache:
        known = cache.answers([job.key(question) for question in questions])
    asked = [question for question in questions if job.key(question) not in known]
    sent, answered = sum(question.tokens() for question in asked), size * len(asked)
    return Forecast(step, len(asked), sent, answered, price(job.settings, sent, answered))
