"""An endpoint, and how it wants to be asked: the only module that knows openai."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tasks.core.llm.answers import REFUSED, Answer, LanguageModel, NoAnswerError, PromptRequest
from tasks.core.llm.keys import NO_KEY, key_in, refuse_open_key
from tasks.core.llm.refusals import excerpt, hide_whole, words_of
from tasks.core.llm.replies import error_in, parse, read_reply
from tasks.core.settings.label_section import LabelSettings, check_url
from tasks.core.workspace.errors import InputError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
TRANSIENT = (408, 409, 425, 429)  # and all from 500 on: worth another try
# What an endpoint may not know, by the words it then says, in the order of suspicion.
OPTIONAL = {
    "max_tokens": re.compile(r"\bmax_completion_tokens\b"),
    "temperature": re.compile("temperature"),
    "response_format": re.compile("response_format|json_schema|schema|grammar|structured output"),
    # Templates of Gemma, of early Mistral and of o1 know no system role.
    "system": re.compile(
        r"system.{0,20} (role|prompt|instruction|message)s?\b|roles? must alternate"
        r"|(role|got|support)\W{0,4}.{0,20}\bsystem\b|developer instruction|only user",
        re.IGNORECASE,
    ),
}
NOT_UNKNOWN = re.compile(r"too large|too long|too many|at most|maximum|exceed")  # but too much


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers, and how it is asked; the key is read when it is connected to.

    base_url, model: of the settings, or of the environment where these name none.
    """

    base_url: str
    model: str
    settings: LabelSettings
    refused: set[str] = field(default_factory=set, compare=False, repr=False)
    """Parameters of OPTIONAL that the endpoint has refused; kept as long as the run."""

    @property
    def host(self) -> str:
        """The endpoint's host, which is all that any file notes of its address."""
        return check_url(self.base_url)


def find_endpoint(settings: LabelSettings) -> Endpoint:
    """Return the endpoint that settings and environment name; InputError where neither does."""
    url = settings.base_url or os.environ.get("OPENAI_BASE_URL")
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
    refuse_open_key(url, settings.key_env)
    name = settings.model or os.environ.get("OPENAI_MODEL")
    if not name:
        raise InputError(
            "params.yaml: label.model is not set, nor is OPENAI_MODEL; expected the name of a model"
            f" that {check_url(url)} serves; set one of them"
        )
    return Endpoint(url, name, settings)


@asynccontextmanager
async def connect(endpoint: Endpoint) -> AsyncIterator[LanguageModel]:
    """Connect to an endpoint; without a key in the environment, as a local server wants none."""
    from openai import AsyncOpenAI

    from tasks.core.llm import wire

    settings = endpoint.settings
    refuse_open_key(endpoint.base_url, settings.key_env)
    key = key_in(settings.key_env)
    if key and not (key.isascii() and key.isprintable()):
        raise InputError(
            f"environment variable {settings.key_env}: found characters that no key has; expected"
            " printable ASCII in one line; set it anew"
        )
    client = AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=key or NO_KEY,
        timeout=settings.timeout,
        max_retries=0,
        http_client=wire.client(endpoint.base_url, settings.timeout),
    )
    async with client:
        yield _OpenAI(endpoint, client, key)


