"""Questions to a language model: the only module that knows openai."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from tasks.core.errors import InputError
from tasks.core.files import digest
from tasks.core.label_section import check_url
from tasks.core.labelling.keys import NO_KEY, key_in, refuse_open_key

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

LETTERS = 4  # of a token, on average in English, as OpenAI tells people to reckon: bytes of UTF-8
MOST = 10**9  # tokens that a reply is believed to have taken
REFUSED = "refused with "  # and the status: the same question will be refused again
EXCERPT = 200  # characters of what an endpoint says that are repeated
SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
PASSING = (408, 409, 425, 429)  # and all from 500 on: worth another try
# What an endpoint may not know, by the words it then says, in the order of suspicion.
OPTIONAL = {
    "max_tokens": ("max_completion_tokens",),
    "temperature": ("temperature",),
    "response_format": ("response_format", "json_schema", "schema", "grammar"),
}


@dataclass(frozen=True)
class Question:
    """What a model is told and asked; `schema` is the JSON Schema its answer has to follow."""

    system: str
    user: str
    size: int  # tokens of the answer at most
    schema: Mapping[str, Any] | None = None

    def key(self, model: str) -> str:
        """Name the question: the same one to the same model is asked once."""
        return digest(model, self.system, self.user, self.size, self.schema)

    def tokens(self) -> int:
        """Return about how many tokens are sent."""
        return tokens_of(self.system) + tokens_of(self.user) + tokens_of(str(self.schema or ""))


@dataclass(frozen=True)
class Answer:
    """What came back; `estimated`: the endpoint did not say how many tokens it took."""

    text: str
    tokens_in: int
    tokens_out: int
    estimated: bool = False


class NoAnswerError(Exception):
    """A call came to nothing: `kind` says how, `wait` how many seconds the endpoint asks for.

    passing: the same question may be answered another time. said: the endpoint's own words.
    """

    def __init__(
        self, kind: str, *, passing: bool, wait: float | None = None, said: str = ""
    ) -> None:
        super().__init__(f"{kind} ({said})" if said else kind)
        self.kind, self.passing, self.wait = kind, passing, wait


class LanguageModel(Protocol):
    """Whatever answers questions, one call each; NoAnswerError where a call comes to nothing."""

    async def ask(self, question: Question) -> Answer:
        """Make one call."""
        ...


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers, and how it is asked; the key is read when it is connected to."""

    base_url: str
    model: str
    key_env: str
    timeout: float
    temperature: float | None
    structured: bool

    @property
    def host(self) -> str:
        """The endpoint's host, which is all that any file notes of its address."""
        return check_url(self.base_url)


def find_endpoint(
    base_url: str | None,
    model: str | None,
    key_env: str,
    timeout: float,
    temperature: float | None,
    structured: bool,
) -> Endpoint:
    """Complete the settings by the environment; InputError where something is missing."""
    url = base_url or os.environ.get("OPENAI_BASE_URL")
    if not url:
        raise InputError(
            "params.yaml: label.base_url is not set, nor is OPENAI_BASE_URL; expected an endpoint"
            " such as http://127.0.0.1:8000/v1 (texts are sent to no other); set one of them, or"
            " make weak labels without a model by --zero-shot"
        )
    try:
        check_url(url)
    except ValueError as error:
        raise InputError(f"label.base_url (or OPENAI_BASE_URL): {error}") from None
    refuse_open_key(url, key_env)
    name = model or os.environ.get("OPENAI_MODEL")
    if not name:
        raise InputError(
            "params.yaml: label.model is not set, nor is OPENAI_MODEL; expected the name of a model"
            f" that {check_url(url)} serves; set one of them"
        )
    return Endpoint(url, name, key_env, timeout, temperature, structured)


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has; of other scripts more than one of four letters."""
    return -(-len(text.encode("utf-8", "replace")) // LETTERS)


@asynccontextmanager
async def connect(endpoint: Endpoint) -> AsyncIterator[LanguageModel]:
    """Connect to an endpoint; without a key in the environment, as a local server wants none."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    refuse_open_key(endpoint.base_url, endpoint.key_env)
    key = key_in(endpoint.key_env) or NO_KEY
    if not (key.isascii() and key.isprintable()):
        raise InputError(
            f"environment variable {endpoint.key_env}: found characters that no key has; expected"
            " printable ASCII in one line; set it anew"
        )
    client = AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=key,
        timeout=endpoint.timeout,
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(follow_redirects=False),  # texts go to no other host
    )
    async with client:
        yield _OpenAI(endpoint, client, key)


