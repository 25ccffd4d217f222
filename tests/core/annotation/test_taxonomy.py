"""Labels, clusters, samples, prompts and answers: what a labelling is made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.annotation.clustering import group, number_of
from tasks.core.annotation.merging import merge
from tasks.core.annotation.output import still_there
from tasks.core.annotation.prompting import (
    read_choice,
    read_label,
    read_labels_of,
    read_note,
)
from tasks.core.annotation.sampling import Chosen, _even, k_centres
from tasks.core.annotation.zero_shot import weak_labels
from tasks.core.labels.taxonomy import Label, clean, plain, read_taxonomy, render_taxonomy
from tasks.core.llm.answers import Answer, PromptRequest
from tasks.core.llm.replies import read_reply
from tasks.core.workspace.errors import InputError


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
