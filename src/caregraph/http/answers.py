"""Answers of the endpoint whose body is there, and how they say that something never started."""

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from caregraph.graph.scalars import encode_json

from .gate import UNAVAILABLE

SOON = "1"
"""Seconds after which a server that was busy may be asked again."""


class _Answer:
    """An ASGI application that sends it."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self._status = status
        self._body = body
        self._headers = headers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        told = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._headers.items()]
        told.append((b"content-length", str(len(self._body)).encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": told})
        await send({"type": "http.response.body", "body": self._body})


def answer(status: int, body: Mapping[str, Any], answer_as: str, headers: Mapping[str, str] | None = None) -> ASGIApp:
    """`body` as JSON under the media type `answer_as`, never stored on the way."""
    own = {"content-type": f"{answer_as}; charset=utf-8", "cache-control": "no-store", **(headers or {})}
    return _Answer(status, encode_json(body), own)


def failure(status: int, code: str, message: str, answer_as: str, headers: Mapping[str, str] | None = None) -> ASGIApp:
    """Why a request never became an operation."""
    return answer(status, {"errors": [{"message": message, "extensions": {"code": code}}]}, answer_as, headers)


def retry_after(extensions: Mapping[str, Any]) -> dict[str, str]:
    """The header that says when to ask again, where an error's extensions tell."""
    seconds = SOON if extensions["code"] == UNAVAILABLE else extensions.get("retryAfter")
    return {} if seconds is None else {"retry-after": str(seconds)}
