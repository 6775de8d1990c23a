"""Root fields of organizations."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.errors import UserError
from caregraph.graph.fields import describe, field
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import acceptance, features, invitations, models, permissions, service
from .acceptance import AcceptInvitationPayload
from .features import FeatureFlag
from .invitations import Invitation
from .permissions import GrantedPermission
from .types import Organization, User

USERS = Resource(User)
PERMISSIONS = Resource(GrantedPermission)
INVITATIONS = Resource(Invitation)
FEATURES = Resource(FeatureFlag)


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
    organization: Organization | None = Resource(Organization).mine(
        "organization_id",
        "Your own organization (`fit.agencies.get_mine`).",
        needs=Permission.ORGANIZATION,
        also_by_id=True,
    )
    granted_permission: GrantedPermission | None = PERMISSIONS.get()
    user_permissions: Page[GrantedPermission] | None = PERMISSIONS.page(
        permissions.of_user,
        order="key",
        needs=Permission.MANAGE_ORGANIZATION,
        description="What a user was granted in your organization (`gloo.permissions.list_for_user`).",
    )
    open_invitation: Invitation | None = computed(acceptance.open_invitation)
    invitation: Invitation | None = INVITATIONS.get(needs=Permission.MANAGE_ORGANIZATION)
    invitations: Page[Invitation] | None = INVITATIONS.page(
        invitations.pending,
        needs=Permission.MANAGE_ORGANIZATION,
        description="Invitations that nobody has accepted yet, expired ones too (`gloo.invitations.list_pending`).",
    )
    features: list[str] | None = computed(features.features, size=features.MOST_FEATURES)
    feature_flag: FeatureFlag | None = FEATURES.get()
    feature_flags: Page[FeatureFlag] | None = FEATURES.page(
        order="name", description="Features that your organization has switched and that you may see, page by page."
    )


@strawberry.type
class Mutation:
    """Changing organizations."""

    authenticate: AuthenticatePayload | None = action(service.authenticate, needs=None)
    create_user: Payload[User] | None = action(service.create_user, needs=Permission.MANAGE_USERS)
    update_user: Payload[User] | None = action(service.update_user, needs=Permission.CARE)
    delete_user: DeletePayload | None = action(service.delete_user, needs=Permission.MANAGE_USERS)
    add_user_role: Payload[User] | None = action(service.add_role, needs=Permission.MANAGE_USERS)
    remove_user_role: Payload[User] | None = action(service.remove_role, needs=Permission.MANAGE_USERS)
    set_user_permissions: Payload[User] | None = action(
        permissions.set_user_permissions, needs=Permission.MANAGE_ORGANIZATION
    )
    create_invitation: Payload[Invitation] | None = action(
        invitations.create_invitation, needs=Permission.MANAGE_ORGANIZATION
    )
    resend_invitation: Payload[Invitation] | None = action(
        invitations.resend_invitation, needs=Permission.MANAGE_ORGANIZATION
    )
    delete_invitation: DeletePayload | None = action(
        invitations.delete_invitation, needs=Permission.MANAGE_ORGANIZATION
    )
    accept_invitation: AcceptInvitationPayload | None = action(acceptance.accept_invitation, needs=None)
    switch_feature: Payload[FeatureFlag] | None = action(features.switch_feature, needs=Permission.MANAGE_ORGANIZATION)
