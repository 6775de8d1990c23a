"""The few look-ups before a tenant is known, by secret or e-mail: on PostgreSQL `SECURITY DEFINER` functions.

Each reads global tables past row-level security and returns ids only for the one account asked for; a migration
creates the functions, this list is all of them: `caregraph_api_token`, `caregraph_calculator`, `caregraph_account`,
`caregraph_application`, `caregraph_bearer`, `caregraph_session_token`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from caregraph.auth import scopes
from caregraph.auth.applications import Application, ApplicationSecrets
from caregraph.auth.tokens import SignedInUser
from caregraph.auth.viewer import Membership, Viewer

from .session import Database

# What signing in reads of a membership; granted keys with commas between.
_MEMBERSHIP = (
    "m.user_id, m.organization_id, m.is_superuser, m.is_auditor,"
    " (SELECT group_concat(g.key) FROM granted_permissions g"
    " WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id) AS granted"
)
# What signing in reads of an application; ids of its groups with commas between.
_APPLICATION = (
    "a.id, a.organization_id, a.scopes, a.is_limited_to_groups,"
    " (SELECT group_concat(g.group_id) FROM application_groups g"
    " WHERE g.organization_id = a.organization_id AND g.application_id = a.id) AS group_ids"
)
_OF_APPLICATION = "JOIN applications a ON a.organization_id = t.organization_id AND a.id = t.application_id"
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
        " AND p.revoked_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > CURRENT_TIMESTAMP)"
    ),
    "account": (
        "SELECT u.id AS user_id, u.password_hash, u.api_enabled, m.organization_id FROM users u"
        " JOIN memberships m ON m.user_id = u.id"
        " WHERE u.email = :email AND NOT m.is_disabled ORDER BY m.id LIMIT 1"
    ),
    "application": (
        f"SELECT {_APPLICATION}, a.public_key, s.secret_hash, s.sealed FROM applications a"  # noqa: S608
        " LEFT JOIN application_secrets s ON s.organization_id = a.organization_id AND s.application_id = a.id"
        " AND (s.expires_at IS NULL OR s.expires_at > CURRENT_TIMESTAMP)"
        " WHERE a.key = :key AND a.is_enabled"
    ),
    "bearer": (
        f"SELECT {_APPLICATION}, t.id AS access_token_id, t.scopes AS granted"  # noqa: S608
        f" FROM access_tokens t {_OF_APPLICATION}"
        " WHERE t.token_hash = :secret AND t.revoked_at IS NULL AND t.expires_at > CURRENT_TIMESTAMP AND a.is_enabled"
        f" UNION ALL SELECT {_APPLICATION}, NULL, a.scopes FROM api_keys t {_OF_APPLICATION}"
        " WHERE t.token_hash = :secret AND a.is_enabled"
        " AND (t.expires_at IS NULL OR t.expires_at > CURRENT_TIMESTAMP)"
    ),
    "session_token": (
        "SELECT t.deployment_session_id, t.organization_id FROM session_tokens t"
        " WHERE t.token_hash = :secret AND t.revoked_at IS NULL AND t.expires_at > CURRENT_TIMESTAMP"
    ),
}


@dataclass(frozen=True)
class Account:
    """What signing in has to know of a user."""

    user_id: int
    password_hash: str
    api_enabled: bool
    organization_id: int


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

    async def application(self, key: str) -> ApplicationSecrets | None:
        """What the enabled application with a key can prove itself with."""
        rows = await self._rows("application", key=key)
        if not rows:
            return None
        return ApplicationSecrets(
            application=_application(rows[0], granted=rows[0].scopes),
            key=key,
            hashes=[row.secret_hash for row in rows if row.secret_hash is not None],
            sealed=[row.sealed for row in rows if row.sealed is not None],
            public_key=rows[0].public_key,
        )

    async def bearer(self, token_hash: str) -> Application | None:
        """The enabled application of a live access token or API key."""
        rows = await self._rows("bearer", secret=token_hash)
        return _application(rows[0], granted=rows[0].granted, token_id=rows[0].access_token_id) if rows else None

    async def session_token(self, token_hash: str) -> tuple[int, int] | None:
        """Deployment session and organization of a live session token."""
        rows = await self._rows("session_token", secret=token_hash)
        return (rows[0].deployment_session_id, rows[0].organization_id) if rows else None

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


def _application(row: Any, *, granted: str, token_id: int | None = None) -> Application:
    """Its limits as they are now hold for tokens that were given before."""
    return Application(
        id=row.id,
        organization_id=row.organization_id,
        scopes=scopes.common(scopes.parsed(row.scopes), scopes.parsed(granted)),
        group_ids=_numbers(row.group_ids) if row.is_limited_to_groups else None,
        access_token_id=token_id,
    )


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(sorted(int(one) for one in text.split(","))) if text else ()
