"""What a labelling is given, and how its questions are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tasks.core.annotation.answer_cache import AnswerCache, open_answer_cache
from tasks.core.annotation.budget import BudgetTracker
from tasks.core.annotation.evident import listed
from tasks.core.annotation.prompting import PromptBuilder
from tasks.core.annotation.prompts import load_prompts, version_of
from tasks.core.annotation.requests import FIRST_WAIT, Pace, ask_all
from tasks.core.annotation.step_results import StepResults
from tasks.core.encoding.encoder import decided, load_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.labels.taxonomy import Label
from tasks.core.llm.answers import Answer, PromptRequest, cure
from tasks.core.llm.client import Endpoint, connect
from tasks.core.settings.label_section import LabelSettings
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest

UNASKED = "not asked: the budget is spent"
FAILED = "failed: "

Advance = Callable[[int], None]
Result = Answer | str
"""An answer, or the reason why there is none."""


@dataclass(frozen=True)
class LabelJob:
    """All that one labelling reads, and where it keeps what it found.

    base: a name for the content of the table. prompts: a folder of the user's own. endpoint: None
    where no model is asked, and weak labels come from the encoder alone. settings: the section
    `label` of params.yaml, with what the command line puts in its place. taxonomy: labels that a
    person has given, with which the first four steps are left out. first_wait: seconds before the
    second try of a call.
    """

    name: str
    instruction: str
    table: Path
    base: str
    memory: Path
    answer_cache: Path
    prompts: Path | None
    encoder: EmbedSettings
    endpoint: Endpoint | None
    settings: LabelSettings
    taxonomy: tuple[Label, ...] = ()
    first_wait: float = FIRST_WAIT

    @property
    def steps(self) -> StepResults:
        """The results of the labelling's steps, kept on disk."""
        return StepResults(self.memory)

    @property
    def weak(self) -> bool:
        """Whether labels come from the encoder alone."""
        return self.endpoint is None

    @property
    def asked(self) -> Endpoint:
        """The endpoint of the model; ValueError where labels come from the encoder alone."""
        if self.endpoint is None:
            raise ValueError(f"label {self.name}: weak labels are made without a model")
        return self.endpoint

    @property
    def listed(self) -> tuple[Label, ...]:
        """The labels that the instruction lists; none beside those that a person has given."""
        return () if self.taxonomy else listed(self.instruction)

    @property
    def given(self) -> tuple[Label, ...]:
        """The labels that need not be looked for."""
        return self.taxonomy or self.listed

    def prompt_builder(self) -> PromptBuilder:
        """Return the builder of prompts for this instruction."""
        prompts, settings = load_prompts(self.prompts), self.settings
        return PromptBuilder(prompts, self.instruction, settings.max_chars, settings.max_tokens)

    def made_from(self) -> str:
        """Return a fingerprint of everything that decides on the labels."""
        versions = version_of(load_prompts(self.prompts))
        given = [asdict(label) for label in self.given]
        model = (None, None) if self.weak else (self.asked.model, self.settings.temperature)
        about = (self.instruction, self.base, *model)
        space = fingerprint(self.encoder)
        return digest(about, versions, self.settings.deciding(), given, space)

    def origin(self, sample: Sequence[str]) -> str:
        """Return a fingerprint of what labels are found from: sample, instruction, model, prompts.

        sample: the ids of its texts.
        """
        versions = version_of(load_prompts(self.prompts))
        prompts = [versions[name] for name in ("summarise", "name", "propose")]
        deciding = self.settings.deciding()
        about = (self.instruction, self.asked.model, fingerprint(self.encoder), deciding)
        return digest(digest(list(sample)), about, prompts)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the unit vectors of texts (n, d) float32."""
        return load_encoder(decided(self.encoder, texts)).encode(texts, lambda _: None).vectors

    def open_answers(self) -> AbstractContextManager[AnswerCache]:
        """Open the cache of answers, of which only those by this host and temperature are found."""
        given = f"{self.asked.host}, temperature {self.settings.temperature}"
        return open_answer_cache(self.answer_cache, self.name, given)

    def key(self, question: PromptRequest) -> str:
        """Return a fingerprint of a question to this job's model."""
        return question.key(self.asked.model)


