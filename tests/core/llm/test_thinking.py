"""What a model says is told from what it thinks aloud, by the structure of its reply alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.annotation.prompting import read_choice, read_note
from tasks.core.llm.thinking import spoken

HARMONY = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>"

SHAPES = [
    ("<think>hm</think>late parcel", "late parcel"),
    ("<think>\nhm\n</think>\n\nlate parcel", "late parcel"),
    ("hm, so\n</think>\n\nlate parcel", "late parcel"),  # the template gave the opening mark
    ("hm </think> late parcel", "late parcel"),
    ("<think>hm, so", ""),  # cut
    ("<think>\n\n</think>\n\n", ""),
    ("<think></think><think>b</think>late parcel", "late parcel"),
    ("<think>a <think>b</think> c</think>late parcel", "late parcel"),
    ("<think>is it <think>? no</think>late parcel", "late parcel"),
    ("<think>a</think></think>late parcel", "late parcel"),
    ("<think>a</think>\nmore of it</think>\nlate parcel", "late parcel"),
    ('<think>the "</think>" mark</think>late parcel', "late parcel"),
    ("<THINK>\nhm</THINK>late parcel", "late parcel"),
    ("&lt;think&gt;hm&lt;/think&gt;late parcel", "late parcel"),
    ("<thinking>hm</thinking>late parcel", "late parcel"),
    ("<thought>hm</thought>\n\nlate parcel", "late parcel"),
    ("<reasoning>hm</reasoning>late parcel", "late parcel"),
    ("<seed:think>hm</seed:think>late parcel", "late parcel"),
    ("[THINK]hm[/THINK]late parcel", "late parcel"),
    ("hm[/THINK]late parcel", "late parcel"),
    ("[THINK]hm", ""),
    ("◁think▷hm◁/think▷late parcel", "late parcel"),
    ('<details type="reasoning" done="true">\nhm\n</details>\nlate parcel', "late parcel"),
    ("<|begin_of_thought|>hm<|end_of_thought|>late parcel", "late parcel"),
    (
        "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>late parcel<|END_RESPONSE|>",
        "late parcel",
    ),
    ("<|channel>thought\nhm<channel|>late parcel", "late parcel"),
    (HARMONY + "late parcel<|return|>", "late parcel"),
    (HARMONY.removeprefix("<|channel|>") + "late parcel", "late parcel"),
    ("<|channel|>analysis<|message|>hm<|channel|>final<|message|>late parcel", "late parcel"),
    ('<|channel|>final <|constrain|>json<|message|>{"label": "x"}', '{"label": "x"}'),
    ("<|channel|>analysis<|message|>hm", ""),
    ("analysisWe see.assistantfinalLate parcel", "Late parcel"),  # the marks themselves left out
    ("analysisWe see, so", ""),
    ("Here is my thought process: hm\nHere is my response: late parcel", "late parcel"),
    (
        "Here are my reasoning steps:\nhm\n[BEGIN FINAL RESPONSE]\nlate parcel\n"
        "[END FINAL RESPONSE]\n<|end|>",
        "late parcel",
    ),
    ("Here are my reasoning steps:\nhm", ""),
    ("<|think|>hm<|end|><|begin|>assistant<|content|>late parcel", "late parcel"),
    ("<thought_process>hm</thought_process>late parcel", "late parcel"),
    ("<analysis>hm</analysis>\nlate parcel", "late parcel"),
    ("<inner_thoughts>hm</inner_thoughts>late parcel", "late parcel"),
    ("<reason>hm</reason>late parcel", "late parcel"),
    ("late parcel<\uff5cend\u2581of\u2581sentence\uff5c>", "late parcel"),
    ("late parcel<|eot|>", "late parcel"),
    ("<think>hm</think><answer>late parcel</answer>", "late parcel"),
    ("Okay.\n<think>\nhm\n</think>\nlate parcel", "Okay.\n\nlate parcel"),
    ("late parcel\n<think>was it", "late parcel"),
    ("late parcel<|im_end|>", "late parcel"),
    ('It is 5" wide</think>late parcel', "late parcel"),
    ('I say "refund"</think>"late parcel"', '"late parcel"'),
]


@pytest.mark.parametrize(("reply", "said"), SHAPES)
def test_thoughts_are_left_out_in_every_public_shape(reply, said):
    assert spoken(reply) == said


@pytest.mark.parametrize(
    "reply",
    [
        "asks what <think> means",
        "a stray </think> tag in replies",
        "sees `</think>` in replies",
        'sees "<think>" and "</think>" in replies',
        "wraps its text in <think>…</think> tags",
        "Complaint about '<think>' marks",
        "analysis of refunds",
        "mentions <|channel|>final<|message|> in a text",
        '{"label": "a", "description": "quotes </think> here"}',
        '{"label": "<think>", "description": "x"}',
        '```json\n{"label": "</think>"}\n```',
    ],
)
def test_marks_that_an_answer_speaks_of_stay(reply):
    assert spoken(reply) == reply
    assert spoken(f"<think>hm</think>\n{reply}") == reply


PAIRS = [
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
]
MARKS = "<>[]◁▷&|`\"'“”«»\u2018\u2019{}"
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters=MARKS)).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(st.tuples(st.sampled_from(PAIRS), PLAIN), max_size=3), PLAIN, st.booleans())
def test_any_thoughts_before_an_answer_leave_the_answer(blocks, answer, opened):
    thought = "".join(f"{pair[0]}{text}{pair[1]}\n" for pair, text in blocks)
    if blocks and not opened:
        thought = thought.removeprefix(blocks[0][0][0])
    assert spoken(f"{thought}So: {answer}") == f"So: {answer}".strip()


@given(st.text() | st.lists(st.sampled_from([*sum(PAIRS, ()), "a", " ", '"', "\n"])).map("".join))
def test_any_reply_comes_to_something_said_that_is_part_of_it(reply):
    said = spoken(reply)
    rest = iter(reply)
    assert all(character in rest for character in said)  # in the same order


def test_dressed_answers_are_read():
    names = ["late parcel", "refund"]
    for answer in (
        "Answer: refund",
        "**Answer:** refund.",
        "Final answer: **Refund**",
        "The label: refund",
        "Category: Refund",
        "\\boxed{refund}",
        "$\\boxed{\\text{refund}}$",
        "```\nrefund\n```",
        'hm</think>\n```json\n{"label": "refund"}\n```',
    ):
        assert read_choice(answer, names) == "refund", answer
    assert read_note("Answer: a late parcel") == "a late parcel"
    assert read_note("```\na late parcel\n```") == "a late parcel"
    assert read_note('{"phrase": "a late parcel"}') == "a late parcel"
    assert read_note("hm\n</think>\n**Phrase:** a late parcel") == "a late parcel"
