"""A labelling without Prefect: a base table of short texts, and a job on a loopback endpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.core.annotation import naming, pipeline
from tasks.core.annotation.job import Advance, Billing, LabelJob, Step, open_billing
from tasks.core.documents.staging import text_hash
from tasks.core.encoding.encoder import load_encoder
from tasks.core.llm.client import Endpoint
from tasks.core.settings.label_section import LabelSettings
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import arrow, tables
from tests.world import MOODS, documents

NAMES = {"angry": "furious", "glad": "happy"}  # words that the tiny encoder knows
PHRASES = {name: MOODS[mood] for mood, name in NAMES.items()}
N = 48  # texts of a small table: of each label half
SETTINGS = LabelSettings(clusters=12, shown=10, max_chars=500, max_tokens=64, timeout=30)


def truth(n: int) -> dict[str, str]:
    """Return text → label of n different texts."""
    rows = documents()
    chosen = [(at, rows[at % len(rows)]) for at in range(n)]
    return {f"{row['text']}, case {at}": NAMES[row["mood"]] for at, row in chosen}


def encoder(model: Path) -> EmbedSettings:
    return EmbedSettings(model=str(model), device="cpu", precision="float32", features="last")


def make_table(table: Path, texts: list[str], settings: EmbedSettings) -> Path:
    """Write a base table with ids x0, x1, …"""
    vectors = load_encoder(settings).encode(texts, lambda _: None).vectors
    hashes = [text_hash(text) for text in texts]
    rows = pa.table(
        {
            "id": [f"x{at}" for at in range(len(texts))],
            "text_hash": hashes,
            "row_hash": hashes,
            "text": texts,
            tables.VECTOR: arrow.vector_array(vectors, "float32"),
        }
    )
    fragments = tables.write_fragments(table, rows, {}, fresh=True)
    tables.commit_whole(table, rows.schema, {}, fragments)
    return table


def make_job(folder: Path, table: Path, settings: EmbedSettings, url: str, **more: Any) -> LabelJob:
    """Return a job by `SETTINGS`; `more` replaces these, in bounds or not, and its own fields."""
    own = {key: more.pop(key) for key in list(more) if key in LabelSettings.model_fields}
    asked = SETTINGS.model_copy(update=own)
    job = LabelJob(
        name="mood",
        instruction="the mood of the writer",
        table=table,
        base="one",
        memory=folder / "steps",
        answer_cache=folder / "calls.sqlite",
        prompts=None,
        encoder=settings,
        endpoint=Endpoint(url, "oracle", asked),
        settings=asked,
        first_wait=0.0,
    )
    return replace(job, **more)


def run(job: LabelJob, advance: Advance = lambda _: None) -> list[Step]:
    """Do what the flow does: find the labels unless they are known, then classify."""
    steps = [pipeline.sample(job)]
    with open_billing(job) as billing:
        found = [] if job.given else pipeline.kept(job)
        if found is None:
            found = _find(job, billing, advance)
            pipeline.keep(job, found)
        return [*steps, *found, pipeline.classify(job, billing, advance)]


def _find(job: LabelJob, billing: Billing, advance: Advance) -> list[Step]:
    if job.settings.direct:
        return [naming.propose(job, billing, advance)]
    noted = [pipeline.summarise(job, billing, advance)] if job.settings.summary else []
    counted = naming.count_phrases(job) if noted else None
    if counted:
        return [*noted, counted]
    return [*noted, pipeline.cluster(job), naming.name_clusters(job, billing, advance)]
