"""Relations between rows, declared once as data: which column leads from one type to another.

`one("sessions.episode_id")` and `many("sessions.episode_id")` name a foreign key as `ForeignKey` does, `many(through=
"client_owners")` a link table. Text, because a type may not import the slices after its own; every relation is
resolved and checked when the schema is built. The same declaration serves the loaders and any other execution.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Column, Table, inspect
from strawberry.types.base import StrawberryList, StrawberryOptional

from caregraph.auth.viewer import Permission
from caregraph.db.base import Base, table_of
from caregraph.db.keys import referred

from .errors import RequestError, demand
from .fields import Guard, KitField, kit_field
from .filters import Order
from .loaders import CountByParent, Link, RowById, RowsByParent
from .node import NodeInfo, node_info
from .paging import PageRows, Window, page_arguments, window_of

LONGEST_PLAIN_LIST = 1000


class WrongRelationError(TypeError):
    """A declared relation does not fit the tables. Raised when the schema is built."""


@dataclass(eq=False)
class Relation:
    """A declared relation of one field."""

    made: KitField
    column: str | None
    through: str | None
    order: Order
    size: int
    """Rows assumed per parent when cost is derived."""

    @cached_property
    def parent(self) -> NodeInfo:
        """The node type that the field belongs to."""
        info: NodeInfo = self.made.origin.__node__  # type: ignore[union-attr]
        return info

    @cached_property
    def target(self) -> NodeInfo:
        """The node type that the field leads to."""
        return node_info(self.made)

    @property
    def is_one(self) -> bool:
        """Whether the field leads to one row."""
        return self.made.resolve is _load_one

    @cached_property
    def is_plain_list(self) -> bool:
        """Whether the field is a short bounded list instead of a connection."""
        kind = self.made.type
        return isinstance(kind.of_type if isinstance(kind, StrawberryOptional) else kind, StrawberryList)

    @cached_property
    def key(self) -> str:
        """To one: the attribute of the parent's row that holds the target's id."""
        column = self._column(table_of(self.parent.model))
        self._must_refer(column, self.target)
        name: str = inspect(self.parent.model).get_property_by_column(column).key
        return name

    @cached_property
    def link(self) -> Link:
        """To many: how the target's rows hang on the parent."""
        if self.through is None:
            column = self._column(table_of(self.target.model))
            self._must_refer(column, self.parent)
            return Link(self.target.model, column)
        table = Base.metadata.tables.get(self.through)
        if table is None:
            raise WrongRelationError(f"{self.name}: there is no table {self.through}")
        return Link(self.target.model, self._end(table, self.parent), self._end(table, self.target))

    @property
    def name(self) -> str:
        """Type and field, as in `Episode.sessions`."""
        return f"{self.parent.name}.{self.made.python_name}"

    def _column(self, expected: Table) -> Column[Any]:
        table, _, name = (self.column or "").partition(".")
        if table != expected.name or name not in expected.c:
            raise WrongRelationError(f"{self.name}: {self.column} is not a column of {expected.name}")
        return expected.c[name]

    def _must_refer(self, column: Column[Any], info: NodeInfo) -> None:
        if referred(column).table is not table_of(info.model):
            raise WrongRelationError(f"{self.name}: {column} does not lead to {info.name}")

    def _end(self, table: Table, info: NodeInfo) -> Column[Any]:
        ends = [column for column in table.c if referred(column).table is table_of(info.model) and column.foreign_keys]
        if len(ends) != 1:
            raise WrongRelationError(f"{self.name}: {table.name} has no single column that leads to {info.name}")
        return ends[0]


def one(column: str, description: str) -> Any:
    """The row that this row's `column` points at; null when there is none or it is not visible."""
    made = kit_field(description, resolve=_load_one)
    made.relation = Relation(made, column, None, (), 1)
    return made


def many(
    column: str | None = None,
    *,
    description: str,
    through: str | None = None,
    order: str | None = None,
    size: int = 10,
    needs: Permission | None = None,
    guard: Guard | None = None,
) -> Any:
    """The rows whose `column` points at this row, or that a link table joins to it.

    A field of type `Page[…]` is a connection, one of type `list[…]` a short list that fails above its maximum. `order`
    is the default order, an attribute of the target; `size` the rows assumed per parent when cost is derived. `guard`
    raises where the rows of some parents are refused as a whole; such a field must be nullable, as one with `needs`.
    """
    if needs is not None:
        description += f"\n\nNeeds: {needs.value}."
    made = kit_field(description, resolve=_load_many, arguments=_arguments, needs=needs, guard=guard)
    made.relation = Relation(made, column, through, ((order, False),) if order else (), size)
    return made


def referenced(key: str, description: str) -> Any:
    """On a type that is no node: the row whose id its source holds as `key`; null for none, or one not visible."""
    return kit_field(description, resolve=_load_referenced, key=key)


def check_relation(relation: Relation) -> None:
    """Resolve a relation, so that a wrong one fails when the schema is built."""
    _ = relation.key if relation.is_one else relation.link


async def _load_one(made: KitField, row: Any, info: Any) -> Any:
    key = getattr(row, made.relation.key)
    return None if key is None else await info.context.load(RowById(made.relation.target.model), key)


async def _load_referenced(made: KitField, source: Any, info: Any) -> Any:
    row_id = getattr(source, made.key)
    return None if row_id is None else await info.context.load(RowById(node_info(made).model), row_id)


def _arguments(made: KitField) -> list[Any]:
    return [] if made.relation.is_plain_list else page_arguments(made.relation.target)


async def _load_many(made: KitField, row: Any, info: Any, **arguments: Any) -> Any:
    relation: Relation = made.relation
    if made.guard is not None:
        made.guard(info.context.viewer, row)
    demand(info.context.viewer, made.needs)
    if relation.is_plain_list:
        return await _plain_list(relation, row, info)
    window = window_of(relation.target, relation.name, relation.order, arguments)
    rows = await info.context.load(RowsByParent(relation.link, window), row.id)
    count = partial(info.context.load, CountByParent(relation.link, window), row.id)
    return PageRows(relation.name, window, rows, count)


async def _plain_list(relation: Relation, row: Any, info: Any) -> Any:
    window = Window(order=relation.order, limit=LONGEST_PLAIN_LIST)
    found = await info.context.load(RowsByParent(relation.link, window), row.id)
    if found.goes_on:
        raise RequestError("LIMIT_EXCEEDED", f"{relation.name} has more than {LONGEST_PLAIN_LIST} rows")
    return found.rows
