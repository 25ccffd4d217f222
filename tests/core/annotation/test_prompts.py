"""What a model is asked: prompts, and texts and notes that cannot leave their place in them."""

from dataclasses import replace

import pytest

from tasks.core.annotation.prompting import (
    PromptBuilder,
    _listed,
)
from tasks.core.annotation.prompts import load_prompts, version_of
from tasks.core.workspace.errors import InputError


def test_a_note_cannot_begin_a_line_by_any_kind_of_line_end():
    notes = [f"a{end}- b" for end in "\n\r\x0b\x0c\x1c\x85\u2028\u2029"]
    assert len(_listed(notes).splitlines()) == len(notes)


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
