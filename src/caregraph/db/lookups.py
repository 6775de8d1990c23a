"""The few look-ups that no tenant holds, by secret, e-mail or account: on PostgreSQL `SECURITY DEFINER` functions.

Each reads global tables past row-level security and answers for the one account asked for; a migration creates the
functions, this list is all of them: `caregraph_api_token`, `caregraph_identified`, `caregraph_calculator`,
`caregraph_account`, `caregraph_application`, `caregraph_bearer`, `caregraph_session_token`,
`caregraph_invitation` before a tenant is known;
`caregraph_person`, everything of the caller's own account; `caregraph_works_elsewhere`, yes or no;
`caregraph_used_elsewhere`, which of an organization's own content others use, not who; `caregraph_others`, which
content of others the tenant reads.
For the owner of the tables alone is `caregraph_organization_ids`, where commands begin that go through all tenants.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import create_async_engine

from caregraph.auth import scopes
from caregraph.auth.applications import Application, ApplicationSecrets
from caregraph.auth.tokens import SignedInUser
from caregraph.auth.viewer import Membership

from .direct import Text
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
USES = {
    "assessments": (("answer_sets", "assessment_id"), ("related_assessments", "related_id")),
    "domains": (("assessment_domains", "domain_id"),),
    "scales": (("assessment_scales", "scale_id"), ("domain_scales", "scale_id")),
    "items": (("assessment_items", "item_id"), ("item_scales", "item_id"), ("item_responses", "item_id")),
}
"""How other organizations can use each kind of content: by which column of which table."""
_STATEMENTS = {
    "api_token": (
        "SELECT t.id AS token_id, " + _MEMBERSHIP + " FROM api_tokens t"  # noqa: S608 our names
        " JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id"
        " WHERE t.token_hash = :secret AND u.email = :email AND u.api_enabled AND NOT m.is_disabled"
        " AND (t.expires_at IS NULL OR t.expires_at > CURRENT_TIMESTAMP)"
        " AND (m.signed_out_at IS NULL OR m.signed_out_at < t.created_at)"
        " ORDER BY m.id"
    ),
    "identified": (
        "SELECT u.id AS account_id, u.api_enabled, " + _MEMBERSHIP + " FROM users u"  # noqa: S608 our names
        " LEFT JOIN memberships m ON m.user_id = u.id AND NOT m.is_disabled"
        " AND (m.signed_out_at IS NULL OR m.signed_out_at <= :issued)"
        " AND (u.signed_out_at IS NULL OR u.signed_out_at <= :issued)"
        " WHERE u.email = :email ORDER BY m.id"
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
    "invitation": (
        "SELECT i.id, i.organization_id, u.id AS user_id FROM invitations i LEFT JOIN users u ON u.email = i.email"
        " WHERE i.token_hash = :secret AND i.accepted_at IS NULL AND i.expires_at > CURRENT_TIMESTAMP"
    ),
    "person": (
        f"SELECT {_MEMBERSHIP}, u.email, u.full_name, u.first_name, u.last_name,"  # noqa: S608 our own text
        " u.password_is_own OR u.password_hash = '!' AS has_own_password FROM users u"
        " JOIN memberships m ON m.user_id = u.id WHERE u.id = :user_id AND NOT m.is_disabled ORDER BY m.id"
    ),
    "works_elsewhere": (
        "SELECT EXISTS (SELECT 1 FROM memberships m"
        " WHERE m.user_id = :user_id AND m.organization_id <> :organization_id) AS elsewhere"
    ),
    "used_elsewhere": " UNION ALL ".join(
        f"SELECT c.id FROM {table} c WHERE :kind = '{table}' AND c.organization_id = :organization_id"  # noqa: S608
        " AND c.id IN (SELECT value FROM json_each('[' || :content_ids || ']')) AND ("
        + " OR ".join(
            f"EXISTS (SELECT 1 FROM {use} u WHERE u.{column} = c.id AND u.organization_id <> c.organization_id)"  # noqa: S608
            for use, column in uses
        )
        + ")"
        for table, uses in USES.items()
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
_MEMBER = ("user_id", "organization_id", "is_superuser", "is_auditor", "granted")
_PROGRAM = ("id", "organization_id", "scopes", "is_limited_to_groups", "group_ids")
_COLUMNS = {
    "api_token": ("token_id", *_MEMBER),
    "identified": ("account_id", "api_enabled", *_MEMBER),
    "calculator": ("id", "organization_id"),
    "account": ("user_id", "password_hash", "api_enabled", "organization_id"),
    "invitation": ("id", "organization_id", "user_id"),
    "person": (*_MEMBER, "email", "full_name", "first_name", "last_name", "has_own_password"),
    "works_elsewhere": ("elsewhere",),
    "used_elsewhere": ("id",),
    "application": (*_PROGRAM, "public_key", "secret_hash", "sealed"),
    "bearer": (*_PROGRAM, "access_token_id", "granted"),
    "session_token": ("deployment_session_id", "organization_id"),
}
"""What each look-up selects, in this order."""
Execute = Callable[[TextClause], Awaitable[Any]]
"""How a statement is sent: by a transaction or by the operation's snapshot."""


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


