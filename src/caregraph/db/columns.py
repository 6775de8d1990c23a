"""Statements whose answer is one array per column: series for which no Python object is made per value and row.

On PostgreSQL the server packs each column into one value, which arrives as it leaves: a header, then the length and the
eight bytes of each number. SQLite has no such form; there the driver's rows are turned by NumPy. Days are numbers on
both. Order is nobody's: whoever needs one sorts the arrays, which is faster than having the database do it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Date, Dialect, Double, Float, Integer, Select, cast, func, literal_column, select

from .direct import Text

Array = NDArray[Any]

_DAY = np.dtype("datetime64[D]")
_HEADER = 20
"""Bytes before the first value: dimensions, a flag, the type, the length and the lower bound."""
_JULIAN_EPOCH = 2440587.5
"""The Julian date of the first moment of 1970, from which days are counted."""


@dataclass(frozen=True, eq=False)
class Columnar:
    """A statement as the driver takes it, and what its columns are."""

    text: Text
    kinds: tuple[np.dtype[Any], ...]
    is_packed: bool

    @classmethod
    def of(cls, statement: Select[Any], dialect: Dialect, *open_parameters: str) -> "Columnar":
        """Of whole numbers, codes, fractions and days; none may be null, fractions excepted on SQLite."""
        columns, is_packed = statement.selected_columns, dialect.name == "postgresql"
        if is_packed:
            rows = statement.subquery()
            read = select(*map(_packed, rows.c))
        else:
            read = statement.with_only_columns(*map(_plain, columns), maintain_column_froms=True)
        return cls(Text.of(read, dialect, *open_parameters), tuple(map(_kind, columns)), is_packed)

    def arrays(self, found: Sequence[Any]) -> list[Array]:
        """The columns, of what the driver gave."""
        if not self.is_packed:
            columns: Sequence[Any] = list(zip(*found, strict=True)) or [()] * len(self.kinds)
            return [_array(column, kind) for column, kind in zip(columns, self.kinds, strict=True)]
        return [_unpacked(packed, kind) for packed, kind in zip(found[0], self.kinds, strict=True)]


def _kind(column: Any) -> np.dtype[Any]:
    if isinstance(column.type, Date):
        return _DAY
    return np.dtype(np.float64 if isinstance(column.type, Float) else np.int64)


def _packed(column: Any) -> Any:
    if isinstance(column.type, Date):
        number = cast(column - literal_column("DATE '1970-01-01'", Date()), BigInteger)
    else:
        number = cast(column, Double() if isinstance(column.type, Float) else BigInteger())
    return func.array_send(func.array_agg(number))


def _plain(column: Any) -> Any:
    return cast(func.julianday(column) - _JULIAN_EPOCH, Integer) if isinstance(column.type, Date) else column


def _array(values: Sequence[Any], kind: np.dtype[Any]) -> Array:
    return np.array(values, np.int64).view(_DAY) if kind == _DAY else np.array(values, kind)


def _unpacked(packed: bytes | None, kind: np.dtype[Any]) -> Array:
    if packed is None:  # of no rows there is no array
        return np.empty(0, kind)
    number = ">f8" if kind == np.float64 else ">i8"
    values = np.frombuffer(packed, np.dtype([("length", ">i4"), ("value", number)]), offset=_HEADER)["value"]
    return values.astype(number.replace(">", "=")).view(kind)
