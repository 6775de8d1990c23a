"""The few look-ups before a tenant is known, by secret or e-mail: on PostgreSQL `SECURITY DEFINER` functions.

Each reads global tables past row-level security and returns ids only for the one account asked for; a migration
creates the functions, this list is all of them: `caregraph_api_token`, `caregraph_calculator`, `caregraph_account`,
`caregraph_invitation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from caregraph.auth.tokens import SignedInUser
from caregraph.auth.viewer import Membership, Viewer

from .session import Database

# What signing in reads of a membership; granted keys with commas between.
_MEMBERSHIP = (
    "m.user_id, m.organization_id, m.is_superuser, m.is_auditor,"
    " (SELECT group_concat(g.key) FROM granted_permissions g"
    " WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id) AS granted"
)
_STATEMENTS = {
    "api_token": (
        "SELECT " + _MEMBERSHIP + " FROM api_tokens t"  # noqa: S608 our names
        " JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id"
        " WHERE t.token_hash = :secret AND u.email = :email AND u.api_enabled AND NOT m.is_disabled"
        " AND (t.expires_at IS NULL OR t.expires_at > CURRENT_TIMESTAMP)"
        " AND (m.signed_out_at IS NULL OR m.signed_out_at < t.created_at)"
        " ORDER BY m.id"
    ),
    "calculator": (
        "SELECT p.id, p.organization_id FROM calculator_plans p WHERE p.token_hash = :secret AND p.email = :email"
    ),
    "account": (
        "SELECT u.id AS user_id, u.password_hash, u.api_enabled, m.organization_id FROM users u"
        " JOIN memberships m ON m.user_id = u.id"
        " WHERE u.email = :email AND NOT m.is_disabled ORDER BY m.id LIMIT 1"
    ),
    "invitation": (
        "SELECT i.id, i.organization_id, u.id AS user_id FROM invitations i LEFT JOIN users u ON u.email = i.email"
        " WHERE i.token_hash = :secret AND i.accepted_at IS NULL AND i.expires_at > CURRENT_TIMESTAMP"
    ),
}


@dataclass(frozen=True)
class Account:
    """What signing in has to know of a user."""

    user_id: int
    password_hash: str
    api_enabled: bool
    organization_id: int


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation that can be accepted, and the account that its e-mail has, if any."""

    id: int
    organization_id: int
    user_id: int | None


class SignInLookups:
    """Runs the look-ups, each in its own short transaction."""

    def __init__(self, database: Database) -> None:
        """On top of `database`."""
        self._database = database

    async def api_token(self, email: str, token_hash: str) -> SignedInUser | None:
        """The user of a live token of an enabled account."""
        rows = await self._rows("api_token", email=email, secret=token_hash)
        return SignedInUser(rows[0].user_id, [_membership(row) for row in rows]) if rows else None

    async def calculator(self, email: str, token_hash: str) -> tuple[int, int] | None:
        """Plan and organization of calculator credentials."""
        rows = await self._rows("calculator", email=email, secret=token_hash)
        return (rows[0].id, rows[0].organization_id) if rows else None

    async def account(self, email: str) -> Account | None:
        """The account that may sign in with `email`."""
        rows = await self._rows("account", email=email)
        if not rows:
            return None
        row = rows[0]
        return Account(row.user_id, row.password_hash, bool(row.api_enabled), row.organization_id)

    async def invitation(self, token_hash: str) -> OpenInvitation | None:
        """The invitation of a token, as long as it is neither accepted nor expired."""
        rows = await self._rows("invitation", secret=token_hash)
        return OpenInvitation(rows[0].id, rows[0].organization_id, rows[0].user_id) if rows else None

    async def _rows(self, name: str, **arguments: str) -> Sequence[Any]:
        statement = _STATEMENTS[name]
        if not self._database.is_sqlite:
            statement = f"SELECT * FROM caregraph_{name}({', '.join(f':{key}' for key in arguments)})"  # noqa: S608 our names
        async with self._database.read_session(Viewer.nobody()) as session:
            return (await session.execute(text(statement).execution_options(signs_in=True), arguments)).all()


def _membership(row: Any) -> Membership:
    return Membership(
        organization_id=row.organization_id,
        is_superuser=bool(row.is_superuser),
        is_auditor=bool(row.is_auditor),
        granted=frozenset(row.granted.split(",")) if row.granted else frozenset(),
    )
