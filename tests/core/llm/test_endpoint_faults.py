"""Endpoints that cut, think, redirect, flood and mislead: an answer, or one line that names it."""

import gzip
import itertools
import json
import sqlite3
import time
from dataclasses import replace

import pytest

from tasks.core.annotation import pipeline
from tasks.core.annotation.job import open_billing
from tasks.core.llm import client
from tasks.core.workspace.errors import InputError
from tests.core.annotation.model import GIVEN, oracle, spent
from tests.endpoint import KEY, Endpoint, Reply, said
from tests.labelling import PHRASES, encoder, make_job, make_table, run, truth

N = 24
THINKS = said("<think>Hm, the text", "length")


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(scope="module")
def table(tmp_path_factory, tiny_model):
    settings = encoder(tiny_model)
    place = tmp_path_factory.mktemp("table") / "base.lance"
    return make_table(place, list(truth(N)), settings), settings


@pytest.fixture
def job(tmp_path, table):
    def make(endpoint, **more):
        more = {"taxonomy": GIVEN, "in_flight": 4, **more}
        return make_job(tmp_path, *table, endpoint.url, **more)

    return make


def sizes(endpoint):
    return [body.get("max_tokens") for body in endpoint.requests]


def test_an_answer_that_was_cut_is_billed_and_asked_again_with_more_room(job):
    def small(_, body):
        return THINKS if body["max_tokens"] < 256 else None

    with Endpoint(oracle(), small) as endpoint:
        made = job(endpoint, usd_in=1, usd_out=1)
        assert run(made)[-1].done == N
        cut = len(endpoint.requests) - len(endpoint.answered)
        assert 1 <= cut <= 4  # what was learnt from the first holds for the others
        assert set(sizes(endpoint)) == {64, 256}
        cost = spent(made)
        assert cost.outcomes["the model spent all of its 64 tokens on thinking"] == cut
        assert cost.tokens_out == endpoint.tokens_out + 7 * cut
        assert cost.usd == pytest.approx((cost.tokens_in + cost.tokens_out) / 1e6)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (THINKS, r"spent all of its 1,024 tokens on thinking; .*raise label.max_tokens"),
        (said("the custo", "length"), r"all of its 1,024 tokens and was cut; .*label.max_tokens"),
        (said(None), r"empty answer; expected answers; raise label.max_tokens"),
        (said("", reasoning_content="hm"), r"thoughts and no answer; .*switch its thinking off"),
        (said(None, "tool_calls", tool_calls=[{}]), "a tool call and no answer"),
        (said(None, "content_filter"), "refused with a filter of contents"),
        (said(None, refusal=f"I must not. {KEY}"), "refused with words instead of an answer"),
        (Reply(body=b'{"choices": []}'), "no choice in the reply"),
        (Reply(body=b'{"error": "the model is loading"}'), r"reply \(the model is loading\)"),
        (Reply(body=b'{"error": {"message": "slow down", "code": 429}}'), r"429 \(slow down\)"),
        (Reply(500, b'{"detail": [{"msg": "no memory"}]}'), r"500 \(no memory\)"),
        (Reply(502, b"<html><title>Bad Gateway</title></html>"), r"\(an HTML page: Bad Gateway"),
        (Reply(body=b"<html>Sign in</html>"), r"malformed reply; .*label.base_url is a chat"),
        (Reply(204), "malformed reply"),
    ],
)
def test_what_never_brings_an_answer_is_named_and_asked_again_once_mended(job, reply, message):
    with Endpoint(oracle(), lambda *_: reply) as endpoint:
        made = job(endpoint, in_flight=1, tries=3)
        with pytest.raises(InputError, match=message) as caught:
            run(made)
        assert KEY not in str(caught.value)
        assert len(endpoint.requests) <= 3 * 10
        endpoint.misbehave = None
        assert run(made)[-1].done == N
        assert KEY.encode() not in b"".join(
            path.read_bytes() for path in made.answer_cache.parent.rglob("*") if path.is_file()
        )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("it is late", r"found no label for 5 texts \(5 outside the set\); .*another label.model"),
        ('{"label": "other / unclear"}', r"no label for 5 texts \(5 abstained\); .*--taxonomy"),
        (
            THINKS,
            r"no label for 5 texts \(5 failed: the model spent .*\); .*raise label.max_tokens",
        ),
    ],
)
def test_no_label_at_all_is_refused_with_the_cause(job, answer, message):
    with Endpoint(oracle(), lambda *_: answer) as endpoint:
        made = job(endpoint, sample=5)
        with pytest.raises(InputError, match=message):
            run(made)
        endpoint.misbehave, before = None, len(endpoint.requests)
        if "unclear" not in str(answer):  # that is an answer, and kept
            assert run(made)[-1].done == 5
            assert len(endpoint.requests) == before + 5


