"""Reads the fields of a file strictly: what is missing, of another type or unknown is named by its place."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeVar

from caregraph.scoring.errors import SpecCode, SpecError

E = TypeVar("E", bound=Enum)


class Fields:
    """One table of a file; every field must be taken before `done`."""

    def __init__(self, data: object, *path: str | int) -> None:
        if not isinstance(data, Mapping):
            raise SpecError(SpecCode.FORMAT, "Expected a table of fields", *path)
        self.data = dict(data)
        self.path = path

    def wrong(self, message: str, *place: str | int) -> SpecError:
        """Make an error at a place within this table."""
        return SpecError(SpecCode.FORMAT, message, *self.path, *place)

    def text(self, name: str, default: str | None = None) -> str:
        """Take a text, which is not empty unless that is the default."""
        value = self.data.pop(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong("Expected a text", name)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Take a number, which may be NaN."""
        return self._number(self.data.pop(name, default), name)

    def whole(self, name: str) -> int | None:
        """Take a whole number, None if it is left out."""
        value = self.data.pop(name, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.wrong("Expected a whole number", name)
        return value

    def truth(self, name: str) -> bool:
        """Take true or false."""
        value = self.data.pop(name, None)
        if not isinstance(value, bool):
            raise self.wrong("Expected true or false", name)
        return value

    def choice(self, name: str, kinds: type[E], default: E | None = None) -> E:
        """Take one of the values of an enum."""
        value = self.data.pop(name, None if default is None else default.value)
        if value not in {kind.value for kind in kinds}:
            allowed = ", ".join(str(kind.value) for kind in kinds)
            raise self.wrong(f"Expected one of: {allowed}", name)
        return kinds(value)

    def numbers(self, name: str) -> tuple[float, ...]:
        """Take a list of numbers."""
        return tuple(self._number(value, name, place) for place, value in enumerate(self._list(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts, empty if it is left out."""
        values = self._list(name)
        for place, value in enumerate(values):
            if not isinstance(value, str):
                raise self.wrong("Expected a text", name, place)
        return tuple(map(str, values))

    def table(self, name: str) -> "Fields":
        """Take a table, empty if it is left out."""
        return Fields(self.data.pop(name, {}), *self.path, name)

    def tables(self, name: str) -> "Iterator[Fields]":
        """Take a list of tables, empty if it is left out."""
        for place, value in enumerate(self._list(name)):
            yield Fields(value, *self.path, name, place)

    def pairs(self, name: str) -> tuple[tuple[str, float], ...]:
        """Take a table of numbers."""
        table = self.table(name)
        return tuple((key, table.number(key)) for key in tuple(table.data))

    def words(self, name: str) -> tuple[tuple[str, str], ...]:
        """Take a table of texts."""
        table = self.table(name)
        return tuple((key, table.text(key, "")) for key in tuple(table.data))

    def done(self) -> None:
        """Refuse what was not taken."""
        for name in self.data:
            raise self.wrong("There is no such field", name)

    def _list(self, name: str) -> list[object]:
        value = self.data.pop(name, [])
        if not isinstance(value, list):
            raise self.wrong("Expected a list", name)
        return value

    def _number(self, value: object, *place: str | int) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong("Expected a number", *place)
        return float(value)
