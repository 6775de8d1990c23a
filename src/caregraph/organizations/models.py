"""Tables of organizations, users and what they sign in with."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, event, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from caregraph.db.base import Base, Coded, Dated, Id, Searchable, TenantRow, Timestamped, now, tenant_key, tenant_unique

from .enums import Delivery, StaffGender, Vertical

ADDRESS = ("street", "city", "state", "postal_code")
"""The columns of an address, the same in organizations and locations."""


class Organization(Dated, Searchable, Base):
    """The tenant. `individual_creator_id` is the user whom an individual's organization was made for."""

    __tablename__ = "organizations"
    __table_args__ = (
        Index(
            None,
            "individual_creator_id",
            unique=True,
            info={"message": "You have an individual organization already", "path": None},
        ),
        Index(None, "name", "id"),
        Index(None, "vertical", "id"),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
    )
    searched = ("name",)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    vertical: Mapped[Vertical] = mapped_column(Coded(Vertical), default=Vertical.OTHER)
    individual_creator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    street: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]


class Location(TenantRow, Dated, Base):
    """A place where an organization works. One of them is its headquarters."""

    __tablename__ = "locations"
    __table_args__ = (
        tenant_unique("id"),
        Index(None, "organization_id", "name", "id"),
    )
    spans_memberships = True
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_headquarters: Mapped[bool] = mapped_column(default=False)
    street: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]


def split_name(full_name: str) -> tuple[str, str | None]:
    """First and last name in a full name: the last word is the last name; of a single word there is none."""
    words = full_name.split()
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (full_name.strip(), None)


def _first_name(context: Any) -> str | None:
    """Of a row without one: from the full name, unless the last name that is there says otherwise."""
    values = context.get_current_parameters()
    first, last = split_name(values["full_name"])
    return first if values.get("last_name") in {None, last} else None


def _last_name(context: Any) -> str | None:
    values = context.get_current_parameters()
    first, last = split_name(values["full_name"])
    return last if values.get("first_name") in {None, first} else None


class User(Dated, Searchable, Base):
    """An account, global: memberships say where it works. `email` is stored case-folded.

    Tokens of other issuers from before `signed_out_at` fail everywhere.
    """

    __tablename__ = "users"
    # The new row is invisible to row-level security until its membership exists, so its id is fetched beforehand.
    __table_args__ = (
        UniqueConstraint("email", info={"message": "E-mail is already taken", "path": "email"}),
        Index(None, "full_name", "id"),
        Index(None, "phone", "id"),
        {"implicit_returning": False},
    )
    searched = ("full_name", "email")
    known_as = "full_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    full_name: Mapped[str]
    first_name: Mapped[str | None] = mapped_column(default=_first_name)
    last_name: Mapped[str | None] = mapped_column(default=_last_name)
    phone: Mapped[str | None]
    gender: Mapped[StaffGender] = mapped_column(Coded(StaffGender), default=StaffGender.UNKNOWN)
    photo_url: Mapped[str | None]
    password_hash: Mapped[str]
    # Whether nobody but the owner knows the password: superusers may set it for those who work with them only.
    password_is_own: Mapped[bool] = mapped_column(default=False)
    api_enabled: Mapped[bool] = mapped_column(default=False)
    gdpr_approval: Mapped[bool] = mapped_column(default=False)
    gdpr_approval_at: Mapped[datetime | None]
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    screen_lock_after_score: Mapped[bool] = mapped_column(default=False)
    screen_lock_code: Mapped[str | None]
    screen_lock_timeout: Mapped[int | None]
    signed_out_at: Mapped[datetime | None]


@event.listens_for(User.gdpr_approval, "set")
def _keep_time_of_approval(user: User, approves: bool, before: object, _initiator: object) -> None:
    if approves != (before is True):
        user.gdpr_approval_at = now()


class Membership(TenantRow, Timestamped, Base):
    """A user's place in an organization, with the roles held there. Tokens from before `signed_out_at` fail here."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("organization_id", "user_id"), Index(None, "user_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    is_superuser: Mapped[bool] = mapped_column(default=False)
    is_auditor: Mapped[bool] = mapped_column(default=False)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    signed_out_at: Mapped[datetime | None]


class GrantedPermission(TenantRow, Dated, Base):
    """A permission that a user holds in an organization, beside what the roles give."""

    __tablename__ = "granted_permissions"
    __table_args__ = (
        tenant_key("user_id", to="memberships.user_id"),
        UniqueConstraint(
            "organization_id", "user_id", "key", info={"message": "The user has this permission", "path": None}
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    key: Mapped[str]


class ApiToken(Base):
    """A token that `authenticate` gave; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "user_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]


