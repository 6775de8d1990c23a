"""GraphQL types of organizations and users."""

import enum
from datetime import datetime

import strawberry

from caregraph.auth.viewer import Permission
from caregraph.db.base import table_of
from caregraph.graph.context import Info
from caregraph.graph.fields import field, member, method
from caregraph.graph.loaders import Link, RowById, RowsByParent
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page, Window
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import EmailAddress, PhoneNumber, Url
from caregraph.refs import ClientRef, EpisodeRef, LocationRef, OrganizationRef, UserRef

from . import models
from .enums import StaffGender, Vertical
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

    Of other users one sees id, e-mail and names. What is known of them at work is null except to managers, superusers
    and applications; what is personal is null except to superusers.
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
