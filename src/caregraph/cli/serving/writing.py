"""Answers in one piece: uvicorn writes head and body apart, and each write wakes the other side."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Joined:
    """A transport that writes at once what comes within one turn of the loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(piece)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Write now."""
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.writelines(pieces)


class JoiningProtocol(HttpToolsProtocol):
    """uvicorn's protocol over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(_Joined(transport))  # type: ignore[arg-type]
        self._plain = transport

    def on_response_complete(self) -> None:
        """An answer is whole: it leaves before anything that is still to be done for its request."""
        if isinstance(self.transport, _Joined):
            self.transport.flush()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """A client wants a WebSocket, which writes as it likes."""
        self.transport = self._plain
        super().handle_websocket_upgrade()
