"""`/exports/…`: the columns of a field for data frames, or resources for other systems, instead of GraphQL's JSON.

An export is a query of that field. So it is signed in, scoped, limited, priced, given its turn and audited as any
other, and shows what the field shows; only the answer's form is another. What it reads is bounded by the rows that an
operation may read, and leaves in parts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLField, GraphQLList, get_nullable_type
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from caregraph.auth.tokens import AUTHENTICATION_FAILED, InvalidCredentialsError
from caregraph.graph.errors import RequestError, bad_input, outage
from caregraph.graph.rates import RATE_LIMITED, RateLimitedError, headers
from caregraph.graph.scalars import encode_json

from .answers import retry_after
from .callers import Callers
from .frames import ARROW, CSV, arrow, comma_separated
from .presence import ClientLeftError, WhilePresent
from .requests import JSON, preferred
from .resources import FHIR, NDJSON, in_one, line_by_line
from .runner import RefusedRequestError, Runner


@dataclass(frozen=True)
class Forms:
    """In which forms an export leaves: how each is written and what its files end in, by media type."""

    known: Mapping[str, tuple[Callable[[Any], Iterator[bytes]], str]]
    accepted: Mapping[str, str]
    """What clients may ask for, and the form that they get."""


TABLE = Forms(
    {ARROW: (arrow, "arrows"), CSV: (comma_separated, "csv")},
    {ARROW: ARROW, "application/*": ARROW, "*/*": ARROW, CSV: CSV, "text/*": CSV},
)
RESOURCES = Forms(
    {FHIR: (in_one, "json"), NDJSON: (line_by_line, "ndjson")},
    {
        **dict.fromkeys((FHIR, JSON, "application/*", "*/*"), FHIR),
        **dict.fromkeys((NDJSON, "application/ndjson", "application/x-ndjson"), NDJSON),
    },
)
_STATUSES = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_ACCEPTABLE": 406,
    RATE_LIMITED: 429,
    "INTERNAL_SERVER_ERROR": 500,
    "UNAVAILABLE": 503,
    "TIMEOUT": 504,
}
_OTHERWISE = 400
_CLIENT_LEFT = 499
"""For the log: nobody is there to be answered."""
_HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
_COLUMNS = "columns"


@dataclass(frozen=True)
class Export:
    """A field that is served, by its columns if it has some, and how it is asked for."""

    name: str
    forms: Forms
    field: str
    parameters: Mapping[str, str]
    """The types of its arguments, by their names."""
    columns: tuple[str, ...]

    @classmethod
    def of(cls, name: str, field: str, known: GraphQLField, forms: Forms) -> "Export":
        """As the schema has the field."""
        fields: Any = getattr(get_nullable_type(known.type), "fields", {})
        lists = tuple(key for key, one in fields.items() if isinstance(get_nullable_type(one.type), GraphQLList))
        parameters = {key: str(get_nullable_type(one.type)) for key, one in known.args.items()}
        return cls(name, forms, field, parameters, lists)

    @property
    def takes(self) -> tuple[str, ...]:
        """What may be asked for by parameters."""
        return (*([_COLUMNS] if self.columns else []), *self.parameters)

    def query(self, given: Mapping[str, str]) -> str:
        """The query behind a request's parameters; raises a `RequestError`."""
        for parameter in given:
            if parameter not in self.takes:
                raise bad_input(f"There is no such parameter: {', '.join(self.takes)}", "parameters")
        asked = given[_COLUMNS].split(",") if _COLUMNS in given else self.columns
        if len(set(asked)) < len(asked) or not set(asked) <= set(self.columns):
            raise bad_input(f"{_COLUMNS} takes some of {','.join(self.columns)}, each once", _COLUMNS)
        given = {key: text for key, text in given.items() if key != _COLUMNS}
        declared = ", ".join(f"${key}: {self.parameters[key]}" for key in given)
        passed = ", ".join(f"{key}: ${key}" for key in given)
        head, arguments = (f"({declared})", f"({passed})") if given else ("", "")
        chosen = f" {{ {' '.join(asked)} }}" if self.columns else ""
        return f"query export_{self.name}{head} {{ result: {self.field}{arguments}{chosen} }}"


