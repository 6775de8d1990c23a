"""The two generic loaders: rows by id, and the pages of many parents in one statement."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import aliased

from caregraph.auth.viewer import Viewer
from caregraph.db.base import SharedRow
from caregraph.db.keys import key_array, model_of
from caregraph.db.keys import key_table as keys_as_table
from caregraph.db.scope import criterion, visible

from .context import Context
from .filters import beyond, matches, ordering
from .paging import Slice, Window


@dataclass(frozen=True, eq=False)
class Link:
    """How children hang on a parent: by a column of theirs, or by a link table. Compared by identity."""

    model: type[Any]
    parent_column: Column[Any]
    child_column: Column[Any] | None = None

    def joined(self, statement: Select[Any], viewer: Viewer) -> Select[Any]:
        """`statement` over the children that `viewer` sees, and over the link table where there is one."""
        statement = statement.select_from(self.model).where(criterion(self.model, viewer))
        if self.child_column is None:
            return statement
        table = self.child_column.table
        return statement.join(table, and_(self.child_column == self.model.id, self._of_whom(table, viewer)))

    @staticmethod
    def _of_whom(table: Any, viewer: Viewer) -> ColumnElement[bool]:
        """Which rows of the link table lead anywhere: the tenant's, of shared ones those that `viewer` sees."""
        model = model_of(table)
        if issubclass(model, SharedRow):
            return criterion(model, viewer)
        return table.c.organization_id == viewer.organization_id  # type: ignore[no-any-return]

    def children(self, viewer: Viewer, parent_id: Any) -> Select[Any]:
        """The children of one parent that `viewer` sees."""
        return self.joined(select(self.model), viewer).where(self.parent_column == parent_id)


@dataclass(frozen=True)
class RowById:
    """Rows of one model by id; null for one that is not there or not visible."""

    model: type[Any]

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[Any]:
        """One statement for all ids."""
        statement = visible(self.model, context.viewer).where(among(context, self.model.id, keys))
        rows = {row.id: row for row in (await context.run(statement)).scalars()}
        context.spend_on(self, dict.fromkeys(rows, 1))
        context.saw_rows(self.model, rows.values())
        return [rows.get(key) for key in keys]


@dataclass(frozen=True)
class RowsByParent:
    """The window of each parent's children, for all parents in one statement."""

    link: Link
    window: Window

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[Slice]:
        """A slice per parent, in the order of `keys`."""
        if self.window.limit == 0:
            return [Slice((), goes_on=False)] * len(keys)
        found: dict[int, list[Any]] = defaultdict(list)
        for parent_id, row in (await context.run(self._statement(context, keys))).all():
            found[parent_id].append(row)
        context.spend_on(self, {key: len(rows) for key, rows in found.items()})
        slices = {key: Slice.of(found[key], self.window) for key in keys}
        context.saw_rows(self.link.model, (row for one in slices.values() for row in one.rows))
        return [slices[key] for key in keys]

    def _statement(self, context: Context, keys: Sequence[int]) -> Select[Any]:
        """Each parent's rows come from a limited sub-select, so its other rows are never read."""
        model, parents = self.link.model, key_table(context, keys)
        children = windowed(model, self.link.children(context.viewer, parents.c.value), self.window)
        if context.database.is_sqlite:
            row = aliased(model)
            chosen = children.with_only_columns(model.id, maintain_column_froms=True).correlate(parents)
            joined = select(parents.c.value, row).join_from(parents, row, row.id.in_(chosen))
        else:
            lateral = children.correlate(parents).lateral()
            row = aliased(model, lateral)
            joined = select(parents.c.value, row).join_from(parents, lateral, true())
        ordered = joined.order_by(*ordering(row, self.window.order, backwards=self.window.backwards))
        return ordered.limit(context.rows_left + 1)  # one more shows that there are too many


@dataclass(frozen=True)
class CountByParent:
    """How many children each parent has in the window's list, for all parents in one statement."""

    link: Link
    window: Window

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[int]:
        """A count per parent, in the order of `keys`."""
        parent = self.link.parent_column
        context.saw(self.link.model)
        statement = (
            self.link.joined(select(parent, func.count()), context.viewer)
            .where(among(context, parent, keys), *matches(self.link.model, self.window.where))
            .group_by(parent)
        )
        counts: dict[int, int] = {key: count for key, count in await context.run(statement)}  # noqa: C416 rows, not pairs
        return [counts.get(key, 0) for key in keys]


def windowed(model: type[Any], statement: Select[Any], window: Window) -> Select[Any]:
    """Narrow `statement` on `model` to the window, one row more than asked to see whether the list goes on."""
    return narrowed(model, statement, window).limit(window.limit + 1).offset(window.offset or None)


def narrowed(model: type[Any], statement: Select[Any], window: Window) -> Select[Any]:
    """`statement` on `model` in the window's order, with its conditions and between its positions."""
    statement = statement.where(*matches(model, window.where))
    for position, backwards in ((window.after, False), (window.before, True)):
        if position is not None:
            statement = statement.where(beyond(model, window.order, position, backwards=backwards))
    return statement.order_by(*ordering(model, window.order, backwards=window.backwards))


def count_of(model: type[Any], context: Context, window: Window, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Count a whole list, whatever its page."""
    return (
        select(func.count())
        .select_from(model)
        .where(criterion(model, context.viewer), *conditions, *matches(model, window.where))
    )


def among(context: Context, column: Any, keys: Sequence[int]) -> ColumnElement[bool]:
    """`column` is one of `keys`, as one parameter: the statement's text does not grow with the keys."""
    if context.database.is_sqlite:
        return column.in_(select(key_table(context, keys).c.value).correlate(None))  # type: ignore[no-any-return]
    return column == func.any(key_array(keys))  # type: ignore[no-any-return]


def key_table(context: Context, keys: Sequence[int]) -> Any:
    """A table of `keys` in one parameter, with a column `value`."""
    return keys_as_table(keys, is_sqlite=context.database.is_sqlite)
