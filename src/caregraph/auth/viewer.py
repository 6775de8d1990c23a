"""The viewer: the one immutable answer to who asks and what they may do."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime


class Permission(enum.Enum):
    """What a verb or a field can ask of its viewer. The value is how descriptions name it."""

    CARE = "signed-in user of an organization"
    ORGANIZATION = "superuser: everything in the organization"
    MANAGE_USERS = "superuser: users and roles"
    MANAGE_LABELS = "superuser: labels"
    AUDIT = "superuser or auditor: the organization's audit"
    CALCULATE = "calculator credentials"


USER_PERMISSIONS = frozenset({Permission.CARE})
SUPERUSER_PERMISSIONS = USER_PERMISSIONS | {
    Permission.ORGANIZATION,
    Permission.MANAGE_USERS,
    Permission.MANAGE_LABELS,
    Permission.AUDIT,
}
CALCULATOR_PERMISSIONS = frozenset({Permission.CALCULATE})


def today() -> date:
    """Today in UTC, the day every rule of one request agrees on."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Whoever sends a request. Nobody has no organization and no permission, and so sees no row."""

    organization_id: int | None = None
    user_id: int | None = None
    calculator_plan_id: int | None = None
    permissions: frozenset[Permission] = frozenset()
    today: date = field(default_factory=today)

    @classmethod
    def nobody(cls) -> "Viewer":
        """A request without credentials."""
        return cls()

    @classmethod
    def system(cls, organization_id: int) -> "Viewer":
        """A job of the server itself, inside one organization."""
        return cls(organization_id=organization_id, permissions=SUPERUSER_PERMISSIONS)

    def may(self, permission: Permission) -> bool:
        """Whether the viewer holds `permission`."""
        return permission in self.permissions

    @property
    def is_nobody(self) -> bool:
        """Whether the request carried no credentials at all."""
        return not self.permissions


def user_viewer(*, user_id: int, organization_id: int, is_superuser: bool, is_auditor: bool = False) -> Viewer:
    """The viewer of a signed-in user within one organization."""
    permissions = SUPERUSER_PERMISSIONS if is_superuser else USER_PERMISSIONS
    return Viewer(
        user_id=user_id,
        organization_id=organization_id,
        permissions=permissions | {Permission.AUDIT} if is_auditor else permissions,
    )