class _OpenAI:
    def __init__(self, endpoint: Endpoint, client: AsyncOpenAI, key: str) -> None:
        self._endpoint, self._client, self._key = endpoint, client, key
        self._refused: set[str] = set() if endpoint.structured else {"response_format"}

    async def ask(self, question: Question) -> Answer:
        """Make one call; InputError where no other can succeed either."""
        import openai

        options = self._options(question)
        told = [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.user},
        ]
        body = {"model": self._endpoint.model, "messages": told, **options}
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                # Not `chat.completions.create`: checking a body of our own took half of each call.
                reply = await self._client.post("/chat/completions", cast_to=object, body=body)
        except openai.APIStatusError as error:
            raise self._refusal(error, options) from None
        except (openai.APITimeoutError, TimeoutError):
            raise NoAnswerError("time-out", passing=True) from None
        except openai.APIConnectionError as error:
            cut = type(error.__cause__).__name__
            raise NoAnswerError(f"no connection ({cut})", passing=True) from None
        except (openai.OpenAIError, ValueError):
            raise NoAnswerError("malformed reply", passing=True) from None
        return _answer(reply, question)

    def _options(self, question: Question) -> dict[str, Any]:
        length = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
        options: dict[str, Any] = {length: question.size}
        if self._endpoint.temperature is not None and "temperature" not in self._refused:
            options["temperature"] = self._endpoint.temperature
        if question.schema is not None and "response_format" not in self._refused:
            schema = {"name": "answer", "strict": True, "schema": dict(question.schema)}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        return options

    def _refusal(self, error: APIStatusError, options: Mapping[str, Any]) -> Exception:
        status, host = error.status_code, self._endpoint.host
        said = " ".join(str(error.message).replace(self._key, "…").split())[:EXCERPT]
        if status == 401:
            return InputError(
                f"{host}: refused with 401; expected a valid key in the environment variable"
                f" {self._endpoint.key_env}; set it"
            )
        if status == 404:
            return InputError(
                f"{host}: refused with 404 ({said}); expected an endpoint that serves model"
                f" {self._endpoint.model!r}; correct label.base_url (it ends in /v1) or label.model"
            )
        if status in (400, 422):
            for name, words in OPTIONAL.items():
                if name in options and any(word in said for word in words):
                    self._refused.add(name)
                    return NoAnswerError(f"{status}, without {name} now", passing=True, wait=0)
        if status not in PASSING and status < 500:
            return NoAnswerError(f"{REFUSED}{status}", passing=False, said=said)
        return NoAnswerError(
            str(status), passing=True, wait=_wait(error.response.headers), said=said
        )


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or a date; None: neither is there.

    RFC 9110, section 10.2.3; it knows whole seconds only, some endpoints send fractions.
    """
    asked = headers.get("retry-after", "").strip()
    if SECONDS.fullmatch(asked):
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())


def _answer(reply: Any, question: Question) -> Answer:
    """Read a reply; NoAnswerError where it is no chat completion, whatever its type says."""
    try:
        text = reply["choices"][0]["message"].get("content")
        taken = _taken(reply.get("usage"))
    except (AttributeError, IndexError, KeyError, TypeError):
        raise NoAnswerError("malformed reply", passing=True) from None
    if text is not None and not isinstance(text, str):
        raise NoAnswerError("malformed reply", passing=True)
    text = (text or "").encode("utf-8", "replace").decode()  # halves of a surrogate pair go
    if taken is None:
        return Answer(text, question.tokens(), tokens_of(text), estimated=True)
    return Answer(text, *taken)


def _taken(usage: Any) -> tuple[int, int] | None:
    """Return the tokens sent and received, or None where a reply does not tell both."""
    told = usage if isinstance(usage, dict) else {}
    sent, received = told.get("prompt_tokens"), told.get("completion_tokens")
    if not all(type(count) is int and 0 <= count <= MOST for count in (sent, received)):
        return None
    return sent, received  # type: ignore[return-value]  # both were looked at
