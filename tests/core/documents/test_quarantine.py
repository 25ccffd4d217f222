import json
from pathlib import Path

import pytest

from tasks.core.documents.quarantine import RejectLog


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_old(path):
    with RejectLog(path) as log:
        log.write("a.csv", 1, "old")


def test_rejected_rows_are_json_lines_with_source_position_reason_and_content(tmp_path):
    path = tmp_path / "quarantine" / "ingest.jsonl"
    with RejectLog(path) as log:
        log.write("data/raw/a.csv", 7, "empty text", '{"id":"7"}')
    assert lines(path) == [
        {
            "source": "data/raw/a.csv",
            "position": 7,
            "reason": "empty text",
            "content": '{"id":"7"}',
        }
    ]


def test_content_is_cut_to_two_thousand_characters(tmp_path):
    with RejectLog(tmp_path / "r.jsonl") as log:
        log.write("a.csv", 1, "row longer than it should be", "x" * 9_000)
    assert lines(tmp_path / "r.jsonl")[0]["content"] == "x" * 2_000


def test_a_lone_surrogate_can_be_written(tmp_path):
    with RejectLog(tmp_path / "r.jsonl") as log:
        log.write("a.csv", 1, "invalid UTF-8", "caf\udce9")
    assert lines(tmp_path / "r.jsonl")[0]["content"] == "caf\udce9"


def test_the_old_log_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "r.jsonl"
    write_old(path)
    with RejectLog(path) as log:
        log.write("a.csv", 1, "new")
        assert lines(path)[0]["reason"] == "old"
    assert lines(path)[0]["reason"] == "new"


def test_an_error_leaves_the_old_log_and_nothing_else(tmp_path):
    path = tmp_path / "r.jsonl"
    write_old(path)
    with pytest.raises(RuntimeError), RejectLog(path) as log:
        log.write("a.csv", 1, "new")
        raise RuntimeError
    assert [each["reason"] for each in lines(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_rejected_leaves_no_file_and_removes_the_old_one(tmp_path):
    path = tmp_path / "r.jsonl"
    write_old(path)
    with RejectLog(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_nothing_rejected_makes_no_folder(tmp_path):
    with RejectLog(tmp_path / "quarantine" / "r.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == []
