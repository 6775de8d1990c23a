"""A row with everything that hangs on it, as JSON: found by foreign keys, read as its viewer sees it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Column, inspect

from caregraph.db.base import Base, table_of
from caregraph.db.dependents import reach
from caregraph.db.keys import model_of, referred
from caregraph.db.scope import visible

from .context import Context
from .filters import camel
from .loaders import RowById
from .node import global_id

Also = Mapping[type[Any], Mapping[str, Callable[[Context, Any], Awaitable[Any]]]]
"""Further values of a model's rows, by name."""


async def export(context: Context, row: Any, *, also: Also) -> dict[str, Any]:
    """`row`, under its type's name, and by table the rows that hang on it.

    Another's rows, such as the scores of another client on a shared episode, are not among them: each table is reached
    by its shortest way, which is its own key to the row.
    """
    name = type(row).__name__
    found: dict[str, Any] = {name[0].lower() + name[1:]: await _object(context, row, also)}
    for reached in reach(table_of(type(row)), row):
        model = model_of(reached.table)
        keys = [getattr(model, inspect(model).get_property_by_column(key).key) for key in reached.table.primary_key]
        statement = visible(model, context.viewer).where(reached.condition).order_by(*keys)
        rows = list((await context.run(statement.limit(context.rows_left + 1))).scalars())
        context.spend(len(rows))
        context.saw_rows(model, rows)
        found[camel(reached.table.name)] = [await _object(context, one, also) for one in rows]
    return found


async def _object(context: Context, row: Any, also: Also) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute in inspect(type(row)).column_attrs:
        column = attribute.columns[0]
        if not (column.info.get("internal") or column.name == "organization_id"):
            values |= await _named(context, row, attribute.key, column)
    for name, value in also.get(type(row), {}).items():
        values[name] = await value(context, row)
    return values


async def _named(context: Context, row: Any, key: str, column: Any) -> dict[str, Any]:
    """A column by its field name; one that refers to a row by that row's global id, and by what people call it."""
    value = getattr(row, key)
    name = camel(key)
    if key == "id":
        return {name: global_id(type(row).__name__, value)}
    target = _target(column)
    if target is None or value is None:
        return {name: _plain(value)}
    model = model_of(target.table)
    values: dict[str, Any] = {name: global_id(model.__name__, value)}
    if hasattr(model, "known_as"):
        known = await context.load(RowById(model), value)
        values[f"{name.removesuffix('Id')}Name"] = None if known is None else getattr(known, model.known_as)
    return values


def _target(column: Column[Any]) -> Any:
    """The id that a column holds; null when it holds none."""
    if "refers" in column.info:
        return Base.metadata.tables[column.info["refers"]].c.id
    return referred(column) if column.foreign_keys else None


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
