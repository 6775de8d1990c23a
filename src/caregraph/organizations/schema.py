"""Root fields of organizations."""

from datetime import datetime
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.errors import UserError
from caregraph.graph.fields import describe, field
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import audit, models, service
from .types import ApiToken, Organization, User

USERS = Resource(User)
API_TOKENS = Resource(ApiToken)
AUDIT = Resource(audit.AuditEvent)


@strawberry.type(description="What signing in answers.")
class AuthenticatePayload:
    """`fit.authentication.get_token`."""

    api_token: str | None = field("The token, shown this once.")
    expires_at: datetime | None = field("When the token ends; null: not before it is revoked.")
    errors: list[UserError] = field("Why there is no token; empty when there is.")


@strawberry.type(description="What signing out answers.")
class SignOutPayload:
    """`fit.authentication` has no call that revokes."""

    revoked_count: int | None = field("How many API tokens were revoked; null when refused.")
    errors: list[UserError] = field("Why nothing was revoked; empty when it was.")


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
    api_token: ApiToken | None = API_TOKENS.get()
    api_tokens: Page[ApiToken] | None = API_TOKENS.page()
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


@strawberry.type
class Mutation:
    """Changing organizations."""

    authenticate: AuthenticatePayload | None = action(service.authenticate, needs=None)
    sign_out: SignOutPayload | None = action(service.sign_out, needs=Permission.ACCOUNT)
    sign_user_out: Payload[User] | None = action(service.sign_user_out, needs=Permission.MANAGE_USERS)
    revoke_api_token: DeletePayload | None = action(service.revoke_api_token, needs=Permission.CARE)
    create_user: Payload[User] | None = action(service.create_user, needs=Permission.MANAGE_USERS)
    update_user: Payload[User] | None = action(service.update_user, needs=Permission.CARE)
    delete_user: DeletePayload | None = action(service.delete_user, needs=Permission.MANAGE_USERS)
    add_user_role: Payload[User] | None = action(service.add_role, needs=Permission.MANAGE_USERS)
    remove_user_role: Payload[User] | None = action(service.remove_role, needs=Permission.MANAGE_USERS)
