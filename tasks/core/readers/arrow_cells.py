"""Arrow columns as text: each value as what stands for it, whatever its type."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as is_a

from tasks.core.readers.records import Cell, dump

LONG = 32  # numbers of a fixed-size list from which it is a vector, not a value
EXACT = 2**53  # up to here a 64-bit float holds every integer
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
OUT_OF_RANGE = "<value out of range: "  # what Arrow writes for a time that it cannot
FAULTS = (pa.ArrowException, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


class UnreadableError(ValueError):
    """A column whose values no text can stand for; the message says what they are."""


def cells(column: Any) -> tuple[list[Cell], int]:
    """Return the values of an Arrow array as text, and how many have none (they are null).

    NaN is null, 17.0 is "17", a duration its seconds; nested values are JSON. UnreadableError for a
    vector, or where Arrow has no words for the type; what Arrow raises for broken data passes.
    """
    if _is_text(column.type):
        return _texts(column), 0
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        raise UnreadableError("strings in it are not UTF-8") from error
    try:
        column = _plain(column)
        nulls = column.null_count
        found = _writer(column.type)(column)
    except FAULTS as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(" ".join(str(error).split())[:100]) from error
    lost = 0 if is_a.is_floating(column.type) else found.count(None) - nulls
    return found, lost


def _plain(column: Any) -> Any:
    """Return a column without the wrappers around its values."""
    while True:
        if isinstance(column.type, pa.FixedShapeTensorType):
            raise UnreadableError("tensors")
        if is_a.is_dictionary(column.type):
            column = column.dictionary_decode()
        elif is_a.is_run_end_encoded(column.type):
            column = pc.run_end_decode(column)
        elif isinstance(column.type, pa.BaseExtensionType) and not _is_uuid(column.type):
            column = column.storage
        else:
            return column


def _writer(kind: Any) -> Callable[[Any], list[Cell]]:
    if _is_uuid(kind):
        return _uuids
    if is_a.is_fixed_size_binary(kind):
        return _codes
    if _is_text(kind):
        return _texts
    if any(test(kind) for test in (is_a.is_binary, is_a.is_large_binary, is_a.is_binary_view)):
        return _bytes
    if is_a.is_nested(kind) or is_a.is_interval(kind):
        return _nested
    if is_a.is_floating(kind):
        return _floats
    if is_a.is_duration(kind):
        return lambda column: _floats(
            pc.divide(column.cast(pa.int64()).cast(pa.float64()), float(UNITS[kind.unit]))
        )
    return _written


def _is_text(kind: Any) -> bool:
    return bool(is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind))


def _is_uuid(kind: Any) -> bool:
    return isinstance(kind, pa.UuidType) or (
        is_a.is_fixed_size_binary(kind) and kind.byte_width == 16
    )


def _uuids(column: Any) -> list[Cell]:
    raw = column.storage if isinstance(column.type, pa.BaseExtensionType) else column
    return [None if value is None else str(uuid.UUID(bytes=value)) for value in raw.to_pylist()]


def _codes(column: Any) -> list[Cell]:
    return [_text_or(value, bytes.hex) for value in column.to_pylist()]


def _bytes(column: Any) -> list[Cell]:
    return [_text_or(value, lambda _: None) for value in column.to_pylist()]


def _text_or(value: bytes | None, other: Callable[[bytes], Cell]) -> Cell:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return other(value)


def _texts(column: Any) -> list[Cell]:
    """Return strings; bytes in them that are not UTF-8 become lone surrogates, for the reader."""
    raw = column.cast(pa.large_binary())
    raw.validate(full=True)
    return [
        None if value is None else value.decode("utf-8", "surrogateescape")
        for value in raw.to_pylist()
    ]


def _floats(column: Any) -> list[Cell]:
    if is_a.is_float16(column.type):
        column = column.cast(pa.float32())
    column = pc.if_else(pc.is_nan(column), None, column)
    exact = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), float(EXACT)))
    whole = pc.if_else(exact, column, None).cast(pa.int64()).cast(pa.string())
    found: list[Cell] = pc.if_else(exact, whole, column.cast(pa.string())).to_pylist()
    return found


def _written(column: Any) -> list[Cell]:
    found: list[Cell] = column.cast(pa.string()).to_pylist()
    if is_a.is_temporal(column.type):
        return [text and _time(text, column.type) for text in found]
    return found


def _time(text: str, kind: Any) -> str:
    """Return a time as Arrow writes it, or as a number where it is too far away for that."""
    if not text.startswith(OUT_OF_RANGE):
        return text
    unit = "days" if is_a.is_date32(kind) else getattr(kind, "unit", "ms")
    return f"{text.removeprefix(OUT_OF_RANGE).rstrip('>')} {unit} since 1970"


def _nested(column: Any) -> list[Cell]:
    kind = column.type
    if is_a.is_fixed_size_list(kind) and kind.list_size > LONG:
        raise UnreadableError(f"vectors of {kind.list_size} numbers")
    try:
        values = column.to_pylist(maps_as_pydicts="lossy")
    except FAULTS:
        values = [_value(scalar) for scalar in column]
    return [None if value is None else dump(value) for value in values]


def _value(scalar: Any) -> Any:
    """Return a nested value with its times as text: Python's own end in the year 9999."""
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if is_a.is_map(kind):
        return {str(_value(each["key"])): _value(each["value"]) for each in scalar.values}
    if is_a.is_struct(kind):
        return {name: _value(each) for name, each in scalar.items()}
    if isinstance(scalar, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return [_value(each) for each in scalar.values]
    if is_a.is_dictionary(kind) or is_a.is_union(kind) or isinstance(kind, pa.BaseExtensionType):
        return _value(scalar.value)
    if is_a.is_temporal(kind) and not is_a.is_interval(kind):
        return _time(scalar.cast(pa.string()).as_py(), kind)
    return scalar.as_py()
