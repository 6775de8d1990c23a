"""Columns on the wire for data frames: an Arrow stream or CSV, some rows at a time."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import nanoarrow as na
import numpy as np
from nanoarrow.ipc import StreamWriter

from caregraph.db.columns import Array
from caregraph.graph.columns import Column

ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
ROWS_AT_ONCE = 8192
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def arrow(columns: Mapping[str, Column]) -> Iterator[bytes]:
    """An Arrow IPC stream: ids as text, days as `date32`, numbers as `float64`."""
    schema = na.struct({name: _arrow_type(column) for name, column in columns.items()}, nullable=False)
    out = io.BytesIO()
    writer = StreamWriter.from_writable(out)
    for rows in _some_rows(columns):
        parts = [_arrow_array(Column(column.values[rows], column.type_name)) for column in columns.values()]
        count = len(parts[0]) if parts else 0
        writer.write_array(na.c_array_from_buffers(schema, count, [None], children=parts))
        yield _drained(out)
    writer.close()
    yield _drained(out)


def comma_separated(columns: Mapping[str, Column]) -> Iterator[bytes]:
    """CSV (RFC 4180) with names in the first line, nothing for null."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for rows in _some_rows(columns):
        parts = [Column(column.values[rows], column.type_name).listed() for column in columns.values()]
        writer.writerows([[_cell(value) for value in row] for row in zip(*parts, strict=True)])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return f"'{value}"
    return value.isoformat() if isinstance(value, date) else value


def _some_rows(columns: Mapping[str, Column]) -> Iterator[slice]:
    """Parts of all rows; one without any where there are none, which still says what the columns are."""
    count = max(map(len, columns.values()), default=0)
    for start in range(0, count or 1, ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)


def _drained(out: io.BytesIO) -> bytes:
    written = out.getvalue()
    out.seek(0)
    out.truncate()
    return written


def _arrow_type(column: Column) -> Any:
    if column.type_name is not None:
        return na.string()
    return na.date32() if column.is_day else na.float64()


def _arrow_array(column: Column) -> Any:
    kind, valid = _arrow_type(column), _validity(~column.is_null)
    if column.type_name is not None:
        return na.c_array_from_buffers(kind, len(column), [valid, *_text_buffers(column)])
    values = column.values.astype(np.int32) if column.is_day else np.ascontiguousarray(column.values)
    return na.c_array_from_buffers(kind, len(column), [valid, values])


def _validity(is_valid: Array) -> Array | None:
    return None if is_valid.all() else np.packbits(is_valid, bitorder="little")


def _text_buffers(column: Column) -> tuple[Array, bytes]:
    """Where each text begins, and all of them; base64 has no NUL, which fills up shorter texts."""
    texts, places = column.texts()
    letters = texts.view(np.uint8).reshape(len(texts), texts.itemsize)
    lengths = np.count_nonzero(letters, axis=1)
    offsets = np.zeros(len(places) + 1, np.int32)
    np.cumsum(lengths[places], out=offsets[1:])
    return offsets, texts[places].tobytes().translate(None, b"\0")
