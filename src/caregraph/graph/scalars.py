"""The scalars of the graph, each with the document that specifies it."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any, NewType
from urllib.parse import urlsplit

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from .columns import Column

EmailAddress = NewType("EmailAddress", str)
PhoneNumber = NewType("PhoneNumber", str)
Url = NewType("Url", str)
Json = NewType("Json", object)


@dataclass(frozen=True, eq=False)
class IncomingFile:
    """A file of a multipart request, readable as long as the request lasts."""

    name: str
    content_type: str
    size: int
    """Bytes."""
    content: IO[bytes]


Upload = NewType("Upload", IncomingFile)

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
_PHONE = re.compile(r"\+?[0-9 ().\-/]{3,40}")
_NOT_IN_URLS = re.compile(r"[\s\x00-\x1f\x7f\\<>\"]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_EMAIL = 254
_LONGEST_URL = 2048


def _date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise GraphQLError("Date cannot represent a value that is not of the form YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise GraphQLError(f"Date cannot represent a day that does not exist: {value}") from error


def _instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
        instant.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise GraphQLError("DateTime cannot represent a value that is not RFC 3339") from error
    if instant.tzinfo is None:
        raise GraphQLError("DateTime cannot represent a time without an offset")
    return instant


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else Decimal("NaN")
    except ArithmeticError as error:
        raise GraphQLError("Decimal cannot represent a value that is not a number") from error
    if not number.is_finite():
        raise GraphQLError("Decimal cannot represent a value that is not a finite number")
    return number


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_EMAIL or not _EMAIL.fullmatch(value):
        raise GraphQLError("EmailAddress cannot represent a value that is not an e-mail address")
    return value


def _phone(value: Any) -> str:
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise GraphQLError("PhoneNumber cannot represent a value that is not a telephone number")
    return value


def _url(value: Any) -> str:
    try:
        parts = urlsplit(value if isinstance(value, str) and not _NOT_IN_URLS.search(value) else "")
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(value) <= _LONGEST_URL
    except ValueError:
        fits = False
    if not fits:
        raise GraphQLError("URL cannot represent a value that is not an http or https address")
    return value  # type: ignore[no-any-return]


def _upload(value: Any) -> IncomingFile:
    if not isinstance(value, IncomingFile):
        raise GraphQLError("Upload cannot represent a value that is not a file of a multipart request")
    return value


def _scalar(name: str, url: str, description: str, *, read: Any, write: Any = str) -> ScalarDefinition:
    return strawberry.scalar(
        name=name, specified_by_url=url, description=description, parse_value=read, serialize=write
    )


SCALARS: dict[object, ScalarDefinition] = {
    date: _scalar(
        "Date",
        "https://scalars.graphql.org/andimarek/local-date",
        "A day of the calendar, `YYYY-MM-DD`.",
        read=_date,
        write=date.isoformat,
    ),
    datetime: _scalar(
        "DateTime",
        "https://scalars.graphql.org/andimarek/date-time",
        "A point in time, RFC 3339 with an offset.",
        read=_instant,
        write=datetime.isoformat,
    ),
    Decimal: _scalar(
        "Decimal",
        "https://speleotrove.com/decimal/daconvs.html",
        "A finite decimal number, as text so that no digit is lost.",
        read=_decimal,
    ),
    EmailAddress: _scalar(
        "EmailAddress",
        "https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address",
        "An e-mail address of at most 254 characters.",
        read=_email,
    ),
    PhoneNumber: _scalar(
        "PhoneNumber",
        "https://www.itu.int/rec/T-REC-E.123",
        "A telephone number as people write it: digits, spaces, `+ ( ) . - /`, 3 to 40 characters.",
        read=_phone,
    ),
    Url: _scalar(
        "URL",
        "https://url.spec.whatwg.org/",
        "An address that begins with `http://` or `https://`, at most 2,048 characters.",
        read=_url,
    ),
    Upload: _scalar(
        "Upload",
        "https://github.com/jaydenseric/graphql-multipart-request-spec",
        "A file, sent as the GraphQL multipart request specification says.",
        read=_upload,
    ),
    Json: _scalar(
        "JSON",
        "https://www.rfc-editor.org/rfc/rfc8259",
        "Any JSON value.",
        read=lambda value: value,
        write=lambda value: value,
    ),
}


def encode_json(value: Any) -> bytes:
    """JSON bytes of a response."""
    try:
        return orjson.dumps(value, default=_written)
    except TypeError:
        return _any_keys(value)


def _any_keys(value: Any) -> bytes:
    """With keys that are no texts, in a value of JSON; looking out for them would cost every answer a quarter more."""
    try:
        return orjson.dumps(value, default=_written, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # nested more deeply than orjson goes, 254 levels
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _written(value: Any) -> Any:
    if isinstance(value, Column):
        return orjson.Fragment(value.json())
    raise TypeError(type(value).__name__)


def _plain(value: Any) -> Any:
    """Dates and instants as orjson writes them, columns as lists."""
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Column):
        return value.listed()
    raise TypeError(type(value).__name__)
