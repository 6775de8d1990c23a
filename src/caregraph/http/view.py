"""The endpoint `/graphql`: one request, one operation, one answer with the right status."""

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, MiddlewareManager
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from caregraph.auth.tokens import AUTHENTICATION_FAILED, InvalidCredentialsError, Lookups, viewer_of
from caregraph.graph.execution import is_query
from caregraph.graph.scalars import encode_json

from .federated_tracing import FederatedTrace
from .requests import GRAPHQL_RESPONSE, JSON, HttpError, media_type, read
from .runner import RefusedRequestError, Runner


class GraphQLEndpoint:
    """An ASGI application. Whatever it answers about people is never stored on the way."""

    def __init__(self, runner: Runner, lookups: Lookups) -> None:
        """`lookups` find out who sends a request."""
        self._runner = runner
        self._lookups = lookups

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
        wanted = await read(request, maximum_body=self._runner.settings.maximum_body)
        try:
            ready = self._runner.prepare(wanted)
        except RefusedRequestError as refused:
            return self._response(ExecutionResult(None, refused.errors), answer_as)
        if request.method == "GET" and not is_query(ready.operation):
            raise HttpError(405, "METHOD_NOT_ALLOWED", "Only queries go by GET", allow="POST")
        viewer = await viewer_of(request.headers, self._lookups)
        context = self._runner.context(viewer, request.client.host if request.client else "")
        trace = FederatedTrace.wanted(request.headers) if self._runner.settings.federation else None
        context.watch = None if trace is None else MiddlewareManager(trace)
        result = await self._runner.run(ready, context)
        return self._response(result if trace is None else trace.told(result), answer_as)

    def _response(self, result: ExecutionResult, answer_as: str) -> Response:
        """An operation that never started is a 400 where the media type can say so."""
        body = self._runner.body(result)
        return _json(400 if "data" not in body and answer_as == GRAPHQL_RESPONSE else 200, body, answer_as)


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
