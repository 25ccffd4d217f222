"""The labels of a sample are found: by naming clusters, from few phrases, or proposed at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from tasks.core.annotation import sampling
from tasks.core.annotation.clustering import FEWEST, Group, supported
from tasks.core.annotation.evident import echoes, is_kind, majority, repeated
from tasks.core.annotation.job import (
    FAILED,
    Advance,
    Billing,
    LabelJob,
    Result,
    Step,
    ask,
    ask_usably,
    counted,
    reason_of,
)
from tasks.core.annotation.merging import merge
from tasks.core.annotation.prompting import read_label, read_labels_of
from tasks.core.annotation.step_results import CLUSTERS, LABELS, NOTES, SAMPLE
from tasks.core.labels.taxonomy import Label, plain
from tasks.core.llm.answers import REFUSED, Answer, PromptRequest, cure
from tasks.core.workspace.errors import InputError

UNREADABLE = "no label in the answer"
RARE = f"said by fewer than {FEWEST} texts"


def count_phrases(job: LabelJob) -> Step | None:
    """Take the notes' phrases as labels, where they are few; None where they are to be clustered.

    Where all that the notes say are a few words, again and again, a cluster and a name can only
    lose one of them.
    """
    notes = list(job.steps.latest(NOTES).values())
    found = repeated(notes)
    labels = _merged(job, found)
    if len(labels) < 2:
        return None
    _keep(job, labels)
    done = sum(label.size for label in found)
    return counted("count", len(notes), done, [RARE] * (len(notes) - done))


def name_clusters(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have each cluster named against the others, and merge the names that mean the same.

    A name that no note of its cluster supports is asked for again. The second one stands, as the
    encoder that compares them may not know their language, unless it only repeats the question:
    then what most notes of the cluster say in the same words is its name.
    """
    notes = list(job.steps.latest(NOTES).values())
    groups = [_group(each) for each in job.steps.latest(CLUSTERS)]
    builder = job.prompt_builder()
    questions = [
        builder.name([notes[row] for row in each.inside], [notes[row] for row in each.outside])
        for each in groups
    ]
    results, known = ask_usably(job, billing, questions, read_label, "name", advance)
    _check_complete(job, results, read_label)
    x = _shown(job, notes, groups)
    _ask_again(job, billing, questions, results, _unsupported(job, x, groups, results))
    _check_complete(job, results, read_label)
    found = [_read(each) for each in results]
    for at in _unsupported(job, x, groups, results):
        label = found[at]
        if label and echoes(label.name, job.instruction):
            found[at] = majority([notes[row] for row in groups[at].rows]) or label
    reasons = [reason_of(*both, UNREADABLE) for both in zip(results, found, strict=True)]
    labels = [
        replace(label, size=len(each.rows))
        for each, label in zip(groups, found, strict=True)
        if label is not None
    ]
    step = counted("name", len(questions), len(labels), reasons, known)
    _merge_and_keep(job, labels, step)
    return step


def propose(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have all labels proposed at once from a part of the sample."""
    chosen = sampling.lookup(job.table, job.steps.latest(SAMPLE))
    question = job.prompt_builder().propose(chosen.texts[: 2 * job.settings.shown])
    (result,), known = ask_usably(job, billing, [question], read_labels_of, "propose", advance)
    _check_complete(job, [result], read_labels_of)
    labels = read_labels_of(result.text) if isinstance(result, Answer) else []
    reason = reason_of(result, labels or None, UNREADABLE)
    step = counted("propose", 1, int(bool(labels)), [reason], known)
    _merge_and_keep(job, labels, step)
    return step


def _group(value: dict[str, list[int]]) -> Group:
    return Group(*(tuple(value[name]) for name in ("rows", "inside", "outside")))


def _read(result: Result) -> Label | None:
    return read_label(result.text) if isinstance(result, Answer) else None


def _shown(job: LabelJob, notes: Sequence[str], groups: Sequence[Group]) -> np.ndarray:
    """Return the unit vectors (n, d) of the notes that are shown of clusters; 0 for others."""
    rows = sorted({row for each in groups for row in (*each.inside, *each.outside)})
    vectors = job.encode([notes[row] for row in rows])
    x = np.zeros((len(notes), vectors.shape[1]), np.float32)
    x[rows] = vectors
    return x


def _unsupported(
    job: LabelJob, x: np.ndarray, groups: Sequence[Group], results: Sequence[Result]
) -> list[int]:
    """Return which clusters' names no note supports that is shown of them."""
    labels = {at: label for at, each in enumerate(results) if (label := _read(each))}
    if not labels:
        return []
    y = job.encode([plain(label.name) for label in labels.values()])
    told = supported(x, y, [groups[at] for at in labels])
    return [at for at, fits in zip(labels, told, strict=True) if not fits]


def _ask_again(
    job: LabelJob,
    billing: Billing,
    questions: Sequence[PromptRequest],
    results: list[Result],
    rows: Sequence[int],
) -> None:
    """Put other names in the place of those in `rows` of the results, if answers have any.

    What the endpoint refuses to name again keeps its name; what was not answered is missing.
    """
    builder = job.prompt_builder()
    first = {at: each for at in rows if isinstance(each := results[at], Answer)}
    again = [
        builder.rename(questions[at], each.text, label.name)
        for at, each in first.items()
        if (label := read_label(each.text))
    ]
    answers, _ = ask(job, billing, again, "name", lambda _: None)
    for at, answer in zip(first, answers, strict=True):
        kept = _refused(answer) if isinstance(answer, str) else not read_label(answer.text)
        if not kept:
            results[at] = answer


def _merged(job: LabelJob, labels: Sequence[Label]) -> list[Label]:
    kinds = [label for label in labels if is_kind(label.name)]
    return merge(kinds, job.encode, job.settings.merge)


def _keep(job: LabelJob, labels: Sequence[Label]) -> None:
    origin = job.origin(job.steps.latest(SAMPLE))
    job.steps.save(LABELS, origin, [asdict(label) for label in labels])


def _check_complete(
    job: LabelJob, results: Sequence[Result], read: Callable[[str], object]
) -> None:
    """Raise InputError where answers are missing that may come.

    A label that came later would ask for another classification of every text. A cluster that the
    endpoint refuses to name stays without a name.
    """
    missing = Counter(each for each in results if isinstance(each, str) and not _refused(each))
    if missing:
        done = sum(isinstance(each, Answer) and bool(read(each.text)) for each in results)
        said = ", ".join(f"{n} {reason}" for reason, n in missing.items())
        way = cure(missing.most_common(1)[0][0])
        raise InputError(
            f"label {job.name}: found {done} of {len(results)} names ({said}); expected all"
            f" before texts are sorted; {way}, then run the same command: what was answered is kept"
        )


def _refused(reason: str) -> bool:
    return reason.startswith(FAILED + REFUSED)


def _merge_and_keep(job: LabelJob, labels: Sequence[Label], step: Step) -> None:
    merged = _merged(job, labels)
    if len(merged) < 2:
        raise InputError(
            f"label {job.name}: found {len(merged)} label from {step.wanted} answers; expected at"
            " least 2; word the instruction otherwise, ask for more clusters, or give --taxonomy"
        )
    _keep(job, merged)
