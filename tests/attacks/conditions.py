"""A small table that conditions select rows of."""

import random

import polars as pl

WORDS = [
    "refund",
    "it's",
    'a "b"',
    "50% off",
    "a_b",
    "back\\slash",
    "Ärger",
    "料金",
    "",
    " x ",
    "\t",
]
PLACES = ["mail", "phone", "Mail", None]


def make_rows(n=400, seed=7):
    draw = random.Random(seed)
    return pl.DataFrame(
        {
            "id": [f"m{i:03d}" for i in range(n)],
            "word": [draw.choice([*WORDS, None]) for _ in range(n)],
            "channel": [draw.choice(PLACES) for _ in range(n)],
            "My_Zip": [draw.choice(["02134", "10001", None]) for _ in range(n)],
            "order": [draw.choice(["a", "b", "c"]) for _ in range(n)],
            "stars": [draw.choice([None, *range(-2, 6)]) for _ in range(n)],
            "price": [draw.choice([None, -1.5, 0.0, 0.25, 2.5, 1e6]) for _ in range(n)],
            "open": [draw.choice([True, False, None]) for _ in range(n)],
        },
        schema_overrides={"stars": pl.Int64},
    )


ROWS = make_rows()
