"""The body of an endpoint's reply → an answer, whatever shape it has; or why it holds none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeGuard

from tasks.core.llm.answers import (
    CUT,
    REFUSED,
    THINKING,
    Answer,
    NoAnswerError,
    PromptRequest,
    tokens_of,
)
from tasks.core.llm.thinking import spoken

MOST = 10**9  # tokens that a reply is believed to have taken
# Why a model ended, in the words of public endpoints; all others mean that it had said all.
_FULL = {
    *("length", "max_tokens", "max_length", "max_output_tokens", "max_completion_tokens"),
    *("max_new_tokens", "model_length", "token_limit"),
}
_FILTERED = {
    *("content_filter", "content-filter", "safety", "recitation", "prohibited_content"),
    *("blocklist", "spii", "sensitive", "refusal"),
}
_BROKEN = {
    *("error", "abort", "aborted", "cancelled", "timeout", "network_error"),
    *("insufficient_system_resource", "malformed_function_call"),
}
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_CALLS = ("tool_calls", "function_call")
_SAYS = (None, "text", "output_text")  # types of the parts that make up what is said

Object = Mapping[str, object]
"""A JSON object of an endpoint: nothing of it is known until it is looked at."""


def parse(body: bytes) -> Object:
    """Return the reply's object, also from a stream that nobody asked for; NoAnswerError if none.

    Endpoints put blanks, comments or a list around it, and any content type above it.
    """
    text = body.decode("utf-8-sig", "replace").strip()
    value: object = _stream(text) if text.startswith(("data:", "event:", "id:", ":")) else None
    value = _load(text) if value is None else value
    value = _load(text[text.find("{") : text.rfind("}") + 1]) if value is None else value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise NoAnswerError("malformed reply", passing=True)
    return value


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _stream(text: str) -> Object | None:
    """Join the pieces of a reply that is a stream of events; None where it is cut, or is none."""
    pieces: dict[str, list[str]] = {"content": [], "reasoning_content": [], "refusal": []}
    finish: object = None
    whole: dict[str, object] = {}
    lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    for event in (_load(line) for line in lines if line != "[DONE]"):
        if not isinstance(event, dict) or event.get("error"):
            return event if isinstance(event, dict) else None
        whole |= {key: value for key, value in event.items() if value is not None}
        choice = _first(event) or {}
        said = choice.get("delta") or choice.get("message")
        for key, piece in said.items() if isinstance(said, dict) else ():
            if isinstance(piece, str):
                pieces.setdefault(key, []).append(piece)
        finish = choice.get("finish_reason") or finish
    if finish is None and "[DONE]" not in lines:
        return None
    message = {key: "".join(each) or None for key, each in pieces.items()}
    return whole | {"choices": [{"message": message, "finish_reason": finish}]}


def _first(value: Object) -> Object | None:
    """Return the first of a reply's choices; None where it has none."""
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def error_in(value: Object) -> object:
    """Return the error that a reply holds in spite of its status; None where it holds none."""
    choice = _first(value)
    if choice is not None:
        return choice.get("error") or None
    for key in ("error", "errors", "detail"):
        if value.get(key):
            return value if key == "error" else value[key]
    told = value.get("message") or value.get("msg")
    return value if isinstance(told, str) and "choices" not in value else None


def read_reply(value: Object, question: PromptRequest) -> Answer:
    """Return the answer without thoughts; NoAnswerError where there is none, or a part of one."""
    choice = _first(value)
    if choice is None:
        kind = "no choice in the reply" if value.get("choices") == [] else "malformed reply"
        raise NoAnswerError(kind, passing=True, billed=_billed(value, question, ""))
    message = _message(choice)
    text = _written(message)
    answer = replace(_billed(value, question, text + _thoughts(message)), text=spoken(text))
    _check(choice, message, answer, question)
    return answer


