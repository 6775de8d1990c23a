"""`/files/…`: the bytes behind a signed link, never shown as a page of this server."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from caregraph.auth.links import Links
from caregraph.auth.viewer import Viewer
from caregraph.db.session import Database
from caregraph.db.storage import Storage
from caregraph.people.models import File

_HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Downloads:
    """Answers links. An expired, altered or unknown one, and one to a deleted file, are all the same 404."""

    def __init__(self, database: Database, storage: Storage, links: Links) -> None:
        """`links` made the tokens that come in."""
        self._database = database
        self._storage = storage
        self._links = links

    async def answer(self, request: Request) -> Response:
        """Stream the file."""
        file = await self._file(request.path_params["token"])
        if file is None:
            return PlainTextResponse("Not found", 404, _HEADERS)
        try:
            content = await self._storage.read(file.storage_key)
        except FileNotFoundError:
            return PlainTextResponse("Not found", 404, _HEADERS)
        headers = _HEADERS | {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "content-length": str(file.size),
        }
        return StreamingResponse(content, headers=headers, media_type=file.content_type)

    async def _file(self, token: str) -> File | None:
        ids = self._links.ids(token)
        if ids is None:
            return None
        organization_id, row_id = ids
        async with self._database.read_session(Viewer.system(organization_id)) as session:
            return await session.get(File, row_id)
