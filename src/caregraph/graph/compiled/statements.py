"""The statements of compiled reads: the same shapes as in `graph/loaders.py`, built once and kept as text.

A statement is built for one viewer, by the functions that every other read uses (`visible`, `Link.children`), and kept
under that viewer: whoever differs in organization, user, permissions or day has statements of their own. So what a rule
reads of its viewer, in SQL or in Python, is part of the key by construction. Only keys and the values of a window stay
open.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    TypeDecorator,
    bindparam,
    func,
    select,
    true,
)
from sqlalchemy import inspect as mapped
from sqlalchemy.orm import aliased

from caregraph.auth.viewer import Viewer
from caregraph.db.base import Coded, Instant
from caregraph.db.direct import Text
from caregraph.db.keys import key_array, key_value, open_keys, way
from caregraph.db.scope import criterion, visible
from caregraph.db.session import Database
from caregraph.graph.filters import matches, ordering
from caregraph.graph.loaders import Link, narrowed
from caregraph.graph.paging import Window

from .bounded import Bounded

MOST_STATEMENTS = 4000
_PARENT = "of_parent"


class Read:
    """What is read of the rows of one model: its columns, each at a place of its own. The first is the id."""

    def __init__(self, model: type[Any], *, repeats: bool = False) -> None:
        """Nothing yet but the id and what the audit asks of a row."""
        self.model = model
        self.repeats = repeats
        """Whether a row may come more than once, as one that hangs on several does."""
        self.columns: list[Column[Any]] = [mapped(model).local_table.c.id]
        self._places = {self.columns[0]: 0}
        self.is_whole = False
        self.runs_by_window = 0
        """For how many more runs it is taken that parents have many rows of this."""
        found = way(model)
        self.subject = None if found is None else self.place(found.column)
        """Where a row has what leads to the clients whose record it is a part of; null for nobody's record."""

    @classmethod
    def whole(cls, model: type[Any]) -> "Read":
        """Every mapped column: reads by id share one statement whatever is asked of the rows."""
        made = cls(model)
        made.is_whole = True
        for column in mapped(model).local_table.c:
            made.place(column)
        return made

    def place(self, column: Column[Any]) -> int:
        """Where `column` stands in a row."""
        place = self._places.get(column)
        if place is None:
            place = self._places[column] = len(self.columns)
            self.columns.append(column)
        return place


@dataclass(frozen=True)
class Asked:
    """A window with its values taken out: the shape decides the statement, the values go with each read."""

    shape: Window
    values: dict[str, Any]

    @classmethod
    def of(cls, model: type[Any], window: Window) -> "Asked":
        """Values of columns whose type is its own master, as encrypted ones are, stay in the shape."""
        values: dict[str, Any] = {"limit": window.limit + 1, "offset": window.offset}

        def taken(name: str, column: str, value: Any) -> Any:
            kind = getattr(model, column).type
            if value is None or (isinstance(kind, TypeDecorator) and not isinstance(kind, Coded | Instant)):
                return value
            values[name] = value
            return _Open(name, kind)

        where = tuple(_condition(taken, number, one) for number, one in enumerate(window.where))
        keys = [*(key for key, _ in window.order), "id"]
        places: dict[str, Any] = {
            side: tuple(taken(f"{side}_{key}", key, value) for key, value in zip(keys, place, strict=True))
            for side, place in (("after", window.after), ("before", window.before))
            if place is not None
        }
        return cls(replace(window, where=where, limit=0, offset=int(bool(window.offset)), **places), values)