def _message(choice: Object) -> Object:
    message = choice.get("message", choice.get("delta"))
    if message is None and isinstance(choice.get("text"), str):
        return {"content": choice["text"]}
    if not isinstance(message, dict):
        raise NoAnswerError("malformed reply", passing=True)
    return message


def _written(message: Object) -> str:
    """Return all that a message says; of one in parts those that are no thoughts."""
    content = message.get("content")
    if isinstance(content, dict):
        content = json.dumps(content, ensure_ascii=False)
    if isinstance(content, list):
        said = [part for part in content if isinstance(part, dict) and part.get("type") in _SAYS]
        content = "".join(part["text"] for part in said if isinstance(part.get("text"), str))
    if content is not None and not isinstance(content, str):
        raise NoAnswerError("malformed reply", passing=True)
    return (content or "").encode("utf-8", "replace").decode()  # halves of a surrogate pair go


def _thoughts(message: Object) -> str:
    """Return what a message holds of thoughts apart from what it says, as text of any form."""
    told = (message.get(key) for key in _THOUGHTS[:3])
    apart = [each for each in told if isinstance(each, str)]
    parts = message.get("content")
    if isinstance(parts, list):
        apart += [str(part) for part in parts if not _is_said(part)]
    return "".join(apart[:1]) or ("…" if message.get("reasoning_details") else "")


def _is_said(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") in _SAYS


def _check(choice: Object, message: Object, answer: Answer, question: PromptRequest) -> None:
    """Raise NoAnswerError unless a model has said what it had to say."""
    finish = choice.get("finish_reason")
    finish = finish.get("type") if isinstance(finish, dict) else finish
    finish = finish.casefold() if isinstance(finish, str) else None
    billed = replace(answer, text="")
    if finish in _FILTERED or (message.get("refusal") and not answer.text):
        by = "a filter of contents" if finish in _FILTERED else "words instead of an answer"
        raise NoAnswerError(REFUSED + by, passing=False, billed=billed)
    if finish in _BROKEN:
        raise NoAnswerError("model broke off", passing=True, billed=billed)
    ran_out = not answer.estimated and answer.tokens_out >= question.size
    if finish in _FULL or (ran_out and (finish is None or not answer.text)):
        _check_whole(answer, question, finish in _FULL)
    if not answer.text:
        raise NoAnswerError(_silence(message), passing=True, billed=billed)


def _check_whole(answer: Answer, question: PromptRequest, told: bool) -> None:
    """Raise NoAnswerError where an answer stops at the limit; a whole JSON object does not."""
    if question.schema is not None and isinstance(_load(answer.text), dict):
        return
    out = max(answer.tokens_out, question.size) if answer.estimated else answer.tokens_out
    kind = f"the model spent all of its {question.size:,} {CUT if answer.text else THINKING}"
    billed = replace(answer, text="", tokens_out=out)
    raise NoAnswerError(kind, passing=True, wait=0, cut=True, billed=billed)


def _silence(message: Object) -> str:
    if any(message.get(key) for key in _CALLS):
        return "a tool call and no answer"
    content = message.get("content")
    said = content.strip() if isinstance(content, str) else content
    thought = said or any(message.get(key) for key in _THOUGHTS)
    return "thoughts and no answer" if thought else "empty answer"


def _billed(value: Object, question: PromptRequest, text: str) -> Answer:
    taken = _taken(value.get("usage"))
    if taken is None:
        return Answer("", question.tokens(), tokens_of(text), estimated=True)
    return Answer("", *taken)


def _taken(usage: object) -> tuple[int, int] | None:
    """Return the tokens sent and received, or None where a reply does not tell both.

    Some count thoughts in the total alone, and bill them as received.
    """
    told = usage if isinstance(usage, dict) else {}
    sent, received = told.get("prompt_tokens"), told.get("completion_tokens")
    if not (_is_count(sent) and _is_count(received)):
        return None
    total = told.get("total_tokens")
    return sent, max(received, total - sent) if _is_count(total) else received


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MOST
