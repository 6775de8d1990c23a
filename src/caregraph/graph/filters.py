"""`where:` and `orderBy:` derived from whitelisted columns."""

import enum
from datetime import date, datetime
from functools import cache
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, and_, or_
from strawberry.types.unset import UNSET

from .fields import field

Order = tuple[tuple[str, bool], ...]
"""Attribute names, each with whether it descends."""

Conditions = tuple[tuple[str, str, Any], ...]
"""Hashable conditions: attribute, lookup, value."""

_ORDERED = (int, float, date, datetime)
_LOOKUPS = {
    "eq": lambda column, value: column == value,
    "in_": lambda column, value: column.in_(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "is_null": lambda column, value: column.is_(None) if value else column.is_not(None),
}
_MEANING = {
    "eq": "Equal to this.",
    "in_": "One of these, at most 100.",
    "gt": "Above this.",
    "gte": "This or above.",
    "lt": "Below this.",
    "lte": "This or below.",
    "is_null": "True: without a value. False: with one.",
}
LONGEST_LIST = 100

_NEW_ENUM: Any = enum.Enum  # type checkers know its call with literals only


@cache
def _lookup_type(kind: type[Any], name: str) -> type[Any]:
    lookups = ["eq", "in_", *(("gt", "gte", "lt", "lte") if issubclass(kind, _ORDERED) else ()), "is_null"]
    if kind is bool:
        lookups = ["eq", "is_null"]
    types: dict[str, Any] = {"in_": list[kind] | None, "is_null": bool | None}  # type: ignore[valid-type]
    cls = type(
        name,
        (),
        {
            "__annotations__": {lookup: types.get(lookup, kind | None) for lookup in lookups},
            **{
                lookup: field(_MEANING[lookup], default=UNSET, graphql_name="in" if lookup == "in_" else None)
                for lookup in lookups
            },
        },
    )
    return strawberry.input(cls, description=f"Conditions on a value of type {_scalar_name(kind)}; all must hold.")


def _scalar_name(kind: type[Any]) -> str:
    return {int: "Int", float: "Float", str: "String", bool: "Boolean", date: "Date", datetime: "DateTime"}.get(
        kind, kind.__name__
    )


def filter_type(type_name: str, columns: tuple[Any, ...]) -> type[Any]:
    """The input type that filters `type_name` on `columns`."""
    kinds = {column.key: column.type.python_type for column in columns}
    cls = type(
        f"{type_name}Filter",
        (),
        {
            "__annotations__": {
                key: _lookup_type(kind, f"{_scalar_name(kind)}Filter") | None for key, kind in kinds.items()
            },
            **{key: field(f"Conditions on `{camel(key)}`.", default=UNSET) for key in kinds},
        },
    )
    return strawberry.input(cls, description=f"Which rows of {type_name} to list; all conditions must hold.")


def order_type(type_name: str, columns: tuple[Any, ...]) -> Any:
    """The enum of orders of `type_name`: each column up and down. Rows without a value come last."""
    members = {}
    for column in columns:
        for suffix, meaning in (("ASC", "upwards"), ("DESC", "downwards")):
            members[f"{column.key.upper()}_{suffix}"] = strawberry.enum_value(
                f"{column.key}:{suffix}", description=f"By `{camel(column.key)}` {meaning}; rows without one last."
            )
    made: Any = _NEW_ENUM(f"{type_name}Order", members)
    return strawberry.enum(made, description=f"How to order {type_name} lists; ties by id.")


def order_of(members: list[Any] | None, default: Order) -> Order:
    """Attribute names and directions of the chosen members."""
    if not members:
        return default
    pairs = (member.value.split(":") for member in members)
    return tuple((key, suffix == "DESC") for key, suffix in pairs)


def conditions_of(where: Any) -> Conditions:
    """The conditions in a filter input, in a form that loaders can compare."""
    if where is None or where is UNSET:
        return ()
    found = []
    for column, lookups in vars(where).items():
        if lookups is None or lookups is UNSET:
            continue
        for lookup, value in vars(lookups).items():
            if value is None or value is UNSET:
                continue
            found.append((column, lookup, tuple(value) if isinstance(value, list) else value))
    return tuple(found)


def too_long(conditions: Conditions) -> bool:
    """Whether a condition names more values than allowed."""
    return any(lookup == "in_" and len(value) > LONGEST_LIST for _, lookup, value in conditions)


def matches(model: Any, conditions: Conditions) -> list[ColumnElement[bool]]:
    """The conditions as SQL on `model`, a mapped class or an alias of one."""
    return [_LOOKUPS[lookup](getattr(model, column), value) for column, lookup, value in conditions]


def ordering(model: Any, order: Order, *, backwards: bool = False) -> list[Any]:
    """ORDER BY with the primary key last and nulls last on both databases, turned round for reading backwards."""
    clauses: list[Any] = []
    for key, descending in (*order, ("id", False)):
        column = getattr(model, key)
        if _is_nullable(model, key):
            clauses.append(column.is_(None).desc() if backwards else column.is_(None))
        clauses.append(column.desc() if descending != backwards else column.asc())
    return clauses


def beyond(model: Any, order: Order, position: tuple[Any, ...], *, backwards: bool) -> ColumnElement[bool]:
    """The rows strictly after `position` in `order`, or before it: keyset, so that other rows may come and go."""
    alternatives = []
    equal: list[ColumnElement[bool]] = []
    for (key, descending), value in zip((*order, ("id", False)), position, strict=True):
        column = getattr(model, key)
        further = _further(column, value, descending=descending, backwards=backwards, nullable=_is_nullable(model, key))
        if further is not None:
            alternatives.append(and_(*equal, further))
        equal.append(column.is_(None) if value is None else column == value)
    return or_(*alternatives)


def _further(column: Any, value: Any, *, descending: bool, backwards: bool, nullable: bool) -> Any:
    if value is None:
        return column.is_not(None) if backwards else None  # nulls are last: nothing further forwards
    compared = column < value if descending != backwards else column > value
    return or_(compared, column.is_(None)) if nullable and not backwards else compared


def _is_nullable(model: Any, key: str) -> bool:
    return bool(getattr(model, key).property.columns[0].nullable)


def camel(name: str) -> str:
    """The GraphQL name of an attribute."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