@dataclass(frozen=True)
class Person:
    """A signed-in person's own account, and every organization in which they are enabled."""

    email: str
    full_name: str
    first_name: str | None
    last_name: str | None
    has_own_password: bool
    """Whether nobody else can sign in as the person: they set the password themselves, or there is none."""
    memberships: Sequence[Membership]


async def person(execute: Execute, database: Database, user_id: int) -> Person | None:
    """The account of `user_id`, who must be the one that asks: it is read across all organizations.

    Null if it has just been disabled in all of them.
    """
    rows = (await _asked(execute, database, "person", user_id=user_id)).all()
    if not rows:
        return None
    first = rows[0]
    names = first.email, first.full_name, first.first_name, first.last_name
    return Person(*names, bool(first.has_own_password), [_membership(row) for row in rows])


async def used_elsewhere(
    execute: Execute, database: Database, *, kind: str, content_ids: Sequence[int], organization_id: int
) -> set[int]:
    """Which of an organization's own assessments, domains, scales or items other organizations use."""
    asked = {"kind": kind, "content_ids": ",".join(map(str, content_ids)), "organization_id": organization_id}
    return set((await _asked(execute, database, "used_elsewhere", **asked)).scalars())


async def works_elsewhere(execute: Execute, database: Database, *, user_id: int, organization_id: int) -> bool:
    """Whether an account also has a place in another organization than this one, enabled there or not."""
    asked = {"user_id": user_id, "organization_id": organization_id}
    return bool((await _asked(execute, database, "works_elsewhere", **asked)).scalar_one())


class SignInLookups:
    """Runs the look-ups, each as one statement by itself: every request that signs in waits for one."""

    def __init__(self, database: Database) -> None:
        """On top of `database`."""
        self._database = database
        self._texts: dict[str, Text] = {}

    async def api_token(self, email: str, token_hash: str) -> SignedInUser | None:
        """The user of a live token of an enabled account."""
        rows = await self._rows("api_token", email=email, secret=token_hash)
        if not rows:
            return None
        return SignedInUser(rows[0].user_id, [_membership(row) for row in rows], api_token_id=rows[0].token_id)

    async def identified(self, email: str, issued_at: datetime) -> SignedInUser | None:
        """The account of a person, with the memberships for which a token from `issued_at` holds; null without one."""
        # SQLite keeps times as text without a zone.
        issued = issued_at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        rows = await self._rows("identified", email=email, issued=issued if self._database.is_sqlite else issued_at)
        if not rows:
            return None
        held = [_membership(row) for row in rows if row.api_enabled and row.organization_id is not None]
        return SignedInUser(rows[0].account_id, held)

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

    async def _rows(self, name: str, **arguments: str | datetime) -> list[Any]:
        if any(isinstance(value, str) and "\x00" in value for value in arguments.values()):
            return []  # PostgreSQL has no such text
        known = self._texts.get(name)
        if known is None:
            known = self._texts[name] = Text.of(
                _statement(self._database, name, arguments), self._database.dialect, *arguments, signs_in=True
            )
        lent = self._database.lent()
        try:
            found = await lent.rows(known, arguments)
            return [SimpleNamespace(**dict(zip(_COLUMNS[name], row, strict=True))) for row in found]
        finally:
            await lent.close()


async def _asked(execute: Execute, database: Database, name: str, **arguments: Any) -> Any:
    return await execute(_statement(database, name, arguments).bindparams(**arguments))


def _statement(database: Database, name: str, arguments: Iterable[str]) -> TextClause:
    statement = _STATEMENTS[name]
    if not database.is_sqlite:
        columns, values = ", ".join(_COLUMNS[name]), ", ".join(f":{key}" for key in arguments)
        statement = f"SELECT {columns} FROM caregraph_{name}({values})"  # noqa: S608 our names
    return text(statement)


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


async def organization_ids(database: Database) -> list[int]:
    """Every organization, for whoever may log in as the owner of the tables."""
    engine = create_async_engine(database.url)
    source = "organizations" if database.is_sqlite else "caregraph_organization_ids() AS o (id)"
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(text(f"SELECT id FROM {source} ORDER BY id"))).scalars())  # noqa: S608 our names
    finally:
        await engine.dispose()
