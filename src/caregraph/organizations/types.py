"""GraphQL types of organizations and users."""

import enum
from datetime import datetime

import strawberry

from caregraph.auth import scopes
from caregraph.auth.viewer import Permission
from caregraph.db.base import table_of
from caregraph.graph.computed import computed
from caregraph.graph.context import Info
from caregraph.graph.fields import field, member, method
from caregraph.graph.loaders import Link, RowById, RowsByParent
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page, Window
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import EmailAddress, PhoneNumber, Url
from caregraph.refs import (
    AccessTokenRef,
    ApiKeyRef,
    ApplicationRef,
    ClientRef,
    EpisodeRef,
    GroupRef,
    LocationRef,
    OrganizationRef,
    UserRef,
)

from . import models
from .enums import StaffGender, Vertical
from .permissions import GrantedPermission
from .policy import acts_in, is_self_or_superuser, works_with

_MEMBERSHIP = Link(models.Membership, table_of(models.Membership).c.user_id)


@strawberry.enum(description="A role that a user holds in an organization. Ordinary users hold none.")
class Role(enum.Enum):
    """FIT's role names are in the descriptions; the value is the membership's column."""

    AGENCY_ADMIN = member("is_superuser", "Superuser. FIT role `agency_admin`.")
    AUDITING = member(
        "is_auditor", "May read the organization's audit, and sees no more clients by it. FIT role `auditing`."
    )
    DISABLED = member("is_disabled", "Can neither sign in nor use a token. FIT `disabled`.")


def roles_of(membership: models.Membership) -> list[Role]:
    """The roles that a membership carries."""
    return [role for role in Role if getattr(membership, role.value)]


_ONLY_HERE = " Only of the organization that you act in (`X-Organization`); of another a `BAD_USER_INPUT`."


@node(
    models.Organization,
    where=(models.Organization.name, models.Organization.vertical, models.Organization.created_at),
    order_by=(
        models.Organization.id,
        models.Organization.name,
        models.Organization.vertical,
        models.Organization.individual_creator_id,
        models.Organization.created_at,
        models.Organization.updated_at,
    ),
)
class Organization(Node):
    """An organization (FIT: agency): the users who work there and the clients they serve. Its users see it."""

    name: str = field("Name of the organization.")
    vertical: Vertical = field("The sector it works in.")
    street: str | None = field("Street and number of its address.")
    city: str | None = field("City of its address.")
    state: str | None = field("State or province of its address.")
    postal_code: str | None = field("Postal code of its address.")
    created_at: datetime = field("When it was made.")
    updated_at: datetime = field("When it was last changed.")
    individual_creator: UserRef | None = one(
        "organizations.individual_creator_id",
        "The user whom an individual's organization was made for; null for any other, or for a user you do not see.",
    )
    locations: list[LocationRef] = many(
        "locations.organization_id", description="The locations where it works, by name.", order="name", size=3
    )
    users: Page[UserRef] | None = many(
        description="Users who work here." + _ONLY_HERE,
        through="memberships",
        order="full_name",
        size=100,
        needs=Permission.LIST_USERS,
        guard=acts_in,
    )
    clients: Page[ClientRef] | None = many(
        "clients.organization_id",
        description="Clients of the organization whom you see." + _ONLY_HERE,
        order="full_name",
        size=2000,
        guard=acts_in,
    )
    episodes: Page[EpisodeRef] | None = many(
        "episodes.organization_id",
        description="Episodes of the organization that you see." + _ONLY_HERE,
        order="start_date",
        size=5000,
        guard=acts_in,
    )

    @method("Whether it was made for one person (`gloo.organizations.create_for_user`).")
    def is_individual(self: models.Organization) -> bool:
        """Such an organization keeps its one location."""
        return self.individual_creator_id is not None


@node(models.Location, where=(models.Location.name,), order_by=(models.Location.name,))
class Location(Node):
    """A place where an organization works. All its users see it, whichever organization they act in."""

    name: str = field("Name of the location.")
    is_headquarters: bool = field("Whether it came with the organization.")
    street: str | None = field("Street and number.")
    city: str | None = field("City.")
    state: str | None = field("State or province.")
    postal_code: str | None = field("Postal code.")
    created_at: datetime = field("When it was recorded.")
    updated_at: datetime = field("When it was last changed.")
    organization: OrganizationRef = one("locations.organization_id", "The organization that works there.")