class _OpenAI:
    def __init__(self, endpoint: Endpoint, client: AsyncOpenAI, key: str) -> None:
        self._endpoint, self._client, self._key = endpoint, client, key
        self._settings = endpoint.settings
        if not self._settings.structured:
            endpoint.refused.add("response_format")

    async def ask(self, question: PromptRequest) -> Answer:
        """Make one call; InputError where no other can succeed either."""
        options = self._options(question)
        body = {"model": self._endpoint.model, **options}
        status, headers, content = await self._send(body)
        if status != 200:
            raise self._refusal(status, headers, words_of(content, self._key), options)
        value = parse(content)
        error = error_in(value)
        if error is not None:
            words = words_of(error, self._key)
            raise self._refusal(_status_in(error), headers, words, options)
        answer = read_reply(value, question)
        return replace(answer, text=hide_whole(answer.text, self._key))

    async def _send(self, body: Mapping[str, object]) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; return status, headers and body of the reply, whatever they are."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self._settings.timeout):
                # Not `chat.completions.create`: checking a body of our own took half of each call.
                reply = await self._client.post(
                    "/chat/completions", cast_to=httpx2.Response, body=body
                )
        except openai.APIStatusError as error:
            reply = error.response
        except (openai.APITimeoutError, TimeoutError):
            raise NoAnswerError("time-out", passing=True) from None
        except openai.APIConnectionError as error:
            raise self._cut(error.__cause__) from None
        except (openai.OpenAIError, ValueError):
            raise NoAnswerError("malformed reply", passing=True) from None
        return reply.status_code, reply.headers, reply.content

    def _cut(self, cause: BaseException | None) -> NoAnswerError:
        from tasks.core.llm.wire import UnusableReplyError

        if isinstance(cause, UnusableReplyError):
            return NoAnswerError(str(cause), passing=False)
        said = excerpt(words_of(str(cause), self._key))
        return NoAnswerError(f"no connection ({type(cause).__name__})", passing=True, said=said)

    def _options(self, question: PromptRequest) -> dict[str, object]:
        """Return a request's body, without what the endpoint has refused and the model's name."""
        refused = self._endpoint.refused
        told = {"system": question.system, "user": question.user}
        if "system" in refused:
            told = {"user": f"{question.system}\n\n{question.user}"}
        messages = [{"role": role, "content": text} for role, text in told.items()]
        length = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
        options: dict[str, object] = {"messages": messages, length: question.size}
        if self._settings.temperature is not None and "temperature" not in refused:
            options["temperature"] = self._settings.temperature
        if question.schema is not None and "response_format" not in refused:
            schema = {"name": "answer", "strict": True, "schema": dict(question.schema)}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        return options

    def _refusal(
        self, status: int, headers: Mapping[str, str], words: str, options: Mapping[str, object]
    ) -> Exception:
        """Return the error to raise for a refusal; status 0: the reply told none."""
        said = excerpt(words)
        if status < 400 and status:
            return self._astray(status, headers, said)
        if status == 401:
            return InputError(
                f"{self._endpoint.host}: refused with 401; expected a valid key in the environment"
                f" variable {self._settings.key_env}; set it"
            )
        if status == 404:
            return InputError(
                f"{self._endpoint.host}: refused with 404 ({said}); expected an endpoint that"
                f" serves model {self._endpoint.model!r}; correct label.base_url (it ends in /v1)"
                " or label.model"
            )
        unknown = self._unknown(status, words, options)
        if unknown is not None:
            self._endpoint.refused.add(unknown)
            kind = f"{status or 'error'}, without {unknown} now"
            return NoAnswerError(kind, passing=True, wait=0, learnt=True)
        if status and status not in TRANSIENT and status < 500:
            return NoAnswerError(f"{REFUSED}{status}", passing=False, said=said)
        kind = str(status) if status else "error in the reply"
        return NoAnswerError(kind, passing=True, wait=_wait(headers), said=said)

    def _astray(self, status: int, headers: Mapping[str, str], said: str) -> Exception:
        """Return the error to raise for a status below 400 that is no answer: a redirect, say."""
        if status < 300:
            return NoAnswerError("malformed reply", passing=True, said=f"status {status}")
        to = urlsplit(headers.get("location", ""))
        where = words_of(f"{to.scheme}://{to.netloc.rpartition('@')[2]}", self._key)
        where = excerpt(where) if to.netloc else "elsewhere on the same host"
        return InputError(
            f"{self._endpoint.host}: refused with {status}: it redirects to {where}; expected the"
            " endpoint itself, as texts and key follow no redirect; correct label.base_url (it ends"
            " in /v1)"
        )

    def _unknown(self, status: int, words: str, options: Mapping[str, object]) -> str | None:
        """Return which of OPTIONAL the endpoint refuses by its words, or None."""
        if status == 429 or NOT_UNKNOWN.search(words):
            return None
        messages = options["messages"]
        both = isinstance(messages, list) and len(messages) > 1
        sent = {*options, *(["system"] if both else [])}
        if status not in (0, 400, 422):  # a template that fails is an internal error to some
            sent &= {"system"}
        return next(
            (name for name, said in OPTIONAL.items() if name in sent and said.search(words)), None
        )


def _status_in(error: Any) -> int:
    """Return the status that an error in a reply names, or 0."""
    told = error.get("error") if isinstance(error, dict) else error
    names = ("code", "status", "status_code")
    found = [
        str(each.get(name)) for each in (told, error) if isinstance(each, dict) for name in names
    ]
    return next((int(code) for code in found if re.fullmatch("[45][0-9]{2}", code)), 0)


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