class _Open:
    """A value that is not known yet. Equal to others of its name, so that shapes can be compared."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name, self.kind = name, kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Open) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def _condition(taken: Callable[[str, str, Any], Any], number: int, condition: tuple[str, str, Any]) -> Any:
    column, lookup, value = condition
    if lookup == "is_null":
        return condition
    if isinstance(value, tuple):
        return column, lookup, tuple(taken(f"where_{number}_{one}", column, each) for one, each in enumerate(value))
    return column, lookup, taken(f"where_{number}", column, value)


class Statements:
    """The statements of one database."""

    def __init__(self, database: Database) -> None:
        """None yet."""
        self._is_sqlite = database.is_sqlite
        self._dialect = database.dialect
        self._texts: Bounded[Text] = Bounded(MOST_STATEMENTS)

    def keys(self, keys: Sequence[int]) -> Any:
        """The value of the parameter `keys`."""
        return key_value(keys, is_sqlite=self._is_sqlite)

    def by_id(self, read: Read, viewer: Viewer) -> Text:
        """Rows among `keys`."""

        def statement() -> Select[Any]:
            return self._columns(visible(read.model, viewer), read).where(self.among(read.model.id))

        return self._kept(("by id", read, viewer), statement, "keys")

    def listing(self, read: Read, viewer: Viewer, asked: Asked, extra: tuple[ColumnElement[bool], ...]) -> Text:
        """A window over all rows; one with conditions of its own is built anew each time."""

        def statement() -> Select[Any]:
            every = self._columns(visible(read.model, viewer), read).where(*extra)
            return _limited(narrowed(read.model, every, _filled(asked.shape)), asked.shape)

        return self._kept(None if extra else ("listing", read, viewer, asked.shape), statement, *asked.values)

    def count(self, model: type[Any], viewer: Viewer, asked: Asked, extra: tuple[ColumnElement[bool], ...]) -> Text:
        """How many rows a listing has."""
        shape = Window(where=asked.shape.where)

        def statement() -> Select[Any]:
            counted = select(func.count()).select_from(model).where(criterion(model, viewer), *extra)
            return counted.where(*matches(model, _filled(shape).where))

        return self._kept(None if extra else ("count", model, viewer, shape), statement, *asked.values)

    def children(self, read: Read, link: Link, viewer: Viewer, asked: Asked) -> Text:
        """The window of each parent's children, then the parent's id; at most `most` rows."""

        def statement() -> Select[Any]:
            shape, parents, model = _filled(asked.shape), self._key_table(), read.model
            chosen = link.children(viewer, parents.c.value)
            if self._is_sqlite:
                chosen = chosen.with_only_columns(model.id, maintain_column_froms=True)
                window = _limited(narrowed(model, chosen, shape), shape).correlate(parents)
                row: Any = aliased(model)
                table = mapped(row).selectable
                found = select(*(table.c[one.key] for one in read.columns), parents.c.value)
                found = found.select_from(parents).join(row, row.id.in_(window))
                found = found.order_by(*ordering(row, shape.order, backwards=shape.backwards))
            else:  # only a nested loop can join what is lateral, and that keeps the order of each window
                chosen = chosen.with_only_columns(*read.columns, maintain_column_froms=True)
                lateral = _limited(narrowed(model, chosen, shape), shape).correlate(parents).lateral()
                found = select(*(lateral.c[one.key] for one in read.columns), parents.c.value)
                found = found.select_from(parents).join(lateral, true())
            return found.limit(bindparam("most", type_=Integer()))

        return self._kept(("children", read, link, viewer, asked.shape), statement, "keys", "most", *asked.values)

    def all_children(self, read: Read, link: Link, viewer: Viewer, asked: Asked) -> Text:
        """The children of all parents without an end of each window, then the parent's id; at most `most` rows.

        An index is searched once for all parents, which takes half the time of a search and an order for each.
        """

        def statement() -> Select[Any]:
            shape, model = _filled(asked.shape), read.model
            order = (mapped(model).column_attrs[key].columns[0] for key, _ in shape.order)
            columns = dict.fromkeys([*read.columns, *order])
            chosen = link.joined(select(model), viewer).where(self.among(link.parent_column))
            chosen = narrowed(model, chosen, shape).order_by(None)
            chosen = chosen.with_only_columns(*columns, link.parent_column.label(_PARENT), maintain_column_froms=True)
            # Limited before it is ordered: no plan goes through a whole table for the sake of the order.
            few = chosen.limit(bindparam("most", type_=Integer())).subquery()
            found = select(*(few.c[one.key] for one in read.columns), few.c[_PARENT])
            return found.order_by(*ordering(aliased(model, few), shape.order, backwards=shape.backwards))

        return self._kept(("all children", read, link, viewer, asked.shape), statement, "keys", "most", *asked.values)

    def counts(self, link: Link, viewer: Viewer, asked: Asked) -> Text:
        """How many children each parent has."""
        shape = Window(where=asked.shape.where)

        def statement() -> Select[Any]:
            parent = link.parent_column
            counted = link.joined(select(parent, func.count()), viewer).where(self.among(parent))
            return counted.where(*matches(link.model, _filled(shape).where)).group_by(parent)

        return self._kept(("counts", link, viewer, shape), statement, "keys", *asked.values)

    def _kept(self, key: Hashable | None, statement: Callable[[], Select[Any]], *open_parameters: str) -> Text:
        if key is None:
            return Text.of(statement(), self._dialect, *open_parameters)
        text = self._texts.get(key)
        if text is None:
            text = Text.of(statement(), self._dialect, *open_parameters)
            self._texts.put(key, text)
        return text

    def _columns(self, statement: Select[Any], read: Read) -> Select[Any]:
        return statement.with_only_columns(*read.columns, maintain_column_froms=True)

    def among(self, column: Any) -> ColumnElement[bool]:
        """`column` is one of the parameter `keys`."""
        if self._is_sqlite:
            return column.in_(select(self._key_table().c.value).correlate(None))  # type: ignore[no-any-return]
        return column == func.any(key_array())  # type: ignore[no-any-return]

    def _key_table(self) -> Any:
        return open_keys(is_sqlite=self._is_sqlite)


def _limited(statement: Select[Any], shape: Window) -> Select[Any]:
    limited = statement.limit(bindparam("limit", type_=Integer()))
    return limited.offset(bindparam("offset", type_=Integer())) if shape.offset else limited


def _filled(shape: Window) -> Window:
    """The shape with a parameter wherever a value is open."""

    def parameter(value: Any) -> Any:
        if isinstance(value, tuple):
            return [parameter(one) for one in value]
        return bindparam(value.name, type_=value.kind) if isinstance(value, _Open) else value

    places: dict[str, Any] = {
        side: tuple(map(parameter, place))
        for side, place in (("after", shape.after), ("before", shape.before))
        if place is not None
    }
    where = tuple((column, lookup, parameter(value)) for column, lookup, value in shape.where)
    return replace(shape, where=where, **places)
