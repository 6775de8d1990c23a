"""Root fields of people."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, true

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ids
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains, named
from caregraph.organizations.schema import USERS
from caregraph.organizations.types import User

from . import files, models, service
from .inputs import LabelInput
from .lists import ListScope, owned_clients
from .staff import users_found
from .types import Client, File, Label

CLIENTS = Resource(Client)
LABELS = Resource(Label)
FILES = Resource(File)


async def _found(
    context: Context,
    *,
    scope: Annotated[ListScope, describe("Whose clients; all that you may see by default.")] = ListScope.VISIBLE,
    user_id: Annotated[strawberry.ID | None, describe("With `OWNED`: of this user; you by default.")] = None,
    search: Annotated[str | None, describe("Text in full name, alias or number, in any case.")] = None,
    labels: Annotated[list[str] | None, describe("Only clients with one of these labels, by exact name.")] = None,
) -> ColumnElement[bool] | None:
    conditions = [contains(models.Client, search)]
    if (owned := owned_clients(context.viewer, scope, user_id)) is not None:
        conditions.append(models.Client.id.in_(owned))
    if labels:
        label_ids = await named(context, models.Label, labels, "labels")
        carrying = ids(models.ClientLabel.client_id).where(models.ClientLabel.label_id.in_(label_ids))
        conditions.append(models.Client.id.in_(carrying))
    return and_(true(), *(one for one in conditions if one is not None))


@strawberry.type
class Query:
    """Reading people. `users` is here: groups narrow it."""

    client: Client | None = CLIENTS.get()
    clients: Page[Client] | None = CLIENTS.page(_found, order="full_name")
    file: File | None = FILES.get()
    label: Label | None = LABELS.get()
    labels: Page[Label] | None = LABELS.page(order="name")
    users: Page[User] | None = USERS.page(users_found, order="full_name", needs=Permission.LIST_USERS)


@strawberry.type
class Mutation:
    """Changing people. `updateClient` is with treatment: a birth date has consequences there."""

    create_client: Payload[Client] | None = action(service.create_client, needs=Permission.CARE)
    delete_client: DeletePayload | None = action(service.delete_client, needs=Permission.CARE)
    set_client_owners: Payload[Client] | None = action(service.set_owners, needs=Permission.CARE)
    set_client_labels: Payload[Client] | None = action(service.set_labels, needs=Permission.CARE)
    upload_file: Payload[File] | None = action(files.upload_file, needs=Permission.CARE)
    delete_file: DeletePayload | None = action(files.delete_file, needs=Permission.CARE)
    create_label: Payload[Label] | None = LABELS.create(LabelInput, needs=Permission.MANAGE_LABELS)
    update_label: Payload[Label] | None = LABELS.update(LabelInput, needs=Permission.MANAGE_LABELS)
    delete_label: DeletePayload | None = action(service.delete_label, needs=Permission.MANAGE_LABELS)
