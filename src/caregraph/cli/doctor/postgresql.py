"""Checks of a PostgreSQL database: who the server is there, and whether the net under our own mistakes still holds."""

import ipaddress
import socket
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import URL

from caregraph.db.base import Base, TenantRow, now, table_of
from caregraph.db.catalog import Catalog, Policy
from caregraph.db.session import APP_ROLE

from .findings import Finding, error, warning

_OWN_ROLE = f"Connect as a role of its own: CREATE ROLE caregraph_server LOGIN; GRANT {APP_ROLE} TO caregraph_server"
_MIGRATIONS = "Put it back as the migrations made it"
_TENANT = "app.organization_id"
# Tables without anybody's data: counters of attempts, keys of objects without a row, ids of rows that mails are due
# about, encryption keys' names, and Alembic's own.
_NOBODYS = {"sign_in_attempts", "file_garbage", "outgoing_mails", "encryption_keys", "alembic_version"}
_RIGHTS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
_LARGEST_DIFFERENCE = timedelta(seconds=10)

Findings = Iterator[Finding]


def login_role(catalog: Catalog) -> Findings:
    """The server connects as somebody whom row-level security holds for."""
    login = catalog.login
    if login.is_superuser:
        yield error("login-role", f"The server connects as {login.name}, a superuser: no rule holds for it", _OWN_ROLE)
    elif login.passes_row_rules:
        problem = f"The server connects as {login.name}, which has BYPASSRLS: row-level security does not hold for it"
        yield error("login-role", problem, f"ALTER ROLE {login.name} NOBYPASSRLS")
    elif login.owned is not None:
        problem = f"The server connects as {login.name}, which owns its tables and could switch their rules off"
        yield warning("login-role", problem, _OWN_ROLE)


