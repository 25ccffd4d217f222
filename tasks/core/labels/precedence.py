"""Labels of one instruction from several sources: which one counts, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

SOURCE = "source"  # the column that says whose label a row is
EXPLORE, HUMAN, MODEL, ZERO_SHOT = "explore", "human", "model", "zero-shot"
RANK = {EXPLORE: 0, HUMAN: 1, MODEL: 2, ZERO_SHOT: 3}
"""A person knows better than a machine, and who labels in `refract explore` sees the label there
is: what is said there is said last. A weak label is worst."""
PEOPLE = (EXPLORE, HUMAN)

CONFLICT = "conflicting labels for one id"
REPEATED = "repeated row"
OVERRULED = "overruled by a label of a better source"


def source_of(value: str | None) -> str:
    """Return whose label a row is by its column `source`: a person's if no machine says so."""
    said = (value or "").strip().lower()
    return said if said in RANK else HUMAN


def sift(frame: pl.DataFrame, steps: Sequence[tuple[pl.Expr, str]]) -> pl.DataFrame:
    """Give each row the reason of the first rule that drops it, or null; rows keep their order."""
    frame, dropped = frame.with_row_index("_at"), []
    for rule, reason in steps:
        marked = frame.with_columns(rule.alias("_hit"))
        dropped.append(marked.filter("_hit").drop("_hit").with_columns(reason=pl.lit(reason)))
        frame = marked.filter(~pl.col("_hit")).drop("_hit")
    kept = frame.with_columns(reason=pl.lit(None, pl.String))
    return pl.concat([kept, *dropped]).sort("_at").drop("_at")


def described(rows: pl.DataFrame) -> dict[str, int]:
    """Count each source's labels that are used, and where two sources or two people's files agree.

    Empty where one person's alone are there. rows: id, label, source, file, reason; null where a
    row is used.
    """
    used = rows.filter(pl.col("reason").is_null())
    counts: Mapping[str, int] = dict(used["source"].value_counts().iter_rows())
    if set(counts) <= {HUMAN} and OVERRULED not in rows["reason"].to_list():
        return _people(rows)
    notes = {f"label by {source}": counts[source] for source in RANK if source in counts}
    other = rows.filter(pl.col("reason") == OVERRULED)
    both = used.join(other, on="id", suffix="_other")
    for one, two, agree, n in (
        both.with_columns(agree=pl.col("label") == pl.col("label_other"))
        .group_by("source", "source_other", "agree")
        .len()
        .iter_rows()
    ):
        notes[f"{one} and {two} {'agree' if agree else 'differ'}"] = n
    return notes | _people(rows)


def _people(rows: pl.DataFrame) -> dict[str, int]:
    """Count the texts that several people's files label, by whether the files agree."""
    own = rows.filter(pl.col("source").is_in(PEOPLE)).group_by("id", "source")
    each = own.agg(pl.col("file").n_unique(), pl.col("label").n_unique()).filter(pl.col("file") > 1)
    agree = each.filter(pl.col("label") == 1).height
    counts = {"two people agree": agree, "two people differ": each.height - agree}
    return {what: n for what, n in counts.items() if n}