@node(
    models.User,
    where=(models.User.email, models.User.full_name),
    order_by=(models.User.full_name, models.User.email),
)
class User(Node):
    """A therapist, coach or worker with an account.

    Of other users one sees id, e-mail, names and groups. What is known of them at work is null except to managers,
    superusers and applications; what is personal is null except to superusers.
    """

    email: EmailAddress = field("E-mail to sign in with, in lower case; unique among all users.")
    full_name: str = field("Full name.")
    first_name: str | None = field("First name: of a full name given as one, all words but the last.")
    last_name: str | None = field("Last name: of a full name given as one, the last word; null if there is only one.")
    phone: PhoneNumber | None = field("Telephone number at work, E.164.", visible_to=works_with)
    gender: StaffGender | None = field("Gender as the user gives it.", visible_to=works_with)
    photo_url: Url | None = field("Address of a picture.", visible_to=works_with)
    created_at: datetime | None = field("When the account was made.", visible_to=works_with)
    updated_at: datetime | None = field("When the account was last changed.", visible_to=works_with)
    gdpr_approval: bool | None = field("Whether the user approved data processing.", visible_to=is_self_or_superuser)
    gdpr_approval_at: datetime | None = field(
        "When `gdprApproval` last changed; null when it never did.", visible_to=is_self_or_superuser
    )
    locale: str | None = field("Language tag, such as `da`.", visible_to=is_self_or_superuser)
    time_zone: str | None = field("IANA time zone, such as `Europe/Copenhagen`.", visible_to=works_with)
    api_enabled: bool | None = field("Whether the account may use the API.", visible_to=is_self_or_superuser)
    screen_lock_after_score: bool | None = field(
        "Whether the screen locks after a client has filled in a scale.", visible_to=is_self_or_superuser
    )
    screen_lock_code: str | None = field("Code that unlocks the screen.", visible_to=is_self_or_superuser)
    screen_lock_timeout: int | None = field(
        "Seconds without input until the screen locks; null: never.", visible_to=is_self_or_superuser
    )
    clients: Page[ClientRef] = many(
        description="Clients whom this user owns and you may see.", through="client_owners", order="full_name", size=50
    )
    permissions: Page[GrantedPermission] = many(
        "granted_permissions.user_id",
        description="What the user was granted in your organization, beside the roles; of others, to managers only.",
        order="key",
        size=5,
    )

    groups: list[GroupRef] = many(
        description="Groups that the user works with.", through="user_groups", order="name", size=2
    )

    @method("Roles held in your organization; empty for an ordinary user, null to other ordinary users.")
    async def roles(self: models.User, info: Info) -> list[Role] | None:
        """Part of what is known at work."""
        if not works_with(info.context.viewer, self):
            return None
        found = await info.context.load(RowsByParent(_MEMBERSHIP, Window(limit=1)), self.id)
        return roles_of(found.rows[0]) if found.rows else []

    @method("The organization in which you see the user: your own; null except to superusers.")
    async def organization(self: models.User, info: Info) -> Organization | None:
        """Memberships elsewhere are never shown."""
        context = info.context
        return await context.load(RowById(models.Organization), context.viewer.organization_id)  # type: ignore[no-any-return]


@node(models.ApiToken)
class ApiToken(Node):
    """An API token of yours, without the token itself, which `authenticate` shows once."""

    created_at: datetime = field("When `authenticate` gave it.")
    expires_at: datetime | None = field("When it ends; null: not before it is revoked.")

    @method("Whether this request is sent with it.")
    def is_current(self: models.ApiToken, info: Info) -> bool:
        """By the credentials, which name the row."""
        return info.context.viewer.api_token_id == self.id


@node(models.Application, order_by=(models.Application.name,))
class Application(Node):
    """A program that reads and writes the organization's data by itself. Seen by superusers, and by itself."""

    name: str = field("Name, unique within the organization.")
    key: str = field("Its public name when it signs in: OAuth's `client_id`.")
    is_enabled: bool = field("Whether it may sign in; without, all its tokens and keys are dead.")
    is_limited_to_groups: bool = field("Whether it reaches only the clients of its groups; none without a group.")
    public_key: str | None = field("Public key that its assertions may be signed with, as JWK.")
    created_at: datetime = field("When it was made.")
    last_used_at: datetime | None = field("When it last got an access token; null: never.")
    groups: list[GroupRef] = many(
        description="The groups that it reaches, if it is limited to groups.",
        through="application_groups",
        order="name",
    )
    api_keys: list[ApiKeyRef] = many("api_keys.application_id", description="Its API keys, at most 100.")
    access_tokens: Page[AccessTokenRef] = many(
        "access_tokens.application_id", description="Its access tokens, expired and revoked ones for a while too."
    )

    @method("What its tokens may at most, in alphabetical order: `clients.read`, …, or `all`.")
    async def scopes(self: models.Application) -> list[str]:
        """As a list."""
        return sorted(scopes.parsed(self.scopes))


@node(models.AccessToken)
class AccessToken(Node):
    """A bearer token that `/oauth/token` gave. Seen by superusers, and by itself."""

    created_at: datetime = field("When it was given.")
    expires_at: datetime = field("Until when it works.")
    revoked_at: datetime | None = field("When it was ended before its time; null: it was not.")
    application: ApplicationRef = one("access_tokens.application_id", "The application that it was given to.")
    organization: OrganizationRef | None = one(
        "access_tokens.organization_id", "The organization that it reaches (`fitbit.oauth.get_token_organization`)."
    )
    groups: list[GroupRef] | None = computed(
        "caregraph.people.tokens:groups_of_token",
        "The groups that it reaches, by name: those of an application that is limited to groups, else all of the"
        " organization (`fitbit.oauth.get_token_groups`).",
        size=10,
    )

    @method("What it was given for, in alphabetical order; what its application may no longer do, it may not either.")
    async def scopes(self: models.AccessToken) -> list[str]:
        """As a list."""
        return sorted(scopes.parsed(self.scopes))


@node(models.ApiKey)
class ApiKey(Node):
    """A bearer token that an application made for itself. The token itself is told by `createApiKey` alone."""

    created_at: datetime = field("When it was made.")
    expires_at: datetime | None = field("Until when it works; null: until it is deleted.")
    application: ApplicationRef = one("api_keys.application_id", "The application that it belongs to.")