def app_role(catalog: Catalog) -> Findings:
    """Every transaction takes a role that has no rights but those granted."""
    app = catalog.app
    if app is None:
        problem = f"There is no role {APP_ROLE}: no transaction can begin"
        yield error("app-role", problem, "Run caregraph migrate as a role that may create roles")
        return
    if not catalog.can_become_app:
        problem = f"{catalog.login.name} cannot SET ROLE {APP_ROLE}: no transaction can begin"
        yield error("app-role", problem, f"GRANT {APP_ROLE} TO {catalog.login.name}")
    if app.is_superuser or app.passes_row_rules:
        problem = f"{APP_ROLE} is a superuser or has BYPASSRLS: row-level security does not hold"
        yield error("app-role", problem, f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS")
    elif app.owned is not None:
        problem = f"{APP_ROLE} owns {app.owned}, or is a member of the role that does"
        yield error("app-role", problem, f"Take the tables, or the membership, from {APP_ROLE}")
    if app.can_log_in:
        problem = f"{APP_ROLE} can log in, past the server"
        yield error("app-role", problem, f"ALTER ROLE {APP_ROLE} NOLOGIN")


def row_security(catalog: Catalog) -> Findings:
    """Each table with somebody's data has its rule, for its owner too."""
    ruled = {one.table for one in catalog.policies if APP_ROLE in one.roles}
    for name in _guarded(catalog):
        table = catalog.tables[name]
        if not table.is_enabled:
            advice = f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
            yield error("row-security", f"{name} has no row-level security", advice)
        if not table.is_forced:
            advice = f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
            yield error("row-security", f"Row-level security of {name} does not hold for its owner", advice)
        if name not in ruled:
            yield error("row-security", f"{name} has no policy for {APP_ROLE}", _MIGRATIONS)


def policies(catalog: Catalog) -> Findings:
    """No rule lets rows of another organization through."""
    tenants = {table_of(one.class_).name for one in Base.registry.mappers if issubclass(one.class_, TenantRow)}
    for one in catalog.policies:
        if "public" in one.roles:
            problem = f"The policy {one.name} of {one.table} holds for everybody"
        elif APP_ROLE in one.roles and one.is_permissive and _lets_all_through(one, is_tenant=one.table in tenants):
            problem = f"The policy {one.name} of {one.table} lets rows of every organization through"
        else:
            continue
        yield error("policies", problem, f"DROP POLICY {one.name} ON {one.table}, or put back the migrations' own")


def grants(catalog: Catalog) -> Findings:
    """Rights on tables are those that the migrations gave."""
    for table, grantee, rights in _rights(catalog):
        listed = ", ".join(rights)
        if grantee == "PUBLIC":
            problem = f"Everybody has {listed} on {table}"
            yield error("grants", problem, f"REVOKE ALL ON {table} FROM PUBLIC")
        elif grantee != APP_ROLE:
            problem = f"{grantee} has {listed} on {table}, past the server and its audit"
            yield warning("grants", problem, f"REVOKE ALL ON {table} FROM {grantee}, unless it is meant to read there")
        elif extra := [one for one in rights if one not in _RIGHTS]:
            listed = ", ".join(extra)
            problem = f"{APP_ROLE} has {listed} on {table}, which no row rule limits"
            yield error("grants", problem, f"REVOKE {listed} ON {table} FROM {APP_ROLE}")
    for name in sorted(table.name for table in catalog.tables.values() if not table.may_select):
        if catalog.app is not None and name in Base.metadata.tables:
            yield error("grants", f"{APP_ROLE} may not read {name}", _MIGRATIONS)


def schema_rights(catalog: Catalog) -> Findings:
    """Nobody can put objects in the way of those that the server names."""
    for name in catalog.schema_creators:
        who = "Everybody" if name == "PUBLIC" else name
        problem = f"{who} may create objects in the schema of the tables, and so stand in for functions"
        yield error("schema-rights", problem, f"REVOKE CREATE ON SCHEMA of the tables FROM {name}")


def definers(catalog: Catalog) -> Findings:
    """Functions with their owner's rights name their schema, and are for the server only."""
    for one in catalog.definers:
        if not one.fixes_search_path:
            problem = f"The function {one.name} runs as its owner without a fixed search_path"
            yield error("definer-functions", problem, f"ALTER FUNCTION {one.name} SET search_path FROM CURRENT")
        if one.is_public:
            problem = f"Everybody may call the function {one.name}, which runs as its owner"
            yield error("definer-functions", problem, f"REVOKE ALL ON FUNCTION {one.name} FROM PUBLIC")


def clock(catalog: Catalog) -> Findings:
    """Both machines agree on the time."""
    difference = abs(catalog.now - now())
    if difference > _LARGEST_DIFFERENCE:
        problem = f"The clocks of the server and its database differ by {difference.total_seconds():.0f} seconds"
        yield warning("clock", problem, "Let both follow the same time servers: tokens expire by these clocks")


def transport(catalog: Catalog, url: URL) -> Findings:
    """What goes over a network is encrypted."""
    if _is_remote(url.host) and not catalog.uses_tls:
        problem = f"The connection to the database on {url.host} is not encrypted"
        yield error("database-tls", problem, "Turn TLS on in PostgreSQL, and add ?ssl=verify-full to the URL")


def _guarded(catalog: Catalog) -> list[str]:
    return sorted(name for name in Base.metadata.tables if name in catalog.tables and name not in _NOBODYS)


def _lets_all_through(policy: Policy, *, is_tenant: bool) -> bool:
    """A tenant's table is ruled by the transaction's organization; elsewhere, seeing everything is wrong."""
    if is_tenant:
        return not any(_TENANT in (rule or "") for rule in (policy.using, policy.check))
    return policy.using == "true"


def _rights(catalog: Catalog) -> Iterator[tuple[str, str, list[str]]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in catalog.grants:
        found.setdefault((one.table, one.grantee), []).append(one.privilege)
    for (table, grantee), rights in found.items():
        yield table, grantee, rights


def _is_remote(host: str | None) -> bool:
    if not host or host.startswith("/"):
        return False
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return True
    return not all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in found)


CHECKS = (login_role, app_role, row_security, policies, grants, schema_rights, definers, clock)