@dataclass(frozen=True)
class Step:
    """What became of one step: `wanted` is `done` plus all `reasons`.

    known: answers that were paid for by an earlier run, or for another instruction.
    """

    step: str
    wanted: int
    done: int
    known: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def unasked(self) -> int:
        """How much the budget did not reach."""
        return self.reasons.get(UNASKED, 0)

    @property
    def failed(self) -> int:
        """How many calls came to nothing, and may bring something another time."""
        return sum(n for reason, n in self.reasons.items() if reason.startswith(FAILED))


def none_of(job_name: str, step: Step, what: str) -> InputError:
    """Return the refusal to go on with nothing: each reason, and the cure of the first of them."""
    said = ", ".join(f"{n:,} {reason}" for reason, n in step.reasons.items())
    first = max(step.reasons, key=lambda reason: step.reasons[reason])
    return InputError(
        f"label {job_name}: found no {what} for {step.wanted:,} texts ({said}); expected some;"
        f" {cure(first)}, then run the same command: what was answered is kept"
    )


def reason_of(result: Result, found: object, otherwise: str) -> str | None:
    """Return why a result is of no use; None where something was found in it."""
    if isinstance(result, str):
        return result
    return None if found else otherwise


def counted(
    step: str, wanted: int, done: int, reasons: Iterable[str | None], known: int = 0
) -> Step:
    """Return the step with its reasons counted; None is no reason."""
    counts = Counter(reason for reason in reasons if reason is not None)
    return Step(step, wanted, done, known, dict(sorted(counts.items())))


@dataclass(frozen=True)
class Billing:
    """The log in which calls to the model are noted, and the budget they are paid from."""

    cache: AnswerCache
    budget: BudgetTracker


@contextmanager
def open_billing(job: LabelJob) -> Iterator[Billing]:
    """Open the cache of answers, with what is left of the job's budget."""
    with job.open_answers() as cache:
        yield Billing(cache, BudgetTracker(job.settings, cache.spent()))


def ask(
    job: LabelJob, billing: Billing, questions: Sequence[PromptRequest], step: str, advance: Advance
) -> tuple[list[Result], int]:
    """Ask the job's model; return a result a question, and how many were known already."""
    asked = ask_all(
        lambda: connect(job.asked),
        job.asked.model,
        questions,
        billing.cache,
        billing.budget,
        job.settings,
        step,
        advance,
        Pace(job.settings.per_minute, job.first_wait),
    )
    failed = {key: f"{FAILED}{reason}" for key, reason in asked.failed.items()}
    found: dict[str, Result] = {**failed, **asked.answers}
    return [found.get(job.key(question), UNASKED) for question in questions], asked.known


def ask_usably(
    job: LabelJob,
    billing: Billing,
    questions: Sequence[PromptRequest],
    read: Callable[[str], object],
    step: str,
    advance: Advance,
) -> tuple[list[Result], int]:
    """Ask, and once more where `read` finds nothing in an answer; the last result counts.

    Where no answer at all is of use, all are asked again the next time: the model may be mended.
    """
    builder = job.prompt_builder()
    results, known = ask(job, billing, questions, step, advance)
    again = {
        at: builder.repair(questions[at], answer.text)
        for at, answer in enumerate(results)
        if isinstance(answer, Answer) and not read(answer.text)
    }
    repaired, _ = ask(job, billing, list(again.values()), step, lambda _: None)
    for at, result in zip(again, repaired, strict=True):
        results[at] = result
    if not any(isinstance(each, Answer) and read(each.text) for each in results):
        billing.cache.doubt([job.key(each) for each in (*questions, *again.values())])
    return results, known
