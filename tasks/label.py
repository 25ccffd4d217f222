"""The steps of a labelling, each with its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.annotation import naming, pipeline, sampling
from tasks.core.annotation import output as label_file
from tasks.core.annotation.answer_cache import Spent, open_answer_cache
from tasks.core.annotation.job import Advance, Billing, LabelJob, Step, open_billing
from tasks.core.annotation.prompts import load_prompts, version_of
from tasks.core.annotation.step_results import CHOICES, CLUSTERS, SAMPLE
from tasks.core.annotation.zero_shot import described, weak_labels
from tasks.core.labels.precedence import MODEL, ZERO_SHOT
from tasks.core.labels.taxonomy import render_taxonomy
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, write_text
from tasks.core.workspace.label_manifests import LabelCard
from tasks.progress import track

UNSURE = "not sure enough"
TAXONOMY = "taxonomy"  # what was written for a review


@dataclass(frozen=True)
class Output:
    """The files that a labelling writes: labels, card and proposed taxonomy."""

    labels: Path
    card: Path
    taxonomy: Path


@task(name="sample", cache_policy=NO_CACHE)
def sample(job: LabelJob) -> Step:
    """Choose the texts that are labelled."""
    return pipeline.sample(job)


@task(name="summarise", cache_policy=NO_CACHE)
def summarise(job: LabelJob) -> Step:
    """Have the model summarise each text of the sample."""
    return _paid(job, "summarise", _size(job, SAMPLE), pipeline.summarise)


@task(name="cluster", cache_policy=NO_CACHE)
def cluster(job: LabelJob) -> Step:
    """Cluster the summaries of the sample."""
    return pipeline.cluster(job)


@task(name="count", cache_policy=NO_CACHE)
def count_phrases(job: LabelJob) -> Step | None:
    """Take the summaries as labels, where they are few phrases."""
    return naming.count_phrases(job)


@task(name="name clusters", cache_policy=NO_CACHE)
def name_clusters(job: LabelJob) -> Step:
    """Have the model name each cluster of summaries."""
    return _paid(job, "name", _size(job, CLUSTERS), naming.name_clusters)


@task(name="propose", cache_policy=NO_CACHE)
def propose(job: LabelJob) -> Step:
    """Have the model propose all labels at once, without clusters."""
    return _paid(job, "propose", 1, naming.propose)


@task(name="classify", cache_policy=NO_CACHE)
def classify(job: LabelJob) -> Step:
    """Have the model choose one of the labels for each text."""
    return _paid(job, "classify", _size(job, SAMPLE), pipeline.classify)


def _size(job: LabelJob, step: str) -> int:
    return len(job.steps.latest(step))


def _paid(
    job: LabelJob, name: str, total: int, work: Callable[[LabelJob, Billing, Advance], Step]
) -> Step:
    with (
        open_billing(job) as billing,
        track(name, total, "answers", lambda: str(billing.budget)) as advance,
    ):
        return work(job, billing, advance)


@task(name="compare", cache_policy=NO_CACHE)
def compare(job: LabelJob) -> Step:
    """Label the texts by the encoder alone, and keep those that it is sure of."""
    chosen = sampling.lookup(job.table, job.steps.latest(SAMPLE))
    y = job.encode(described(job.taxonomy))
    best, sure = weak_labels(chosen.vectors, y, job.settings.zero_shot)
    names = [label.name for label in job.taxonomy]
    choices = {chosen.ids[row]: names[best[row]] for row in sure}
    job.steps.save(CHOICES, "", choices)
    return Step("compare", len(best), len(sure), reasons={UNSURE: len(best) - len(sure)})


@task(name="write taxonomy", cache_policy=NO_CACHE)
def write_taxonomy(job: LabelJob, output: Output) -> int:
    """Write the labels for a person to edit; return how many."""
    labels = pipeline.taxonomy(job)
    heading = (
        " ".join(job.instruction.split()),
        "One label a line, and behind a colon which texts it is for. Edit, add, remove; then use",
        "it by --taxonomy.",
    )
    text = render_taxonomy(labels, heading)
    job.steps.save(TAXONOMY, "", content_hash(text.encode()))
    write_text(output.taxonomy, text)
    return len(labels)


def check_taxonomy(job: LabelJob, output: Output) -> None:
    """Refuse to write over labels that a person has made or edited."""
    file = output.taxonomy
    if file.is_file() and content_hash(file) != job.steps.load(TAXONOMY, ""):
        raise InputError(
            f"{file}: found labels that were edited; expected none, or those of an earlier review;"
            " use them by --taxonomy, or move them away"
        )


@task(name="write labels", cache_policy=NO_CACHE)
def write_labels(
    job: LabelJob, output: Output, steps: list[Step], made_from: str, seconds: float
) -> dict[str, int]:
    """Write the label file and its card; return how many texts each label has."""
    chosen = sampling.lookup(job.table, job.steps.latest(SAMPLE))
    texts = dict(zip(chosen.ids, chosen.texts, strict=True))
    found, gone = label_file.still_there(pipeline.labelled(job), texts)
    named = label_file.described(pipeline.taxonomy(job), found, texts)
    source = ZERO_SHOT if job.weak else MODEL
    made = _card(job, source, steps, made_from, seconds)
    card = made.changed(taxonomy=named, left_out=gone)
    label_file.write_labels(output.labels, output.card, found, source, card)
    return {entry.label: entry.texts for entry in named}


def _card(
    job: LabelJob, source: str, steps: list[Step], made_from: str, seconds: float
) -> LabelCard:
    card = LabelCard(
        instruction=job.name,
        wording=job.instruction,
        source=source,
        encoder=job.encoder.model,
        seed=job.settings.seed,
        settings=job.settings.deciding(),
        steps=[asdict(step) for step in steps],
        seconds=round(seconds, 1),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        made_from=made_from,
        complete=not any(step.failed or step.unasked for step in steps[-1:]),
    )
    if job.weak:
        return card
    return card.changed(
        model=job.asked.model,
        temperature=job.settings.temperature,
        host=job.asked.host,
        prompts=version_of(load_prompts(job.prompts)),
        spent=asdict(spent(job)),
    )


def spent(job: LabelJob) -> Spent:
    """Return what the instruction has cost in all its runs."""
    with open_answer_cache(job.answer_cache, job.name) as cache:
        return cache.spent()
