"""The questions of each step, and what an answer says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from tasks.core.annotation.prompts import Prompts
from tasks.core.labels.taxonomy import ABSTAIN, DESCRIBED, Label, clean, plain
from tasks.core.llm.answers import PromptRequest
from tasks.core.llm.thinking import spoken
from tasks.core.workspace.files import digest

NOTE = 200  # characters of a summary: five words are about forty
MANY = 8  # times the tokens of one answer that a list of labels may take
_FENCED = re.compile(r"\A```[\w-]*\n(.*?)\n?```\Z", re.DOTALL)
_LEAD = re.compile(
    r"\A\W{0,4}(?:(?:the|your|my|final)\s)?(?:answer|phrase|summary)\W{0,3}:\W{0,3}\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\A\W{0,4}(?:(?:the|final)\s)?(?:label|category|class)\W{0,3}:", re.IGNORECASE)
_BOXED = re.compile(r"\A\W*boxed\{(?:\\text\{)?([^{}]*)\}+\W*\Z")
_BREAKS = {0x85: " ", 0x2028: " ", 0x2029: " "}  # end a line for some, and JSON leaves them

_NAMED: dict[str, object] = {
    "type": "object",
    "properties": {"label": {"type": "string"}, "description": {"type": "string"}},
    "required": ["label", "description"],
    "additionalProperties": False,
}
_PROPOSED: dict[str, object] = {
    "type": "object",
    "properties": {"labels": {"type": "array", "items": _NAMED}},
    "required": ["labels"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class PromptBuilder:
    """Puts an instruction's questions into the words of the prompts."""

    prompts: Prompts
    instruction: str
    max_chars: int
    max_tokens: int

    def summarise(self, text: str) -> PromptRequest:
        """Ask what one text says about the instruction."""
        return self._question("summarise", text=self._marked(text))

    def name(self, inside: Sequence[str], outside: Sequence[str]) -> PromptRequest:
        """Ask what the notes inside a cluster have in common and those outside have not."""
        question = self._question("name", inside=_listed(inside), outside=_listed(outside))
        return replace(question, schema=_NAMED)

    def propose(self, texts: Sequence[str]) -> PromptRequest:
        """Ask for all labels at once."""
        shown = _listed([text[: self.max_chars] for text in texts])
        question = self._question("propose", texts=shown)
        return replace(question, schema=_PROPOSED, size=MANY * self.max_tokens)

    def classify(self, text: str, labels: Sequence[Label]) -> PromptRequest:
        """Ask which of the labels one text has."""
        question = self._question(
            "classify", labels=_described(labels), text=self._marked(text), abstain=ABSTAIN
        )
        names = [*(label.name for label in labels), ABSTAIN]
        schema = {
            "type": "object",
            "properties": {"label": {"type": "string", "enum": names}},
            "required": ["label"],
            "additionalProperties": False,
        }
        return replace(question, schema=schema)

    def repair(self, question: PromptRequest, answer: str) -> PromptRequest:
        """Ask again where an answer could not be used."""
        return self._again(question, answer, "")

    def rename(self, question: PromptRequest, answer: str, name: str) -> PromptRequest:
        """Ask for another name of a cluster where no note of it supports the one in the answer."""
        unlike = json.dumps(name.translate(_BREAKS), ensure_ascii=False)
        fitting = f". The label fits notes of the group: none of them says {unlike}"
        return self._again(question, answer, fitting)

    def _again(self, question: PromptRequest, answer: str, more: str) -> PromptRequest:
        form = json.dumps(question.schema, ensure_ascii=False)
        system, user = self.prompts["repair"].fill(
            system=question.system,
            user=question.user,
            answer=self._marked(answer[:NOTE], "answer"),
            form=f"a JSON object by this schema: {form}{more}",
        )
        return replace(question, system=system, user=user)

    def _question(self, prompt: str, **values: str) -> PromptRequest:
        system, user = self.prompts[prompt].fill(instruction=self.instruction, **values)
        return PromptRequest(system, user, self.max_tokens)

    def _marked(self, text: str, what: str = "text") -> str:
        """Put a text between marks that it cannot contain: they hold its own hash."""
        cut = text[: self.max_chars]
        mark = digest(cut)[:12]
        return f"<{what} {mark}>\n{cut}\n</{what} {mark}>"


def _listed(notes: Sequence[str]) -> str:
    """Write notes as JSON strings, a line each: none can end its line or begin another."""
    each = (json.dumps(note.translate(_BREAKS), ensure_ascii=False) for note in notes)
    return "\n".join(f"- {note}" for note in each) or "- (none)"


def _described(labels: Sequence[Label]) -> str:
    lines = [f"{label.name}: {label.description}".rstrip(": ") for label in labels]
    return "\n".join(f"- {line}" for line in (*lines, ABSTAIN))


def read_note(answer: str) -> str:
    """Return a summary as one line; empty where the model said nothing."""
    said = _bare(spoken(answer))
    found = _json(said) if said.startswith("{") else None
    fields = list(found.values()) if isinstance(found, dict) else []
    alone = fields[0] if len(fields) == 1 and isinstance(fields[0], str) else None
    return " ".join((_LEAD.sub("", said) if alone is None else alone).split())[:NOTE]


def read_label(answer: str) -> Label | None:
    """Return the label that an answer names, or None."""
    found = _json(answer)
    if not isinstance(found, dict):
        return None
    name, description = found.get("label"), found.get("description", "")
    if not isinstance(name, str) or not isinstance(description, str) or not clean(name):
        return None
    return Label(clean(name), " ".join(description.split())[:DESCRIBED])


def read_labels_of(answer: str) -> list[Label]:
    """Return the labels that an answer lists; none where it lists none."""
    found = _json(answer)
    listed = found.get("labels") if isinstance(found, dict) else found
    each = [read_label(json.dumps(item)) for item in listed] if isinstance(listed, list) else []
    return [label for label in each if label is not None]


def read_choice(answer: str, names: Sequence[str]) -> str | None:
    """Return which of `names` an answer gives, however it is dressed; None for any other."""
    found = _json(answer)
    said = found.get("label") if isinstance(found, dict) else found
    if not isinstance(said, str):
        said = _bare(spoken(answer))
    known = {plain(name): name for name in names}
    return known.get(plain(said)) or known.get(plain(_LABEL.sub("", _LEAD.sub("", said))))


def _json(answer: str) -> Any:
    """Return the JSON value of an answer, also from among words; None where there is none."""
    said = spoken(answer)
    among = (said[said.find(first) : said.rfind(last) + 1] for first, last in ("{}", "[]"))
    for text in (said, *among):
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return None


def _bare(said: str) -> str:
    """Return what is said without the fence or the box that it may stand in."""
    fenced = _FENCED.match(said.strip())
    inner = fenced[1].strip() if fenced else said.strip()
    boxed = _BOXED.match(inner)
    return boxed[1].strip() if boxed else inner
