"""What every table shares: naming of constraints, tenant columns, search text, timestamps."""

import enum
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column

from .encryption import Encrypted, Keyring, blind_indexes, keyring_of

# SQLite numbers rows by itself only where the key is declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """A point in time with its offset; SQLite stores UTC without one, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse a time without an offset, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a point in time needs an offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return UTC with its offset."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @property
    def python_type(self) -> type[datetime]:
        """What filters on such a column take."""
        return datetime


class Coded(TypeDecorator[enum.Enum]):
    """An enum stored as the small number its source system uses."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, kind: type[enum.Enum]) -> None:
        """`kind` has integer values."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: enum.Enum | None, _dialect: Dialect) -> int | None:
        """The number."""
        return None if value is None else value.value

    def process_result_value(self, value: int | None, _dialect: Dialect) -> enum.Enum | None:
        """The member."""
        return None if value is None else self.kind(value)

    @property
    def python_type(self) -> type[enum.Enum]:
        """What filters on such a column take."""
        return self.kind


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables. Constraint names follow one convention, so that refusals can be mapped by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    is_bookkeeping: ClassVar[bool] = False
    """Whether rows are the server's own counters and queues: the audit says nothing of them."""
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: Id, str: Text, datetime: Instant}


class TenantRow:
    """A row of one organization. The session adds the tenant to every statement on it (`db/scope.py`).

    With `spans_memberships` a person reads the rows of all organizations that they are a member of, whichever the
    request acts in; rows are written in that one only.
    """

    spans_memberships: ClassVar[bool] = False
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False)


class SharedRow(TenantRow):
    """A row that other organizations may read: its rule says which and names the tenant itself. Only its own writes.

    The one exception to "a tenant reads its own rows": content that is made to be used by others.
    """


class Timestamped:
    """When a row was made."""

    created_at: Mapped[datetime] = mapped_column(default=now, nullable=False)


class Dated(Timestamped):
    """When a row was made and last changed."""

    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now, nullable=False)


def tenant_key(
    *columns: str,
    to: str,
    blocks: dict[str, str | None] | None = None,
    carries: dict[str, str] | None = None,
) -> ForeignKeyConstraint:
    """A foreign key that stays inside its tenant and cascades.

    `to` is `table` or `table.column`; the last column points there, the others bear the same name on both sides.
    `blocks` names, per column, under which noun the rows here stand in the way of deleting the row it points at
    (null: they go along without a word). `carries` names the other column of a link table: a row there goes with its
    last link. See `db/dependents.py`.
    """
    table, _, column = to.partition(".")
    remote = ("organization_id", *columns[:-1], column or "id")
    return ForeignKeyConstraint(
        ("organization_id", *columns),
        [f"{table}.{name}" for name in remote],
        ondelete="CASCADE",
        info={"blocks": blocks or {columns[-1]: None}, "carries": carries or {}},
    )


def shared_key(column: str, *, to: str) -> ForeignKeyConstraint:
    """A foreign key to a `SharedRow` of whichever tenant. While it is used, the row cannot be deleted."""
    return ForeignKeyConstraint((column,), [f"{to}.id"], info={"is_shared": True})


def exactly_one_of(*columns: str) -> CheckConstraint:
    """A row hangs on one thing of several kinds."""
    terms = " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in columns)
    return CheckConstraint(f"{terms} = 1", name="one_kind")


def tenant_unique(*columns: str) -> UniqueConstraint:
    """What a `tenant_key` points at."""
    return UniqueConstraint("organization_id", *columns)


def fold(*texts: str | None) -> str:
    """The case-folded form in which text is searched."""
    return "\n".join(unicodedata.normalize("NFKC", text).casefold() for text in texts if text)


class Searchable:
    """Rows found by text. `search_text` is kept from the columns named in `searched`, except what is encrypted."""

    searched: ClassVar[tuple[str, ...]]
    search_text: Mapped[str] = mapped_column(default="", nullable=False, info={"internal": True})


class Sealed:
    """Rows with encrypted columns. Their blind indexes are kept with them."""


@event.listens_for(Searchable, "before_insert", propagate=True)
@event.listens_for(Searchable, "before_update", propagate=True)
@event.listens_for(Sealed, "before_insert", propagate=True)
@event.listens_for(Sealed, "before_update", propagate=True)
def _keep_derived(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    values = {name: getattr(row, name) for name in derived_from(mapper.class_)}
    for name, value in derived(mapper.class_, values, keyring_of(connection.dialect)).items():
        setattr(row, name, value)


def derived_from(model: type[Any]) -> set[str]:
    """The columns that others of the same row are computed from."""
    indexed = {column.info["blind"][0] for column in table_of(model).c if "blind" in column.info}
    return {"organization_id", "erased_at", *indexed, *getattr(model, "searched", ())} & {*table_of(model).c.keys()}


def derived(model: type[Any], values: Mapping[str, Any], keyring: Keyring) -> dict[str, str | None]:
    """The columns that are computed from others of the same row: search text and blind indexes."""
    table = table_of(model)
    found = blind_indexes(table, values, keyring)
    if issubclass(model, Searchable):
        if values.get("erased_at") is not None:
            return {**found, "search_text": ""}
        hidden = {name for name in model.searched if keyring.first and isinstance(table.c[name].type, Encrypted)}
        found["search_text"] = fold(*(values.get(name) for name in model.searched if name not in hidden))
    return found


def table_of(model: type[Any]) -> Table:
    """The table behind a mapped class."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table
