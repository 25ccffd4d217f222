"""Two thousand cells as careless tools might write them: understood, or refused in words."""

import json
import random

import polars as pl
import pytest

from tasks.core.labels.cells import understood
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tests.corpora import keys_of

pytestmark = pytest.mark.attack

PIECES = [
    *("[", "]", "{", "}", "(", ")", '"', "'", ",", ":", " ", "\n", "\\", "\\u0000", "\ud800"),
    *("fee", "choices", "label", "start", "end", "nan", "None", "0", "1", "0.5", "-", "e9"),
    *("array(", "dtype=object", "set(", "lambda:0", "__import__('os')", "\u0301", "\ufeff", "~"),
]


def cells(many=2_000, seed=14):
    random_ = random.Random(seed)
    for _ in range(many):
        yield "".join(random_.choices(PIECES, k=random_.randint(1, 24)))


def test_no_cell_ends_in_a_traceback_and_no_container_becomes_a_class():
    for cell in [*cells(), "[" * 100_000, "{" * 100_000, "(" * 10_000 + ")" * 10_000, "-" * 20_000]:
        answer = understood(cell)
        assert bool(answer.labels) != bool(answer.reason)
        for label in answer.labels:
            label.encode()
            assert not label.startswith(('{"', "{'", '["', "['", "[[", "[{")), (cell, label)


@pytest.mark.parametrize("seed", range(40))
def test_no_label_file_of_such_cells_ends_in_a_traceback(tmp_path, seed):
    keys = keys_of(pl.DataFrame({"id": [f"{n}" for n in range(50)], "text_hash": ["x"] * 50}))
    names = random.Random(seed).sample(["id", "text", "label", "answer", "annotations", "data"], 4)
    rows = [
        dict(zip(names, cells(4, seed * 100 + n), strict=True)) | {"id": str(n)} for n in range(50)
    ]
    file = tmp_path / "topic.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        found = read_labels(label_file(file, "topic"), keys, 1)
    except InputError as error:
        assert "expected" in str(error)
    else:
        assert len(found.ids) + len(found.rejects) <= found.read
