"""Labels, clusters, samples, prompts and answers: what a labelling is made of."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.annotation.clustering import group, number_of
from tasks.core.annotation.output import still_there
from tasks.core.annotation.prompting import (
    PromptBuilder,
    _listed,
    read_choice,
    read_label,
    read_labels_of,
    read_note,
)
from tasks.core.annotation.prompts import load_prompts, version_of
from tasks.core.annotation.requests import Pace
from tasks.core.annotation.sampling import Chosen, _even, k_centres
from tasks.core.annotation.taxonomy import (
    Label,
    clean,
    merge,
    plain,
    read_taxonomy,
    render_taxonomy,
)
from tasks.core.annotation.zero_shot import weak_labels
from tasks.core.llm.answers import Answer, PromptRequest
from tasks.core.llm.client import _wait, find_endpoint
from tasks.core.llm.replies import read_reply
from tasks.core.settings.label_section import LabelSettings, check_url
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError


def asked(url, model):
    """Return settings as no check of `params.yaml` has seen them."""
    given = {"base_url": url, "model": model, "key_env": "KEY"}
    return LabelSettings().model_copy(update=given)


def apart(names):
    return np.eye(len(names))


def test_labels_that_differ_by_case_and_punctuation_are_one(tmp_path):
    labels = [
        Label("Late delivery", "a", 3),
        Label("late-delivery!", "b", 5),
        Label("Refund", "", 1),
    ]
    found = merge([*labels, Label("Other/Unclear", "", 9)], apart, 0.9)
    assert found == [Label("late-delivery!", "b", 8, ("Late delivery",)), Label("Refund", "", 1)]


def test_labels_that_lie_close_are_one_by_the_name_of_the_larger():
    x = {"bill": [1.0, 0.0], "invoice": [0.95, 0.3], "delivery": [0.0, 1.0]}
    labels = [Label("invoice", "", 2), Label("bill", "", 7), Label("delivery", "", 1)]
    found = merge(labels, lambda names: np.array([x[name] for name in names]), 0.9)
    assert found == [Label("bill", "", 9, ("invoice",)), Label("delivery", "", 1)]


def test_a_taxonomy_that_was_written_is_read_as_it_was(tmp_path):
    file = tmp_path / "labels.txt"
    labels = [Label("late delivery", "the parcel: where is it?", 3, ("late",)), Label("refund")]
    file.write_text(render_taxonomy(labels, ["by hand"]))
    assert [(each.name, each.description) for each in read_taxonomy(file)] == [
        ("late delivery", "the parcel: where is it?"),
        ("refund", ""),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n", "found 1 labels; expected at least 2"),
        ("a\nb\nA!\n", r"line 3: found label 'A!' a second time|line 3: found label 'A' a second"),
        (": b\nc\n", "line 1: found no label before a colon"),
        ("x" * 61 + "\nb\n", "at most 60 characters"),
    ],
)
def test_a_taxonomy_that_cannot_be_used_is_refused(tmp_path, text, message):
    file = tmp_path / "labels.txt"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_taxonomy(file)


@pytest.mark.parametrize("name", ["", " - ", "a\x1b[31mb", "x" * 61])
def test_what_cannot_stand_in_a_file_is_no_label(name):
    assert clean(name) == ""


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ('{"label": "late delivery"}', "late delivery"),
        ('```json\n{"label": "Late Delivery"}\n```', "late delivery"),
        ("Late delivery.", "late delivery"),
        ('"refund"', "refund"),
        ("Label: refund", "refund"),
        ("It is about a refund", None),
        ('Here you are:\n```json\n{"label": "refund"}\n```\nAnything else?', "refund"),
        ('<think>\nLate delivery? {No}.\n</think>\n\n{"label": "refund"}', "refund"),
        ("<think>late delivery</think>refund", "refund"),
        ("<think>\nlate delivery", None),
        ('{"label": 3}', None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_an_answer_is_read_however_it_is_dressed(answer, choice):
    assert read_choice(answer, ["late delivery", "refund"]) == choice


def test_names_are_read_with_their_descriptions():
    assert read_label('{"label": "*Late*", "description": "a\\nb"}') == Label("Late", "a b")
    assert read_label('{"label": ["x"]}') is None
    both = '{"labels": [{"label": "a"}, {"label": ""}, {"label": "b", "description": "c"}]}'
    assert read_labels_of(both) == [Label("a"), Label("b", "c")]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_a_name_is_equal_to_itself_whatever_its_case_and_punctuation(name):
    assert plain(plain(name)) == plain(name) == plain(f" {name}! ")


def test_vowel_signs_tell_names_apart_and_forms_of_an_accent_do_not():
    assert len({plain(name) for name in ("दिन", "दान", "दीन")}) == 3
    assert plain("Caf\u00e9") == plain("cafe\u0301") != plain("cafe")


def test_labels_of_texts_that_are_gone_are_left_out_and_counted():
    assert still_there({"1": "a", "2": "b"}, {"2": "text"}) == (
        {"2": "b"},
        {"gone from the corpus meanwhile": 1},
    )
    assert still_there({"1": "a"}, {"1": "text"}) == ({"1": "a"}, {})


def test_what_a_model_thinks_aloud_is_no_summary():
    assert read_note("<think>\nHm, the text\n</think>\n\na late parcel") == "a late parcel"
    assert read_note("<think>\nHm, the text is cut") == ""


def test_a_list_of_labels_is_found_among_words():
    assert read_labels_of('Of course: [{"label": "a"}, {"label": "b"}].') == [
        Label("a"),
        Label("b"),
    ]


def test_a_note_cannot_begin_a_line_by_any_kind_of_line_end():
    notes = [f"a{end}- b" for end in "\n\r\x0b\x0c\x1c\x85\u2028\u2029"]
    assert len(_listed(notes).splitlines()) == len(notes)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 3},
        {"prompt_tokens": 3, "completion_tokens": None},
        {"prompt_tokens": -3, "completion_tokens": 1},
        {"prompt_tokens": float("inf"), "completion_tokens": 1},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        "many",
    ],
)
def test_an_answer_counts_whatever_is_said_of_its_tokens(usage):
    reply = {"choices": [{"message": {"content": "fine"}}], "usage": usage}
    question = PromptRequest("four", "letters!", 9)
    assert read_reply(reply, question) == Answer("fine", question.tokens(), 1, estimated=True)


def test_half_a_surrogate_pair_in_an_answer_can_be_written_down():
    reply = {"choices": [{"message": {"content": "a\ud83d b"}}]}
    text = read_reply(reply, PromptRequest("", "", 1)).text
    assert text.encode() == b"a? b"


def test_a_cluster_is_shown_by_its_typical_half_so_that_no_outlier_names_it():
    random = np.random.default_rng(1)
    centres = np.eye(4)[np.repeat([0, 1, 2], 20)]
    x = centres + 0.05 * random.standard_normal((60, 4))
    x[0] = x[20] = [0, 0, 0, 1]
    x[40] = [0, 0.4, 0.9, 0.1]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = group(x.astype(np.float32), 4, 10, 1)
    shown = {row for each in found for row in (*each.inside, *each.outside)}
    assert len(found) == 3  # the two that agree with nobody are too few for a name
    assert not {0, 20, 40} & shown
    for each in found:
        assert set(each.inside) <= set(each.rows)
        assert not set(each.outside) & set(each.rows)


def test_few_notes_make_half_as_many_clusters():
    assert [number_of(n, 50) for n in (1, 60, 99, 100, 3_000)] == [1, 30, 49, 50, 50]


def test_a_coreset_reaches_every_region_before_any_twice():
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(5), [500, 5, 5, 5, 5])
    x = np.eye(8)[y] + 0.02 * random.standard_normal((520, 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    assert set(y[k_centres(x, 5)]) == set(range(5))
    assert sorted(k_centres(x[:6], 9)) == list(range(6))
    assert sorted(k_centres(np.tile(x[:1], (4, 1)), 4)) == [0, 1, 2, 3]


def test_a_stratified_sample_takes_as_many_of_each_region_as_there_are():
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(3), [100, 20, 4])
    x = np.eye(8)[y] + 0.02 * random.standard_normal((124, 8))
    pool = Chosen([str(row) for row in range(124)], [""] * 124, x.astype(np.float32))
    assert np.bincount(y[_even(pool, 24, 3, 1)]).tolist() == [10, 10, 4]


def test_weak_labels_are_the_surest_of_each_label():
    x = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    best, sure = weak_labels(x, np.eye(2, dtype=np.float32), 0.5)
    assert best.tolist() == [0, 0, 1, 1]
    assert sure.tolist() == [0, 2]


def builder(**more):
    return replace(PromptBuilder(load_prompts(), "the mood", 20, 64), **more)


def test_a_text_is_cut_and_stands_between_marks_that_it_cannot_know():
    question = builder().summarise("</text>\nall $of it is a text that is long")
    start, end = (line for line in question.user.splitlines() if "text " in line and "<" in line)
    assert end == start.replace("<", "</")
    assert "all $of it is" not in question.user
    assert "</text>\nall $of it" in question.user


def test_a_note_cannot_end_its_line():
    question = builder().name(["a\n- b", 'c"'], [])
    assert '- "a\\n- b"\n- "c\\""\n\nNotes of other groups:\n- (none)' in question.user


def test_prompts_can_be_replaced_and_are_told_apart(tmp_path):
    (tmp_path / "summarise.md").write_text(
        "version: mine\n\n## system\nSay.\n\n## user\n$text $instruction\n"
    )
    own, theirs = load_prompts(), load_prompts(tmp_path)
    assert theirs["summarise"].system == "Say."
    assert theirs["classify"] == own["classify"]
    assert version_of(theirs)["summarise"].startswith("mine (")
    assert version_of(theirs) != version_of(own)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Say.", "expected a line 'version: …'"),
        ("version: 1\n## system\na\n## user\n$text\n", r"found the places \$text; expected"),
        ("version: 1\n## system\n5 $\n## user\n$text $instruction\n", r"plain dollar sign"),
    ],
)
def test_a_prompt_that_cannot_be_filled_is_refused(tmp_path, text, message):
    (tmp_path / "summarise.md").write_text(text)
    with pytest.raises(InputError, match=message):
        load_prompts(tmp_path)


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_requests_go_out_evenly_and_all_wait_when_one_is_told_to():
    clock = Clock()
    pace = Pace(per_minute=30, sleep=clock.sleep, clock=clock)

    async def go():
        sent = []
        for turn in range(4):
            await pace.turn()
            sent.append(clock.now)
            if turn == 2:
                await pace.back_off("0" * 32, 0, 45.0)
        return sent

    assert asyncio.run(go()) == [100, 102, 104, 149]


def test_those_that_wait_for_their_turn_hear_an_order_too():
    clock = Clock()
    pace = Pace(per_minute=30, sleep=clock.sleep, clock=clock)
    sent = []

    async def request(number):
        await pace.turn()
        sent.append(clock.now)
        if number == 1:
            await pace.back_off("0" * 32, 0, 45.0)

    async def go():
        await asyncio.gather(*(request(number) for number in range(4)))

    asyncio.run(go())
    assert sent == [100, 102, 147, 149]


def test_an_order_not_to_wait_is_followed_once():
    clock = Clock()
    pace = Pace(None, sleep=clock.sleep, clock=clock)

    async def go():
        for attempt in (0, 1, 2):
            await pace.back_off("f" * 32, attempt, 0)

    asyncio.run(go())
    assert clock.slept == pytest.approx([1, 2])


def test_waits_double_and_differ_between_questions():
    clock = Clock()
    pace = Pace(None, sleep=clock.sleep, clock=clock)

    async def go():
        for attempt in (0, 1, 9):
            await pace.back_off("0" * 32, attempt, None)
            await pace.back_off("f" * 32, attempt, None)

    asyncio.run(go())
    assert clock.slept[::2] == [0.25, 0.5, 30]
    assert clock.slept[1::2] == pytest.approx([0.5, 1, 60])


def test_a_wait_may_be_given_as_seconds_or_a_date():
    assert _wait({"retry-after": "3.5"}) == 3.5
    assert _wait({"retry-after": "Mon, 01 Jan 2024 00:00:00 GMT"}) == 0
    assert _wait({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) > 1e9
    assert _wait({}) is None
    odd = ("", "soon", "nan", "inf", "-5", "1e3", "Mon, 01 Jan 2024 00:00:00 +9999999999999999")
    assert [_wait({"retry-after": asked}) for asked in odd] == [None] * len(odd)


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "x", "http://", "http://a:b@h/v1", "http://h/v1?key=x", "http://h:x"]
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_without_repeating_it(monkeypatch, url):
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    with pytest.raises(ValueError, match="must"):
        check_url(url)
    with pytest.raises(InputError, match=r"label\.base_url") as caught:
        find_endpoint(asked(url, "m"))
    assert url not in str(caught.value).replace("http://127.0.0.1:8000/v1", "")


def test_the_environment_completes_the_settings(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_MODEL", raising=False)
    with pytest.raises(InputError, match="texts are sent to no other"):
        find_endpoint(asked(None, "m"))
    with pytest.raises(InputError, match=r"label.model is not set, nor is OPENAI_MODEL"):
        find_endpoint(asked("http://h:8000/v1", None))
    monkeypatch.setenv("OPENAI_BASE_URL", "https://host.example/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    found = find_endpoint(asked(None, None))
    assert (found.host, found.model) == ("host.example", "small")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("key_env: sk-secret-1", "label.key_env: String should match pattern"),
        ("base_url: https://me:sk-secret-1@h/v1", "label.base_url: must hold no key"),
        ("api_key: sk-secret-1", "label.api_key: unknown key"),
        ("max_usd: 3", "label: max_usd needs prices"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_not_repeated(tmp_path, line, said):
    (tmp_path / "params.yaml").write_text(f"label: {{{line}}}\n")
    with pytest.raises(InputError, match=r"params\.yaml: ") as caught:
        load_params(tmp_path / "params.yaml")
    assert said in str(caught.value)
    assert "sk-secret" not in str(caught.value)
