"""Tables of clients, their owners, labels, files and consents."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Coded, Sealed, Searchable, TenantRow, Timestamped, now, tenant_key, tenant_unique
from caregraph.db.encryption import Encrypted, blind_index, number, telephone
from caregraph.db.personal import ERASED, Erasable, Personal

from .enums import ConsentKind, Gender


class Client(TenantRow, Timestamped, Searchable, Sealed, Erasable, Base):
    """A person served."""

    __tablename__ = "clients"
    __table_args__ = (
        tenant_unique("id"),
        Index(None, "organization_id", "full_name", "id"),
        Index(None, "organization_id", "birth_date", "id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "organization_id", "ssn_index"),
        Index(None, "organization_id", "phone_index"),
    )
    searched = ("full_name", "alias", "ssn")
    personal = Personal(full_name=ERASED, alias=None, ssn=None, birth_date=None, phone=None, comment=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    alias: Mapped[str | None]
    ssn: Mapped[str | None] = mapped_column(Encrypted("clients.ssn"))
    ssn_index: Mapped[str | None] = blind_index("ssn", number)
    birth_date: Mapped[date | None]
    gender: Mapped[Gender] = mapped_column(Coded(Gender), default=Gender.UNKNOWN)
    phone: Mapped[str | None] = mapped_column(Encrypted("clients.phone"))
    phone_index: Mapped[str | None] = blind_index("phone", telephone)
    comment: Mapped[str | None]
    gdpr_approval: Mapped[bool] = mapped_column(default=False)


class File(TenantRow, Timestamped, Base):
    """A file about a client. Its bytes are in the storage, under a random key."""

    __tablename__ = "files"
    __table_args__ = (
        tenant_key("client_id", to="clients"),
        UniqueConstraint("storage_key"),
        Index(None, "organization_id", "client_id", "created_at", "id"),
        Index(None, "organization_id", "created_at", "id"),
    )
    personal = Personal(goes=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int]
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str] = mapped_column(info={"internal": True})


class Consent(TenantRow, Base):
    """What a client allowed or refused at some time. A row is never changed: the newest of a kind holds."""

    __tablename__ = "consents"
    __table_args__ = (
        tenant_key("client_id", to="clients"),
        Index(None, "organization_id", "client_id", "recorded_at", "id"),
        Index(None, "organization_id", "recorded_at", "id"),
    )
    personal = Personal(recorded_by=None, application_id=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int]
    kind: Mapped[ConsentKind] = mapped_column(Coded(ConsentKind))
    given: Mapped[bool]
    recorded_at: Mapped[datetime] = mapped_column(default=now)
    recorded_by: Mapped[int | None] = mapped_column(info={"refers": "users"})
    application_id: Mapped[int | None]


class ClientOwner(TenantRow, Base):
    """A user who works with a client. Every client has at least one."""

    __tablename__ = "client_owners"
    __table_args__ = (
        tenant_key("client_id", to="clients"),
        tenant_key(
            "user_id", to="memberships.user_id", blocks={"user_id": "clients"}, carries={"user_id": "client_id"}
        ),
        Index(None, "organization_id", "user_id", "client_id"),
    )
    client_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)


class Label(TenantRow, Timestamped, Base):
    """A tag of the organization for clients and episodes."""

    __tablename__ = "labels"
    __table_args__ = (
        tenant_unique("id"),
        UniqueConstraint(
            "organization_id", "name", info={"message": "A label with this name already exists", "path": "name"}
        ),
    )
    known_as = "name"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class ClientLabel(TenantRow, Base):
    """A label on a client."""

    __tablename__ = "client_labels"
    __table_args__ = (
        tenant_key("client_id", to="clients"),
        tenant_key("label_id", to="labels", blocks={"label_id": "clients"}),
        Index(None, "organization_id", "label_id", "client_id"),
    )
    client_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)


class Group(TenantRow, Timestamped, Searchable, Base):
    """A cohort of clients: a practice, an employer, a class. Credentials can be limited to groups."""

    __tablename__ = "groups"
    __table_args__ = (
        tenant_unique("id"),
        UniqueConstraint(
            "organization_id", "name", info={"message": "A group with this name already exists", "path": "name"}
        ),
    )
    searched = ("name",)
    known_as = "name"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    bio: Mapped[str | None]


class ClientGroup(TenantRow, Base):
    """A client's place in a group."""

    __tablename__ = "client_groups"
    __table_args__ = (
        tenant_key("client_id", to="clients"),
        tenant_key("group_id", to="groups", blocks={"group_id": "clients"}),
        Index(None, "organization_id", "group_id", "client_id"),
    )
    client_id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(primary_key=True)


class UserGroup(TenantRow, Base):
    """A user's (coach's) place in a group."""

    __tablename__ = "user_groups"
    __table_args__ = (
        tenant_key("user_id", to="memberships.user_id"),
        tenant_key("group_id", to="groups"),
        Index(None, "organization_id", "group_id", "user_id"),
    )
    user_id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(primary_key=True)
