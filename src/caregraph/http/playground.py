"""The playground at `/`: GraphiQL from this package's own files, so that it works without internet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

GRAPHQL_PATH = "/graphql"

# GraphiQL's dialogs and drop-downs write <style> elements, hence 'unsafe-inline' for styles; scripts come from files
# only. 'self' of connect-src includes this host's WebSocket.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self' data:; "
    "frame-ancestors 'none'; "
    "base-uri 'none'; "
    "form-action 'none'"
)

_SAFE = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FRESH = _SAFE | {"Cache-Control": "no-store"}
_KEPT = _SAFE | {"Cache-Control": "public, max-age=31536000, immutable"}

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


@dataclass(frozen=True)
class Principal:
    """Somebody a reader of the playground can be, and the request headers that say so."""

    name: str
    organization: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Example:
    """An operation document offered in the side bar, under its group: "system/resource"."""

    name: str
    group: str
    query: str
    variables: Mapping[str, object]


def routes(*, principals: Sequence[Principal], examples: Sequence[Example], default_query: str) -> list[BaseRoute]:
    """Serve the page, its configuration and its assets.

    Whoever reaches the page reads the headers of every principal: pass demo credentials or none.
    """
    assets, page = _assets()
    config = {
        "url": GRAPHQL_PATH,
        "subscriptionUrl": GRAPHQL_PATH,
        "principals": [vars(principal) | {"headers": dict(principal.headers)} for principal in principals],
        "examples": [vars(example) | {"variables": dict(example.variables)} for example in examples],
        "defaultQuery": default_query,
    }

    def show_page(_request: Request) -> Response:
        return HTMLResponse(page, headers=_FRESH)

    def show_config(_request: Request) -> Response:
        return JSONResponse(config, headers=_FRESH)

    def show_asset(request: Request) -> Response:
        path = request.path_params["path"]
        media_type = _MEDIA_TYPES.get(PurePosixPath(path).suffix)
        if media_type is None or path not in assets:
            raise HTTPException(404)
        return Response(assets[path], media_type=media_type, headers=_KEPT)

    return [
        Route("/", show_page),
        Route("/playground/config.json", show_config),
        Route("/playground/assets/{path:path}", show_asset),
    ]


@cache
def _assets() -> tuple[dict[str, bytes], str]:
    """Everything by its path, and the page."""
    assets = dict(_files(resources.files("caregraph.http") / "assets"))
    return assets, _page(assets)


def _files(directory: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Read everything at once: a path that was not found here cannot be asked for."""
    for entry in directory.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()


def _page(assets: Mapping[str, bytes]) -> str:
    """Put the digest of all assets into their addresses, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(assets):
        digest.update(assets[path])
    return assets["index.html"].decode().replace("$version", digest.hexdigest()[:16])
