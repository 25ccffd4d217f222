"""What a workspace would have done on this machine: which files set up Prefect."""

from pathlib import Path

import pytest

from tasks.versioning.reach import _sets_prefect

OURS = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize(
    "content",
    [
        b'[tool.prefect.api]\nurl = "http://evil.example/api"\n',
        b'[tool."pre\\u0066ect".api]\nurl = "http://evil.example/api"\n',
        b'tool.prefect.api.url = "http://evil.example/api"\n',
        b"tool = 1\n",
        b"[tool.prefect\n",
        b"\xff\xfe",
    ],
)
def test_a_pyproject_that_sets_prefect_up_is_told_however_it_is_spelled(content):
    assert _sets_prefect("pyproject.toml", content)


@pytest.mark.parametrize("content", [b"", b'[project]\ndependencies = ["prefect>=3"]\n'])
def test_a_pyproject_that_merely_needs_prefect_sets_nothing_up(content):
    assert not _sets_prefect("pyproject.toml", content)


def test_a_clone_of_this_project_has_nothing_to_ask():
    assert not _sets_prefect("pyproject.toml", OURS.read_bytes())
