"""The verbs of people: clients, their owners and labels."""

from typing import Annotated

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import given
from caregraph.graph.links import replace_links
from caregraph.organizations.models import User

from . import models
from .inputs import ClientInput


async def create_client(tx: Tx, viewer: Viewer, input: ClientInput) -> models.Client:  # noqa: A002
    """Create a client of whom you become the owner (`fit.clients.create`).

    One that an application creates has no owner; it is in the application's groups if that is limited to groups.
    """
    if viewer.group_ids == ():
        raise Refused(Code.INVALID, "The application has no group to put the client into")
    client = models.Client(**given(input))
    tx.add(client)
    await tx.flush()
    if viewer.user_id is not None:
        tx.add(models.ClientOwner(client_id=client.id, user_id=viewer.user_id))
    tx.add_all(models.ClientGroup(client_id=client.id, group_id=one) for one in viewer.group_ids or ())
    await tx.flush()
    return client


async def delete_client(
    tx: Tx,
    client: models.Client,
    force: Annotated[
        bool, describe("Delete with scores and places on episodes; an episode left without client goes.")
    ] = False,
) -> None:
    """Delete a client. Refused while there are episodes, sessions or scores, unless forced (`fit.clients.delete`)."""
    await delete_row(tx, client, force=force)


async def set_owners(
    tx: Tx,
    client: models.Client,
    users: Annotated[list[User], describe("Ids of all owners from now on, 1 to 100.")],
) -> models.Client:
    """Replace a client's owners; at least one must remain (`fit.clients.set_owners`).

    `node` is null when you are no longer among those who see the client.
    """
    if not users:
        raise Refused(Code.INVALID, "A client needs at least one owner", "userIds")
    await replace_links(tx, models.ClientOwner, "user_id", users, client_id=client.id)
    return client


async def set_labels(
    tx: Tx,
    client: models.Client,
    labels: Annotated[list[models.Label], describe("Ids of all labels from now on; an empty list removes all.")],
) -> models.Client:
    """Replace a client's labels (`fit.clients.set_labels`)."""
    await replace_links(tx, models.ClientLabel, "label_id", labels, client_id=client.id)
    return client


async def delete_label(
    tx: Tx,
    label: models.Label,
    force: Annotated[bool, describe("Delete although clients or episodes carry it.")] = False,
) -> None:
    """Delete a label. Refused while clients or episodes carry it, unless forced (`fit.labels.delete`)."""
    await delete_row(tx, label, force=force, forcing="take it off them")
