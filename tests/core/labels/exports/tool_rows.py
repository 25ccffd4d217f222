"""Rows as annotation tools write them, about five texts."""

import csv
import io
import json

import polars as pl

from tasks.core.documents.staging import text_hash
from tasks.core.labels.files import label_file
from tasks.core.labels.reader import read_labels
from tests.corpora import keys_of

TEXTS = [
    "a fee was charged twice",
    "the money is late",
    "card was declined",
    "how do i log in",
    "the app is slow",
]
FRAME = pl.DataFrame(
    {"id": [f"m{n}" for n in range(5)], "text_hash": [text_hash(text) for text in TEXTS]}
)

KEYS = keys_of(FRAME)


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(header, *rows):
    out = io.StringIO()
    csv.writer(out).writerows([header.split(","), *rows])
    return out.getvalue()


def cells(*labels):
    return table("id,label", *((f"m{n}", label) for n, label in enumerate(labels)))


def task(n, *results, cancelled=False, who=1):
    """A task of Label Studio with one annotation."""
    shown = {"id": n + 100, "data": {"text": TEXTS[n]}, "predictions": []}
    answer = {"completed_by": {"id": who, "email": f"{who}@x"}, "was_cancelled": cancelled}
    return shown | {"annotations": [answer | {"result": list(results)}]}


def choice(*names, question="topic"):
    value = {"choices": list(names)}
    return {"from_name": question, "to_name": "text", "type": "choices", "value": value}


def region(label):
    value = {"start": 0, "end": 3, "text": "a f", "labels": [label]}
    return {"from_name": "topic", "to_name": "text", "type": "labels", "value": value}


def box(n, *classifications, objects=(), who="a@x"):
    """A row of Labelbox's NDJSON."""
    given = {"annotations": {"classifications": list(classifications), "objects": list(objects)}}
    project = {"name": "p", "labels": [given | {"label_details": {"created_by": who}}]}
    return {"data_row": {"id": f"c{n}", "row_data": TEXTS[n]}, "projects": {"p1": project}}


def radio(name, question="topic"):
    return {"name": question, "radio_answer": {"name": name, "value": name}}


def checks(*names):
    return {"name": "topic", "checklist_answers": [{"name": n, "value": n} for n in names]}


def said(n, label, answer="accept", **more):
    """A line of Prodigy."""
    return {"text": TEXTS[n], "_input_hash": n, "label": label, "answer": answer, **more}


def picked(n, *accept, answer="accept"):
    options = [{"id": "fee", "text": "fee"}, {"id": "money", "text": "money"}]
    return {"text": TEXTS[n], "options": options, "accept": list(accept), "answer": answer}


def reply(value, status="submitted", user="u"):
    return {"value": value, "status": status, "user_id": user}


def votes(*rows):
    return table("id,text,sentiment,annotator,annotation_id,lead_time", *rows)


def vote(n, *labels):
    return [(str(n + 1), TEXTS[n], label, str(who), "9", "1") for who, label in enumerate(labels)]


def old_box(n, label, skipped="false"):
    answer = {"title": "topic", "answer": {"title": label}}
    return f"c{n}", TEXTS[n], json.dumps({"classifications": [answer]} if label else {}), skipped


SCORED = '[{"label": "fee", "score": 0.9}, {"label": "money", "score": 0.1}]'
SPANNED = {"text": TEXTS[0], "spans": [{"start": 0, "end": 3, "label": "X"}], "answer": "accept"}
FEE, BOTH = {"m0": "fee", "m1": "money"}, {"m0": '["fee", "money"]', "m1": "money"}


def found_in(path, content):
    """Write a label file of the instruction `topic`, and return what is read of it."""
    path.write_text(content)
    return read_labels(label_file(path, "topic"), KEYS, 1)
