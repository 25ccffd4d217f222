"""What a model says, without what it thought aloud: the marks that models put around thoughts.

Only the structure of a reply counts. A mark inside quotes or code, and one that a sentence speaks
of ("a stray </think> tag"), belongs to what is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAMES = (
    r"(?:seed:|longcat_|ant|deep_)?think(?:ing)?|(?:inner_|chain_of_)?thoughts?|thought_process"
    r"|reason|reasoning(?:_content)?|analysis|cot|reflection|scratchpad|internal_monologue"
)
# Openings and closings, as the chat templates and parsers of public models have them.
_MARK = re.compile(
    r"(?P<open>"
    rf"(?:<|&lt;)\s?(?:{_NAMES})(?:\s[^<>\n]{{0,80}})?(?:>|&gt;)"
    rf"|<\|(?:{_NAMES}|begin_of_thought|START_THINKING|inner_prefix)\|>"
    r"|<details\s+type=\"reasoning\"[^<>\n]{0,80}>"
    r"|\[THINK\]|◁think▷|<\|channel>thought\b|<unused94>"
    r")|(?P<close>"
    rf"(?:<|&lt;)\s?/\s?(?:{_NAMES})\s?(?:>|&gt;)"
    rf"|<\|/(?:{_NAMES})\|>|<\|(?:end_of_thought|END_THINKING|inner_suffix)\|>"
    r"|</details>|<\|end\|>\s*<\|begin\|>\s*assistant\s*<\|content\|>"
    r"|\[/THINK\]|◁/think▷|<channel\|>|<unused95>"
    r")",
    re.IGNORECASE,
)
_SPOKEN_OF = re.compile(
    r"[ \t]+(?:tags?|tokens?|marks?|markers?|elements?|blocks?|strings?|delimiters?|markup)\b", re.I
)
_SPEAKS_OF = re.compile(
    r"\b(?:a|an|the|of|no|with|without|and|or|called|literal|stray|unclosed|missing|closing|opening"
    r"|tags?|tokens?|marks?|markers?)[ \t]+\Z",
    re.I,
)
_NEAR = 24  # characters before a mark that may speak of it
# OpenAI's harmony format: the answer is in the channel "final".
_FINAL = re.compile(r"<\|channel\|>\s*final\b[^<]{0,80}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>")
_CHANNEL = re.compile(r"\A\s*(?:(?:<\|start\|>\s*assistant)?\s*<\|channel\|>|\w+\s*<\|message\|>)")
_ENDED = re.compile(r"<\|(?:return|end|start|call)\|>")
# The same where a server has left out the marks themselves.
_BARE = re.compile(r"\A\s*analysis(?=[A-Z]).*?(?:assistant\s?final(?=\W|[A-Z0-9])|\Z)", re.DOTALL)
_WORDS = (
    re.compile(
        r"\A\s*here(?:'s| is) my thought process:?.*?(?:here(?:'s| is) my response:?|\Z)",
        re.DOTALL | re.I,
    ),
    re.compile(
        r"\A\s*here are my reasoning steps:?.*?(?:\[BEGIN FINAL RESPONSE\]|\Z)", re.DOTALL | re.I
    ),
    re.compile(
        r"\A\W{0,4}(?:thoughts?|thinking|thought process|reasoning)\W{0,3}:.*\n"
        r"\W{0,4}(?=(?:final )?answer\W{0,3}:)",
        re.DOTALL | re.I,
    ),
)
# What ends a turn, where a server has not taken it off.
_STOPS = (
    *("<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|return|>", "<|end_of_text|>"),
    *("<|eom_id|>", "<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>", "<|end_of_solution|>"),
    *("<|end_of_box|>", "<end_of_turn>", "</s>", "<|eot|>"),
    *("<\uff5cend\u2581of\u2581sentence\uff5c>", "[END FINAL RESPONSE]"),
)
_DRESS = re.compile(
    r"\A\s*(?:<(?P<name>answer|response|final|final_answer|solution|output)>(?P<in>.*?)"
    r"(?:</(?P=name)>\s*)?|(?:<\|(?:START_RESPONSE|begin_of_solution|begin_of_box)\|>)(?P<bare>.*))\Z",
    re.DOTALL | re.I,
)


_QUOTES = ("''", "“”", "\u2018\u2019", "«»")


@dataclass(frozen=True)
class _Mark:
    start: int
    end: int
    opens: bool


def spoken(reply: str) -> str:
    """Return a reply without the thoughts in it; empty where it holds nothing else, or was cut."""
    if _is_json(reply):
        return reply.strip()
    said = _final(reply)
    bare = _BARE.match(said)
    said = _without_blocks(said[bare.end() :] if bare else said)
    for pattern in _WORDS:
        thoughts = pattern.match(said)
        said = said[thoughts.end() :] if thoughts else said
    said = said.strip()
    while said.endswith(_STOPS):
        ending = next(each for each in _STOPS if said.endswith(each))
        said = said.removesuffix(ending).rstrip()
    return _undressed(said).strip()


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _final(reply: str) -> str:
    """Return the final channel of a reply that has channels; empty where it came to none."""
    if "<|message|>" not in reply and not _CHANNEL.match(reply):
        return reply
    for start, end in _outside_quotes(reply, _FINAL):
        if _CHANNEL.match(reply) or _ENDED.search(reply, max(0, start - 40), start) or not start:
            ended = next(_outside_quotes(reply, _ENDED, end), None)
            return reply[end : ended[0] if ended else None]
    return "" if _CHANNEL.match(reply) else reply


def _outside_quotes(text: str, pattern: re.Pattern[str], at: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where `pattern` matches outside of quotes and code, each line by itself."""
    line, ending, counts = -1, -1, {}
    for found in pattern.finditer(text, at):
        start = found.start()
        if start > ending:
            line = seen = text.rfind("\n", 0, start) + 1
            ending = text.find("\n", start)
            ending = len(text) if ending < 0 else ending
            counts = {quote: [0, _count(text, quote, line, ending)] for quote in '"`'}
        for quote, count in counts.items():
            count[0] += _count(text, quote, seen, start)
        seen = start
        inside = any(before % 2 and before < whole for before, whole in counts.values())
        around = text[start - 1 : start] + text[found.end() : found.end() + 1]
        if not inside and around not in _QUOTES:
            yield start, found.end()


