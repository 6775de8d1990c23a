"""A client that costs next to nothing: one blocking socket that is kept open, and requests made beforehand.

Clients for applications take longer for a request than a fast server does. This one adds about 30 µs and 0.2 ms for each
megabyte; it knows the part of HTTP/1.1 that the contenders answer with, and fails on any other.
"""

import socket
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

import orjson

_ROOM = 1 << 26
_LONGEST_HEAD = 8_192
_LONGEST_WAIT = 120


def request(url: str, query: str, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request that asks `query`."""
    at, body = urlsplit(url), orjson.dumps({"query": query})
    told = {
        "Host": at.netloc,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = [f"POST {at.path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class Wire:
    """One connection to a server."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._socket = socket.create_connection((at.hostname, at.port), _LONGEST_WAIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._room = memoryview(bytearray(_ROOM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the server."""
        self._socket.close()

    def ask(self, request: bytes) -> memoryview:
        """The body of the answer, in a room that the next one takes over."""
        self._socket.sendall(request)
        have, start, end = 0, 0, 0
        while not end or have < end:
            got = self._socket.recv_into(self._room[have:])
            if not got:
                raise ConnectionError("the server has closed the connection, or the answer is too long")
            have += got
            if not end:
                head, separator, _ = bytes(self._room[: min(have, _LONGEST_HEAD)]).partition(b"\r\n\r\n")
                if separator:
                    start = len(head) + len(separator)
                    end = start + _length(head)
        return self._room[start:end]


def _length(head: bytes) -> int:
    status, *lines = head.lower().split(b"\r\n")
    if status.split()[1] != b"200":
        raise RuntimeError(f"answered with {status.decode()}")
    return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
