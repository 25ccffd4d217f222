"""Texts that a spreadsheet would compute, written so that it shows them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

# The first characters that OWASP's page on CSV injection lists; a number is one, whatever its sign.
_FIRST = r"[=+\-@]"
_FORMULA = rf"^\s*{_FIRST}"
_NUMBER = r"^[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?$"


def neutral(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with a quote before every text that a spreadsheet may take for a formula.

    A tab or line end before a text goes. Label files are read without regard to either.
    """
    names = [name for name, kind in rows.schema.items() if kind == pl.String]
    return rows.with_columns(_harmless(pl.col(name)) for name in names)


def formulas(texts: pl.Series) -> int:
    """Return how many of `texts` get a quote from `neutral`."""
    return int(texts.to_frame("text").select(_risky(pl.col("text")).sum()).item())


def quoted(file: Path) -> int:
    """Return how many texts of a CSV, which `neutral` rows were written to, have such a quote."""
    texts = pl.scan_csv(file, schema_overrides={"text": pl.String}, infer_schema=False)
    return int(texts.select(pl.col("text").str.contains(rf"^'{_FIRST}").sum()).collect().item())


def _risky(text: pl.Expr) -> pl.Expr:
    return text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)


def _harmless(text: pl.Expr) -> pl.Expr:
    quoted = text.str.replace(r"^\s*", "'")
    return pl.when(_risky(text)).then(quoted).otherwise(text.str.strip_chars_start("\t\r\n"))