def _count(text: str, quote: str, start: int, end: int) -> int:
    return text.count(quote, start, end) - text.count(f"\\{quote}", start, end)


def _marks(text: str) -> list[_Mark]:
    """Return the marks that open and close thoughts, without those that the text speaks of."""
    found = []
    for start, end in _outside_quotes(text, _MARK):
        speaks = _SPEAKS_OF.search(text, max(0, start - _NEAR), start)
        if not speaks and not _SPOKEN_OF.match(text, end):
            whole = _MARK.match(text, start)
            found.append(_Mark(start, end, whole is not None and whole["open"] is not None))
    return found


def _without_blocks(text: str) -> str:
    """Remove thoughts between marks; where the opening mark is missing, all before the closing."""
    kept: list[str] = []
    at = opened = closed = depth = 0
    for mark in _marks(text):
        if mark.opens:
            if not depth:
                kept.append(text[at : mark.start])
                opened, closed = mark.start, 0
            depth += 1
            continue
        if not depth:
            kept.clear()
        closed, depth = mark.end, max(0, depth - 1)
        if not depth:
            at = mark.end
    if not depth:
        return "".join((*kept, text[at:]))
    if closed:  # a thought that speaks of an opening mark
        return "".join((*kept, text[closed:]))
    line = text.rfind("\n", 0, opened) + 1
    if "".join(kept).strip() and text[line:opened].strip():
        return "".join((*kept, text[opened:]))  # amid a sentence, and never closed
    return "".join(kept)


def _undressed(said: str) -> str:
    dress = _DRESS.match(said)
    if dress is None:
        return said
    return dress["in"] if dress["in"] is not None else dress["bare"]
