"""What foreign keys say of tables: which rows hang on which, and whose record a row is a part of.

Whatever goes along when a client is deleted is a part of that client's record: rows that point at the client, rows
that go with their last link to one, and rows that hang on those. So the ways are read from the same keys, and a table
that a later slice adds has its way without being named here.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Integer,
    Select,
    Table,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import inspect as mapped
from sqlalchemy.dialects.postgresql import ARRAY

from .base import Base, table_of

SUBJECT = "clients"
"""The table of those whom records are about."""


def children(parent: Table) -> Iterator[tuple[Table, Column[Any], str | None, Column[Any] | None]]:
    """Tables whose rows go along with a row of `parent`: by which column, under which noun, carrying what."""
    for table in Base.metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            carries = constraint.info.get("carries", {})
            for name, noun in constraint.info.get("blocks", {}).items():
                if referred(table.c[name]).table is parent:
                    yield table, table.c[name], noun, table.c[carries[name]] if name in carries else None


def referred(column: Any) -> Any:
    """The `id` that a column points at, followed through link tables; the column itself if it points nowhere."""
    for key in column.foreign_keys:
        if key.column.name in {"id", column.name} and key.column is not column:  # a table may refer to itself
            return referred(key.column)
    return column


def model_of(table: Table) -> type[Any]:
    """The class mapped to a table."""
    return next(
        mapper.class_ for mapper in Base.registry.mappers if mapper.inherits is None and mapper.local_table is table
    )


@dataclass(frozen=True)
class Way:
    """How a row leads to the clients whose record it is a part of.

    `column` of the row is the client's id; with `hops`, each a key and the column found by it in one table, it is
    what the first of them is asked with.
    """

    column: Column[Any]
    hops: tuple[tuple[Column[Any], Column[Any]], ...] = ()

    def below(self, column: Column[Any]) -> "Way":
        """The way of rows whose `column` points at rows with this way."""
        if self.column.name == "id":
            return Way(column, self.hops)
        return Way(column, ((self.column.table.c.id, self.column), *self.hops))


def way(model: type[Any]) -> Way | None:
    """How rows of a model lead to clients; null where they are nobody's record."""
    return _ways().get(table_of(model))


@cache
def _ways() -> dict[Table, Way]:
    """By the shortest way from the clients on."""
    subject = Base.metadata.tables[SUBJECT]
    found = {subject: Way(subject.c.id)}
    queue = deque([subject])
    while queue:
        parent = queue.popleft()
        for child, column, _noun, carried in children(parent):
            if child not in found:
                found[child] = found[parent].below(column)
                queue.append(child)
            if carried is not None and (target := referred(carried).table) not in found:
                own = found[child]
                found[target] = Way(target.c.id, ((carried, own.column), *own.hops))
                queue.append(target)
    return found


@cache
def cascades(table: Table) -> tuple[tuple[ForeignKeyConstraint, ...], ...]:
    """Every chain of keys along which the database itself deletes rows together with rows of `table`."""
    found: list[tuple[ForeignKeyConstraint, ...]] = []

    def follow(parent: Table, chain: tuple[ForeignKeyConstraint, ...]) -> None:
        for child in Base.metadata.sorted_tables:
            if child is table or any(key.table is child for key in chain):
                continue
            for key in child.foreign_key_constraints:
                if key.referred_table is parent and (key.ondelete or "").upper() == "CASCADE":
                    found.append((*chain, key))
                    follow(child, (*chain, key))

    follow(table, ())
    return tuple(found)


def attribute(model: type[Any], column: Column[Any]) -> str:
    """The name that a mapped class has for a column."""
    name: str = mapped(model).get_property_by_column(column).key
    return name


def subjects(hops: tuple[tuple[Column[Any], Column[Any]], ...], keys: Any) -> Select[Any]:
    """Select the ids of the clients at the end of `hops` that begin with `keys`, a table of them."""
    found: Any = select(keys.c.value)
    for key, value in hops:
        found = select(value).where(key.in_(found.correlate(None)))
    return found.distinct()  # type: ignore[no-any-return]


def key_table(keys: Iterable[int], *, is_sqlite: bool) -> Any:
    """A table of `keys` in one parameter, with a column `value`: the statement's text does not grow with the keys."""
    return _as_table(_parameter(None, is_sqlite=is_sqlite, value=key_value(keys, is_sqlite=is_sqlite)))


def open_keys(*, is_sqlite: bool) -> Any:
    """The same of the parameter `keys`, a `key_value` that is given with each read."""
    return _as_table(_parameter("keys", is_sqlite=is_sqlite))


def key_value(keys: Iterable[int], *, is_sqlite: bool) -> Any:
    """Keys as the value of one parameter."""
    return "[" + ",".join(map(str, keys)) + "]" if is_sqlite else list(keys)


def key_array(keys: Iterable[int] | None = None) -> ColumnElement[Any]:
    """Keys as an array of PostgreSQL; without any, the parameter `keys`."""
    if keys is None:
        return _parameter("keys", is_sqlite=False)
    return _parameter(None, is_sqlite=False, value=list(keys))


def _parameter(name: str | None, *, is_sqlite: bool, **value: Any) -> ColumnElement[Any]:
    if is_sqlite:
        return bindparam(name, **value)
    return cast(bindparam(name, type_=ARRAY(BigInteger), **value), ARRAY(BigInteger))


def _as_table(parameter: ColumnElement[Any]) -> Any:
    is_array = isinstance(parameter.type, ARRAY)
    made = func.unnest(parameter) if is_array else func.json_each(parameter)
    table = made.table_valued("value", name="parents")
    table.c.value.type = BigInteger() if is_array else Integer()
    return table.render_derived() if is_array else table
