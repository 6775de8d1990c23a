"""GraphQL over WebSocket, sub-protocol `graphql-transport-ws`; the older `graphql-ws` is not spoken.

Written on Starlette's WebSocket, because Strawberry's handler subscribes through its own schema, keeps one context for
the whole connection, and dies of messages that are JSON but no object. Close codes and reasons are the protocol's.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from caregraph.auth.tokens import InvalidCredentialsError
from caregraph.graph.rates import RateLimitedError
from caregraph.graph.scalars import encode_json

from .cross_site import origin_allowed
from .errors import HttpError
from .requests import GraphQLRequest, from_parameters
from .streams import Caller, Stream, Streams

LOG = logging.getLogger("caregraph.streams")

PROTOCOL = "graphql-transport-ws"
_SECONDS_TO_CLOSE = 5.0


class ClosedError(Exception):
    """The server closes the connection."""

    def __init__(self, code: int, reason: str) -> None:
        """`reason` of at most 123 bytes."""
        super().__init__(reason)
        self.code, self.reason = code, reason


class SocketEndpoint:
    """An ASGI application for the WebSockets of `/graphql`."""

    def __init__(self, streams: Streams) -> None:
        """Operations run through `streams`."""
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak with one client until one of both closes."""
        socket = WebSocket(scope, receive, send)
        settings, headers = self._streams.settings, socket.headers
        if not origin_allowed(settings, headers.get("origin"), headers.get("host")):
            await socket.close()  # before it is accepted: the handshake is answered with 403
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(PROTOCOL)
        await Connection(socket, self._streams).run()


class Connection:
    """One client's connection and the operations under way on it."""

    def __init__(self, socket: WebSocket, streams: Streams) -> None:
        """`socket` is accepted."""
        self._socket, self._streams = socket, streams
        self._caller: Caller | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_denied = False
        self._end: asyncio.Future[ClosedError | None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Until the client leaves or the connection is closed; then everything under way is stopped."""
        self._streams.connections.add(self)
        if self._streams.is_closing:
            self.going_away()
        self._spawn(self._listen())
        self._spawn(self._limit())
        try:
            closed = await self._end
        finally:
            self._streams.connections.discard(self)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if closed is not None:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(_SECONDS_TO_CLOSE):
                    await self._socket.close(closed.code, closed.reason)

    def going_away(self) -> None:
        """Close without completing subscriptions: clients open them again elsewhere."""
        self._finish(ClosedError(1001, "The server is shutting down"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _finish(self, closed: ClosedError | None) -> None:
        if not self._end.done():
            self._end.set_result(closed)

    async def _listen(self) -> None:
        try:
            while True:
                await self._take(await self._message())
        except WebSocketDisconnect:
            self._finish(None)
        except ClosedError as closed:
            self._finish(closed)
        except Exception as error:  # noqa: BLE001 whatever it is, the client learns that it is over
            LOG.error("a WebSocket failed: %s", type(error).__name__)  # noqa: TRY400 tracebacks may name people
            self._finish(ClosedError(4500, "Internal server error"))

    async def _message(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        limit = self._streams.settings.maximum_body
        if text is None or len(text) > limit:
            raise ClosedError(
                4400, "Invalid message: not text" if text is None else f"A message may have {limit} bytes"
            )
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ClosedError(4400, "Invalid message: not JSON") from error
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ClosedError(4400, "Invalid message: not an object with a type")
        if message["type"] != "subscribe" and not isinstance(message.get("payload"), dict | None):
            raise ClosedError(4400, "Invalid message: payload is not an object")
        return message

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(message.get("payload") or {})
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._stop(_id(message))
            case "ping":
                await self._send("pong", **{key: message[key] for key in ("payload",) if key in message})
            case "pong":
                pass
            case _:
                raise ClosedError(4400, "Invalid message: unknown type")

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._caller is not None:
            raise ClosedError(4429, "Too many initialisation requests")
        given = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
        address = self._socket.client.host if self._socket.client else ""
        # Clients that are no browsers may send headers with the handshake instead.
        self._caller = Caller({**self._socket.headers, **given}, address)
        try:
            await self._streams.viewer(self._caller)
        except InvalidCredentialsError as error:
            raise ClosedError(4403, "Forbidden") from error
        except RateLimitedError as error:
            raise ClosedError(4429, error.message) from error
        await self._send("connection_ack")

    async def _limit(self) -> None:
        """Close when nobody says who they are in time, or when credentials hold no more."""
        settings = self._streams.settings
        await asyncio.sleep(settings.socket_init_timeout)
        if self._caller is None:
            self._finish(ClosedError(4408, "Connection initialisation timeout"))
            return
        try:
            while True:
                await asyncio.sleep(settings.stream_recheck)
                await self._streams.still_valid(self._caller)
        except InvalidCredentialsError as error:
            await self._deny(error)

    async def _deny(self, error: InvalidCredentialsError) -> None:
        """Say to each operation why it ends, then close."""
        if self._is_denied:
            return
        self._is_denied = True
        with suppress(WebSocketDisconnect, RuntimeError):
            for operation in list(self._operations):
                await self._send("error", id=operation, payload=self._streams.told(error))
        self._finish(ClosedError(4403, "Forbidden"))

    async def _subscribe(self, message: Mapping[str, Any]) -> None:
        operation = _id(message)
        if self._caller is None:
            raise ClosedError(4401, "Unauthorized")
        if operation in self._operations:
            raise ClosedError(4409, f"Subscriber for {operation[:80]} already exists")
        try:
            request = from_parameters(message.get("payload"))
        except HttpError as error:
            raise ClosedError(4400, f"Invalid message: {error.message}") from error
        most = self._streams.settings.operations_per_socket
        if len(self._operations) >= most:
            refusal = {"code": "LIMIT_EXCEEDED"}
            text = f"A connection may have {most} operations under way"
            await self._send("error", id=operation, payload=[{"message": text, "extensions": refusal}])
            return
        self._operations[operation] = self._spawn(self._operate(operation, request, self._caller))

    def _stop(self, operation: str) -> None:
        task = self._operations.pop(operation, None)
        if task is not None:
            task.cancel()

    async def _operate(self, operation: str, request: GraphQLRequest, caller: Caller) -> None:
        stream: Stream | None = None
        try:
            stream = await self._streams.start(self._streams.runner.prepare(request), caller)
            while (body := await stream.next()) is not None:
                if "data" not in body:
                    await self._last("error", operation, payload=body["errors"])
                    return
                await self._send("next", id=operation, payload=body)
            await self._last("complete", operation)
        except WebSocketDisconnect:
            self._finish(None)
        except InvalidCredentialsError as error:
            await self._deny(error)
        except Exception as error:  # noqa: BLE001 told behind the mask
            with suppress(WebSocketDisconnect):
                await self._last("error", operation, payload=self._streams.told(error))
        finally:
            if stream is not None:
                stream.close()

    async def _last(self, kind: str, operation: str, **more: Any) -> None:
        """The client may use the id again as soon as it reads this."""
        self._operations.pop(operation, None)
        await self._send(kind, id=operation, **more)

    async def _send(self, kind: str, **more: Any) -> None:
        await self._socket.send_text(encode_json({"type": kind, **more}).decode())


def _id(message: Mapping[str, Any]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not found:
        raise ClosedError(4400, "Invalid message: id is missing")
    return found
