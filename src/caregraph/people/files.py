"""Files about clients: taking them in, letting them go, and links to fetch them by."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Annotated

from caregraph.auth.links import Links
from caregraph.auth.viewer import Viewer
from caregraph.db.audit import Actor, Kind, Origin, entry
from caregraph.db.session import Database, Tx
from caregraph.db.storage import Storage
from caregraph.db.trail import Trail
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import LONGEST_NAME
from caregraph.graph.scalars import Upload

from . import models

_PIECE = 256 * 1024


async def upload_file(
    tx: Tx,
    context: Context,
    client: models.Client,
    file: Annotated[Upload, describe("The file, by the GraphQL multipart request specification.")],
) -> models.File:
    """Add a file to a client. The content types and sizes that are taken are settings of the server."""
    allowed = {one.strip() for one in context.settings.file_types.split(",")}
    if file.content_type not in allowed:
        raise Refused(Code.INVALID, f"Files of type {file.content_type} are not taken", "file")
    name = _base_name(file.name)
    if not name:
        raise Refused(Code.INVALID, "The file has no name", "file")
    row = models.File(
        client_id=client.id,
        name=name,
        content_type=file.content_type,
        size=file.size,
        sha256=await asyncio.to_thread(_digest, file.content),
        storage_key=secrets.token_hex(16),
    )
    tx.add(row)
    await tx.flush()  # the row first: what it refuses is never stored
    await context.the(Storage).put(row.storage_key, file.content)
    return row


async def delete_file(tx: Tx, file: models.File) -> None:
    """Delete a file; its bytes are removed from the storage soon after."""
    await tx.delete(file)


async def fetched(database: Database, trail: Trail, ids: Sequence[int], address: str | None) -> models.File | None:
    """The file that a link names, once it is on record that somebody fetches it.

    Whoever holds the link may fetch it, so no viewer is asked; the audit names the user whom the link was made for.
    """
    organization_id, row_id, *maker = ids
    async with database.read_session(Viewer.system(organization_id)) as session:
        file = await session.get(models.File, row_id)
    if file is not None:
        made_for = next(iter(maker), 0) or None
        by = Origin(
            organization_id=organization_id, actor=Actor.LINK, user_id=made_for, address=address, fields=("file",)
        )
        await trail.write(entry(by, Kind.READ, clients=[file.client_id]))
    return file


async def link(context: Context, file: models.File) -> str:
    """Where to fetch the bytes: a path of this server, signed, that works without credentials until it expires."""
    maker = context.viewer.user_id or 0
    return f"/files/{context.the(Links).token(file.organization_id, file.id, maker)}"


def _base_name(name: str) -> str:
    """The name without folders of either kind and without control characters, at most 200 characters."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return "".join(one for one in last if one.isprintable())[-LONGEST_NAME:].strip()


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := content.read(_PIECE):
        digest.update(piece)
    content.seek(0)
    return digest.hexdigest()
