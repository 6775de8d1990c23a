"""The viewer: the one immutable answer to who asks and what they may do."""

import enum
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

EVERYTHING = "all"
"""The scope that stands for all others."""


class Permission(enum.Enum):
    """What a verb or a field can ask of its viewer. The value is how descriptions name it."""

    PERSON = "signed-in person, also one without an account"
    ACCOUNT = "signed-in person, with or without an organization"
    MEMBER = "signed-in person or application, with or without an organization"
    CARE = "signed-in user or application of an organization"
    ORGANIZATION = "superuser: everything in the organization"
    MANAGE_USERS = "superuser: users and roles"
    MANAGE_LABELS = "superuser: labels"
    MANAGE_APPLICATIONS = "superuser: applications and their secrets"
    MANAGE_ORGANIZATION = "manager: `MANAGE_ORGANIZATION` or superuser"
    MANAGE_LOCATION = "`MANAGE_LOCATION` or manager"
    LIST_USERS = "manager, superuser or application"
    CREATE_DEPLOYMENT = "`CREATE_DEPLOYMENT` or superuser"
    CREATE_ASSESSMENT = "`CREATE_ASSESSMENT` or superuser"
    ASSESSMENT_AUTHOR = "`ASSESSMENT_AUTHOR` or superuser"
    API_KEYS = "application by its API key or access token, or superuser"
    AUDIT = "superuser or auditor: the organization's audit"
    APPLICATION = "application by its API key or access token"
    APPLICATION_SECRET = "application by its key and secret (HTTP Basic)"  # noqa: S105 a description
    RESPOND = "deployment session token"
    CALCULATE = "calculator credentials"


GRANTABLE = {
    permission.name: frozenset({permission})
    for permission in (
        Permission.CREATE_DEPLOYMENT,
        Permission.CREATE_ASSESSMENT,
        Permission.MANAGE_LOCATION,
        Permission.ASSESSMENT_AUTHOR,
    )
} | {
    "MANAGE_ORGANIZATION": frozenset(
        {Permission.MANAGE_ORGANIZATION, Permission.MANAGE_LOCATION, Permission.LIST_USERS}
    )
}
"""What each key that a membership can be granted amounts to."""

IDENTITY_PERMISSIONS = frozenset({Permission.PERSON})
"""Of a person whom an identity provider vouches for, as long as they have no account."""
ACCOUNT_PERMISSIONS = IDENTITY_PERMISSIONS | {Permission.ACCOUNT, Permission.MEMBER}
USER_PERMISSIONS = ACCOUNT_PERMISSIONS | {Permission.CARE}
SUPERUSER_PERMISSIONS = USER_PERMISSIONS.union(
    {
        Permission.ORGANIZATION,
        Permission.MANAGE_USERS,
        Permission.MANAGE_LABELS,
        Permission.MANAGE_APPLICATIONS,
        Permission.API_KEYS,
        Permission.AUDIT,
    },
    *GRANTABLE.values(),
)
GROUP_APPLICATION_PERMISSIONS = frozenset(
    {Permission.MEMBER, Permission.CARE, Permission.APPLICATION, Permission.API_KEYS, Permission.LIST_USERS}
)
APPLICATION_PERMISSIONS = GROUP_APPLICATION_PERMISSIONS | {Permission.ORGANIZATION, Permission.MANAGE_LABELS}
CALCULATOR_PERMISSIONS = frozenset({Permission.CALCULATE})


def today() -> date:
    """Today in UTC, the day every rule of one request agrees on."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person whom an identity provider vouches for, whether or not there is an account."""

    email: str
    subject: str
    full_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Whoever sends a request. Nobody has no organization and no permission, and so sees no row.

    `organization_id` is the organization in which the request acts, `organization_ids` are all in which the person is
    an enabled member. Null `group_ids` and `scopes` limit nothing.
    """

    organization_id: int | None = None
    organization_ids: tuple[int, ...] = ()
    user_id: int | None = None
    identity: Identity | None = None
    application_id: int | None = None
    access_token_id: int | None = None
    api_token_id: int | None = None
    deployment_session_id: int | None = None
    calculator_plan_id: int | None = None
    permissions: frozenset[Permission] = frozenset()
    group_ids: tuple[int, ...] | None = None
    scopes: frozenset[str] | None = None
    today: date = field(default_factory=today)

    @classmethod
    def nobody(cls) -> "Viewer":
        """A request without credentials."""
        return cls()

    @classmethod
    def system(cls, organization_id: int) -> "Viewer":
        """A job of the server itself, inside one organization."""
        return cls(
            organization_id=organization_id, organization_ids=(organization_id,), permissions=SUPERUSER_PERMISSIONS
        )

    def may(self, permission: Permission) -> bool:
        """Whether the viewer holds `permission`."""
        return permission in self.permissions

    def may_read(self, resource: str) -> bool:
        """Whether the credentials' scopes let rows of `resource` be read."""
        return self._reaches(f"{resource}.read")

    def may_write(self, resource: str) -> bool:
        """Whether the credentials' scopes let rows of `resource` be changed."""
        return self._reaches(f"{resource}.write")

    def _reaches(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes or EVERYTHING in self.scopes

    @property
    def unlimited(self) -> "Viewer":
        """The same viewer without scopes: for a change that its scopes already allow, whatever it has to read."""
        return self if self.scopes is None else replace(self, scopes=None)

    def joining(self, organization_id: int, *, user_id: int) -> "Viewer":
        """The same viewer once they belong to one more organization; they go on acting where they did."""
        return replace(
            self,
            user_id=user_id,
            organization_ids=tuple(sorted({*self.organization_ids, organization_id})),
            permissions=self.permissions | ACCOUNT_PERMISSIONS,
        )

    @property
    def is_nobody(self) -> bool:
        """Whether the request carried no credentials at all."""
        return not self.permissions


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A user's enabled place in an organization, as signing in reads it."""

    organization_id: int
    is_superuser: bool = False
    is_auditor: bool = False
    granted: frozenset[str] = frozenset()

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the roles and the granted keys amount to."""
        if self.is_superuser:
            return SUPERUSER_PERMISSIONS
        granted = USER_PERMISSIONS.union(*(GRANTABLE[key] for key in self.granted if key in GRANTABLE))
        return granted | {Permission.AUDIT} if self.is_auditor else granted


def user_viewer(*, user_id: int, here: Membership | None, memberships: Collection[Membership]) -> Viewer:
    """The viewer of a signed-in user; without `here` they have yet to say in which organization they act."""
    return Viewer(
        user_id=user_id,
        organization_id=None if here is None else here.organization_id,
        organization_ids=tuple(sorted(one.organization_id for one in memberships)),
        permissions=ACCOUNT_PERMISSIONS if here is None else here.permissions,
    )
