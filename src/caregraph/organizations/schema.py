"""Root fields of organizations."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, SecretPayload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.errors import UserError
from caregraph.graph.fields import describe, field
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import api_keys, applications, audit, models, service
from .types import AccessToken, ApiKey, Application, Organization, User

USERS = Resource(User)
APPLICATIONS = Resource(Application)
AUDIT = Resource(audit.AuditEvent)


@strawberry.type(description="What signing in answers.")
class AuthenticatePayload:
    """`fit.authentication.get_token`."""

    api_token: str | None = field("The token, shown this once.")
    errors: list[UserError] = field("Why there is no token; empty when there is.")


async def _found(
    _context: Context,
    *,
    search: Annotated[str | None, describe("Text in full name or e-mail, in any case.")] = None,
) -> ColumnElement[bool] | None:
    return contains(models.User, search)


@strawberry.type
class Query:
    """Reading organizations."""

    me: User | None = USERS.mine("user_id", "The signed-in user (`fit.users.get_me`).")
    user: User | None = USERS.get()
    users: Page[User] | None = USERS.page(_found, order="full_name", needs=Permission.MANAGE_USERS)
    audit_event: audit.AuditEvent | None = AUDIT.get(needs=Permission.AUDIT)
    audit_events: Page[audit.AuditEvent] | None = AUDIT.page(
        audit.found, order="occurred_at", descends=True, needs=Permission.AUDIT
    )
    organization: Organization | None = Resource(Organization).mine(
        "organization_id",
        "Your own organization (`fit.agencies.get_mine`).",
        needs=Permission.ORGANIZATION,
        also_by_id=True,
    )
    application: Application | None = APPLICATIONS.get(needs=Permission.MANAGE_APPLICATIONS)
    applications: Page[Application] | None = APPLICATIONS.page(order="name", needs=Permission.MANAGE_APPLICATIONS)
    access_token: AccessToken | None = Resource(AccessToken).mine(
        "access_token_id",
        "The access token that you send; superusers name any of the organization's by id.",
        needs=Permission.API_KEYS,
        also_by_id=True,
    )
    api_key: ApiKey | None = Resource(ApiKey).get(needs=Permission.API_KEYS)
    api_keys: list[ApiKey] | None = computed(api_keys.own_api_keys, needs=Permission.APPLICATION, size=100)


@strawberry.type
class Mutation:
    """Changing organizations."""

    authenticate: AuthenticatePayload | None = action(service.authenticate, needs=None)
    create_user: Payload[User] | None = action(service.create_user, needs=Permission.MANAGE_USERS)
    update_user: Payload[User] | None = action(service.update_user, needs=Permission.CARE)
    delete_user: DeletePayload | None = action(service.delete_user, needs=Permission.MANAGE_USERS)
    add_user_role: Payload[User] | None = action(service.add_role, needs=Permission.MANAGE_USERS)
    create_application: SecretPayload[Application] | None = action(
        applications.create_application, needs=Permission.MANAGE_APPLICATIONS
    )
    update_application: Payload[Application] | None = action(
        applications.update_application, needs=Permission.MANAGE_APPLICATIONS
    )
    rotate_application_secret: SecretPayload[Application] | None = action(
        applications.rotate_secret, needs=Permission.MANAGE_APPLICATIONS
    )
    delete_application: DeletePayload | None = action(
        applications.delete_application, needs=Permission.MANAGE_APPLICATIONS
    )
    revoke_access_token: Payload[AccessToken] | None = action(
        applications.revoke_access_token, needs=Permission.MANAGE_APPLICATIONS
    )
    create_api_key: SecretPayload[ApiKey] | None = action(api_keys.create_api_key, needs=Permission.APPLICATION_SECRET)
    delete_api_key: DeletePayload | None = action(api_keys.delete_api_key, needs=Permission.API_KEYS)
    remove_user_role: Payload[User] | None = action(service.remove_role, needs=Permission.MANAGE_USERS)
