"""Root fields of people."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ids
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.node import parse_id
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains, named
from caregraph.organizations.schema import USERS
from caregraph.organizations.types import Application, User

from . import files, groups, models, service, tokens
from .inputs import GroupInput, LabelInput
from .lists import ListScope, owned_clients
from .staff import users_found
from .types import Client, File, Group, Label

CLIENTS = Resource(Client)
LABELS = Resource(Label)
FILES = Resource(File)
GROUPS = Resource(Group)


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


async def _found_groups(
    context: Context,
    *,
    organization_id: Annotated[
        strawberry.ID | None, describe("Of this organization; the one in which you act by default, others have none.")
    ] = None,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
) -> ColumnElement[bool] | None:
    if organization_id is not None and parse_id(organization_id) != ("Organization", context.viewer.organization_id):
        return false()
    return contains(models.Group, search)


@strawberry.type
class Query:
    """Reading people. `users` is here: groups narrow it."""

    client: Client | None = CLIENTS.get()
    clients: Page[Client] | None = CLIENTS.page(_found, order="full_name")
    file: File | None = FILES.get()
    group: Group | None = GROUPS.get()
    groups: Page[Group] | None = GROUPS.page(_found_groups, order="name")
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
    set_client_groups: Payload[Client] | None = action(groups.set_client_groups, needs=Permission.CARE)
    add_client_to_group: Payload[Client] | None = action(groups.add_client, needs=Permission.CARE)
    remove_client_from_group: Payload[Client] | None = action(groups.remove_client, needs=Permission.CARE)
    set_user_groups: Payload[User] | None = action(groups.set_user_groups, needs=Permission.MANAGE_ORGANIZATION)
    create_group: Payload[Group] | None = GROUPS.create(GroupInput, needs=Permission.ORGANIZATION)
    update_group: Payload[Group] | None = GROUPS.update(GroupInput, needs=Permission.ORGANIZATION)
    delete_group: DeletePayload | None = action(groups.delete_group, needs=Permission.ORGANIZATION)
    set_application_groups: Payload[Application] | None = action(
        tokens.set_application_groups, needs=Permission.MANAGE_APPLICATIONS
    )
    upload_file: Payload[File] | None = action(files.upload_file, needs=Permission.CARE)
    delete_file: DeletePayload | None = action(files.delete_file, needs=Permission.CARE)
    create_label: Payload[Label] | None = LABELS.create(LabelInput, needs=Permission.MANAGE_LABELS)
    update_label: Payload[Label] | None = LABELS.update(LabelInput, needs=Permission.MANAGE_LABELS)
    delete_label: DeletePayload | None = action(service.delete_label, needs=Permission.MANAGE_LABELS)
