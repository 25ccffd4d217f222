"""A labelling where calls fail: repeated, left out, counted, or ended in one line."""

import json
from dataclasses import replace

import pytest

from tasks.core.annotation import pipeline
from tasks.core.annotation.budget import price
from tasks.core.workspace.errors import InputError
from tests.core.annotation.model import GIVEN, asked_once, oracle, right, spent
from tests.endpoint import KEY, Endpoint, Reply
from tests.labelling import N, run

BAD = {
    3: Reply(429, b"{}", {"retry-after": "0"}),
    5: Reply(500, b"oops"),
    7: Reply(0),
    11: Reply(200, b'{"choices": ['),
    13: Reply(200, b"[]"),
    17: Reply(200, b'{"choices": [{"message": {"content": 7}}]}'),
    19: Reply(503, b"", {"retry-after": "Mon, 01 Jan 2024 00:00:00 GMT"}),
}


def test_failing_calls_cost_repetitions_and_no_label(job):
    def every_fifth(number, _):
        return BAD[list(BAD)[number // 5 % len(BAD)]] if number % 5 == 0 else None

    with Endpoint(oracle(), every_fifth) as endpoint:
        made = job(endpoint)
        assert [step.failed for step in run(made)] == [0] * 5
        assert len(pipeline.labelled(made)) == N
        assert right(made) == 1
        assert asked_once(endpoint)
        cost, bad = spent(made), len(endpoint.requests) - len(endpoint.answered)
        assert bad == len(endpoint.requests) // 5
        assert cost.calls == len(endpoint.requests)
        assert cost.outcomes["answered"] == len(endpoint.answered)
        assert cost.outcomes["malformed reply"] > 0
        assert sum(n for kind, n in cost.outcomes.items() if kind != "answered") == bad
        assert (cost.tokens_in, cost.tokens_out) == (endpoint.tokens_in, endpoint.tokens_out)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("response_format", "response_format is not supported by this model"),
        ("temperature", "Unsupported value: 'temperature' does not support 0"),
        ("max_tokens", "use 'max_completion_tokens' instead"),
    ],
)
def test_what_an_endpoint_does_not_know_is_left_out_from_then_on(job, refused, said):
    def old(_, body):
        return (
            Reply(400, json.dumps({"error": {"message": said}}).encode())
            if refused in body
            else None
        )

    with Endpoint(oracle(), old) as endpoint:
        made = job(endpoint, taxonomy=GIVEN, in_flight=2)
        assert run(made)[-1].done == N
        assert endpoint.statuses[400] <= 2
        assert refused not in endpoint.answered[-1]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            Reply(401, b'{"error": {"message": "bad key %s"}}' % KEY.encode()),
            "valid key in the env",
        ),
        (
            Reply(404, b'{"error": {"message": "no model %s"}}' % KEY.encode()),
            "serves model 'oracle'",
        ),
        (Reply(500), r"1\d questions in a row .* the last for: 500"),
        (Reply(429, headers={"retry-after": "7200"}), r"asks to wait 7,200 s \(429\)"),
    ],
)
def test_an_endpoint_that_does_not_answer_at_all_ends_the_run_in_one_line(job, reply, message):
    with Endpoint(oracle(), lambda *_: reply) as endpoint:
        with pytest.raises(InputError, match=message) as caught:
            run(job(endpoint, taxonomy=GIVEN))
        assert KEY not in str(caught.value)
        assert len(endpoint.requests) <= 5 * (10 + 8)


def test_a_call_that_hangs_is_given_up_and_repeated(job):
    with Endpoint(oracle(), lambda n, _: Reply(hang=1.0) if n == 1 else None) as endpoint:
        made = job(endpoint, taxonomy=GIVEN, sample=1, tries=20, timeout=0.5)
        assert run(made)[-1].done == 1
        assert spent(made).outcomes["time-out"] >= 1


def test_nobody_listening_is_said_at_once(job):
    with Endpoint(oracle()) as endpoint:
        made = job(endpoint, taxonomy=GIVEN)
    with pytest.raises(InputError, match=r"without an answer, the last for: no connection"):
        run(made)


