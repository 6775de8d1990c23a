"""What a GraphQL request may look like on the wire, and how its answer is labelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from caregraph.settings import Settings

from .errors import HttpError
from .headers import headers_of
from .multipart import is_multipart, read_multipart

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
_KNOWN_HEADERS = 256
"""Values of a header whose meaning is remembered: programs send the same few."""


@dataclass(frozen=True)
class GraphQLRequest:
    """The parameters of a request."""

    query: str
    """Empty when the document is named instead of sent."""
    variables: Mapping[str, Any] | None
    operation_name: str | None
    extensions: Mapping[str, Any] | None
    document_id: str | None = None


def media_type(headers: Headers) -> str:
    """The type to answer with: what the client likes best of our two; JSON when it says nothing."""
    return _media_type(headers.get("accept", JSON))


@lru_cache(_KNOWN_HEADERS)
def _media_type(accept: str) -> str:
    best = preferred(accept, {JSON: JSON, "*/*": JSON, "application/*": JSON, GRAPHQL_RESPONSE: GRAPHQL_RESPONSE})
    if best is None:
        raise HttpError(406, "NOT_ACCEPTABLE", f"This answers {GRAPHQL_RESPONSE} or {JSON}")
    return best


def preferred(accept: str, offered: Mapping[str, str]) -> str | None:
    """The type to answer with, by what the client accepts; null when none is accepted."""
    best: str | None = None
    liking = 0.0
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((_quality(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if name in offered and quality > liking:
            best, liking = offered[name], quality
    return best


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


async def read(request: Request, settings: Settings) -> GraphQLRequest:
    """The request's parameters, from the query string of a GET, the JSON body of a POST or a multipart form."""
    if request.method == "GET":
        return from_parameters({name: _parameter(name, text) for name, text in request.query_params.items()})
    if request.method != "POST":
        raise HttpError(405, "METHOD_NOT_ALLOWED", "GraphQL takes GET and POST", allow="GET, POST")
    known = headers_of(request.scope)
    if is_multipart(known):
        return from_parameters(await read_multipart(request, settings))
    _check_content_type(known)
    try:
        body = orjson.loads(await read_body(request, settings.maximum_body))
    except orjson.JSONDecodeError as error:
        raise HttpError(400, "BAD_REQUEST", "The body is not JSON") from error
    return from_parameters(body)


def _parameter(name: str, text: str) -> Any:
    if name not in {"variables", "extensions"} or not text:
        return text or None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, "BAD_REQUEST", f"{name} is not JSON") from error


@lru_cache(_KNOWN_HEADERS)
def _is_json(content_type: str) -> bool:
    name, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    charset = next((one[8:].strip('"') for one in parameters if one.startswith("charset=")), "utf-8")
    return name == JSON and charset in {"utf-8", "utf8"}


def _check_content_type(headers: Headers) -> None:
    if not _is_json(headers.get("content-type", "")):
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {JSON} in UTF-8")
    if headers.get("content-encoding", "identity") != "identity":
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body without content encoding")


async def read_body(request: Request, maximum: int) -> bytes:
    """The body of at most `maximum` bytes; raises `HttpError`."""
    try:
        declared = int(headers_of(request.scope).get("content-length", "0"))
    except ValueError as error:
        raise HttpError(400, "BAD_REQUEST", "content-length is not a number") from error
    if declared > maximum:
        raise _too_large(maximum)
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        if len(body) + len(piece) > maximum:
            raise _too_large(maximum)
        if not message.get("more_body", False):
            return bytes(body + piece) if body else piece
        body += piece


def _too_large(maximum: int) -> HttpError:
    return HttpError(413, "PAYLOAD_TOO_LARGE", f"The body may have {maximum} bytes", connection="close")


def from_parameters(parameters: Any) -> GraphQLRequest:
    """The request in an object of parameters, of a body or of a stream's message; raises `HttpError`."""
    if not isinstance(parameters, dict):
        raise HttpError(400, "BAD_REQUEST", "The request is not a JSON object")
    for name, kind in (("operationName", str), ("documentId", str), ("variables", dict), ("extensions", dict)):
        if not isinstance(parameters.get(name), kind | None):
            raise HttpError(400, "BAD_REQUEST", f"{name} is not {'a string' if kind is str else 'an object'}")
    query, extensions = parameters.get("query"), parameters.get("extensions")
    document_id = parameters.get("documentId") or None
    is_named = document_id is not None or (extensions or {}).get("persistedQuery") is not None
    if not isinstance(query, str | None) or not (query or is_named):
        raise HttpError(400, "BAD_REQUEST", "query is missing")
    return GraphQLRequest(
        query or "", parameters.get("variables"), parameters.get("operationName"), extensions, document_id
    )
