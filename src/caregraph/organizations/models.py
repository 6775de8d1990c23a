"""Tables of organizations, users and what they sign in with."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Id, Searchable, TenantRow, Timestamped, now


class Organization(Timestamped, Base):
    """The tenant."""

    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class User(Timestamped, Searchable, Base):
    """An account, global: memberships say where it works. `email` is stored case-folded."""

    __tablename__ = "users"
    # The new row is invisible to row-level security until its membership exists, so its id is fetched beforehand.
    __table_args__ = (
        UniqueConstraint("email", info={"message": "E-mail is already taken", "path": "email"}),
        Index(None, "full_name", "id"),
        {"implicit_returning": False},
    )
    searched = ("full_name", "email")
    known_as = "full_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    full_name: Mapped[str]
    password_hash: Mapped[str]
    api_enabled: Mapped[bool] = mapped_column(default=False)
    gdpr_approval: Mapped[bool] = mapped_column(default=False)
    gdpr_approval_at: Mapped[datetime | None]
    locale: Mapped[str | None]
    time_zone: Mapped[str | None]
    screen_lock_after_score: Mapped[bool] = mapped_column(default=False)
    screen_lock_code: Mapped[str | None]
    screen_lock_timeout: Mapped[int | None]


@event.listens_for(User.gdpr_approval, "set")
def _keep_time_of_approval(user: User, approves: bool, before: object, _initiator: object) -> None:
    if approves != (before is True):
        user.gdpr_approval_at = now()


class Membership(TenantRow, Timestamped, Base):
    """A user's place in an organization, with the roles held there."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("organization_id", "user_id"), Index(None, "user_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    is_superuser: Mapped[bool] = mapped_column(default=False)
    is_auditor: Mapped[bool] = mapped_column(default=False)
    is_disabled: Mapped[bool] = mapped_column(default=False)


class ApiToken(Base):
    """A token that `authenticate` gave; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "user_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
