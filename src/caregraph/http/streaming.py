"""Streams over HTTP: server-sent events (graphql-sse, distinct connections) and Apollo's multipart subscriptions."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from caregraph.graph.scalars import encode_json

from .requests import GRAPHQL_RESPONSE, JSON
from .streams import Body, Stream, Streams

EVENT_STREAM = "text/event-stream"
HOW_TO_SUBSCRIBE = (
    f"A subscription answers {EVENT_STREAM} or multipart/mixed;subscriptionSpec=1.0, or goes over a WebSocket"
)


class Form(Protocol):
    """How answers are written."""

    content_type: str
    opening: bytes
    heartbeat: bytes
    end: bytes

    def answer(self, body: Body) -> bytes:
        """One answer."""

    def failure(self, errors: list[dict[str, Any]]) -> bytes:
        """Why there are no more."""


class EventStream:
    """`next` and `complete` events; a comment is the heartbeat."""

    content_type = f"{EVENT_STREAM}; charset=utf-8"
    opening = heartbeat = b":\n\n"
    end = b"event: complete\ndata: \n\n"

    def answer(self, body: Body) -> bytes:
        """A `next` event."""
        return b"event: next\ndata: " + encode_json(body) + b"\n\n"

    def failure(self, errors: list[dict[str, Any]]) -> bytes:
        """A `next` event with errors only."""
        return self.answer({"errors": errors})


class Multipart:
    """A part per answer; the part `{}` is the heartbeat. Each ends with its boundary, so that it is read at once."""

    content_type = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    opening = b"\r\n--graphql"
    heartbeat = b"\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql"
    end = b"--\r\n"

    def answer(self, body: Body) -> bytes:
        """A part with a payload."""
        return _part({"payload": body})

    def failure(self, errors: list[dict[str, Any]]) -> bytes:
        """A part with the errors of the stream itself."""
        return _part({"payload": None, "errors": errors})


def _part(value: Any) -> bytes:
    return b"\r\ncontent-type: application/json\r\n\r\n" + encode_json(value) + b"\r\n--graphql"


@dataclass(frozen=True)
class Accepted:
    """The form of stream that a client takes, and whether it takes nothing else."""

    form: Form
    only_streams: bool


def accepted(headers: Headers) -> Accepted | None:
    """The first form of stream that Accept names; wildcards do not ask for one."""
    accept = headers.get("accept")
    return None if accept is None else _accepted(accept)


@lru_cache(256)
def _accepted(accept: str) -> Accepted | None:
    form: Form | None = None
    only_streams = True
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower().replace('"', "") for piece in part.split(";"))
        if "q=0" in parameters:
            continue
        is_multipart = name == "multipart/mixed" and any(one.startswith("subscriptionspec=1") for one in parameters)
        if name == EVENT_STREAM or is_multipart:
            form = form or (Multipart() if is_multipart else EventStream())
        elif name in {JSON, GRAPHQL_RESPONSE}:
            only_streams = False
    return None if form is None else Accepted(form, only_streams)


class StreamResponse:
    """An ASGI application that writes a stream until it ends or its reader leaves."""

    def __init__(self, streams: Streams, form: Form, stream: Stream | list[dict[str, Any]]) -> None:
        """Instead of a stream, the errors for which there is none."""
        self._streams, self._form, self._stream = streams, form, stream

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Write while watching for the reader's leaving."""
        tasks = [asyncio.create_task(self._write(send)), asyncio.create_task(_gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if not isinstance(self._stream, list):
                self._stream.close()

    async def _write(self, send: Send) -> None:
        headers = {"content-type": self._form.content_type, "cache-control": "no-store", "x-accel-buffering": "no"}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await _write(send, self._form.opening)
        if isinstance(self._stream, list):
            await _write(send, self._form.failure(self._stream))
        else:
            await self._write_answers(send, self._stream)
        await send({"type": "http.response.body", "body": self._form.end, "more_body": False})

    async def _write_answers(self, send: Send, stream: Stream) -> None:
        while True:
            upcoming = asyncio.ensure_future(stream.next())
            try:
                while not (await asyncio.wait({upcoming}, timeout=self._streams.settings.stream_heartbeat))[0]:
                    await _write(send, self._form.heartbeat)
                body = upcoming.result()
            except Exception as error:  # noqa: BLE001 told behind the mask
                await _write(send, self._form.failure(self._streams.told(error)))
                return
            finally:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)
            if body is None:
                return
            await _write(send, self._form.answer(body))


async def _write(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
