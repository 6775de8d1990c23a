"""What goes wrong and how it is said: refusals in payloads, request errors with a code, bugs behind a mask."""

import enum
import logging
import uuid
from typing import Any

import strawberry
from graphql import GraphQLError

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.failures import Trouble, trouble
from caregraph.db.scope import ScopeTooSmallError
from caregraph.logs import failure

from .fields import field, member

LOG = logging.getLogger("caregraph.errors")

# The contract's own words for a failure inside the server (FIT, status 500).
INTERNAL = "Internal server error. Support staff has been notified."
FORBIDDEN = "Access denied"


@strawberry.enum(description="Why a mutation was refused.")
class Code(enum.Enum):
    """Codes of `UserError`."""

    NOT_FOUND = member("NOT_FOUND", "The row is not there, or not yours.")
    INVALID = member("INVALID", "An argument breaks a rule.")
    CONFLICT = member("CONFLICT", "Something that exists stands in the way.")
    LIMIT = member("LIMIT", "A quota is used up.")


@strawberry.type(description="A reason why a mutation changed nothing, for the person who sent it.")
class UserError:
    """Services raise `Refused`; only `graph/actions.py` makes these."""

    code: Code = field("What kind of refusal it is.")
    message: str = field("What is wrong, for people.")
    path: list[str] | None = field("The argument it is about, from the mutation's arguments inwards; null: the whole.")


class Refused(Exception):  # noqa: N818 it reads as what happened
    """A rule says no. Turned into a `UserError` of the payload; the transaction is undone."""

    def __init__(self, code: Code, message: str, *path: str) -> None:
        """`path` leads to the argument at fault, in GraphQL names."""
        super().__init__(message)
        self.error = UserError(code=code, message=message, path=list(path) or None)


class RequestError(GraphQLError):
    """An error of the request itself, with a code in `extensions`."""

    def __init__(self, code: str, message: str, **extensions: Any) -> None:
        """`code` in Apollo's terms where they have one."""
        super().__init__(message, extensions={"code": code, **extensions})


def bad_input(message: str, argument: str) -> RequestError:
    """An argument of a query that cannot be used."""
    return RequestError("BAD_USER_INPUT", message, argument=argument)


def refuse_nul(argument: str, *texts: object) -> None:
    """PostgreSQL has no text with U+0000 and fails on it, so none is looked for on either database."""
    if any(isinstance(text, str) and "\x00" in text for text in texts):
        raise bad_input(f"{argument} must not contain the character U+0000", argument)


def demand(viewer: Viewer, needs: Permission | None) -> None:
    """Raise unless `viewer` holds `needs`; null asks for nothing."""
    if needs is None or viewer.may(needs):
        return
    if viewer.is_nobody:
        raise RequestError("UNAUTHENTICATED", "Authentication failed")
    if needs is not Permission.ACCOUNT and len(viewer.organization_ids) > 1 and viewer.organization_id is None:
        raise RequestError("ORGANIZATION_REQUIRED", "Say in X-Organization in which organization you act")
    raise RequestError("FORBIDDEN", FORBIDDEN)


def limited(error: ScopeTooSmallError) -> RequestError:
    """What credentials are told whose scopes do not suffice."""
    return RequestError("FORBIDDEN", FORBIDDEN, requiredScope=error.scope)


_TROUBLES = {
    Trouble.BUSY: ("UNAVAILABLE", "The server is busy, try again"),
    Trouble.GONE: ("UNAVAILABLE", "The database does not answer, try again"),
    Trouble.SLOW: ("TIMEOUT", "The database took too long"),
}


def outage(error: BaseException) -> RequestError | None:
    """What a failing database comes to; null when `error` is something else."""
    found = trouble(error)
    return None if found is None else RequestError(*_TROUBLES[found])


def code_of(error: GraphQLError) -> str:
    """The code that `error` is told with."""
    known = _known(error)
    if known is not None:
        return str((known.extensions or {})["code"])
    return _code(error) if _is_of_the_request(error) else "INTERNAL_SERVER_ERROR"


def presentable(error: GraphQLError, *, development: bool = False) -> dict[str, Any]:
    """The error as it leaves the server: request errors as they are, anything unforeseen masked and logged."""
    known = _known(error)
    if known is not None:
        return {**error.formatted, "message": known.message, "extensions": known.extensions}
    if _is_of_the_request(error):
        return {**error.formatted, "extensions": {"code": _code(error), **(error.extensions or {})}}
    reference = uuid.uuid4().hex
    _log(error, reference, development=development)
    formatted = {key: value for key, value in error.formatted.items() if key in {"locations", "path"}}
    return {"message": INTERNAL, **formatted, "extensions": {"code": "INTERNAL_SERVER_ERROR", "reference": reference}}


def _log(error: GraphQLError, reference: str, *, development: bool) -> None:
    """Name the schema's field and the place in the code; values of the request and its aliases never reach the log."""
    cause = _cause(error) or error
    where = getattr(getattr(error.nodes[0], "name", None), "value", None) if error.nodes else None
    LOG.error(
        "error %s at %s: %s",
        reference,
        where,
        type(cause).__name__,
        exc_info=cause if development else None,
        extra={"fields": {"reference": reference, **failure(type(cause), cause.__traceback__)}},
    )


def _known(error: GraphQLError) -> RequestError | None:
    cause = _cause(error)
    for one in (cause, error):
        if isinstance(one, RequestError):
            return one
    if isinstance(cause, ScopeTooSmallError):
        return limited(cause)
    return None if cause is None else outage(cause)


def _cause(error: GraphQLError) -> BaseException | None:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_of_the_request(error: GraphQLError) -> bool:
    """Whether graphql-core itself found fault with the request."""
    cause = _cause(error)
    return cause is None or isinstance(cause, GraphQLError)


def _code(error: GraphQLError) -> str:
    if error.message.startswith("Syntax Error"):
        return "GRAPHQL_PARSE_FAILED"
    if error.message.startswith("Variable ") or error.path:
        return "BAD_USER_INPUT"
    return "GRAPHQL_VALIDATION_FAILED"
