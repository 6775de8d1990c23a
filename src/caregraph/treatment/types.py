"""GraphQL types of treatment."""

from datetime import date, datetime

from caregraph.graph.computed import computed
from caregraph.graph.fields import field, rowwise
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import EmailAddress, Json, PhoneNumber
from caregraph.refs import (
    ClientRef,
    EpisodeChartRef,
    EpisodeRef,
    ExplanationStepRef,
    LabelRef,
    OrganizationRef,
    OrsScoreRef,
    RaterRef,
    ScoreRef,
    ScoresTableRef,
    SessionRef,
    SrsScoreRef,
)

from . import charts, fhir_reading, models, scores, tables
from .enums import Alert, EpisodeStatus, MeasureKind


@node(
    models.Episode,
    where=(
        models.Episode.title,
        models.Episode.start_date,
        models.Episode.end_date,
        models.Episode.status,
        models.Episode.created_at,
    ),
    order_by=(models.Episode.title, models.Episode.start_date, models.Episode.end_date, models.Episode.created_at),
)
class Episode(Node):
    """A course of care for one client or several (FIT: treatment episode). Seen when one of its clients is."""

    title: str = field("Title.")
    start_date: date = field("First day.")
    end_date: date | None = field("Last day; null while open.")
    status: EpisodeStatus = field("How it stands or how it ended.")
    phone: PhoneNumber | None = field("The client's telephone number for this episode.")
    comment: str | None = field("Free text about the episode.")
    group_srs: bool = field("Whether its sessions are group sessions.")
    created_at: datetime = field("When the episode was recorded.")
    organization: OrganizationRef | None = one(
        "episodes.organization_id", "The episode's organization; null except to superusers."
    )
    clients: list[ClientRef] = many(
        description="The clients on it that you may see.", through="episode_clients", order="full_name", size=1
    )
    labels: list[LabelRef] = many(description="Labels on the episode.", through="episode_labels", order="name", size=2)
    raters: list[RaterRef] = many(
        "raters.episode_id", description="Collateral raters of the clients that you may see.", order="full_name", size=1
    )
    sessions: Page[SessionRef] = many(
        "sessions.episode_id", description="Its sessions by date.", order="session_date", size=10
    )
    scores_by_session: list[EpisodeChartRef] = computed(charts.of_episode, size=1)
    scores_table: ScoresTableRef | None = computed(tables.of_episode, cost=10)


@node(models.Rater, where=(models.Rater.full_name,), order_by=(models.Rater.full_name,))
class Rater(Node):
    """A collateral rater: someone near one client who rates that client on one episode."""

    full_name: str = field("Full name.")
    email: EmailAddress | None = field("E-mail address.")
    comment: str | None = field("Free text about the rater.")
    created_at: datetime = field("When the rater was recorded.")
    episode: EpisodeRef = one("raters.episode_id", "The episode.")
    client: ClientRef = one("raters.client_id", "The client who is rated.")
    scores: Page[ScoreRef] = many("scores.rater_id", description="What the rater filled in.", order="created_at")


@node(
    models.Session,
    where=(models.Session.session_date,),
    order_by=(models.Session.session_date,),
)
class Session(Node):
    """A meeting within an episode, with the scales filled in there."""

    session_date: date = field("Day of the session.")
    created_at: datetime = field("When the session was recorded.")
    episode: EpisodeRef = one("sessions.episode_id", "The episode.")
    scores: list[ScoreRef] = many("scores.session_id", description="ORS and SRS of clients and raters.", size=2)
    ors_scores: list[OrsScoreRef] = many("scores.session_id", description="ORS of clients and raters.", size=1)
    srs_scores: list[SrsScoreRef] = many("scores.session_id", description="SRS of clients and raters.", size=1)


@node(
    models.Score,
    where=(models.Score.measure, models.Score.created_at),
    order_by=(models.Score.created_at,),
    abstract=True,
)
class Score(Node):
    """A filled-in scale of four lines. Seen as its client is."""

    measure: MeasureKind = field("Which scale it is.")
    created_at: datetime = field("When the score was recorded.")
    session: SessionRef = one("scores.session_id", "The session.")
    episode: EpisodeRef = one("scores.episode_id", "The episode.")
    client: ClientRef = one("scores.client_id", "The client who is scored.")
    rater: RaterRef | None = one("scores.rater_id", "Who filled it in; null: the client.")

    alerts: list[Alert] = computed(charts.alerts)
    explain: list[ExplanationStepRef] = computed(charts.explanation)
    fhir_response: Json = computed(fhir_reading.fhir_response)
    fhir_observations: list[Json] = computed(fhir_reading.fhir_observations, size=1)
    total: float = rowwise(scores.TOTAL, "Sum of the four lines, 0 to 40.")


@node(models.OrsScore)
class OrsScore(Score):
    """Outcome Rating Scale: how the client has been doing. Each line 0 to 10, higher is better."""

    individually: float = field("Personal well-being, 0 to 10.")
    interpersonally: float = field("Family and close relationships, 0 to 10.")
    socially: float = field("Work, school, friendships, 0 to 10.")
    overall: float = field("General sense of well-being, 0 to 10.")


@node(models.SrsScore)
class SrsScore(Score):
    """Session Rating Scale: how the session was for the client. Each line 0 to 10, higher is better."""

    relationship: float = field("Relationship with the therapist, 0 to 10.")
    goals_and_topics: float = field("Agreement on goals and topics, 0 to 10.")
    approach_or_method: float = field("Fit of the approach or method, 0 to 10.")
    overall: float = field("The session as a whole, 0 to 10.")


@node(models.CalculatorPlan, order_by=(models.CalculatorPlan.email,))
class CalculatorPlan(Node):
    """Metered access to the calculator, with credentials of its own. Seen by superusers."""

    email: EmailAddress = field("E-mail that is sent with the token, in lower case.")
    remaining_requests: int = field("Requests that it may still make.")
    created_at: datetime = field("When it was made.")
    expires_at: datetime | None = field("When its credentials end; null: never.")
    revoked_at: datetime | None = field("When its credentials were ended; null: they work.")
