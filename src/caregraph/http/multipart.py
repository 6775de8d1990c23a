"""Uploads: the GraphQL multipart request specification, with limits and behind a header no form can send."""

from typing import Any

import orjson
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from caregraph.graph.scalars import IncomingFile
from caregraph.settings import Settings

from .errors import HttpError

MULTIPART = "multipart/form-data"
# Fields beside the files: `operations` and `map`.
_FIELDS = 2


async def read_multipart(request: Request, settings: Settings) -> dict[str, Any]:
    """The request's parameters, each upload in the place that `map` names."""
    whole = settings.maximum_body + settings.maximum_files * settings.maximum_file
    bounded = Request(request.scope, _counting(request, whole))
    try:
        form = await bounded.form(
            max_files=settings.maximum_files, max_fields=_FIELDS, max_part_size=settings.maximum_body
        )
    except HTTPException as error:
        raise HttpError(400, "BAD_REQUEST", f"The multipart body cannot be read: {error.detail}") from error
    request._form = form  # noqa: SLF001 so that closing the request closes its files
    parameters = _json(form, "operations")
    for name, paths in _map(form).items():
        upload = _upload(form, name, settings)
        for path in paths:
            _place(parameters, path, upload)
    return parameters  # type: ignore[no-any-return]


def is_multipart(headers: Headers) -> bool:
    """Whether the body claims to be a multipart form."""
    return headers.get("content-type", "").split(";")[0].strip().lower() == MULTIPART


def _counting(request: Request, maximum: int) -> Any:
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > maximum:
            raise HttpError(413, "PAYLOAD_TOO_LARGE", f"The request may have {maximum} bytes", connection="close")
        return message

    return receive


def _json(form: FormData, name: str) -> Any:
    text = form.get(name)
    if not isinstance(text, str):
        raise HttpError(400, "BAD_REQUEST", f"The field {name} is missing")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, "BAD_REQUEST", f"The field {name} is not JSON") from error


def _map(form: FormData) -> dict[str, list[str]]:
    found = _json(form, "map")
    shaped = isinstance(found, dict) and all(
        isinstance(paths, list) and paths and all(isinstance(path, str) for path in paths) for paths in found.values()
    )
    if not shaped:
        raise HttpError(400, "BAD_REQUEST", "The field map is not an object of lists of paths")
    return found  # type: ignore[no-any-return]


def _upload(form: FormData, name: str, settings: Settings) -> IncomingFile:
    file = form.get(name)
    if not isinstance(file, UploadFile):
        raise HttpError(400, "BAD_REQUEST", f"There is no file for {name!r} of the map")
    size = file.size or 0
    if size > settings.maximum_file:
        raise HttpError(413, "PAYLOAD_TOO_LARGE", f"A file may have {settings.maximum_file} bytes")
    kind = (file.content_type or "application/octet-stream").split(";")[0].strip().lower()
    return IncomingFile(file.filename or "", kind, size, file.file)


def _place(parameters: Any, path: str, upload: IncomingFile) -> None:
    """Put an upload where the path leads, which must be a null within `variables`."""
    *steps, last = path.split(".")
    if not steps or steps[0] != "variables":
        raise HttpError(400, "BAD_REQUEST", f"The path {path!r} does not lead into variables")
    try:
        target = parameters
        for step in steps:
            target = target[int(step) if isinstance(target, list) else step]
        key = int(last) if isinstance(target, list) else last
        if target[key] is not None:
            raise HttpError(400, "BAD_REQUEST", f"The path {path!r} does not lead to null")
        target[key] = upload
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise HttpError(400, "BAD_REQUEST", f"The path {path!r} leads nowhere") from error
