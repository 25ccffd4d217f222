"""The corpus's id and text inside an export, by the names that the documents have for them."""

import json
from dataclasses import replace

import polars as pl
import pytest

from tasks.core.labels.files import OwnColumns, label_file
from tasks.core.labels.reader import read_labels
from tests.core.labels.exports.annotated import FEE, FRAME, KEYS, TEXTS, record, task
from tests.corpora import keys_of

CARRIED = {
    "data of Label Studio": lambda n, label: {
        **task(n, label),
        **{"id": 1 - n, "data": {"Ticket": f"m{n}"}},
    },
    "meta of Label Studio": lambda n, label: {
        **task(n, label),
        **{"id": 1 - n, "data": {"Ticket no": 7}, "meta": {"ticket": f"m{n}"}},
    },
    "data that has an id, too": lambda n, label: {
        **task(n, label),
        **{"data": {"id": 1 - n, "ticket": f"m{n}"}},
    },
    "meta of doccano": lambda n, label: {
        **{"id": 1 - n, "text": "", "label": [label], "Comments": []},
        **{"meta": {"ticket": f"m{n}"}},
    },
    "meta of Prodigy": lambda n, label: {
        **{"text": "", "label": label, "answer": "accept", "_input_hash": n, "_task_hash": n},
        **{"meta": {"ticket": f"m{n}", "why": "boundary"}},
    },
    "metadata of Argilla": lambda n, label: {
        **record(n, (label, "submitted")),
        **{"id": str(1 - n), "fields": {"note": ""}, "metadata": {"ticket": f"m{n}"}},
    },
    "columns of Argilla": lambda n, label: {
        **{"topic.responses": [label], "topic.responses.status": ["submitted"]},
        **{"topic.responses.users": ["u"], "id": str(1 - n), "metadata.ticket": f"m{n}"},
    },
}


@pytest.mark.parametrize("where", CARRIED)
def test_the_corpus_s_id_is_known_by_its_own_name_inside_a_task(tmp_path, where):
    """The numbers of the tasks are ids of the corpus as well, of other texts."""
    path = tmp_path / "topic.json"
    path.write_text(json.dumps([CARRIED[where](0, "fee"), CARRIED[where](1, "money")]))
    keys = keys_of(FRAME.with_columns(id=pl.Series(["m0", "m1", "0", "1"])))
    own = replace(label_file(path, "topic"), own=OwnColumns("ticket", "Complaint"))
    assert read_labels(own, keys, 1).label_of == FEE


def test_the_corpus_s_text_is_known_by_its_own_name_inside_a_task(tmp_path):
    long = "something much longer than the complaint is " * 3
    tasks = [
        {**task(n, label), "data": {"Complaint": TEXTS[n], "note": f"{long}{n}"}}
        for n, label in enumerate(("fee", "money"))
    ]
    path = tmp_path / "topic.json"
    path.write_text(json.dumps(tasks))
    own = replace(label_file(path, "topic"), own=OwnColumns("Ticket", "complaint"))
    assert read_labels(own, KEYS, 1).label_of == FEE
