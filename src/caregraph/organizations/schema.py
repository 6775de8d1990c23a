"""Root fields of organizations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, SecretPayload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.errors import UserError, demand
from caregraph.graph.fields import describe, field
from caregraph.graph.loaders import RowById
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import (
    acceptance,
    api_keys,
    applications,
    audit,
    features,
    founding,
    invitations,
    models,
    permissions,
    places,
    service,
)
from .acceptance import AcceptInvitationPayload
from .features import FeatureFlag
from .invitations import Invitation
from .permissions import GrantedPermission
from .person import CurrentUser, current_user
from .types import AccessToken, ApiKey, ApiToken, Application, Location, Organization, User

USERS = Resource(User)
ORGANIZATIONS = Resource(Organization)
LOCATIONS = Resource(Location)
API_TOKENS = Resource(ApiToken)
APPLICATIONS = Resource(Application)
PERMISSIONS = Resource(GrantedPermission)
INVITATIONS = Resource(Invitation)
FEATURES = Resource(FeatureFlag)
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
    api_token: ApiToken | None = API_TOKENS.get()
    api_tokens: Page[ApiToken] | None = API_TOKENS.page()
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
    create_organization: Payload[Organization] | None = action(founding.create_organization, needs=Permission.PERSON)
    create_organization_for_user: Payload[Organization] | None = action(
        founding.create_organization_for_user, needs=Permission.PERSON
    )
    update_organization: Payload[Organization] | None = action(
        places.update_organization, needs=Permission.MANAGE_ORGANIZATION
    )
    create_location: Payload[Location] | None = action(places.create_location, needs=Permission.MANAGE_LOCATION)
    update_location: Payload[Location] | None = action(places.update_location, needs=Permission.MANAGE_LOCATION)
    sign_out: SignOutPayload | None = action(service.sign_out, needs=Permission.ACCOUNT)
    sign_user_out: Payload[User] | None = action(service.sign_user_out, needs=Permission.MANAGE_USERS)
    revoke_api_token: DeletePayload | None = action(service.revoke_api_token, needs=Permission.CARE)
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
