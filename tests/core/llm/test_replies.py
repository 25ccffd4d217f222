"""Whatever an endpoint sends is an answer, or a failure with a name; the key is in neither."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.llm.answers import Answer, NoAnswerError, PromptRequest
from tasks.core.llm.refusals import hide, words_of
from tasks.core.llm.replies import error_in, parse, read_reply

NOTE = PromptRequest("system", "user", 64)
FORM = PromptRequest("system", "user", 64, {"type": "object"})
KEY = "sk-never-to-be-seen-5f1c"


def reply(message, finish="stop", out=7, **more):
    usage = {"prompt_tokens": 10, "completion_tokens": out}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage, **more}


def read(value, question=NOTE):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_reply(parse(body), question)


SSE = (
    b': a comment\n\ndata: {"choices": [{"delta": {"content": "a late "}}]}\n\n'
    b'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}\n\n'
    b'data: {"choices": [{"delta": {"content": "parcel"}, "finish_reason": "stop"}]}\n\n'
    b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.mark.parametrize(
    "value",
    [
        reply({"content": "a late parcel"}),
        reply({"content": "a late parcel"}, None),
        reply({"content": "a late parcel"}, "tool_calls"),
        reply({"content": "a late parcel"}, "eos"),
        reply({"content": "a late parcel", "reasoning_content": "hm"}),
        reply({"content": "hm</think>a late parcel", "refusal": None, "tool_calls": []}),
        reply({"content": [{"type": "text", "text": "a late parcel"}]}),
        reply(
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "a late parcel"},
                ]
            }
        ),
        {"choices": [{"text": "a late parcel"}]},
        [reply({"content": "a late parcel"})],
        b"\xef\xbb\xbf" + json.dumps(reply({"content": "a late parcel"})).encode(),
        b": PROCESSING\n\n\n" + json.dumps(reply({"content": "a late parcel"})).encode(),
        SSE,
        SSE.replace(b"\n", b"\r\n"),
    ],
)
def test_an_answer_is_found_in_every_shape(value):
    assert read(value).text == "a late parcel"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (reply({"content": ""}, "length", 64), "spent all of its 64 tokens on thinking"),
        (reply({"content": None}, "length", 64), "spent all of its 64 tokens on thinking"),
        (reply({"content": "<think>hm"}, "length", 64), "spent all of its 64 tokens on thinking"),
        (reply({"content": "<think>hm"}, "stop", 64), "spent all of its 64 tokens on thinking"),
        (reply({"content": "a late par"}, "length", 64), "spent all of its 64 tokens and was cut"),
        (reply({"content": "a late par"}, None, 64), "spent all of its 64 tokens and was cut"),
        (reply({"content": "a late par"}, {"type": "length"}), "and was cut"),
        (reply({"content": None}), "empty answer"),
        (reply({"content": " \n"}), "empty answer"),
        (reply({}), "empty answer"),
        (reply({"content": None, "reasoning_content": "hm"}), "thoughts and no answer"),
        (reply({"content": "", "reasoning": "hm"}), "thoughts and no answer"),
        (reply({"content": "<think>hm</think>"}), "thoughts and no answer"),
        (reply({"content": None, "tool_calls": [{}]}, "tool_calls"), "a tool call and no answer"),
        (reply({"content": None}, "content_filter"), "refused with a filter of contents"),
        (reply({"content": "a late"}, "content_filter"), "refused with a filter of contents"),
        (reply({"content": None, "refusal": "I can't"}), "refused with words instead"),
        (reply({"content": "a l"}, "error"), "model broke off"),
        ({"choices": []}, "no choice in the reply"),
        ({"choices": [None]}, "malformed reply"),
        ({"choices": [{"message": {"content": 7}}]}, "malformed reply"),
        ({"object": "list"}, "malformed reply"),
        (b"", "malformed reply"),
        (b"<html><title>Sign in</title></html>", "malformed reply"),
        (b"[" * 100_000, "malformed reply"),
        (b'{"choices": ' + b"9" * 10_000 + b"}", "malformed reply"),
        (SSE[:150], "malformed reply"),
    ],
)
def test_what_is_no_answer_has_a_name(value, kind):
    with pytest.raises(NoAnswerError, match=kind):
        read(value)


def test_an_answer_that_ends_at_the_limit_counts_if_it_is_whole():
    whole = reply({"content": '{"label": "refund"}'}, "length", 64)
    assert read(whole, FORM).text == '{"label": "refund"}'
    with pytest.raises(NoAnswerError, match="was cut"):
        read(reply({"content": '{"label": "refu'}, "length", 64), FORM)


def test_what_brings_no_answer_is_billed_all_the_same():
    with pytest.raises(NoAnswerError) as caught:
        read(reply({"content": None}, "length", 64))
    assert caught.value.billed == Answer("", 10, 64) and caught.value.cut
    with pytest.raises(NoAnswerError) as caught:
        read({"choices": [{"message": {"content": "<think>hm"}, "finish_reason": "length"}]})
    assert caught.value.billed == Answer("", NOTE.tokens(), 64, estimated=True)


def test_thoughts_that_stand_in_the_total_alone_are_billed():
    value = reply({"content": "fine"})
    value["usage"]["total_tokens"] = 117
    assert read(value) == Answer("fine", 10, 107)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"error": "model is loading"}, "model is loading"),
        ({"error": {"message": "model is loading", "code": None}}, "model is loading"),
        ({"detail": "model is loading"}, "model is loading"),
        ({"detail": [{"loc": ["body", "x"], "msg": "model is loading"}]}, "model is loading; body"),
        ([{"error": {"message": "model is loading"}}], "model is loading"),
        ({"message": "model is loading", "code": 7}, "model is loading"),
        ({"errors": ["model is loading"]}, "model is loading"),
        ({"choices": [{"error": {"message": "model is loading"}}]}, "model is loading"),
    ],
)
def test_an_error_is_told_in_its_own_words_whatever_its_shape_and_status(value, words):
    body = json.dumps(value).encode()
    assert words_of(body).startswith(words) or "choices" in value
    assert words_of(error_in(parse(body))).startswith(words)


def test_a_page_is_told_by_its_words_and_nothing_reaches_the_terminal():
    page = b"<!DOCTYPE html><style>p {}</style><title>502 Bad\x1b[31m Gateway</title><p>nginx"
    assert words_of(page) == "an HTML page: 502 Bad [31m Gateway nginx"
    assert words_of(b"plain\r\n\x07words") == "plain words"


@pytest.mark.parametrize(
    "said",
    [KEY, KEY.upper(), f"Bearer {KEY}!", KEY[:12], f"x{KEY[5:]}y", KEY * 2, f"{KEY}{KEY[:9]}"],
)
def test_neither_the_key_nor_a_part_of_it_is_repeated(said):
    shown = words_of(json.dumps({"error": {"message": f"no: {said}"}}).encode(), KEY)
    assert "…" in shown and not any(KEY[at : at + 8] in shown for at in range(len(KEY) - 7))
    assert hide("no model none", "none") == "no model none"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "finish_reason",
                    "usage",
                    "error",
                    "text",
                    "delta",
                ]
            ),
            each,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from([NOTE, FORM])
)
def test_any_bytes_are_an_answer_or_a_named_failure(body, question):
    try:
        value = parse(body)
        words_of(error_in(value), KEY)
        answer = read_reply(value, question)
    except NoAnswerError as error:
        assert error.kind
    else:
        assert answer.text


@given(st.fixed_dictionaries({"choices": st.just([]) | st.tuples(JSON), "usage": JSON}))
def test_any_completion_is_an_answer_or_a_named_failure(value):
    try:
        assert read(value).text
    except NoAnswerError as error:
        assert error.kind
