"""GraphQL types of organizations and users."""

import enum

import strawberry

from caregraph.db.base import table_of
from caregraph.graph.context import Info
from caregraph.graph.fields import field, member, method
from caregraph.graph.loaders import Link, RowById, RowsByParent
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page, Window
from caregraph.graph.relations import many
from caregraph.graph.scalars import EmailAddress
from caregraph.refs import ClientRef, EpisodeRef, UserRef

from . import models
from .permissions import GrantedPermission
from .policy import is_self_or_superuser

_MEMBERSHIP = Link(models.Membership, table_of(models.Membership).c.user_id)


@strawberry.enum(description="A role that a user holds in an organization. Ordinary users hold none.")
class Role(enum.Enum):
    """FIT's role names are in the descriptions; the value is the membership's column."""

    AGENCY_ADMIN = member("is_superuser", "Superuser. FIT role `agency_admin`.")
    AUDITING = member("is_auditor", "Kept for FIT's `auditing`; grants nothing.")
    DISABLED = member("is_disabled", "Can neither sign in nor use a token. FIT `disabled`.")


def roles_of(membership: models.Membership) -> list[Role]:
    """The roles that a membership carries."""
    return [role for role in Role if getattr(membership, role.value)]


@node(models.Organization)
class Organization(Node):
    """An organization (FIT: agency): the users who work there and the clients they serve. Superusers see their own."""

    name: str = field("Name of the organization.")
    users: Page[UserRef] = many(description="Users who work here.", through="memberships", order="full_name", size=100)
    clients: Page[ClientRef] = many(
        "clients.organization_id", description="Clients of the organization.", order="full_name", size=2000
    )
    episodes: Page[EpisodeRef] = many(
        "episodes.organization_id", description="Episodes of the organization.", order="start_date", size=5000
    )


@node(
    models.User,
    where=(models.User.email, models.User.full_name),
    order_by=(models.User.full_name, models.User.email),
)
class User(Node):
    """A therapist, coach or worker with an account.

    Of other users one sees id, e-mail and full name; the other fields are null, except to superusers.
    """

    email: EmailAddress = field("E-mail to sign in with, in lower case; unique among all users.")
    full_name: str = field("Full name.")
    gdpr_approval: bool | None = field("Whether the user approved data processing.", visible_to=is_self_or_superuser)
    locale: str | None = field("Language tag, such as `da`.", visible_to=is_self_or_superuser)
    time_zone: str | None = field("IANA time zone, such as `Europe/Copenhagen`.", visible_to=is_self_or_superuser)
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

    @method("Roles held in your organization; empty for an ordinary user.")
    async def roles(self: models.User, info: Info) -> list[Role] | None:
        """Null to other ordinary users."""
        if not is_self_or_superuser(info.context.viewer, self):
            return None
        found = await info.context.load(RowsByParent(_MEMBERSHIP, Window(limit=1)), self.id)
        return roles_of(found.rows[0]) if found.rows else []

    @method("The organization in which you see the user: your own; null except to superusers.")
    async def organization(self: models.User, info: Info) -> Organization | None:
        """Memberships elsewhere are never shown."""
        context = info.context
        return await context.load(RowById(models.Organization), context.viewer.organization_id)  # type: ignore[no-any-return]
