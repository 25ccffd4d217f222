"""What is asked of a language model, and what comes back: an answer, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tasks.core.workspace.files import digest

LETTERS = 4  # of a token, on average in English, as OpenAI tells people to reckon: bytes of UTF-8
REFUSED = "refused with "  # and by what: the same question will be refused again
THINKING = "tokens on thinking"
CUT = "tokens and was cut"
# What a person can do, by words of what went wrong.
CURES = {
    THINKING: "raise label.max_tokens, switch its thinking off, or choose another label.model",
    CUT: "raise label.max_tokens, or choose a label.model that answers in a phrase",
    "thoughts and no answer": "switch its thinking off at the endpoint, or choose another"
    " label.model",
    "empty answer": "raise label.max_tokens (thoughts may be hidden), or choose another"
    " label.model",
    "tool call": "switch tools off at the endpoint, or choose another label.model",
    "reply over": "see that label.base_url is a chat endpoint (it ends in /v1)",
    "malformed": "see that label.base_url is a chat endpoint (it ends in /v1)",
    "outside the set": "look at the labels by --review, or choose another label.model",
    "no label in the answer": "set label.structured to true, or choose another label.model",
    "abstained": "word the instruction otherwise, or give labels of your own by --taxonomy",
    "says nothing": "word the instruction otherwise",
    "budget": "raise label.max_calls or label.max_usd",
    "time-out": "raise label.timeout, or lower label.in_flight",
    "no connection": "see that label.base_url is right and the endpoint runs",
}


@dataclass(frozen=True)
class PromptRequest:
    """What a model is told and asked; `schema` is the JSON Schema its answer has to follow."""

    system: str
    user: str
    size: int  # tokens of the answer at most
    schema: Mapping[str, object] | None = None

    def key(self, model: str) -> str:
        """Return a fingerprint of the question and the model, by which its answer is cached."""
        return digest(model, self.system, self.user, self.size, self.schema)

    def tokens(self) -> int:
        """Return about how many tokens the question takes."""
        return tokens_of(self.system) + tokens_of(self.user) + tokens_of(str(self.schema or ""))


@dataclass(frozen=True)
class Answer:
    """What a model answered; `estimated`: tokens reckoned, as the endpoint did not count them."""

    text: str
    tokens_in: int
    tokens_out: int
    estimated: bool = False


class NoAnswerError(Exception):
    """A call to a model that came to nothing; `kind` says how.

    wait: seconds that the endpoint asks to wait for. passing: the same question may be answered
    another time. cut: more room may bring an answer.
    learnt: it will be asked otherwise now. billed: what it cost all the same. said: the endpoint's
    own words.
    """

    def __init__(
        self,
        kind: str,
        *,
        passing: bool,
        wait: float | None = None,
        said: str = "",
        cut: bool = False,
        learnt: bool = False,
        billed: Answer | None = None,
    ) -> None:
        super().__init__(f"{kind} ({said})" if said else kind)
        self.kind, self.passing, self.wait = kind, passing, wait
        self.cut, self.learnt, self.billed = cut, learnt, billed


class LanguageModel(Protocol):
    """Whatever answers questions, one call each; NoAnswerError where a call comes to nothing."""

    async def ask(self, question: PromptRequest) -> Answer:
        """Ask the model once; NoAnswerError where the call comes to nothing."""
        ...


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has: a fourth of its bytes in UTF-8, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // LETTERS)


def cure(kind: str) -> str:
    """Return what a person can do about a call that failed by `kind`."""
    return next((way for words, way in CURES.items() if words in kind), "see to the endpoint")