def test_a_question_that_fails_for_good_is_counted_and_asked_again_another_time(job):
    def odd(_, body):
        return Reply(500) if "case 5\n" in body["messages"][1]["content"] else None

    with Endpoint(oracle(), odd) as endpoint:
        made = job(endpoint, tries=2)
        steps = run(made)
        assert steps[1].reasons == steps[-1].reasons == {"failed: 500": 1}
        endpoint.misbehave, before = None, len(endpoint.requests)
        assert run(made)[-1].done == N
        assert len(endpoint.requests) == before + 1  # the labels that were found stay


@pytest.mark.parametrize("status", [400, 403])
def test_texts_that_are_refused_for_good_stop_nothing_else(job, status):
    refused = [f"case {at}\n" for at in range(0, N, 3)]  # more in a row than make a dead endpoint

    def picky(_, body):
        user = body["messages"][1]["content"]
        return Reply(status) if any(case in user for case in refused) else None

    with Endpoint(oracle(), picky) as endpoint:
        made = job(endpoint)
        steps = run(made)
        assert steps[-1].reasons == {f"failed: refused with {status}": len(refused)}
        assert steps[-1].done == N - len(refused)
        before = len(endpoint.requests)
        assert run(made)[-1].done == N - len(refused)
        assert len(endpoint.requests) == before + len(refused)  # each is asked again, once


def test_a_cluster_that_is_refused_stays_without_a_name(job):
    seen = set()

    def picky(_, body):
        system, user = (message["content"] for message in body["messages"])
        if system.startswith("You name") and (not seen or user in seen):
            seen.add(user)
            return Reply(400)
        return None

    with Endpoint(oracle(), picky) as endpoint:
        made = job(endpoint, in_flight=1)
        name, classify = run(made)[-2:]
        assert name.reasons == {"failed: refused with 400": 1} and classify.done == N


def test_an_endpoint_that_refuses_everything_is_told_in_its_own_words(job):
    body = b'{"error": {"message": "your account of %s is empty"}}' % KEY.encode()
    said = r"\d+ questions in a row .* refused with 402 \(.*your account of … is empty.*\)"
    with (
        Endpoint(oracle(), lambda *_: Reply(402, body)) as endpoint,
        pytest.raises(InputError, match=said) as caught,
    ):
        run(job(endpoint, taxonomy=GIVEN))
    assert KEY not in str(caught.value)


def test_what_calls_under_way_might_cost_holds_others_up_but_stops_none(job):
    most = 0.0015  # two calls of 64 tokens at a time, of eight workers
    with Endpoint(oracle(), lambda *_: None) as endpoint:
        made = job(endpoint, usd_out=10, max_usd=0.005, taxonomy=GIVEN)
        assert run(made)[-1].done == N
        assert spent(made).usd < 0.005
        again = job(endpoint, usd_out=10, max_usd=most, taxonomy=GIVEN, name="small")
        made = replace(again, answer_cache=again.answer_cache.with_name("other.sqlite"))
        step = run(made)[-1]
        assert 0 < step.unasked < N
        assert most - price(made.settings, 0, 64) <= spent(made).usd <= most
        assert endpoint.most_at_once <= made.settings.in_flight


def test_texts_follow_no_redirect_to_another_host(job):
    with Endpoint(oracle()) as other:
        away = Reply(307, headers={"location": f"{other.url}/chat/completions"})
        said = pytest.raises(InputError, match="refused with 307")
        with Endpoint(oracle(), lambda *_: away) as endpoint, said:
            run(job(endpoint, taxonomy=GIVEN))
        assert not other.requests


def test_a_key_with_a_line_end_is_taken_without_it(job, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    with Endpoint(oracle()) as endpoint:
        assert run(job(endpoint, taxonomy=GIVEN))[-1].done == N


@pytest.mark.parametrize("key", ["sk-ключ", "sk-1\nx: y"])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(job, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with Endpoint(oracle()) as endpoint:
        with pytest.raises(InputError, match="OPENAI_API_KEY: found characters") as caught:
            run(job(endpoint, taxonomy=GIVEN))
        assert key not in str(caught.value) and not endpoint.requests
