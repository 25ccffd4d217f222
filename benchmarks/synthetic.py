"""Texts by the million that mean something: topics and moods of their own words, made by numpy.

A text is the same for the same number, however many there are. 4,096 words of three syllables; a
text has some of its topic, some of its mood, and some that all texts use.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl

from tasks.core.numerics.rows import unit_rows
from tests.world import make_model

SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
]
WORDS = ["".join(three) for three in itertools.product(SYLLABLES, repeat=3)]
TOPICS, MOODS, OWN = 40, 8, 60  # kinds of topics and moods, and words of each
OF_TOPIC, OF_MOOD, COMMON = 4, 3, 6  # words of a text
BUCKETS = 100  # a filter on one of them keeps a text in a hundred
FILE = 10_000  # texts a raw file
LABELLED = 2_000
DIMENSIONS = 384


def frame(start: int, rows: int, draw: int = 0) -> pl.DataFrame:
    """Return `rows` texts from number `start` on: id, text, bucket, topic, mood.

    draw: another one gives other texts of the same kinds; so does another number of rows.
    """
    rng = np.random.default_rng([draw, start])
    topics, moods = rng.integers(TOPICS, size=rows), rng.integers(MOODS, size=rows)
    common = TOPICS * OWN + MOODS * OWN  # the first word that all texts may use
    usual = rng.random((rows, COMMON)) ** 3 * (len(WORDS) - common)  # few of them often
    words = np.concatenate(
        (
            topics[:, None] * OWN + rng.integers(OWN, size=(rows, OF_TOPIC)),
            TOPICS * OWN + moods[:, None] * OWN + rng.integers(OWN, size=(rows, OF_MOOD)),
            common + usual.astype(np.int64),
        ),
        axis=1,
    )
    words = rng.permuted(words, axis=1)
    # a fixed shuffle, so that words of one topic do not share their syllables
    shuffled = np.random.default_rng(1).permutation(len(WORDS))[words]
    known = pl.Series(WORDS, dtype=pl.String)
    columns = [known.gather(shuffled[:, at]).alias(f"w{at}") for at in range(words.shape[1])]
    return pl.DataFrame(columns).select(
        pl.format("r{}", pl.int_range(start, start + rows).cast(pl.String).str.zfill(9)).alias(
            "id"
        ),
        pl.concat_str(pl.all(), separator=" ").alias("text"),
        pl.Series("bucket", rng.integers(BUCKETS, size=rows)),
        pl.Series("topic", [f"topic{n}" for n in range(TOPICS)]).gather(topics),
        pl.Series("mood", [f"mood{n}" for n in range(MOODS)]).gather(moods),
    )


def codes(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return float16 vectors (n, 384) of texts of such words, each a direction; and features."""
    rng = np.random.default_rng(0)
    words = rng.standard_normal((len(WORDS), DIMENSIONS), np.float32)
    vectors, features = (np.empty((rows, DIMENSIONS), np.float16) for _ in range(2))
    common = TOPICS * OWN + MOODS * OWN
    for at in range(0, rows, FILE):
        n = min(FILE, rows - at)
        topics, moods = rng.integers(TOPICS, size=(n, 1)), rng.integers(MOODS, size=(n, 1))
        of_topic = topics * OWN + rng.integers(OWN, size=(n, OF_TOPIC))
        of_mood = TOPICS * OWN + moods * OWN + rng.integers(OWN, size=(n, OF_MOOD))
        usual = common + (rng.random((n, COMMON)) ** 3 * (len(WORDS) - common)).astype(np.int64)
        said = sum(words[column] for part in (of_topic, of_mood, usual) for column in part.T)
        vectors[at : at + n] = unit_rows(said)
        features[at : at + n] = rng.standard_normal((n, DIMENSIONS), np.float32)
    return vectors, features


def write_raw(root: Path, rows: int) -> int:
    """Write `rows` texts, 10,000 a file; return how many files."""
    starts = range(0, rows, FILE)
    for start in starts:
        made = frame(start, FILE).head(rows - start)
        _raw_file(root, start).parent.mkdir(parents=True, exist_ok=True)
        made.select("id", "text", "bucket").write_csv(_raw_file(root, start))
    return len(starts)


def _raw_file(root: Path, start: int) -> Path:
    return root / "data" / "raw" / f"texts-{start // FILE:06}.csv"


def change_one(root: Path, rows: int, draw: int) -> str:
    """Give one text in the last raw file other words; return its id."""
    start = (rows - 1) // FILE * FILE
    path, new = _raw_file(root, start), frame(start, 1, draw)["text"][0]
    there = pl.read_csv(path)
    changed = pl.when(pl.int_range(pl.len()) == len(there) - 1).then(pl.lit(new)).otherwise("text")
    there.with_columns(changed.alias("text")).write_csv(path)
    return str(there["id"][-1])


def write_labels(root: Path, views: int) -> list[str]:
    """Write a label file of the first 2,000 texts for each view: by topic, by mood, and so on."""
    texts = frame(0, FILE).head(LABELLED)
    names = []
    for n in range(views):
        aspect = ("topic", "mood")[n % 2]
        names.append(f"{aspect}{n // 2}" if n > 1 else aspect)
        path = root / "data" / "labels" / f"{names[-1]}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts.select("id", pl.col(aspect).alias("label")).write_csv(path)
    return names


def queries(many: int) -> list[str]:
    """Return texts of the same kinds that are in no corpus."""
    return frame(0, many, draw=1_000_003)["text"].to_list()


def write_model(folder: Path) -> Path:
    """Save a real static encoder of these words, 384 dimensions."""
    return make_model(folder, DIMENSIONS, words=WORDS)
