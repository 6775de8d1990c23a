"""The audit: who read or changed what, when, from where and by which operation. The database takes entries only.

An entry names rows by type and id and nobody by name. It refers to no other table, so nothing that is deleted, not
even an organization, takes it along. `db/changes.py` makes the entries of changes, `db/trail.py` all others.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Dialect,
    Index,
    String,
    bindparam,
    cast,
    exists,
    false,
    func,
    insert,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.auth.viewer import Permission, Viewer

from .base import Base, TenantRow, now, table_of
from .direct import Text
from .scope import UNSCOPED, rule

AUDITS = {"scoped": True, "audits": True}
"""Options of the audit's own statements: they see past the viewer, and are not counted as the operation's."""

Change = tuple[str, str, list[list[int]]]
"""A type of rows, what happened to them, and the primary key of each; no keys where they came in bulk."""


class Kind(enum.Enum):
    """What an entry is about."""

    READ = "READ"
    AGGREGATE = "AGGREGATE"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    SIGN_IN = "SIGN_IN"
    REFUSED = "REFUSED"


class Actor(enum.Enum):
    """As whom somebody acted."""

    USER = "USER"
    APPLICATION = "APPLICATION"
    CALCULATOR = "CALCULATOR"
    SYSTEM = "SYSTEM"
    LINK = "LINK"
    NOBODY = "NOBODY"


class AuditEvent(TenantRow, Base):
    """An entry. Without an organization it is a refused sign-in to an account that does not exist."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "organization_id", "occurred_at", "id"),
        Index(None, "organization_id", "user_id", "occurred_at", "id"),
        Index(None, "organization_id", "kind", "occurred_at", "id"),
        Index(None, "organization_id", "operation", "occurred_at", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    # Without a foreign key: entries outlive the organization.
    organization_id: Mapped[int | None] = mapped_column(nullable=True)  # type: ignore[assignment]
    occurred_at: Mapped[datetime]
    actor: Mapped[str]
    user_id: Mapped[int | None]
    application_id: Mapped[int | None]
    address: Mapped[str | None]
    operation: Mapped[str | None]
    kind: Mapped[str]
    fields: Mapped[Any] = mapped_column(JSON().with_variant(JSONB(), "postgresql"), nullable=False)
    changes: Mapped[Any] = mapped_column(JSON().with_variant(JSONB(), "postgresql"), nullable=False)
    client_ids: Mapped[Any] = mapped_column(JSON().with_variant(ARRAY(BigInteger), "postgresql"), nullable=False)


@rule(AuditEvent, resource=UNSCOPED)
def audit_events(viewer: Viewer) -> ColumnElement[bool]:
    """Whoever audits the organization reads all of it."""
    return true() if viewer.may(Permission.AUDIT) else false()


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Whose deed an entry tells, and by what."""

    organization_id: int | None
    actor: Actor
    user_id: int | None = None
    application_id: int | None = None
    address: str | None = None
    operation: str | None = None
    fields: tuple[str, ...] = ()
    kind: Kind | None = None
    """Null for a change: then it follows from what happened to the rows that it is about."""
    about: str | None = None
    """The type of row that a change is about; null where nothing says so."""


def origin(viewer: Viewer, **told: Any) -> Origin:
    """What is known of whoever `viewer` stands for."""
    named: dict[str, Any] = {"organization_id": viewer.organization_id, "actor": _actor(viewer)}
    return Origin(**named | {"user_id": viewer.user_id, "application_id": viewer.application_id} | told)


def _actor(viewer: Viewer) -> Actor:
    if viewer.user_id is not None:
        return Actor.USER
    if viewer.application_id is not None:
        return Actor.APPLICATION
    if viewer.calculator_plan_id is not None:
        return Actor.CALCULATOR
    return Actor.NOBODY if viewer.is_nobody else Actor.SYSTEM


def entry(by: Origin, kind: Kind, *, clients: Iterable[int] = (), changes: Sequence[Change] = ()) -> dict[str, Any]:
    """The columns of an entry, as of now."""
    return {
        "organization_id": by.organization_id,
        "occurred_at": now(),
        "actor": by.actor.value,
        "user_id": by.user_id,
        "application_id": by.application_id,
        "address": by.address,
        "operation": by.operation,
        "kind": kind.value,
        "fields": list(by.fields),
        "changes": list(changes),
        "client_ids": sorted(clients),
    }


def insertion() -> Any:
    """The statement that takes entries. It asks for nothing back: an entry may be hidden from whoever causes it."""
    return insert(table_of(AuditEvent)).inline().execution_options(**AUDITS)


def appending(dialect: Dialect) -> Text:
    """The same for the driver. On PostgreSQL it is a transaction by itself, which names the tenant of its entry.

    What is inserted as tenant is what `set_config` answers: the row rules look at a row whose tenant has been named.
    """
    names = [column.key for column in table_of(AuditEvent).columns if column.key != "id"]
    statement = insertion()
    if dialect.name == "postgresql":
        columns = table_of(AuditEvent).c
        given = {name: bindparam(name, type_=columns[name].type) for name in names}
        tenant = func.coalesce(cast(given["organization_id"], String), "")
        named = func.nullif(func.set_config("app.organization_id", tenant, true()), "")
        statement = statement.from_select(
            names, select(*(given | {"organization_id": cast(named, BigInteger)}).values())
        )
    return Text.of(statement, dialect, *names, **AUDITS)


def names_client(row_id: int, *, is_sqlite: bool) -> ColumnElement[bool]:
    """The entries about a client, who need not be there any more."""
    if not is_sqlite:
        return type_coerce(AuditEvent.client_ids, ARRAY(BigInteger)).contains([row_id])
    told = func.json_each(AuditEvent.client_ids).table_valued("value", name="told")
    return exists(select(1).select_from(told).where(told.c.value == row_id))
