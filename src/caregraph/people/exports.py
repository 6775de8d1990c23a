"""Everything held about a client, for the client."""

from typing import Annotated, Any

import strawberry

from caregraph.graph.context import Context
from caregraph.graph.export import export
from caregraph.graph.fields import describe
from caregraph.graph.loaders import RowById
from caregraph.graph.node import parse_id
from caregraph.graph.scalars import Json

from . import files, models


async def of_client(
    context: Context,
    _root: None,
    *,
    id: Annotated[strawberry.ID, describe("Id of a Client.")],  # noqa: A002 the argument's name
) -> Json | None:
    """Everything held about a client that you may see, as JSON: for whoever owns the client, and superusers.

    `client`, and by table what belongs to the client: objects by field name, with ids, names of enum values, ISO dates,
    and for files a link that expires. Of an episode that is shared, the other clients and all that is theirs are left
    out; but free text, such as its title, may speak of them: read it before you hand it over. Null for no such client.
    """
    parsed = parse_id(id)
    if parsed is None or parsed[0] != "Client":
        return None
    client: Any = await context.load(RowById(models.Client), parsed[1])
    return None if client is None else Json(await export(context, client, also={models.File: {"url": files.link}}))
