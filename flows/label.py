"""An instruction → a label file, by a language model or by the encoder alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout
from prefect import flow

from flows.embed import embed
from flows.ingest import ingest
from flows.label_options import LabelOptions, endpoint, fingerprint, make_job
from flows.runtime.prefect_artifacts import leave_table
from flows.runtime.prefect_settings import no_heartbeats
from flows.state.label_sources import label_sources
from flows.state.staleness import corpus_is_stale
from flows.state.trust import ask
from tasks import label as task
from tasks.core.annotation import pipeline
from tasks.core.annotation.answer_cache import Spent
from tasks.core.annotation.evident import said
from tasks.core.annotation.job import LabelJob, Step
from tasks.core.annotation.output import check_place
from tasks.core.encoding import base_table
from tasks.core.labels.notes import with_names
from tasks.core.labels.reader import read_labels
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import sweep_beside
from tasks.core.workspace.paths import Paths


@dataclass(frozen=True)
class LabelReport:
    """What became of each step, the texts of each label, and what the instruction has cost.

    file: the labels, or the taxonomy where the run stopped for a review. notes: whose labels
    there are now, if other files hold some as well, and how far they agree; trouble: why these
    cannot be read.
    """

    name: str
    file: Path
    steps: list[Step]
    labels: dict[str, int]
    spent: Spent | None
    seconds: float
    review: bool = False
    notes: dict[str, int] = field(default_factory=dict)
    trouble: str = ""


@flow(name="label", flow_run_name="label {name}")
def label(root: Path, name: str, options: LabelOptions) -> LabelReport:
    """Sample, summarise, cluster, name and classify; what was paid for is never paid again."""
    begun = time.perf_counter()
    paths, params = Paths(root), load_params(Paths(root).params)
    if options.zero_shot is None:
        ask(paths, "label", "sources", "model")
        endpoint(params)  # before the slow work
    with no_heartbeats():
        _bring_vectors(paths, params)
        job = make_job(paths, params, name, options)
        output = task.Output(paths.label_file(name), paths.label_card(name), paths.taxonomy(name))
        with _alone(job):
            for file in (output.labels, output.card, output.taxonomy):
                sweep_beside(file)
            check_place(output.labels, output.card, name, weak=job.weak)
            steps = [task.sample(job)]
            if options.review:
                task.check_taxonomy(job, output)
                steps += _find_labels(job)
                task.write_taxonomy(job, output)
                return _report(job, output.taxonomy, steps, {}, begun, review=True)
            steps += _label(job)
            made_from = fingerprint(job)
            seconds = time.perf_counter() - begun
            counts = task.write_labels(job, output, steps, made_from, seconds)
    report = _report(job, output.labels, steps, counts, begun)
    try:
        report = replace(report, notes=_notes(paths, params, name))
    except InputError as error:  # another file's: these labels are made and paid for
        report = replace(report, trouble=str(error))
    leave_table("label", f"Labels of {name}", [_row(step) for step in steps])
    return report


def _bring_vectors(paths: Paths, params: Params) -> None:
    """Make a new workspace's base vectors; those that there are stay as they are."""
    if not paths.stamp("embed").is_file():
        if corpus_is_stale(paths, params):
            ingest(paths.root)
        embed(paths.root)


def _label(job: LabelJob) -> list[Step]:
    if job.weak:
        return [task.compare(job)]
    found = [] if job.taxonomy else _find_labels(job)
    return [*found, task.classify(job)]


def _find_labels(job: LabelJob) -> list[Step]:
    """Return the steps that found the labels, in this run or in an earlier one."""
    if job.listed:
        print(f"label {job.name}: {said(job.listed)}", file=sys.stderr, flush=True)
        return [Step("list", len(job.listed), len(job.listed))]
    known = pipeline.kept(job)
    if known is not None:
        return known
    if job.settings.direct:
        steps = [task.propose(job)]
    else:
        steps = [task.summarise(job)] if job.settings.summary else []
        _check_asked(job, steps)
        counted = task.count_phrases(job) if job.settings.summary else None
        steps += [counted] if counted else [task.cluster(job), task.name_clusters(job)]
    pipeline.keep(job, steps)
    return steps


def _check_asked(job: LabelJob, steps: list[Step]) -> None:
    for step in steps:
        if step.unasked:
            budget = job.settings
            limits = {"label.max_calls": budget.max_calls, "label.max_usd": budget.max_usd}
            said = ", ".join(f"{name} {at}" for name, at in limits.items() if at is not None)
            raise InputError(
                f"label {job.name}: the budget is spent ({said}) with {step.done:,} of"
                f" {step.wanted:,} texts summarised; expected all; raise it in params.yaml and"
                " run the same command: what was answered is kept"
            )


@contextmanager
def _alone(job: LabelJob) -> Iterator[None]:
    """Hold the lock of one instruction's labelling: two would pay for the same."""
    job.memory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(job.memory / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"label {job.name}: another 'refract label {job.name}' is at work; expected none; wait"
            " for it or stop it"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _notes(paths: Paths, params: Params, name: str) -> dict[str, int]:
    """Return whose labels there are, where a folder beside the file holds others."""
    file = label_sources(paths).get(name)
    if file is None or not file.path.is_dir():
        return {}
    keys, texts = base_table.keys(paths.base_table), base_table.texts(paths.base_table)
    found = read_labels(file, keys, 1, 1, params.fit.separator, texts)
    return with_names(found.notes, found.noted_labels)


def _report(
    job: LabelJob,
    file: Path,
    steps: list[Step],
    labels: dict[str, int],
    begun: float,
    *,
    review: bool = False,
) -> LabelReport:
    cost = None if job.weak else task.spent(job)
    seconds = time.perf_counter() - begun
    return LabelReport(job.name, file, steps, labels, cost, seconds, review)


def _row(step: Step) -> dict[str, object]:
    row = asdict(step)
    return {**{key: row[key] for key in ("step", "wanted", "done", "known")}, **step.reasons}
