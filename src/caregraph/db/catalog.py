"""What PostgreSQL's catalogs say about roles, tables and rights: read as whoever the server connects as."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from .session import APP_ROLE, Database


@dataclass(frozen=True)
class Role:
    """A role's rights beyond grants."""

    name: str
    is_superuser: bool
    passes_row_rules: bool
    can_log_in: bool
    owned: str | None
    """One of the tables that it owns, itself or through another role."""


@dataclass(frozen=True)
class TableState:
    """Whether row-level security holds on a table, also for its owner, and what the server's role lacks on it."""

    name: str
    is_enabled: bool
    is_forced: bool
    may_select: bool


@dataclass(frozen=True)
class Policy:
    """A rule about rows."""

    table: str
    name: str
    roles: tuple[str, ...]
    is_permissive: bool
    using: str | None
    check: str | None


@dataclass(frozen=True)
class Grant:
    """A right that somebody besides the owner has on a table."""

    table: str
    grantee: str
    privilege: str


@dataclass(frozen=True)
class Definer:
    """A function that runs with its owner's rights."""

    name: str
    fixes_search_path: bool
    is_public: bool


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything that is asked of a database."""

    login: Role
    app: Role | None
    can_become_app: bool
    uses_tls: bool
    now: datetime
    tables: Mapping[str, TableState]
    policies: tuple[Policy, ...]
    grants: tuple[Grant, ...]
    definers: tuple[Definer, ...]
    schema_creators: tuple[str, ...]
    """`PUBLIC` and the server's role, if they may create objects beside the tables."""


_ROLE = """
SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, (
    SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    AND pg_has_role(r.oid, c.relowner, 'MEMBER') ORDER BY c.relname LIMIT 1)
FROM pg_roles r WHERE rolname = coalesce(:name, current_user)
"""
_TABLES = """
SELECT relname, relrowsecurity, relforcerowsecurity,
    coalesce(has_table_privilege((SELECT oid FROM pg_roles WHERE rolname = :app), oid, 'SELECT'), false)
FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
_POLICIES = """
SELECT tablename, policyname, roles::text[], permissive = 'PERMISSIVE', qual, with_check FROM pg_policies
WHERE schemaname = current_schema() ORDER BY tablename, policyname
"""
_GRANTS = """
SELECT c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, a.privilege_type
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.grantee <> c.relowner
ORDER BY 1, 2, 3
"""
_DEFINERS = """
SELECT p.proname, EXISTS (SELECT FROM unnest(p.proconfig) one WHERE one LIKE 'search_path=%'),
    EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
            WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = current_schema()::regnamespace ORDER BY 1
"""
_SCHEMA_CREATORS = """
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
WHERE n.oid = current_schema()::regnamespace AND a.privilege_type = 'CREATE'
    AND (a.grantee = 0 OR pg_get_userbyid(a.grantee) = :app)
ORDER BY 1
"""
_SESSION = """
SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), clock_timestamp()
"""


async def read(database: Database) -> Catalog:
    """Read the catalogs of a PostgreSQL database."""
    engine = create_async_engine(database.url, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            return await _read(connection)
    finally:
        await engine.dispose()


async def _read(connection: AsyncConnection) -> Catalog:
    async def rows(statement: str, **parameters: Any) -> list[Any]:
        return list(await connection.execute(text(statement), parameters))

    [login] = await rows(_ROLE, name=None)
    app = await rows(_ROLE, name=APP_ROLE)
    [(uses_tls, clock)] = await rows(_SESSION)
    tables = [TableState(*row) for row in await rows(_TABLES, app=APP_ROLE)]
    return Catalog(
        login=Role(*login),
        app=Role(*app[0]) if app else None,
        uses_tls=uses_tls,
        now=clock,
        tables={one.name: one for one in tables},
        policies=tuple(Policy(table, name, tuple(roles), *more) for table, name, roles, *more in await rows(_POLICIES)),
        grants=tuple(Grant(*row) for row in await rows(_GRANTS)),
        definers=tuple(Definer(*row) for row in await rows(_DEFINERS)),
        schema_creators=tuple(name for (name,) in await rows(_SCHEMA_CREATORS, app=APP_ROLE)),
        can_become_app=await _can_become_app(connection),
    )


async def _can_become_app(connection: AsyncConnection) -> bool:
    """Tried rather than asked, as every transaction does it. The transaction ends with it."""
    try:
        await connection.execute(text("SELECT set_config('role', :app, true)"), {"app": APP_ROLE})
    except DBAPIError:
        return False
    finally:
        await connection.rollback()
    return True
