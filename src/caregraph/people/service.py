"""The verbs of people: clients, their owners and labels."""

from typing import Annotated

from caregraph.auth.viewer import Viewer
from caregraph.db.erasure import erase
from caregraph.db.session import Tx
from caregraph.graph.deletion import delete_row
from caregraph.graph.erased import refuse_erased
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import given
from caregraph.graph.links import replace_links
from caregraph.organizations.models import User

from . import consents, models
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
    consents.note_approval(tx, viewer, client, before=False)
    await tx.flush()
    return client


async def erase_client(tx: Tx, client: models.Client) -> models.Client:
    """Erase what identifies a client, for good, and keep scores, dates of care and labels: statistics stay the same.

    Of the client go names, number, day of birth, telephone, comment and files; of raters name, e-mail and comment; of
    episodes title, telephone and comment, of a shared one when its last client is erased. Gender and labels stay, and
    consents without who recorded them. Nothing can be changed or added afterwards (`CONFLICT`); deleting is possible.
    """
    await tx.refresh(client, with_for_update=True)  # one after the other: an erasure, and what was being added to it
    refuse_erased(client, "id")
    await erase(tx, client)
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
