"""The steps from an instruction to labels, but for those by which labels are named.

Section 3.2 of arXiv 2505.24754. Each step reads what the one before it left in a folder, so that
it can be killed and repeated; answers that were paid for come out of the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tasks.core.annotation import sampling
from tasks.core.annotation.clustering import group
from tasks.core.annotation.evident import VAGUE
from tasks.core.annotation.job import (
    Advance,
    Billing,
    LabelJob,
    Step,
    ask,
    ask_usably,
    counted,
    none_of,
    reason_of,
)
from tasks.core.annotation.prompting import NOTE, read_choice, read_note
from tasks.core.annotation.step_results import CHOICES, CLUSTERS, FOUND, LABELS, NOTES, SAMPLE
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.labels.taxonomy import ABSTAIN, Label, plain
from tasks.core.llm.answers import Answer
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest

OUTSIDE, ABSTAINED, SILENT = "outside the set", "abstained", "no answer"
SMALL = "in a cluster too small to be named"
SAYS_NOTHING = "says nothing of it"


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
    reasons = [reason_of(*both, SILENT) for both in zip(results, found, strict=True)]
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
        x = job.encode(list(notes.values())) if settings.summary else chosen.vectors
        found = group(x, settings.clusters, settings.shown, settings.seed)
        groups = steps.save(CLUSTERS, made_from, [asdict(each) for each in found])
    inside = sum(len(each["rows"]) for each in groups)
    return counted("cluster", len(notes), inside, [SMALL] * (len(notes) - inside))


def keep(job: LabelJob, steps: Sequence[Step]) -> None:
    """Note how the labels were found: they stay, until something that decides on them changes."""
    job.steps.save(FOUND, job.origin(job.steps.latest(SAMPLE)), [asdict(step) for step in steps])


def kept(job: LabelJob, ids: Sequence[str] | None = None) -> list[Step] | None:
    """Return the steps by which the labels were found, or None if they are still to be found.

    ids: the texts of the sample, if it is not the one that was noted last.
    """
    origin = job.origin(job.steps.latest(SAMPLE) if ids is None else ids)
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
    reasons = [reason_of(*both, OUTSIDE) for both in zip(results, found, strict=True)]
    abstained = [ABSTAINED for label in found if label == ABSTAIN]
    step = counted("classify", len(questions), len(choices), [*reasons, *abstained], known)
    if not choices:
        raise none_of(job.name, step, "label")
    job.steps.save(CHOICES, "", choices)
    return step


def taxonomy(job: LabelJob) -> list[Label]:
    """Return the labels that texts are sorted into: those given, listed, or found last."""
    if job.given:
        return list(job.given)
    return [
        Label(each["name"], each["description"], each["size"], tuple(each["others"]))
        for each in job.steps.latest(LABELS)
    ]


def labelled(job: LabelJob) -> dict[str, str]:
    """Return the label of each text that got one, by id."""
    found: dict[str, str] = job.steps.latest(CHOICES)
    return found


def _chosen(job: LabelJob) -> sampling.Chosen:
    return sampling.lookup(job.table, job.steps.latest(SAMPLE))
