"""Leaf values: from what the driver gives to what the answer says, exactly as column type and scalar would together.

Where both come to nothing, or to what the JSON encoder writes by itself (dates of PostgreSQL), no call is made for a
value; everything else goes through the column's own result processor and the scalar's own serializer.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType
from sqlalchemy import Boolean, Column, Date, Dialect, Float, Integer, Numeric, Text

from caregraph.db.base import Coded, Instant
from caregraph.db.encryption import MARK, Encrypted

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
    if isinstance(kind, GraphQLEnumType) and issubclass(column.type.python_type, Enum):
        return f"{loop.constant(_names(kind, column, loop.dialect))}[{value}]"
    if kind.name in _AS_STORED and type(column.type) is Text:
        return value
    if kind.name in _AS_STORED and type(column.type) is Encrypted:
        opened = f"{loop.constant(read_as(column, loop.dialect))}({value})"
        return f"({opened} if {value} is not None and {value}.startswith({MARK!r}) else {value})"
    stored, write = _WRITTEN.get(kind.name, (None, None))
    if stored is not None and write is not None and isinstance(column.type, stored):
        return write(loop, value, nullable)
    return f"{loop.constant(_serialized(kind, column, loop.dialect))}({value})"


def _date(_loop: Loop, value: str, _nullable: bool) -> str:
    return value  # the text that SQLite stores, or a date, which the encoder writes the same


def _date_time(loop: Loop, value: str, nullable: bool) -> str:
    if loop.dialect.name != "sqlite":
        return value
    written = f"{loop.constant(_instant)}({value})"
    return f"(None if {value} is None else {written})" if nullable else written


def _boolean(loop: Loop, value: str, _nullable: bool) -> str:
    return f"{loop.constant({0: False, 1: True, None: None})}[{value}]" if loop.dialect.name == "sqlite" else value


def _float(loop: Loop, value: str, nullable: bool) -> str:
    return _if(loop, f"{value} - {value} == 0", value, nullable)  # it is not for infinities and NaN


def _int(loop: Loop, value: str, nullable: bool) -> str:
    return _if(loop, f"{_LOWEST} <= {value} <= {_HIGHEST}", value, nullable)


def _if(loop: Loop, condition: str, value: str, nullable: bool) -> str:
    if nullable:
        condition = f"{value} is None or {condition}"
    return f"({value} if {condition} else {loop.constant(no_answer)}())"


Write = Callable[[Loop, str, bool], str]

_WRITTEN: dict[str, tuple[type[Any], Write]] = {
    "Date": (Date, _date),
    "DateTime": (Instant, _date_time),
    "Boolean": (Boolean, _boolean),
    "Float": (Float, _float),
    "Int": (Integer, _int),
}
"""By scalar: the column's type, and the expression for a value of such a column."""


def no_answer() -> None:
    """For expressions, which cannot raise."""
    raise NoAnswerError


def read_as(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a Python value of the driver's; null where they are the same."""
    if isinstance(column.type, Float | Numeric) and dialect.name == "postgresql":
        return None  # the driver's own numbers; the processor wants to see its codes
    if type(column.type) is Coded:
        return {stored: member for member, stored in _members(column, dialect).items()}.__getitem__
    if type(column.type) is Instant and dialect.name == "sqlite":
        return _utc
    kind: Any = column.type.dialect_impl(dialect)
    return kind.result_processor(dialect, None)  # type: ignore[no-any-return]


def _utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def _members(column: Column[Any], dialect: Dialect) -> dict[Any, Any]:
    """What is stored for each member of a column's enum, and for null."""
    impl: Any = column.type.dialect_impl(dialect)
    stored = impl.bind_processor(dialect)
    members: Any = column.type.python_type
    return {None: None, **{one: stored(one) if stored else one for one in members}}


def _names(kind: GraphQLEnumType, column: Column[Any], dialect: Dialect) -> dict[Any, str | None]:
    """The name of each member by what is stored for it. Anything else has no name, and so no answer."""
    return {
        stored: None if member is None else kind.coerce_output_value(member)
        for member, stored in _members(column, dialect).items()
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
