"""Root fields of organizations."""

from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.errors import UserError, demand
from caregraph.graph.fields import describe, field
from caregraph.graph.loaders import RowById
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import audit, founding, models, places, service
from .person import CurrentUser, current_user
from .types import Location, Organization, User

USERS = Resource(User)
ORGANIZATIONS = Resource(Organization)
LOCATIONS = Resource(Location)
AUDIT = Resource(audit.AuditEvent)


@strawberry.type(description="What signing in answers.")
class AuthenticatePayload:
    """`fit.authentication.get_token`."""

    api_token: str | None = field("The token, shown this once.")
    errors: list[UserError] = field("Why there is no token; empty when there is.")


async def _named(
    _context: Context,
    *,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
) -> ColumnElement[bool] | None:
    return contains(models.Organization, search)


async def _organization(
    context: Context,
    _root: Any,
    *,
    id: Annotated[  # noqa: A002 the argument's name
        strawberry.ID | None, describe("Id of one of your organizations; by default the one you act in.")
    ] = None,
) -> Any:
    if id is None:
        demand(context.viewer, Permission.ORGANIZATION)
        row_id = context.viewer.organization_id
    else:
        row_id = ORGANIZATIONS.info.row_id(id)
    return None if row_id is None else await context.load(RowById(models.Organization), row_id)


@strawberry.type
class Query:
    """Reading organizations."""

    me: User | None = USERS.mine("user_id", "The signed-in user (`fit.users.get_me`).")
    user: User | None = USERS.get()
    audit_event: audit.AuditEvent | None = AUDIT.get(needs=Permission.AUDIT)
    audit_events: Page[audit.AuditEvent] | None = AUDIT.page(
        audit.found, order="occurred_at", descends=True, needs=Permission.AUDIT
    )
    current_user: CurrentUser | None = computed(current_user, needs=Permission.ACCOUNT)
    organization: Organization | None = computed(
        _organization,
        "One of your organizations; null if there is none that you may see. Without an id the one you act in, for"
        " superusers and applications only (`fit.agencies.get_mine`).",
        needs=Permission.MEMBER,
    )
    organizations: Page[Organization] | None = ORGANIZATIONS.page(_named, needs=Permission.MEMBER)
    location: Location | None = LOCATIONS.get(needs=Permission.MEMBER)
    locations: Page[Location] | None = LOCATIONS.page(order="name", needs=Permission.MEMBER)


@strawberry.type
class Mutation:
    """Changing organizations."""

    authenticate: AuthenticatePayload | None = action(service.authenticate, needs=None)
    create_organization: Payload[Organization] | None = action(founding.create_organization, needs=Permission.PERSON)
    create_organization_for_user: Payload[Organization] | None = action(
        founding.create_organization_for_user, needs=Permission.PERSON
    )
    update_organization: Payload[Organization] | None = action(
        places.update_organization, needs=Permission.MANAGE_ORGANIZATION
    )
    create_location: Payload[Location] | None = action(places.create_location, needs=Permission.MANAGE_LOCATION)
    update_location: Payload[Location] | None = action(places.update_location, needs=Permission.MANAGE_LOCATION)
    create_user: Payload[User] | None = action(service.create_user, needs=Permission.MANAGE_USERS)
    update_user: Payload[User] | None = action(service.update_user, needs=Permission.CARE)
    delete_user: DeletePayload | None = action(service.delete_user, needs=Permission.MANAGE_USERS)
    add_user_role: Payload[User] | None = action(service.add_role, needs=Permission.MANAGE_USERS)
    remove_user_role: Payload[User] | None = action(service.remove_role, needs=Permission.MANAGE_USERS)
