"""Four texts, and what a tool writes of one that was labelled."""

import polars as pl

from tasks.core.documents.staging import text_hash
from tests.corpora import keys_of

TEXTS = ["a fee was charged twice", "the money is late", "card was declined", "how to log in"]
FRAME = pl.DataFrame(
    {"id": [f"m{n}" for n in range(4)], "text_hash": [text_hash(text) for text in TEXTS]}
)

KEYS = keys_of(FRAME)
FEE = {"m0": "fee", "m1": "money"}


def task(n, label, *, cancelled=False):
    result = {"from_name": "topic", "to_name": "text", "type": "choices"}
    results = [result | {"value": {"choices": [label]}}] if label else []
    answer = {"id": n, "completed_by": 1, "was_cancelled": cancelled, "result": results}
    return {"id": n + 7, "data": {"text": TEXTS[n]}, "annotations": [answer], "predictions": []}


def reply(*given):
    return [{"value": value, "status": status, "user_id": "u"} for value, status in given]


def record(n, *given):
    fields = {"text": TEXTS[n]}
    about = {"id": f"r{n}", "status": "completed", "_server_id": "s"}
    return about | {"fields": fields, "responses": {"topic": reply(*given)}, "suggestions": {}}
