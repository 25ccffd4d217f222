"""The five steps from an instruction to labels: sample, summarise, cluster, name, classify.

Section 3.2 of arXiv 2505.24754. Each step reads what the one before it left in a folder, so that
it can be killed and repeated; answers that were paid for come out of the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from tasks.core.annotation import sampling
from tasks.core.annotation.clustering import Group, group
from tasks.core.annotation.job import (
    FAILED,
    UNASKED,
    Advance,
    Billing,
    LabelJob,
    Step,
    ask,
    ask_usably,
    counted,
    none_of,
)
from tasks.core.annotation.prompting import NOTE, read_choice, read_label, read_labels_of, read_note
from tasks.core.annotation.prompts import load_prompts, version_of
from tasks.core.annotation.taxonomy import ABSTAIN, Label, merge, plain
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.llm.answers import REFUSED, Answer, cure
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest

SAMPLE, NOTES, CLUSTERS, CHOICES = "sample", "notes", "clusters", "choices"
LABELS, FOUND = "labels", "found"
OUTSIDE, ABSTAINED, SILENT = "outside the set", "abstained", "no answer"
UNREADABLE = "no label in the answer"
SMALL = "in a cluster too small to be named"
SAYS_NOTHING = "says nothing of it"
VAGUE = ("unclear", "other", "unknown")  # no name of a kind of texts: what abstaining is for


def sample(job: LabelJob) -> Step:
    """Choose the texts that the model will label, and keep their ids."""
    ids = job.steps.save(SAMPLE, _drawn_from(job), drawn(job))
    return Step("sample", len(ids), len(ids))


def drawn(job: LabelJob) -> list[str]:
    """Return the ids of the texts that are chosen, without noting them."""
    settings = job.settings
    known: list[str] | None = job.steps.load(SAMPLE, _drawn_from(job))
    if known is not None:
        return known
    return sampling.draw(
        job.table, settings.sampling, settings.sample, _regions(job), settings.seed
    )


def _drawn_from(job: LabelJob) -> str:
    settings = job.settings
    return digest(job.base, settings.sampling, settings.sample, _regions(job), settings.seed)


def _regions(job: LabelJob) -> int:
    return job.settings.clusters if job.settings.sampling == "stratified" else 0


def summarise(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have each text summarised by what it says about the instruction."""
    chosen, builder = _chosen(job), job.prompt_builder()
    questions = [builder.summarise(text) for text in chosen.texts]
    results, known = ask(job, billing, questions, "summarise", advance)
    found = [read_note(each.text) if isinstance(each, Answer) else None for each in results]
    noted = {key: note for key, note in zip(chosen.ids, found, strict=True) if note}
    notes = {key: note for key, note in noted.items() if plain(note) not in VAGUE}
    reasons = [_reason(*both, SILENT) for both in zip(results, found, strict=True)]
    nothing = [SAYS_NOTHING] * (len(noted) - len(notes))
    step = counted("summarise", len(questions), len(notes), [*reasons, *nothing], known)
    if not notes and not step.unasked:
        raise none_of(job.name, step, "summary")
    job.steps.save(NOTES, "", notes)
    return step


def cluster(job: LabelJob) -> Step:
    """Cluster the notes, or the texts' own vectors where the settings want no summaries."""
    settings, steps = job.settings, job.steps
    chosen = _chosen(job)
    if not settings.summary:
        shown = [text[:NOTE] for text in chosen.texts]
        steps.save(NOTES, "", dict(zip(chosen.ids, shown, strict=True)))
    notes: dict[str, str] = steps.latest(NOTES)
    if not notes:
        raise InputError(
            f"label {job.name}: found no summary of {len(chosen.ids)} texts; expected some; see to"
            " the endpoint and the prompts, then run the same command"
        )
    made_from = digest(notes, fingerprint(job.encoder), settings.deciding())
    groups = steps.load(CLUSTERS, made_from)
    if groups is None:
        x = encode(job, list(notes.values())) if settings.summary else chosen.vectors
        found = group(x, settings.clusters, settings.shown, settings.seed)
        groups = steps.save(CLUSTERS, made_from, [asdict(each) for each in found])
    inside = sum(len(each["rows"]) for each in groups)
    return counted("cluster", len(notes), inside, [SMALL] * (len(notes) - inside))


