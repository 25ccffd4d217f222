"""Documents made up by a fixed seed: well written ones whose rows are known, and broken ones."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = tuple[str, str]
WORDS = [
    "fee",
    "late",
    "naïve",
    "数据",
    "it's",
    '"no"',
    "a\\b",
    "x;y",
    "p|q",
    "#tag",
    "=1+1",
    "1",
    "0",
]
AWKWARD = [
    '"',
    '""',
    '" open',
    'close"',
    '"Hi," he said',
    "end\\",
    "a, b",
    "'",
    "{x}",
    "null",
    "NaN",
]


def rows(rng: random.Random, *, breaks: bool = True) -> list[Row]:
    """Make rows of an id and a text; breaks: with line ends and tabs in them."""
    spelling = rng.choice(["{}", "m{:04}", "{:03}", "{}.0", "a-{}"])
    made = []
    for number in range(rng.randint(1, 40)):
        words = rng.choices(WORDS, k=rng.randint(1, 8))
        if rng.random() < 0.3:
            words.insert(rng.randint(0, len(words)), rng.choice(AWKWARD))
        if breaks and rng.random() < 0.2:
            words.insert(
                rng.randint(0, len(words)), rng.choice(["\nSigned", "\r\n\r\nBye", "\n\n"])
            )
        made.append((spelling.format(number), " ".join(words).strip() + "."))
    return made


def quoted(rng: random.Random, table: list[Row]) -> tuple[str, str]:
    """Write CSV as spreadsheets and databases do; return its suffix and content."""
    delimiter = rng.choice([",", ",", ";", "\t", "|"])
    end = rng.choice(["\n", "\r\n"])
    out = io.StringIO(newline="")
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    trailing = [""] * rng.choice([0, 0, 1])
    above = rng.choice(
        ["", "", f"sep={delimiter}{end}", f"# a comment{end}", f"My export{end}{end}"]
    )
    writer.writerow(["id", "text", *trailing])
    writer.writerows([*row, *trailing] for row in table)
    suffix = ".tsv" if delimiter == "\t" and rng.random() < 0.7 else ".csv"
    return suffix, above + out.getvalue()


def bare(rng: random.Random, table: list[Row]) -> tuple[str, str]:
    """Write TSV without any quoting."""
    end = rng.choice(["\n", "\r\n"])
    return ".tsv", end.join(["id\ttext", *("\t".join(row) for row in table)]) + rng.choice(
        ["", end]
    )


def backslashed(rng: random.Random, table: list[Row]) -> tuple[str, str]:
    """Write CSV whose quotes and backslashes are escaped by a backslash, all cells in quotes."""
    lines = ["id,text"]
    for row in table:
        cells = [each.replace("\\", "\\\\").replace('"', '\\"') for each in row]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    return ".csv", "\n".join(lines) + "\n"


def as_json(rng: random.Random, table: list[Row]) -> tuple[str, str]:
    """Write JSON Lines, an array, or objects over several lines."""
    values = [{"id": key, "text": text} for key, text in table]
    form = rng.choice(["lines", "array", "pretty", "indented"])
    suffix = rng.choice([".jsonl", ".ndjson", ".json"])
    if form == "array":
        return suffix, json.dumps(values, ensure_ascii=rng.random() < 0.5)
    if form == "indented":
        return suffix, json.dumps(values, indent=2)
    indent = 1 if form == "pretty" else None
    return suffix, "\n".join(json.dumps(each, indent=indent, ensure_ascii=False) for each in values)


WRITERS: list[Callable[[random.Random, list[Row]], tuple[str, str]]] = [
    quoted,
    quoted,
    bare,
    backslashed,
    as_json,
]


def encoded(rng: random.Random, text: str) -> bytes:
    """Encode a file with or without a mark."""
    return rng.choice(
        [
            text.encode(),
            text.encode(),
            text.encode("utf-8-sig"),
            ("\ufeff" + text).encode("utf-16-le"),
            ("\ufeff" + text).encode("utf-16-be"),
        ]
    )


def packed(rng: random.Random, data: bytes) -> tuple[str, bytes]:
    """Compress a file, or not, by a suffix that is not always right."""
    form = rng.choice(["", "", ".gz", ".zst"])
    if form == ".gz":
        data = gzip.compress(data, mtime=0)
    elif form:
        data = pa.compress(data, "zstd", asbytes=True)
    return (rng.choice(["", ".gz", ".zst"]) if rng.random() < 0.1 else form), data


def known(rng: random.Random, folder: Path) -> tuple[Path, list[Row]]:
    """Write a text file whose rows are known."""
    write = rng.choice(WRITERS)
    table = rows(rng, breaks=write is not bare)
    suffix, content = write(rng, table)
    compression, data = packed(rng, encoded(rng, content))
    path = folder / f"{rng.choice(NAMES)}{suffix}{compression}"
    path.write_bytes(data)
    return path, table


NAMES = [
    "a",
    "a b",
    "a.b",
    "ü",
    "数据",
    "[x]",
    "*",
    "%20",
    "-",
    "'",
    "a\nb",
    "\x1b[31m",
    "\udce9",
    "~",
]


def value(rng: random.Random, depth: int = 0) -> tuple[pa.DataType, Callable[[], Any]]:
    """Choose a type, and what makes values of it."""
    simple: list[tuple[pa.DataType, Callable[[], Any]]] = [
        (pa.int64(), lambda: rng.randint(-(2**60), 2**60)),
        (pa.float64(), lambda: rng.choice([1.0, 0.5, float("nan"), float("inf"), 1e300])),
        (pa.bool_(), lambda: rng.random() < 0.5),
        (pa.string(), lambda: rng.choice(AWKWARD)),
        (pa.binary(), lambda: rng.randbytes(rng.randint(0, 5))),
        (pa.binary(16), lambda: rng.randbytes(16)),
        (pa.binary(3), lambda: rng.randbytes(3)),
        (pa.timestamp("s"), lambda: rng.randint(-(10**13), 10**13)),
        (pa.timestamp("ns", "UTC"), lambda: rng.randint(0, 10**18)),
        (pa.timestamp("us", "Mars/Base"), lambda: rng.randint(0, 10**18)),
        (pa.date32(), lambda: rng.randint(-(10**7), 10**7)),
        (pa.date64(), lambda: rng.randint(-(10**9), 10**9) * 86_400_000),
        (pa.time64("ns"), lambda: rng.randint(0, 86_399_999_999_999)),
        (pa.duration("us"), lambda: rng.randint(-(2**62), 2**62)),
        (pa.decimal128(20, 3), lambda: decimal.Decimal(rng.randint(0, 10**9)).scaleb(-3)),
        (pa.month_day_nano_interval(), lambda: (1, 2, rng.randint(0, 9))),
        (pa.uuid(), lambda: uuid.UUID(bytes=rng.randbytes(16)).bytes),
        (pa.null(), lambda: None),
        (pa.timestamp("us"), lambda: datetime.datetime(rng.randint(1, 9999), 1, 1)),
    ]
    kind, make = rng.choice(simple)
    if depth > 2 or rng.random() < 0.5:
        return kind, make
    inner, one = value(rng, depth + 1)
    nested: list[tuple[pa.DataType, Callable[[], Any]]] = [
        (pa.list_(inner), lambda: [one() for _ in range(rng.randint(0, 3))]),
        (pa.large_list(inner), lambda: [one()]),
        (pa.list_view(inner), lambda: [one(), one()]),
        (pa.list_(inner, 2), lambda: [one(), one()]),
        (pa.struct([("a", inner), ("b", kind)]), lambda: {"a": one(), "b": make()}),
        (pa.map_(pa.string(), inner), lambda: [("k", one()), ("l", None)]),
    ]
    return rng.choice(nested)


def table(rng: random.Random, folder: Path) -> tuple[Path, list[Row]]:
    """Write an Arrow or Parquet file of whatever types beside its texts."""
    known_rows = rows(rng)
    columns: dict[str, pa.Array] = {
        "id": pa.array([key for key, _ in known_rows]),
        "text": pa.array([text for _, text in known_rows]),
    }
    for number in range(rng.randint(1, 4)):
        kind, make = value(rng)
        values = [make() if rng.random() < 0.8 else None for _ in known_rows]
        try:
            columns[f"c{number}"] = pa.array(values, kind)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue  # Arrow itself makes no such column
    made = pa.table(columns)
    path = folder / f"{rng.choice(NAMES)}{rng.choice(['.parquet', '.arrow', '.feather', '.ipc'])}"
    with path.open("wb") as file:
        if path.suffix == ".parquet":
            try:
                pq.write_table(made, file)
            except (pa.ArrowException, OverflowError):
                file.seek(0)
                pq.write_table(made.select(["id", "text"]), file)
        else:
            new = pa.ipc.new_stream if path.suffix == ".ipc" else pa.ipc.new_file
            with new(file, made.schema) as writer:
                writer.write_table(made, max_chunksize=7)
    return path, known_rows


def damaged(rng: random.Random, path: Path) -> None:
    """Break a file in one of the ways in which files break."""
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.randint(1, 40))
        how = rng.randrange(8)
        if how == 0:
            del data[at:]
        elif how == 1:
            data[at:to] = rng.randbytes(to - at)
        elif how == 2:
            data[at:at] = rng.choice(
                [b'"', b"\0", b"\r", b"\xff\xfe", b"\t", b",", b"\n", b"{", b"]"]
            )
        elif how == 3:
            del data[at:to]
        elif how == 4:
            data[at:at] = data[: rng.randint(0, len(data))]
        elif how == 5:
            data[at:to] = bytes(to - at)
        elif how == 6 and len(data) < 100_000:
            data[at:at] = rng.choice([b"x", b'"', b"[", b"a,"]) * rng.randint(1_000, 100_000)
        else:
            data = bytearray(
                data.decode("utf-8", "replace").encode(rng.choice(["utf-16", "cp037"]), "replace")
            )
    path.write_bytes(bytes(data))