def test_no_summary_at_all_is_refused_with_the_cause(job):
    with Endpoint(oracle(), lambda *_: THINKS) as endpoint:
        made = job(endpoint, sample=5, taxonomy=())
        with pytest.raises(InputError, match=r"no summary for 5 texts \(5 failed: .* on thinking"):
            run(made)
        endpoint.misbehave = None
        with open_billing(made) as billing:
            assert pipeline.summarise(made, billing, lambda _: None).done == 5


def test_empty_answers_that_an_earlier_version_kept_are_asked_for_again(job):
    with Endpoint(oracle()) as endpoint:
        made = job(endpoint)
        run(made)
        with sqlite3.connect(made.answer_cache) as calls:
            calls.execute("update calls set answer = '' where id % 3 = 0")
            calls.execute("update calls set answer = '<think>\nHm, so' where id % 3 = 1")
            calls.execute("update calls set answer = 'Hm</think>' || answer where id % 3 = 2")
        before = len(endpoint.requests)
        step = run(made)[-1]
        assert (step.done, step.known) == (N, N // 3)
        assert len(endpoint.requests) == before + N - N // 3


def test_thoughts_are_in_no_summary_and_not_in_the_cache(job):
    def thinks(_, body):
        system, user = (message["content"] for message in body["messages"])
        return f"Okay, the text…\n</think>\n\n{oracle().answer(system, user)}"

    with Endpoint(oracle(), thinks) as endpoint:
        made = job(endpoint, taxonomy=())
        assert run(made)[-1].done == N
        assert set(made.steps.latest(pipeline.NOTES).values()) <= {
            each for own in PHRASES.values() for each in own
        }
        with sqlite3.connect(made.answer_cache) as calls:
            assert not calls.execute("select * from calls where answer like '%think%'").fetchall()


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Only user, assistant and tool roles are supported, got system.",
    ],
)
def test_a_model_without_a_system_role_is_told_all_in_one_message(job, status, words):
    def gemma(_, body):
        if body["messages"][0]["role"] == "system":
            return Reply(status, json.dumps({"error": words}).encode())
        return None

    with Endpoint(oracle(), gemma) as endpoint:
        made = job(endpoint, taxonomy=(), in_flight=1, tries=1)
        assert run(made)[-1].done == N
        assert len(endpoint.requests) == len(endpoint.answered) + 1  # remembered for the run


def test_an_endpoint_that_knows_no_option_at_all_is_asked_without(job):
    def bare(_, body):
        for name in ("response_format", "temperature", "max_tokens"):
            if name in body:
                hint = "use max_completion_tokens" if name == "max_tokens" else "unknown"
                return Reply(422, json.dumps({"detail": [{"loc": [name], "msg": hint}]}).encode())
        return None

    with Endpoint(oracle(), bare) as endpoint:
        assert run(job(endpoint, in_flight=1, tries=1))[-1].done == N
        assert len(endpoint.requests) == N + 3