def name_clusters(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have each cluster named against the others, and merge the names that mean the same."""
    notes = list(job.steps.latest(NOTES).values())
    groups = [_group(each) for each in job.steps.latest(CLUSTERS)]
    builder = job.prompt_builder()
    questions = [
        builder.name([notes[row] for row in each.inside], [notes[row] for row in each.outside])
        for each in groups
    ]
    results, known = ask_usably(job, billing, questions, read_label, "name", advance)
    found = [read_label(each.text) if isinstance(each, Answer) else None for each in results]
    labels = [
        Label(label.name, label.description, len(each.rows))
        for each, label in zip(groups, found, strict=True)
        if label is not None
    ]
    reasons = [_reason(*both, UNREADABLE) for both in zip(results, found, strict=True)]
    step = counted("name", len(questions), len(labels), reasons, known)
    _merge(job, labels, step)
    return step


def propose(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have all labels proposed at once from a part of the sample."""
    question = job.prompt_builder().propose(_chosen(job).texts[: 2 * job.settings.shown])
    (result,), known = ask_usably(job, billing, [question], read_labels_of, "propose", advance)
    labels = read_labels_of(result.text) if isinstance(result, Answer) else []
    reason = _reason(result, labels or None, UNREADABLE)
    step = counted("propose", 1, int(bool(labels)), [reason], known)
    _merge(job, labels, step)
    return step


def keep(job: LabelJob, steps: Sequence[Step]) -> None:
    """Note how the labels were found: they stay, until something that decides on them changes."""
    job.steps.save(FOUND, _origin(job), [asdict(step) for step in steps])


def kept(job: LabelJob, ids: Sequence[str] | None = None) -> list[Step] | None:
    """Return the steps by which the labels were found, or None if they are still to be found.

    ids: the texts of the sample, if it is not the one that was noted last.
    """
    origin = _origin(job, ids)
    steps = job.steps.load(FOUND, origin)
    if steps is None or job.steps.load(LABELS, origin) is None:
        return None
    asked = ("summarise", "name", "propose")
    return [
        Step(**step | ({"known": step["done"]} if step["step"] in asked else {})) for step in steps
    ]


def classify(job: LabelJob, billing: Billing, advance: Advance) -> Step:
    """Have each text sorted into one of the labels; what an answer names is kept by id."""
    chosen, builder, labels = _chosen(job), job.prompt_builder(), taxonomy(job)
    names = [*(label.name for label in labels), ABSTAIN]
    questions = [builder.classify(text, labels) for text in chosen.texts]

    def read(answer: str) -> str | None:
        """Return the label that an answer names."""
        return read_choice(answer, names)

    results, known = ask_usably(job, billing, questions, read, "classify", advance)
    found = [read(each.text) if isinstance(each, Answer) else None for each in results]
    of = zip(chosen.ids, found, strict=True)
    choices = {key: label for key, label in of if label is not None and label != ABSTAIN}
    reasons = [_reason(*both, OUTSIDE) for both in zip(results, found, strict=True)]
    abstained = [ABSTAINED for label in found if label == ABSTAIN]
    step = counted("classify", len(questions), len(choices), [*reasons, *abstained], known)
    if not choices:
        raise none_of(job.name, step, "label")
    job.steps.save(CHOICES, "", choices)
    return step


def taxonomy(job: LabelJob) -> list[Label]:
    """Return the labels that texts are sorted into: those given, or those found last."""
    if job.taxonomy:
        return list(job.taxonomy)
    return [
        Label(each["name"], each["description"], each["size"], tuple(each["others"]))
        for each in job.steps.latest(LABELS)
    ]


def labelled(job: LabelJob) -> dict[str, str]:
    """Return the label of each text that got one, by id."""
    found: dict[str, str] = job.steps.latest(CHOICES)
    return found


def encode(job: LabelJob, texts: Sequence[str]) -> np.ndarray:
    """Return the unit vectors of texts (n, d) float32."""
    return load_encoder(job.encoder).encode(texts, lambda _: None).vectors


def _chosen(job: LabelJob) -> sampling.Chosen:
    return sampling.lookup(job.table, job.steps.latest(SAMPLE))


def _group(value: dict[str, list[int]]) -> Group:
    return Group(*(tuple(value[name]) for name in ("rows", "inside", "outside")))


def _reason(result: Answer | str, found: object, otherwise: str) -> str | None:
    """Return why a result is of no use; None where something was found in it."""
    if isinstance(result, str):
        return result
    return None if found else otherwise


def _merge(job: LabelJob, labels: list[Label], step: Step) -> None:
    """Keep the labels, merged; InputError where they are not all there is to be named.

    A label that came later would ask for another classification of every text. A cluster that the
    endpoint refuses to name stays without a name.
    """
    lost = {r: n for r, n in step.reasons.items() if r == UNASKED or r.startswith(FAILED)}
    missing = {r: n for r, n in lost.items() if not r.startswith(FAILED + REFUSED)}
    if missing:
        said = ", ".join(f"{n} {reason}" for reason, n in missing.items())
        way = cure(max(missing, key=lambda reason: missing[reason]))
        raise InputError(
            f"label {job.name}: found {step.done} of {step.wanted} names ({said}); expected all"
            f" before texts are sorted; {way}, then run the same command: what was answered is kept"
        )
    named = [label for label in labels if plain(label.name) not in VAGUE]
    merged = merge(named, lambda names: encode(job, names), job.settings.merge)
    if len(merged) < 2:
        raise InputError(
            f"label {job.name}: found {len(merged)} label from {step.wanted} answers; expected at"
            " least 2; word the instruction otherwise, ask for more clusters, or give --taxonomy"
        )
    job.steps.save(LABELS, _origin(job), [asdict(label) for label in merged])


def _origin(job: LabelJob, ids: Sequence[str] | None = None) -> str:
    """Return a fingerprint of what labels are made from: sample, instruction, model, prompts."""
    versions = version_of(load_prompts(job.prompts))
    prompts = [versions[name] for name in ("summarise", "name", "propose")]
    about = (job.instruction, job.asked.model, fingerprint(job.encoder), job.settings.deciding())
    sample = job.steps.latest(SAMPLE) if ids is None else list(ids)
    return digest(digest(sample), about, prompts)
