"""The endpoint `/graphql`: one request, one operation, one answer with the right status."""

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from caregraph.auth.tokens import AUTHENTICATION_FAILED, InvalidCredentialsError, Lookups, viewer_of
from caregraph.db.session import Database
from caregraph.graph.context import Context
from caregraph.graph.errors import RequestError, presentable
from caregraph.graph.execution import Engine, InvalidDocumentError, is_query
from caregraph.graph.scalars import encode_json
from caregraph.settings import Settings

from .requests import GRAPHQL_RESPONSE, JSON, HttpError, media_type, read


class GraphQLEndpoint:
    """An ASGI application. Whatever it answers about people is never stored on the way."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        settings: Settings,
        *,
        lookups: Lookups,
        provided: Mapping[type[Any], Any],
    ) -> None:
        """`provided` are the application's services by type, for resolvers."""
        self._engine = engine
        self._database = database
        self._settings = settings
        self._lookups = lookups
        self._provided = provided

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        answer_as = JSON
        try:
            answer_as = media_type(request.headers)
            response = await self._answer(request, answer_as)
        except HttpError as error:
            response = _failure(error.status, error.code, error.message, answer_as, error.headers)
        except InvalidCredentialsError:
            response = _failure(401, "UNAUTHENTICATED", AUTHENTICATION_FAILED, answer_as)
        except PoolTimeoutError:
            response = _failure(503, "UNAVAILABLE", "The server is busy, try again", answer_as, {"retry-after": "1"})
        await response(scope, receive, send)

    async def _answer(self, request: Request, answer_as: str) -> Response:
        wanted = await read(request, maximum_body=self._settings.maximum_body)
        try:
            prepared = self._engine.prepare(wanted.query)
            operation = prepared.operation(wanted.operation_name)
        except InvalidDocumentError as invalid:
            return self._response(ExecutionResult(None, invalid.errors), answer_as)
        except RequestError as error:
            return self._response(ExecutionResult(None, [error]), answer_as)
        if request.method == "GET" and not is_query(operation):
            raise HttpError(405, "METHOD_NOT_ALLOWED", "Only queries go by GET", allow="POST")
        context = Context(
            viewer=await viewer_of(request.headers, self._lookups),
            database=self._database,
            settings=self._settings,
            provided=self._provided,
            client_address=request.client.host if request.client else "",
        )
        result = await self._engine.run(
            prepared, context, variables=wanted.variables, operation_name=wanted.operation_name
        )
        return self._response(result, answer_as)

    def _response(self, result: ExecutionResult, answer_as: str) -> Response:
        """A result without `data` never started: 400 where the media type can say so."""
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [presentable(one, development=self._settings.development) for one in result.errors]
        never_started = result.data is None and all(one.path is None for one in result.errors or ())
        if not never_started:
            body["data"] = result.data
        status = 400 if never_started and answer_as == GRAPHQL_RESPONSE else 200
        return _json(status, body, answer_as)


def _json(status: int, body: Mapping[str, Any], answer_as: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        encode_json(body),
        status,
        {"content-type": f"{answer_as}; charset=utf-8", "cache-control": "no-store", **(headers or {})},
    )


def _failure(
    status: int, code: str, message: str, answer_as: str, headers: Mapping[str, str] | None = None
) -> Response:
    return _json(status, {"errors": [{"message": message, "extensions": {"code": code}}]}, answer_as, headers)
