"""`/files/…`: the bytes behind a signed link, never shown as a page of this server."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from caregraph.auth.links import Links
from caregraph.db.storage import Storage
from caregraph.graph.errors import outage

from .answers import SOON

_HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class StoredFile(Protocol):
    """What has to be known of a file to send it."""

    name: str
    content_type: str
    size: int
    storage_key: str


Find = Callable[[Sequence[int], str | None], Awaitable[StoredFile | None]]
"""The file that the ids of a link name, for somebody at an address."""


class Downloads:
    """Answers links. An expired, altered or unknown one, and one to a deleted file, are all the same 404."""

    def __init__(self, find: Find, storage: Storage, links: Links) -> None:
        """`links` made the tokens that come in."""
        self._find = find
        self._storage = storage
        self._links = links

    async def answer(self, request: Request) -> Response:
        """Stream the file."""
        ids = self._links.ids(request.path_params["token"])
        address = request.client.host if request.client else None
        try:
            file = await self._find(ids, address) if ids is not None else None
        except (SQLAlchemyError, OSError) as error:
            if outage(error) is None:
                raise
            return PlainTextResponse("Unavailable", 503, {**_HEADERS, "retry-after": SOON})
        if file is None:
            return _not_found()
        try:
            content = await self._storage.read(file.storage_key)
        except FileNotFoundError:
            return _not_found()
        headers = _HEADERS | {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "content-length": str(file.size),
        }
        return StreamingResponse(content, headers=headers, media_type=file.content_type)


def _not_found() -> Response:
    return PlainTextResponse("Not found", 404, _HEADERS)
