"""Operations whose answers come one by one, whatever carries them: WebSocket, server-sent events, multipart.

Nothing lives longer than one answer: each event is read by a fresh viewer, from the caller's credentials again, in a
fresh context with its own snapshot and loaders. Strawberry's own handlers keep one context per connection.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import ExecutionResult, GraphQLError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from caregraph.auth.tokens import AUTHENTICATION_FAILED, InvalidCredentialsError
from caregraph.auth.viewer import Viewer
from caregraph.db.events import Bus, Event, StreamEndedError
from caregraph.graph.context import Context
from caregraph.graph.errors import presentable
from caregraph.graph.execution import is_subscription
from caregraph.graph.feeds import Feed
from caregraph.graph.rates import RateLimitedError

from .callers import Callers
from .runner import Ready, RefusedRequestError, Runner

LOG = logging.getLogger("caregraph.streams")

BUSY = ("UNAVAILABLE", "The server is busy, try again")
SHUTTING_DOWN = ("UNAVAILABLE", "The server is shutting down")

Body = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who speaks through a stream: credentials under the names of HTTP headers, in lower case."""

    credentials: Mapping[str, str]
    address: str


class Stream(Protocol):
    """The answers to one operation."""

    async def next(self) -> Body | None:
        """The next answer; null after the last."""

    def close(self) -> None:
        """Let go of what the stream holds."""


class Closable(Protocol):
    """A connection that the server can end."""

    def going_away(self) -> None:
        """End because the server does."""


class Streams:
    """All streams of one process."""

    def __init__(self, runner: Runner, callers: Callers, bus: Bus) -> None:
        """`bus` brings the events."""
        self.runner = runner
        self.settings = runner.settings
        self.connections: set[Closable] = set()
        self.is_closing = False
        self._callers = callers
        self._bus = bus
        # Subscribers that hear of the same event leave connections for everybody else.
        self._turns = asyncio.Semaphore(max(1, self.settings.pool_size // 2))

    async def viewer(self, caller: Caller) -> Viewer:
        """Who the caller is now; raises `InvalidCredentialsError` or `RateLimitedError`."""
        return await self._callers.viewer(caller.credentials, caller.address)

    async def start(self, ready: Ready, caller: Caller) -> Stream:
        """Start an operation; a subscription hears of every commit from here on. Raises what `told` tells."""
        if self.is_closing:
            raise StreamEndedError(*SHUTTING_DOWN)
        if is_subscription(ready.operation) and len(self._bus) >= self.settings.subscriptions_per_process:
            raise StreamEndedError(*BUSY)
        context = await self.runner.admit(ready, await self.viewer(caller), caller.address)
        if not is_subscription(ready.operation):
            return _Single(self.runner, ready, context)
        feed = await self.runner.subscribe(ready, context)
        if isinstance(feed, ExecutionResult):
            raise RefusedRequestError(*(feed.errors or ()))
        return _Subscribed(self, ready, caller, feed)

    async def still_valid(self, caller: Caller) -> None:
        """Raise `InvalidCredentialsError` when the credentials hold no more; what cannot be checked says nothing."""
        try:
            await self.viewer(caller)
        except (SQLAlchemyError, OSError, RateLimitedError) as error:
            LOG.warning("cannot check the credentials of a stream: %s", type(error).__name__)

    async def answer(self, ready: Ready, caller: Caller, feed: Feed, event: Event | None) -> Body | None:
        """What one event is to the caller as of now; null for nothing. Without an event only who asks is checked."""
        async with self._turns:
            viewer = await self.viewer(caller)
            if viewer.organization_id != feed.mailbox.organization_id:
                raise InvalidCredentialsError
            context = self.runner.context(viewer, caller.address)
            try:
                watch = await feed.watch(context)
                payload = None if event is None else await watch.payload(context, event)
                return None if payload is None else self.runner.body(await self.runner.run(ready, context, payload))
            finally:
                await context.close()

    def told(self, error: Exception) -> list[dict[str, Any]]:
        """The errors with which a stream ends, as they are told."""
        match error:
            case RefusedRequestError():
                return [presentable(one, development=self.settings.development) for one in error.errors]
            case InvalidCredentialsError():
                return [_error("UNAUTHENTICATED", AUTHENTICATION_FAILED)]
            case StreamEndedError():
                return [_error(error.code, str(error))]
            case PoolTimeoutError():
                return [_error(*BUSY)]
            case GraphQLError():
                return [presentable(error, development=self.settings.development)]
        return [presentable(GraphQLError("", original_error=error), development=self.settings.development)]

    async def end(self) -> None:
        """End with the service."""
        self.close()

    def close(self) -> None:
        """End every stream and start no more; connections end by themselves right after."""
        self.is_closing = True
        for connection in tuple(self.connections):
            connection.going_away()
        self._bus.end(StreamEndedError(*SHUTTING_DOWN))


def _error(code: str, message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


class _Single:
    """The one answer to a query or a mutation."""

    def __init__(self, runner: Runner, ready: Ready, context: Context) -> None:
        self._runner, self._ready, self._context = runner, ready, context
        self._is_answered = False

    async def next(self) -> Body | None:
        if self._is_answered:
            return None
        self._is_answered = True
        try:
            return self._runner.body(await self._runner.run(self._ready, self._context))
        finally:
            await self._context.close()

    def close(self) -> None:
        """Nothing is held."""


class _Subscribed:
    """An answer per event that its caller sees."""

    def __init__(self, streams: Streams, ready: Ready, caller: Caller, feed: Feed) -> None:
        self._streams, self._ready, self._caller, self._feed = streams, ready, caller, feed

    async def next(self) -> Body | None:
        while True:
            event = await self._feed.mailbox.next(self._streams.settings.stream_recheck)
            try:
                body = await self._streams.answer(self._ready, self._caller, self._feed, event)
            except (SQLAlchemyError, OSError):
                if event is not None:  # an event that cannot be read is lost
                    raise
                body = None
            if body is not None:
                return body

    def close(self) -> None:
        self._feed.mailbox.close()
