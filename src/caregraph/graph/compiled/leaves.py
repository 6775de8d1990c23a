"""Leaf values: from what the driver gives to what the answer says, exactly as column type and scalar would together.

Where both come to nothing, or to what the JSON encoder writes by itself (dates of PostgreSQL), no call is made for a
value; everything else goes through the column's own result processor and the scalar's own serializer.
"""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType
from sqlalchemy import Boolean, Column, Date, Dialect, Float, Integer, Numeric, Text, TypeDecorator

from caregraph.db.base import Instant

from .loops import Loop

_AS_STORED = {"String", "EmailAddress", "PhoneNumber"}
_LOWEST, _HIGHEST = -(2**31), 2**31 - 1
_NO_MICROSECONDS = ".000000"


class NoAnswerError(Exception):
    """What a plan cannot answer: graphql-core says what is wrong with it."""


def leaf(loop: Loop, kind: GraphQLLeafType, column: Column[Any], value: str, *, nullable: bool) -> str:
    """The expression that makes the answer's value of the row's `value`."""
    made = _bare(loop, kind, column, value, nullable=nullable)
    if not nullable and column.nullable:
        return f"({made} if {value} is not None else {loop.constant(no_answer)}())"
    return made


def _bare(loop: Loop, kind: GraphQLLeafType, column: Column[Any], value: str, *, nullable: bool) -> str:
    stored = type(column.type)
    is_sqlite = loop.dialect.name == "sqlite"
    if isinstance(kind, GraphQLEnumType):
        return f"{loop.constant(_names(kind, column, loop.dialect))}[{value}]"
    if kind.name in _AS_STORED and stored is Text:
        return value
    if kind.name == "Date" and stored is Date:
        return value  # the text that SQLite stores, or a date, which the encoder writes the same
    if kind.name == "DateTime" and stored is Instant:
        written = f"{loop.constant(_instant)}({value})"
        return value if not is_sqlite else f"(None if {value} is None else {written})" if nullable else written
    if kind.name == "Boolean" and stored is Boolean:
        return f"{loop.constant({0: False, 1: True, None: None})}[{value}]" if is_sqlite else value
    if kind.name == "Float" and isinstance(column.type, Float):
        finite = f"{value} - {value} == 0"
        return f"({value} if {f'{value} is None or ' if nullable else ''}{finite} else {loop.constant(no_answer)}())"
    if kind.name == "Int" and isinstance(column.type, Integer):
        fits = f"{_LOWEST} <= {value} <= {_HIGHEST}"
        return f"({value} if {f'{value} is None or ' if nullable else ''}{fits} else {loop.constant(no_answer)}())"
    return f"{loop.constant(_serialized(kind, column, loop.dialect))}({value})"


def no_answer() -> None:
    """For expressions, which cannot raise."""
    raise NoAnswerError


def read_as(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a Python value of the driver's; null where they are the same."""
    if isinstance(column.type, Float | Numeric) and dialect.name == "postgresql":
        return None  # the driver's own numbers; the processor wants to see its codes
    kind: Any = column.type.dialect_impl(dialect)
    return kind.result_processor(dialect, None)  # type: ignore[no-any-return]


def _names(kind: GraphQLEnumType, column: Column[Any], dialect: Dialect) -> dict[Any, str | None]:
    """The name of each member by what is stored for it. Anything else has no name, and so no answer."""
    impl: Any = column.type.dialect_impl(dialect)
    stored = impl.bind_processor(dialect)
    members = column.type.python_type
    return {
        None: None,
        **{(stored(one) if stored else one): kind.coerce_output_value(one) for one in members},  # type: ignore[attr-defined]
    }


def _instant(text: str) -> str:
    """SQLite's text of an instant in UTC as `datetime.isoformat` would write it."""
    end = 19 if text.endswith(_NO_MICROSECONDS) else 26
    return f"{text[:10]}T{text[11:end]}+00:00"


def _serialized(kind: GraphQLLeafType, column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    read = read_as(column, dialect)

    def serialized(value: Any) -> Any:
        if read is not None:
            value = read(value)
        if value is None:
            return None
        written = kind.coerce_output_value(value)
        if written is None:
            raise NoAnswerError
        return written

    return serialized