class Invitation(TenantRow, Dated, Searchable, Base):
    """An e-mail asked to join. Its token is made when the mail is sent; only the last one's hash is kept.

    Who invited and who accepted are kept as numbers: they are told as long as these are members.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        tenant_key("location_id", to="locations"),
        UniqueConstraint("token_hash"),
        Index(None, "organization_id", "location_id"),
        *(
            Index(None, "organization_id", column, "id")
            for column in ("email", "first_name", "last_name", "created_at", "updated_at", "last_sent_at")
        ),
    )
    searched = ("email", "first_name", "last_name")
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    permission_keys: Mapped[str]
    location_id: Mapped[int | None]
    token_hash: Mapped[str | None]
    invited_by_id: Mapped[int | None]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    delivery: Mapped[Delivery] = mapped_column(Coded(Delivery), default=Delivery.WAITING)
    last_sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None]
    if TYPE_CHECKING:
        organization_name: Mapped[str]


# Whoever may read the invitation reads where it leads, also before they are a member.
Invitation.organization_name = column_property(
    select(Organization.name)
    .where(Organization.id == Invitation.organization_id)
    .correlate_except(Organization)
    .scalar_subquery(),
    expire_on_flush=False,
)


class FeatureFlag(TenantRow, Dated, Base):
    """A feature, `<scope>.<feature>`, that is enabled for everyone in the organization or for users linked to it."""

    __tablename__ = "feature_flags"
    __table_args__ = (
        tenant_unique("id"),
        UniqueConstraint(
            "organization_id", "name", info={"message": "The feature is being switched by somebody else", "path": None}
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    for_everyone: Mapped[bool] = mapped_column(default=False)


class FeatureUser(TenantRow, Base):
    """A user for whom a feature is enabled."""

    __tablename__ = "feature_users"
    __table_args__ = (
        tenant_key("feature_flag_id", to="feature_flags"),
        tenant_key("user_id", to="memberships.user_id"),
        Index(None, "organization_id", "user_id", "feature_flag_id"),
    )
    feature_flag_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)


class Application(TenantRow, Timestamped, Base):
    """A program of the organization. Its key is public; what it proves itself with is apart."""

    __tablename__ = "applications"
    __table_args__ = (
        tenant_unique("id"),
        UniqueConstraint("key", info={"message": "Try again", "path": None}),
        UniqueConstraint(
            "organization_id", "name", info={"message": "An application with this name already exists", "path": "name"}
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str]
    scopes: Mapped[str]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    is_limited_to_groups: Mapped[bool] = mapped_column(default=False)
    public_key: Mapped[str | None]
    last_used_at: Mapped[datetime | None]


class ApplicationSecret(TenantRow, Timestamped, Base):
    """A secret of an application: its hash, and sealed under the server's key for checking what it signed."""

    __tablename__ = "application_secrets"
    __table_args__ = (
        tenant_key("application_id", to="applications"),
        Index(None, "organization_id", "application_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int]
    secret_hash: Mapped[str]
    sealed: Mapped[str | None]
    expires_at: Mapped[datetime | None]


class ApplicationGroup(TenantRow, Base):
    """A group of clients that an application limited to groups reaches."""

    __tablename__ = "application_groups"
    __table_args__ = (
        tenant_key("application_id", to="applications"),
        tenant_key("group_id", to="groups"),
        Index(None, "organization_id", "group_id", "application_id"),
    )
    application_id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(primary_key=True)


class AccessToken(TenantRow, Timestamped, Base):
    """A pair that `/oauth/token` gave, good for nothing after `ends_at`. Refreshed from one another: one family."""

    __tablename__ = "access_tokens"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("application_id", to="applications"),
        UniqueConstraint("token_hash"),
        UniqueConstraint("refresh_token_hash", info={"message": "Try again", "path": None}),
        Index(None, "organization_id", "application_id", "ends_at", "id"),
        Index(None, "organization_id", "family"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int]
    family: Mapped[str]
    token_hash: Mapped[str]
    refresh_token_hash: Mapped[str | None]
    scopes: Mapped[str]
    refresh_scopes: Mapped[str | None]
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    refreshed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKey(TenantRow, Timestamped, Base):
    """A bearer token that an application made for itself; only its hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (
        tenant_key("application_id", to="applications"),
        UniqueConstraint("token_hash"),
        Index(None, "organization_id", "application_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int]
    token_hash: Mapped[str]
    expires_at: Mapped[datetime | None]


class UsedAssertion(TenantRow, Base):
    """A signed assertion that was taken once, until it would expire by itself."""

    __tablename__ = "used_assertions"
    __table_args__ = (
        tenant_key("application_id", to="applications"),
        UniqueConstraint(
            "organization_id", "application_id", "fingerprint", info={"message": "Used already", "path": None}
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int]
    fingerprint: Mapped[str]
    expires_at: Mapped[datetime]


class SessionToken(TenantRow, Timestamped, Base):
    """What a respondent fills in one deployment session with; only its hash is kept."""

    __tablename__ = "session_tokens"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "organization_id", "deployment_session_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_session_id: Mapped[int]
    token_hash: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
