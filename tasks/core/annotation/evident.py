"""Labels that need not be looked for: an instruction lists them, or the notes say little else."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from tasks.core.annotation.clustering import FEWEST
from tasks.core.labels.taxonomy import ABSTAIN, Label, clean, plain

VAGUE = ("unclear", "other", "others", "something else", "anything else", "unknown")
"""No names of a kind of texts: what abstaining is for."""
WORDS = 5  # of a label at most, as the prompts ask for
OFTEN = 10  # notes that a phrase has in the mean, where few phrases are all there is
NEARLY_ALL = 0.9  # share of the notes that these phrases make up
_LIST = re.compile(r"(?:(?<!\d):|:(?!\d))\s*(?P<behind>[^:()]+)\Z|\((?P<inside>[^()]+)\)\W*\Z")
_EXAMPLES = re.compile(
    r"\b(?:such as|e\.\s?g|for (?:example|instance)|including|and so on|among other\w*|etc|z\.\s?b"
    r"|usw)\b|[:(]\s*like\s+\w|\blike\s*:|\.\.\.|…",
    re.IGNORECASE,
)
_OR = re.compile(r"(?<=\s)(?:or|oder|ou|o)\s", re.IGNORECASE)
_EITHER = re.compile(r"\A\s*(?:either|one of|whether|if)\s", re.IGNORECASE)
_AND = re.compile(r"\b(?:and|und|et|y|e)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?]\s")
_NO_LABEL = re.compile(  # how to answer, or a clause
    r"\A(?:not|no|in|with|without|see|ignor\w+|consider|if|unless|and|what|who\w*|why|how|when|where"
    r"|whether|which)\s|\b(?:words?|sentences?|languages?)\Z|\b(?:is|are|means?)\b"
    r"|\d\s*(?:to|-|–)\s*\d|\.\w",
    re.IGNORECASE,
)


def is_kind(name: str) -> bool:
    """Tell a name of a kind of texts from one that means to abstain."""
    return plain(name) not in (*VAGUE, plain(ABSTAIN))


def listed(instruction: str) -> tuple[Label, ...]:
    """Return the labels that an instruction lists at its end; none where it lists none.

    "the tone: harsh, neutral or kind" and "the tone (harsh / kind)" do. Examples ("such as …"), a
    sentence, how to answer ("in one word"), clauses ("what went wrong"), a list that only "and"
    ends, and one of commas in brackets, which may be of what to look at, are no labels.
    """
    found = _LIST.search(instruction.strip().rstrip(" .;?"))
    if found is None or _EXAMPLES.search(instruction):
        return ()
    said = _EITHER.sub("", found["behind"] or found["inside"])
    parts = [part for part in re.split(r"[,;/|\n]", _OR.sub(", ", said)) if part.strip()]
    names = [clean(part) for part in parts]
    if not all(names) or any(len(plain(name).split()) > WORDS for name in names):
        return ()
    *first, last = parts
    chosen = _OR.search(said) or re.search(r"[/|]", said)
    ambiguous = _AND.search(last) and not _AND.search(" ".join(first))
    if not chosen and (ambiguous or found["inside"]):
        return ()
    if _SENTENCE.search(said) or any(_NO_LABEL.search(part.strip()) for part in parts):
        return ()
    kinds = {plain(name): Label(name) for name in reversed(names) if is_kind(name)}
    return tuple(reversed(kinds.values())) if len(kinds) > 1 else ()


def said(labels: Sequence[Label]) -> str:
    """Say which labels an instruction lists: it may have been read wrongly."""
    names = ", ".join(repr(label.name) for label in labels)
    return f"labels as the instruction lists them: {names}; for others give --taxonomy FILE"


def echoes(name: str, instruction: str) -> bool:
    """Tell whether a name has no word that the instruction has not: it answers by the question."""
    return set(plain(name).split()) <= set(plain(instruction).split())


def majority(notes: Sequence[str]) -> Label | None:
    """Return the phrase that half of the notes are, and `FEWEST` at least; None if none is."""
    key, times = Counter(plain(note) for note in notes).most_common(1)[0]
    spelled = Counter(note for note in notes if plain(note) == key)
    return _phrase(spelled) if times >= max(FEWEST, len(notes) / 2) else None


def repeated(notes: Sequence[str]) -> list[Label]:
    """Return the phrases that notes consist of, where these are few; none where they are many.

    Few: those of `FEWEST` notes or more make up nearly all notes, with `OFTEN` of them each in the
    mean, and are as short as labels. The others, however often they are said, name nothing.
    """
    spelled: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for note in notes:
        spelled[plain(note)][note] += 1
    often = {key: each.total() for key, each in spelled.items() if each.total() >= FEWEST}
    covered = sum(often.values())
    few = len(often) > 1 and covered >= max(NEARLY_ALL * len(notes), OFTEN * len(often))
    short = [_phrase(spelled[key]) for key in often] if few else []
    labels = [each for each in short if each is not None and is_kind(each.name)]
    return labels if len(labels) == len(short) else []


def _phrase(spelled: Counter[str]) -> Label | None:
    """Return the label that equal notes make, in their commonest spelling; None if they are long.

    spelled: the notes, and how often each is said.
    """
    name = clean(spelled.most_common(1)[0][0])
    short = name and len(plain(name).split()) <= WORDS
    return Label(name, "", spelled.total()) if short else None
