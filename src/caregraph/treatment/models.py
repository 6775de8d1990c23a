"""Tables of episodes, sessions, raters and scores."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Coded, Sealed, Searchable, TenantRow, Timestamped, tenant_key, tenant_unique
from caregraph.db.encryption import Encrypted, blind_index, mailbox
from caregraph.db.events import Tells
from caregraph.db.personal import ERASED, Erasable, Personal

from .enums import EpisodeStatus, MeasureKind

_ONE_EACH = {"message": "This informant already has such a score on this session", "path": None}


class Episode(TenantRow, Timestamped, Searchable, Erasable, Base):
    """A course of care for one client or several."""

    __tablename__ = "episodes"
    __table_args__ = (
        tenant_unique("id"),
        CheckConstraint(
            "end_date IS NULL OR end_date >= start_date",
            name="end_after_start",
            info={"message": "End date must not be before the start date", "path": "endDate"},
        ),
        Index(None, "organization_id", "title", "id"),
        Index(None, "organization_id", "start_date", "id"),
        Index(None, "organization_id", "end_date", "id"),
        Index(None, "organization_id", "status", "id"),
        Index(None, "organization_id", "created_at", "id"),
    )
    tells = Tells()
    searched = ("title",)
    personal = Personal(title=ERASED, phone=None, comment=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    start_date: Mapped[date]
    end_date: Mapped[date | None]
    status: Mapped[EpisodeStatus] = mapped_column(Coded(EpisodeStatus), default=EpisodeStatus.ONGOING)
    phone: Mapped[str | None] = mapped_column(Encrypted("episodes.phone"))
    comment: Mapped[str | None]
    group_srs: Mapped[bool] = mapped_column(default=False)


class EpisodeClient(TenantRow, Base):
    """A client on an episode. The age at its start stays when identifiers are erased, so statistics stay too."""

    __tablename__ = "episode_clients"
    __table_args__ = (
        tenant_key("episode_id", to="episodes", blocks={"episode_id": "clients"}),
        tenant_key("client_id", to="clients", blocks={"client_id": "episodes"}, carries={"client_id": "episode_id"}),
        tenant_unique("episode_id", "client_id"),
        Index(None, "organization_id", "client_id", "episode_id"),
    )
    tells = Tells("Episode", row="episode_id", through="client_id")
    episode_id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(primary_key=True)
    age_at_start: Mapped[int | None]


class EpisodeLabel(TenantRow, Base):
    """A label on an episode."""

    __tablename__ = "episode_labels"
    __table_args__ = (
        tenant_key("episode_id", to="episodes"),
        tenant_key("label_id", to="labels", blocks={"label_id": "episodes"}),
        Index(None, "organization_id", "label_id", "episode_id"),
    )
    tells = Tells("Episode", row="episode_id")
    episode_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)


class Rater(TenantRow, Timestamped, Sealed, Erasable, Base):
    """Someone else than the client who rates one client on one episode."""

    __tablename__ = "raters"
    __table_args__ = (
        tenant_key(
            "episode_id",
            "client_id",
            to="episode_clients.client_id",
            blocks={"episode_id": "raters", "client_id": None},
        ),
        tenant_unique("episode_id", "client_id", "id"),
        Index(None, "organization_id", "client_id"),
        Index(None, "organization_id", "full_name", "id"),
        Index(None, "organization_id", "email_index"),
    )
    tells = Tells("Episode", row="episode_id")
    personal = Personal(full_name=ERASED, email=None, comment=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    episode_id: Mapped[int]
    client_id: Mapped[int]
    full_name: Mapped[str]
    email: Mapped[str | None] = mapped_column(Encrypted("raters.email"))
    email_index: Mapped[str | None] = blind_index("email", mailbox)
    comment: Mapped[str | None]


class Session(TenantRow, Timestamped, Base):
    """A meeting within an episode."""

    __tablename__ = "sessions"
    __table_args__ = (
        tenant_key("episode_id", to="episodes", blocks={"episode_id": "sessions"}),
        tenant_unique("episode_id", "id"),
        Index(None, "organization_id", "episode_id", "session_date", "id"),
        Index(None, "organization_id", "session_date", "id"),
    )
    tells = Tells("Episode", row="episode_id")
    id: Mapped[int] = mapped_column(primary_key=True)
    episode_id: Mapped[int]
    session_date: Mapped[date]


class Score(TenantRow, Timestamped, Base):
    """One filled-in scale of four lines, 0 to 10 each. Without a rater the client is the informant."""

    __tablename__ = "scores"
    __table_args__ = (
        tenant_key("episode_id", "session_id", to="sessions", blocks={"session_id": "scores"}),
        tenant_key("episode_id", "client_id", to="episode_clients.client_id", blocks={"client_id": "scores"}),
        tenant_key("episode_id", "client_id", "rater_id", to="raters", blocks={"rater_id": "scores"}),
        *(
            CheckConstraint(
                f"line_{line} BETWEEN 0 AND 10",
                name=f"line_{line}",
                info={"message": "Each of the four values must be between 0 and 10", "path": None},
            )
            for line in (1, 2, 3, 4)
        ),
        Index(
            "uq_scores_by_client",
            *("organization_id", "session_id", "measure", "client_id"),
            unique=True,
            sqlite_where=text("rater_id IS NULL"),
            postgresql_where=text("rater_id IS NULL"),
            info=_ONE_EACH,
        ),
        UniqueConstraint("organization_id", "session_id", "measure", "rater_id", info=_ONE_EACH),
        Index(None, "organization_id", "client_id", "session_id"),
        Index(None, "organization_id", "episode_id", "session_id"),
        Index(None, "organization_id", "rater_id"),
        Index(None, "organization_id", "created_at", "id"),
    )
    tells = Tells(through="client_id")
    __mapper_args__ = {"polymorphic_on": "measure", "polymorphic_abstract": True, "with_polymorphic": "*"}  # noqa: RUF012 SQLAlchemy's name
    id: Mapped[int] = mapped_column(primary_key=True)
    episode_id: Mapped[int]
    session_id: Mapped[int]
    client_id: Mapped[int]
    rater_id: Mapped[int | None]
    measure: Mapped[MeasureKind] = mapped_column(Coded(MeasureKind))


class OrsScore(Score):
    """Outcome Rating Scale."""

    __mapper_args__ = {"polymorphic_identity": MeasureKind.ORS}  # noqa: RUF012 SQLAlchemy's name
    individually: Mapped[float] = mapped_column("line_1", use_existing_column=True)
    interpersonally: Mapped[float] = mapped_column("line_2", use_existing_column=True)
    socially: Mapped[float] = mapped_column("line_3", use_existing_column=True)
    overall: Mapped[float] = mapped_column("line_4", use_existing_column=True)


class SrsScore(Score):
    """Session Rating Scale."""

    __mapper_args__ = {"polymorphic_identity": MeasureKind.SRS}  # noqa: RUF012 SQLAlchemy's name
    relationship: Mapped[float] = mapped_column("line_1", use_existing_column=True)
    goals_and_topics: Mapped[float] = mapped_column("line_2", use_existing_column=True)
    approach_or_method: Mapped[float] = mapped_column("line_3", use_existing_column=True)
    overall: Mapped[float] = mapped_column("line_4", use_existing_column=True)


class CalculatorPlan(TenantRow, Timestamped, Base):
    """Metered access to the calculator, with credentials of its own."""

    __tablename__ = "calculator_plans"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("remaining_requests >= 0", name="remaining_requests"),
        Index(None, "organization_id", "email", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    token_hash: Mapped[str]
    remaining_requests: Mapped[int]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