def test_a_limit_on_the_room_leaves_an_answer_cut(job):
    def strict(_, body):
        if body["max_tokens"] > 64:
            return Reply(400, b'{"error": "max_tokens is too large: at most 64"}')
        return said("the custo", "length")

    with Endpoint(oracle(), strict) as endpoint:
        made = job(endpoint, sample=5)
        with pytest.raises(InputError, match="all of its 64 tokens and was cut"):
            run(made)


def flood():
    return itertools.repeat(b" " * 65_536)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(more=flood), "reply over 4 MiB"),
        (Reply(500, more=flood), "reply over 4 MiB"),
        (
            Reply(body=gzip.compress(bytes(64 << 20)), headers={"content-encoding": "gzip"}),
            "reply over 4 MiB",
        ),
        (  # what follows the end of what is packed
            Reply(body=gzip.compress(b"{}"), headers={"content-encoding": "gzip"}, more=flood),
            "reply over 4 MiB",
        ),
        (Reply(body=b"x", headers={"content-encoding": "gzip"}), "malformed reply"),
        (Reply(body=b"x", headers={"content-encoding": "br"}), "malformed reply: compressed"),
        (Reply(headers={"x-large": "x" * 200_000}), "no connection"),
        (
            Reply(more=lambda: (time.sleep(0.05) or b" " for _ in itertools.count())),
            "time-out",
        ),
    ],
)
def test_a_reply_without_end_is_left_in_bounds_of_bytes_and_seconds(job, reply, kind):
    with Endpoint(oracle(), lambda *_: reply) as endpoint:
        with pytest.raises(InputError, match=f"1 failed: {kind}"):
            run(job(endpoint, sample=1, tries=1, timeout=1.0))
        assert endpoint.sent < 64 << 20


def test_a_reply_that_is_compressed_unasked_is_read(job):
    def packed(_, body):
        system, user = (message["content"] for message in body["messages"])
        whole = said(oracle().answer(system, user)).body
        return Reply(body=gzip.compress(whole), headers={"content-encoding": "gzip"})

    with Endpoint(oracle(), packed) as endpoint:
        assert run(job(endpoint))[-1].done == N


def test_a_redirect_is_named_with_where_it_leads_and_not_followed(job):
    with Endpoint(oracle()) as other:
        away = Reply(308, headers={"location": f"{other.url}/chat?key={KEY}"})
        message = rf"refused with 308: it redirects to {other.url.removesuffix('/v1')}; expected"
        with Endpoint(oracle(), lambda *_: away) as endpoint:
            with pytest.raises(InputError, match=message) as caught:
                run(job(endpoint))
            assert KEY not in str(caught.value) and len(endpoint.requests) <= 4
        assert not other.requests


def test_a_key_that_is_given_back_as_an_answer_is_not_kept(job):
    with Endpoint(oracle(), lambda *_: f"your key is {KEY}, furious") as endpoint:
        made = job(endpoint, sample=5)
        with pytest.raises(InputError, match="outside the set"):
            run(made)
        assert KEY.encode() not in made.answer_cache.read_bytes()
        assert KEY not in repr(made)


@pytest.mark.parametrize("wait", ["1" + "0" * 400, "86400", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_an_absurd_wait_ends_the_run(job, wait):
    reply = Reply(429, headers={"retry-after": wait})
    with (
        Endpoint(oracle(), lambda *_: reply) as endpoint,
        pytest.raises(InputError, match=r"asks to wait .* s \(429\); expected at most 600"),
    ):
        run(job(endpoint))


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "odd://x"])
def test_an_endpoint_on_this_machine_is_asked_without_a_proxy(job, monkeypatch, proxy):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    with Endpoint(oracle()) as endpoint:
        assert run(job(endpoint))[-1].done == N


def test_an_endpoint_elsewhere_is_asked_through_the_proxy(job, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        client, "refuse_open_key", lambda *_: None
    )  # the fake one has no certificate
    with Endpoint(oracle()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        made = job(proxy)
        away = replace(made.asked, base_url="http://model.invalid/v1")
        assert run(replace(made, endpoint=away))[-1].done == N
