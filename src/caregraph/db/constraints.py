"""Which declared constraint a database refused a write by, on either database."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from .base import Base

_DEADLOCK = "40P01"
_SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (?P<columns>[\w., ]+)")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>\w+)")


@dataclass(frozen=True)
class Violation:
    """What a constraint declares in its `info` for the person whose write it refused."""

    message: str
    path: str | None
    is_conflict: bool


def violated(error: IntegrityError) -> Violation | None:
    """The declared refusal behind `error`; null where none is declared, which is a bug of ours."""
    name = _postgresql_name(error)
    constraint = _by_name(name) if name is not None else _by_sqlite_message(str(error.orig))
    if isinstance(constraint, ForeignKeyConstraint):
        return Violation("A row that this refers to is no longer there", None, is_conflict=True)
    if constraint is None or "message" not in constraint.info:
        return None
    return Violation(
        constraint.info["message"], constraint.info["path"], is_conflict=not isinstance(constraint, CheckConstraint)
    )


def is_deadlock(error: DBAPIError) -> bool:
    """Whether PostgreSQL ended the transaction because it and another waited for each other."""
    return getattr(error.orig, "sqlstate", None) == _DEADLOCK


def _postgresql_name(error: IntegrityError) -> str | None:
    return getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)


def _by_name(name: str) -> Any:
    return next((one for table in Base.metadata.tables.values() for one in _named(table) if one.name == name), None)


def _named(table: Table) -> list[Any]:
    return [*table.constraints, *table.indexes]


def _by_sqlite_message(message: str) -> Any:
    if "FOREIGN KEY constraint failed" in message:
        return ForeignKeyConstraint([], [])
    if found := _SQLITE_CHECK.search(message):
        return _by_name(found["name"])
    if found := _SQLITE_COLUMNS.search(message):
        return _unique_on([part.strip() for part in found["columns"].split(",")])
    return None


def _unique_on(columns: list[str]) -> Any:
    table = Base.metadata.tables[columns[0].partition(".")[0]]
    names = [column.partition(".")[2] for column in columns]
    candidates = (
        one
        for one in _named(table)
        if (isinstance(one, UniqueConstraint) or (isinstance(one, Index) and one.unique))
        and [column.name for column in one.columns] == names
    )
    return next(candidates, None)  # a primary key declares nothing