class Exports:
    """Answers requests for exports."""

    def __init__(self, runner: Runner, callers: Callers, fields: Mapping[str, tuple[str, Forms]]) -> None:
        """`fields` are root fields with their forms by the names that they are exported under."""
        self._runner = runner
        self._callers = callers
        query: Any = runner.engine.schema.query_type
        self._known = {
            name: Export.of(name, field, query.fields[field], forms) for name, (field, forms) in fields.items()
        }

    def routes(self) -> list[BaseRoute]:
        """One path per export, and one more for each form."""
        return [
            Route(f"/exports/{name}{ending}", self._answer)
            for name, export in self._known.items()
            for ending in ("", *(f".{ending}" for _, ending in export.forms.known.values()))
        ]

    async def _answer(self, request: Request) -> Response:
        errors: Sequence[GraphQLError]
        told: Mapping[str, str] = {}
        try:
            return await self._exported(request)
        except RefusedRequestError as refused:
            errors = refused.errors
        except RateLimitedError as error:
            errors, told = [error], headers(error.budgets)
        except RequestError as error:
            errors = [error]
        except InvalidCredentialsError:
            errors = [RequestError("UNAUTHENTICATED", AUTHENTICATION_FAILED)]
        except ClientLeftError:
            return Response(None, _CLIENT_LEFT)
        except (SQLAlchemyError, OSError) as error:  # while finding out who sends the request
            failed = outage(error)
            if failed is None:
                raise
            errors = [failed]
        return self._failure(errors, told)

    async def _exported(self, request: Request) -> Response:
        name, _, ending = request.url.path.rpartition("/")[2].partition(".")
        export = self._known[name]
        form = _form(export.forms, ending, request.headers)
        given = _parameters(request)
        variables = {name: text for name, text in given.items() if name != _COLUMNS}
        ready = self._runner.prepare_own(export.query(given), variables)
        address = request.client.host if request.client else ""
        async with WhilePresent(request.receive):
            context = await self._runner.admit(ready, await self._callers.viewer(request.headers, address), address)
            result = await self._runner.run(ready, context)
        if result.errors or not result.data:
            return self._failure(result.errors or [], headers(context.budgets))
        write, ending = export.forms.known[form]
        own = {"content-disposition": f'attachment; filename="{name}.{ending}"', **headers(context.budgets)}
        return StreamingResponse(write(result.data["result"]), headers=_HEADERS | own, media_type=form)

    def _failure(self, errors: Sequence[GraphQLError], more: Mapping[str, str]) -> Response:
        """What is wrong, as `/graphql` says it, with the status of the first error."""
        told = self._runner.body(ExecutionResult(None, list(errors)))["errors"]
        extensions = told[0]["extensions"]
        body = {"errors": [{"message": one["message"], "extensions": one["extensions"]} for one in told]}
        own = {"content-type": f"{JSON}; charset=utf-8", "cache-control": "no-store", **more, **retry_after(extensions)}
        return Response(encode_json(body), _STATUSES.get(extensions["code"], _OTHERWISE), own)


def _form(forms: Forms, ending: str, sent: Headers) -> str:
    for form, (_, known) in forms.known.items():
        if ending == known:
            return form
    accepted = preferred(sent.get("accept", "*/*"), forms.accepted)
    if accepted is None:
        raise RequestError("NOT_ACCEPTABLE", f"This answers {' or '.join(forms.known)}")
    return accepted


def _parameters(request: Request) -> dict[str, str]:
    given = request.query_params.multi_items()
    if len(dict(given)) < len(given):
        raise bad_input("A parameter is given twice", "parameters")
    return dict(given)
