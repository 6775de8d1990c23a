"""Root fields of people."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ids
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.node import parse_id
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.scalars import Json, PhoneNumber
from caregraph.graph.search import contains, equals, named
from caregraph.organizations.schema import USERS
from caregraph.organizations.types import Application, User

from . import consents, exports, files, groups, models, service, tokens
from .inputs import GroupInput, LabelInput
from .lists import ListScope, owned_clients
from .staff import users_found
from .types import Client, Consent, File, Group, Label

CLIENTS = Resource(Client)
LABELS = Resource(Label)
FILES = Resource(File)
GROUPS = Resource(Group)
CONSENTS = Resource(Consent)


async def _found(
    context: Context,
    *,
    scope: Annotated[ListScope, describe("Whose clients; all that you may see by default.")] = ListScope.VISIBLE,
    user_id: Annotated[strawberry.ID | None, describe("With `OWNED`: of this user; you by default.")] = None,
    search: Annotated[
        str | None,
        describe("Text in full name, alias or number, in any case; of encrypted numbers only the whole number."),
    ] = None,
    ssn: Annotated[
        str | None, describe("Only clients with this national or local number; case, spaces and hyphens do not matter.")
    ] = None,
    phone: Annotated[
        PhoneNumber | None, describe("Only clients with this telephone number; only digits and the plus matter.")
    ] = None,
    labels: Annotated[list[str] | None, describe("Only clients with one of these labels, by exact name.")] = None,
) -> ColumnElement[bool] | None:
    found = contains(models.Client, search)
    if search and found is not None and context.database.keyring.keys:
        found = found | equals(context, models.Client.ssn_index, search, "search")
    conditions = [found]
    if ssn is not None:
        conditions.append(equals(context, models.Client.ssn_index, ssn, "ssn"))
    if phone is not None:
        conditions.append(equals(context, models.Client.phone_index, phone, "phone"))
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
    consent: Consent | None = CONSENTS.get()
    export_client: Json | None = computed(exports.of_client, needs=Permission.CARE, cost=500)
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
    record_consent: Payload[Consent] | None = action(consents.record_consent, needs=Permission.CARE)
    erase_client: Payload[Client] | None = action(service.erase_client, needs=Permission.ORGANIZATION)
    upload_file: Payload[File] | None = action(files.upload_file, needs=Permission.CARE)
    delete_file: DeletePayload | None = action(files.delete_file, needs=Permission.CARE)
    create_label: Payload[Label] | None = LABELS.create(LabelInput, needs=Permission.MANAGE_LABELS)
    update_label: Payload[Label] | None = LABELS.update(LabelInput, needs=Permission.MANAGE_LABELS)
    delete_label: DeletePayload | None = action(service.delete_label, needs=Permission.MANAGE_LABELS)
