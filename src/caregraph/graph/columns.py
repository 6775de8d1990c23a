"""Values of columns: they go from the database to the answer as arrays, never one by one."""

import binascii
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from caregraph.db.columns import Array

_POWERS = 10 ** np.arange(19, dtype=np.int64)


class Column:
    """The values of one column: fractions, NaN for null; days, NaT for null; or row ids of one type, 0 for null."""

    __slots__ = ("type_name", "values")

    def __init__(self, values: Array, type_name: str | None = None) -> None:
        """With `type_name` the values are told as global ids."""
        self.values = values
        self.type_name = type_name

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    @property
    def is_day(self) -> bool:
        """Whether the values are days."""
        return self.values.dtype.kind == "M"

    @property
    def is_null(self) -> Array:
        """Where there is no value."""
        if self.type_name is not None:
            return np.equal(self.values, 0)
        return np.isnat(self.values) if self.is_day else np.isnan(self.values)

    def texts(self) -> tuple[Array, Array]:
        """Of ids and days: each different one as ASCII, empty for null, and which of them stands where."""
        single, places = np.unique(self.values, return_inverse=True)
        if self.type_name is not None:
            return global_ids(self.type_name, single), places
        found = np.datetime_as_string(single, "D").astype(np.bytes_)
        return np.where(np.isnat(single), b"", found), places

    def listed(self) -> list[Any]:
        """The values one by one."""
        told, missing = self.values, self.is_null
        if self.type_name is not None:
            texts, places = self.texts()
            told = texts.astype(np.str_)[places]
        if missing.any():
            told = told.astype(object)
            told[missing] = None
        return told.tolist()  # type: ignore[no-any-return]

    def json(self) -> bytes:
        """The values as a list in JSON. Texts are few and repeat: each is written once and put in its places."""
        if self.type_name is None and not self.is_day:
            return orjson.dumps(np.ascontiguousarray(self.values), option=orjson.OPT_SERIALIZE_NUMPY)
        texts, places = self.texts()
        return b"[" + _quoted(texts)[places].tobytes().translate(None, b"\0")[:-1] + b"]"


def _quoted(texts: Array) -> Array:
    """Texts as values of a list in JSON, each with its comma, and NUL wherever there is nothing."""
    letters = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), texts.itemsize)
    quoted = np.zeros((len(texts), max(letters.shape[1], 2) + 3), np.uint8)
    quoted[:, 0] = ord('"')
    quoted[:, 1 : letters.shape[1] + 1] = letters
    quoted[:, -2:] = np.frombuffer(b'",', np.uint8)
    quoted[letters[:, 0] == 0] = np.frombuffer(b"null,".ljust(quoted.shape[1], b"\0"), np.uint8)
    return quoted


def global_ids(type_name: str, row_ids: Array) -> Array:
    """The global ids of rows as ASCII, as `global_id` makes them; empty for 0.

    Texts with as many digits are encoded as one: each is filled up to whole groups of three bytes, and what the filling
    became is cut off.
    """
    prefix = np.frombuffer(f"{type_name}:".encode(), np.uint8)
    digits = np.searchsorted(_POWERS, row_ids, side="right")
    found = np.zeros((len(row_ids), -(-(len(prefix) + len(_POWERS)) * 4 // 3)), np.uint8)
    for count in np.unique(digits[digits > 0]).tolist():
        those = np.flatnonzero(digits == count)
        length = len(prefix) + count
        texts = np.zeros((len(those), -(-length // 3) * 3), np.uint8)
        texts[:, : len(prefix)] = prefix
        texts[:, len(prefix) : length] = row_ids[those, np.newaxis] // _POWERS[count - 1 :: -1] % 10 + ord("0")
        encoded = np.frombuffer(binascii.b2a_base64(texts.tobytes(), newline=False), np.uint8)
        letters = -(-length * 4 // 3)
        found[those, :letters] = encoded.reshape(len(those), texts.shape[1] // 3 * 4)[:, :letters]
    return found.view(f"S{found.shape[1]}").ravel()
