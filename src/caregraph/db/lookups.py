"""The few look-ups before a tenant is known, by secret or e-mail: on PostgreSQL `SECURITY DEFINER` functions.

Each reads global tables past row-level security and returns ids only for the one account asked for; a migration
creates the functions, this list is all of them: `caregraph_api_token`, `caregraph_calculator`, `caregraph_account`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, bindparam, text

from caregraph.auth.viewer import Viewer

from .direct import Text
from .session import Database

_STATEMENTS = {
    "api_token": (
        "SELECT m.user_id, m.organization_id, m.is_superuser FROM api_tokens t"
        " JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id"
        " WHERE t.token_hash = :secret AND u.email = :email AND u.api_enabled AND NOT m.is_disabled"
        " ORDER BY m.id LIMIT 1"
    ),
    "calculator": (
        "SELECT p.id, p.organization_id FROM calculator_plans p WHERE p.token_hash = :secret AND p.email = :email"
    ),
    "account": (
        "SELECT u.id, u.password_hash, u.api_enabled, m.organization_id FROM users u"
        " JOIN memberships m ON m.user_id = u.id"
        " WHERE u.email = :email AND NOT m.is_disabled ORDER BY m.id LIMIT 1"
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
        self._texts: dict[str, Text] = {}

    async def api_token(self, email: str, token_hash: str) -> tuple[int, int, bool] | None:
        """User, organization and superuser of a live token of an enabled account."""
        row = await self._one("api_token", email=email, secret=token_hash)
        return row and (row[0], row[1], bool(row[2]))

    async def calculator(self, email: str, token_hash: str) -> tuple[int, int] | None:
        """Plan and organization of calculator credentials."""
        row = await self._one("calculator", email=email, secret=token_hash)
        return row and (row[0], row[1])

    async def account(self, email: str) -> Account | None:
        """The account that may sign in with `email`."""
        row = await self._one("account", email=email)
        return row and Account(row[0], row[1], bool(row[2]), row[3])

    async def _one(self, name: str, **arguments: str) -> Any:
        snapshot = self._database.snapshot(Viewer.nobody())
        try:
            rows = await snapshot.rows(self._text(name, *arguments), arguments)
        finally:
            await snapshot.close()
        return tuple(rows[0]) if rows else None

    def _text(self, name: str, *arguments: str) -> Text:
        if name not in self._texts:
            statement = _STATEMENTS[name]
            if not self._database.is_sqlite:
                statement = f"SELECT * FROM caregraph_{name}({', '.join(f':{key}' for key in arguments)})"  # noqa: S608 our names
            made = text(statement).bindparams(*(bindparam(key, type_=String()) for key in arguments))
            self._texts[name] = Text.of(made, self._database.dialect, *arguments, signs_in=True)
        return self._texts[name]
