"""Values of columns: they go from the database to the answer as arrays, never one by one."""

import binascii
from collections.abc import Iterator
from typing import Any

import numpy as np

from caregraph.db.columns import Array


class Column:
    """The values of one column: fractions and days with NaN and NaT for null, or the row ids of one type, 0 for null."""

    __slots__ = ("type_name", "values")

    def __init__(self, values: Array, type_name: str | None = None) -> None:
        """With `type_name` the values are told as global ids."""
        self.values = values
        self.type_name = type_name

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    def texts(self) -> Array:
        """Global ids as ASCII, empty for null."""
        single, places = np.unique(self.values, return_inverse=True)
        return global_ids(self.type_name or "", single)[places]

    def is_null(self) -> Array:
        """Where there is no value."""
        if self.type_name is not None:
            return self.values == 0
        return np.isnat(self.values) if self.values.dtype.kind == "M" else np.isnan(self.values)

    def listed(self) -> list[Any]:
        """The values as the answer says them."""
        told = self.values if self.type_name is None else self.texts().astype(np.str_)
        missing = self.is_null()
        if missing.any():
            told = told.astype(object)
            told[missing] = None
        return told.tolist()  # type: ignore[no-any-return]


def global_ids(type_name: str, row_ids: Array) -> Array:
    """The global ids of rows as ASCII, as `global_id` makes them; empty for 0.

    Texts with as many digits are encoded as one: each is filled up to whole groups of three bytes, and what the filling
    became is cut off.
    """
    prefix = np.frombuffer(f"{type_name}:".encode(), np.uint8)
    longest = len(prefix) + 19
    found = np.zeros(len(row_ids), f"S{-(-longest * 4 // 3)}")
    digits = np.char.str_len(row_ids.astype("S19"))
    for count in np.unique(digits[row_ids > 0]):
        those = np.flatnonzero((digits == count) & (row_ids > 0))
        length = len(prefix) + count
        texts = np.zeros((len(those), -(-length // 3) * 3), np.uint8)
        texts[:, : len(prefix)] = prefix
        texts[:, len(prefix) : length] = row_ids[those].astype(f"S{count}").view(np.uint8).reshape(-1, count)
        encoded = binascii.b2a_base64(texts.tobytes(), newline=False)
        letters = np.frombuffer(encoded, np.uint8).reshape(len(those), -1)[:, : -(-length * 4 // 3)]
        found[those] = np.ascontiguousarray(letters).view(f"S{letters.shape[1]}").ravel()
    return found
