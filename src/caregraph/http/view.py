"""The endpoint `/graphql`: one request, one operation, one answer with the right status."""

from collections.abc import Mapping

from graphql import ExecutionResult, MiddlewareManager
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from caregraph.auth.tokens import AUTHENTICATION_FAILED, InvalidCredentialsError
from caregraph.db.events import StreamEndedError
from caregraph.graph.errors import RequestError, outage
from caregraph.graph.execution import is_mutation, is_query, is_subscription
from caregraph.graph.rates import RATE_LIMITED, RateLimitedError, headers

from . import streaming
from .answers import SOON, answer, failure, retry_after
from .callers import Callers
from .cross_site import demand_preflight
from .errors import HttpError
from .federated_tracing import FederatedTrace
from .gate import UNAVAILABLE
from .headers import headers_of
from .multipart import is_multipart
from .observe import observation
from .presence import ClientLeftError, WhilePresent
from .requests import GRAPHQL_RESPONSE, JSON, GraphQLRequest, media_type, read
from .runner import Ready, RefusedRequestError, Runner
from .streaming import StreamResponse
from .streams import Caller, Streams

_STATUSES = {RATE_LIMITED: 429, UNAVAILABLE: 503, "TIMEOUT": 504}
_INVALID = {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "OPERATION_RESOLUTION_FAILURE"}


class GraphQLEndpoint:
    """An ASGI application. Whatever it answers about people is never stored on the way."""

    def __init__(self, runner: Runner, callers: Callers, streams: Streams) -> None:
        """`callers` find out who sends a request; subscriptions, and whoever prefers a stream, go to `streams`."""
        self._runner = runner
        self._callers = callers
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, known = Request(scope, receive), headers_of(scope)
        answer_as = JSON
        response: ASGIApp
        try:
            accepted = streaming.accepted(known)
            if accepted is None or not accepted.only_streams:
                answer_as = media_type(known)
            response = await self._answer(request, answer_as, accepted)
        except HttpError as error:
            response = failure(error.status, error.code, error.message, answer_as, error.headers)
        except InvalidCredentialsError:
            response = failure(401, "UNAUTHENTICATED", AUTHENTICATION_FAILED, answer_as)
        except RateLimitedError as error:
            response = self._response(ExecutionResult(None, [error]), answer_as, headers(error.budgets))
        except ClientLeftError:
            return
        except (SQLAlchemyError, OSError) as error:  # while finding out who sends the request
            failed = outage(error)
            if failed is None:
                raise
            response = self._response(ExecutionResult(None, [failed]), answer_as)
        finally:
            await request.close()  # uploaded files go with their request
        await response(scope, receive, send)

    async def _answer(self, request: Request, answer_as: str, accepted: streaming.Accepted | None) -> ASGIApp:
        known = headers_of(request.scope)
        if request.method == "GET" or is_multipart(known):
            demand_preflight(known)
        wanted = await read(request, self._runner.settings)
        await self._enter(request, wanted)
        try:
            return await self._answer_inside(request, wanted, answer_as, accepted)
        finally:
            self._runner.guard.gate.leave()

    async def _enter(self, request: Request, wanted: GraphQLRequest) -> None:
        """Wait for a place before anything is done for the request: signing in and reading a document are work too."""
        if self._runner.guard.gate.enter_at_once():
            return
        try:
            async with WhilePresent(request.receive):
                await self._runner.guard.gate.enter()
        except RequestError as error:
            self._runner.guard.refuse(observation(kind="none", name=None, text=wanted.query), [error])
            raise HttpError(503, UNAVAILABLE, error.message, retry_after=SOON) from error

    async def _answer_inside(
        self, request: Request, wanted: GraphQLRequest, answer_as: str, accepted: streaming.Accepted | None
    ) -> ASGIApp:
        try:
            ready = self._runner.prepare(wanted)
        except RefusedRequestError as refused:
            if accepted is not None and accepted.only_streams:
                return StreamResponse(self._streams, accepted.form, self._streams.told(refused))
            return self._response(ExecutionResult(None, refused.errors), answer_as)
        if accepted is not None and (accepted.only_streams or is_subscription(ready.operation)):
            return await self._stream(request, ready, accepted.form)
        if is_subscription(ready.operation):
            raise HttpError(406, "NOT_ACCEPTABLE", streaming.HOW_TO_SUBSCRIBE)
        if request.method == "GET" and not is_query(ready.operation):
            raise HttpError(405, "METHOD_NOT_ALLOWED", "Only queries go by GET", allow="POST")
        known = headers_of(request.scope)
        trace = FederatedTrace.wanted(known) if self._runner.settings.federation else None
        async with WhilePresent(request.receive):
            address = request.client.host if request.client else ""
            context = await self._runner.admit(ready, await self._callers.viewer(known, address), address)
            context.watch, context.encodes = None if trace is None else MiddlewareManager(trace), True
            result = await self._runner.run(ready, context, has_place=True)
        return self._response(result if trace is None else trace.told(result), answer_as, headers(context.budgets))

    async def _stream(self, request: Request, ready: Ready, form: streaming.Form) -> ASGIApp:
        """What is refused before the operation starts has a status; everything later is told in the stream."""
        if request.method == "GET" and is_mutation(ready.operation):
            raise HttpError(405, "METHOD_NOT_ALLOWED", "Mutations do not go by GET", allow="POST")
        caller = Caller(headers_of(request.scope), request.client.host if request.client else "")
        try:
            return StreamResponse(self._streams, form, await self._streams.start(ready, caller))
        except StreamEndedError as ended:
            raise HttpError(503, ended.code, str(ended), retry_after=SOON) from ended
        except RefusedRequestError as refused:
            return StreamResponse(self._streams, form, self._streams.told(refused))

    def _response(self, result: ExecutionResult, answer_as: str, more: Mapping[str, str] | None = None) -> ASGIApp:
        """An operation that never started has a status of its own where the media type can say so, or none can wait."""
        body = self._runner.body(result)
        if "data" in body:
            return answer(200, body, answer_as, more)
        extensions = body["errors"][0]["extensions"]
        code = extensions["code"]
        if code in _STATUSES:
            return answer(_STATUSES[code], body, answer_as, {**(more or {}), **retry_after(extensions)})
        if answer_as != GRAPHQL_RESPONSE:
            return answer(200, body, answer_as, more)
        return answer(self._runner.settings.validation_status if code in _INVALID else 400, body, answer_as, more)
