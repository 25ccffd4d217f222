"""Which question of an export an instruction is: annotators may have answered several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.core.labels.cells import QUESTIONS

REFUSED = "refused because"  # a column that unfolding adds
TOLD = 3  # questions that a refusal names


@dataclass(frozen=True)
class Question:
    """Which of the questions of an export the instruction is, if any is.

    own: its name in the export; choices, texts: the questions that were met, answered by a choice,
    or by free text alone.
    """

    own: str | None = None
    choices: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def meet(self, question: object, *, free: bool = False) -> str:
        """Note that the export has a question; return it as a word."""
        (self.texts if free else self.choices).add(str(question))
        return str(question)

    def says(self, own: object, *, told: bool) -> dict[str, object]:
        """Return what an answer says to it. told: whether the answer says anything at all."""
        if own or self.own is not None or not told:
            return {"label": own or None}
        names = sorted(self.choices or self.texts)
        said = ", ".join(repr(name) for name in names[:TOLD])
        more = " and others" if len(names) > TOLD else ""
        return {REFUSED: f"{QUESTIONS} ({said}{more}), none of which has the instruction's name"}


def question_of(name: str, met: Iterable[Question]) -> Question:
    """Return the question that instruction `name` is: named like it, or the only one there is.

    met: what was met in each part of the export; one with choices goes before free texts.
    """
    parts = list(met)
    choices = {each for part in parts for each in part.choices}
    texts = {each for part in parts for each in part.texts}
    every, low = sorted(choices or texts), name.replace("-", "_")
    named = [each for each in every if each.lower().replace("-", "_") == low]
    own = named[0] if named else every[0] if len(every) == 1 else None
    return Question(own, choices, texts)
