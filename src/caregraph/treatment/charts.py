"""Charting by session: the same shape from a client and from an episode, and what a score says about itself."""

from typing import Annotated, Any

import numpy as np
import strawberry

from caregraph.db.base import table_of
from caregraph.graph.context import Context
from caregraph.graph.errors import bad_input
from caregraph.graph.fields import describe, field, method
from caregraph.graph.loaders import Link, RowsByParent
from caregraph.graph.node import parse_id
from caregraph.graph.paging import MAXIMUM, Window
from caregraph.graph.relations import referenced
from caregraph.people.models import Client
from caregraph.refs import ClientRef, EpisodeRef, OrsScoreRef, RaterRef, SessionRef, SrsScoreRef
from caregraph.scoring import explain, trajectories
from caregraph.scoring.outcomes import DEFAULT_RULES, ChangeCategory

from . import models
from .courses import Course, CoursesByEpisode, Point
from .enums import Alert, Change, MeasureKind, OrsZone
from .scores import lines, total

_PLACES = table_of(models.EpisodeClient)
_EPISODES_OF_CLIENT = Link(models.Episode, _PLACES.c.client_id, _PLACES.c.episode_id)
_BY_START = Window(order=(("start_date", False),), limit=MAXIMUM)
_MODEL = DEFAULT_RULES.trajectory

Sessions = Annotated[
    int | None,
    describe(f"Length of the trajectories, 1 to {trajectories.MAXIMUM_SESSIONS}, if longer than the scored sessions."),
]


@strawberry.type(
    description="The predicted course of the ORS from its intake, one value per session from the first on."
)
class Trajectory:
    """Computed from the intake by the model named here; no prognosis for one person."""

    model: str = field("Model and version; `ors-default-v1` is our own, derived from published figures.")
    expected: list[float] = field("Expected ORS, 0 to 40, by session.")
    successful: list[float] = field("At or above it a course is on track, 0 to 40, by session.")
    unsuccessful: list[float] = field("Below it a course is off track, 0 to 40, by session.")
    service_target: float = field("The successful boundary at the end of care, 0 to 40.")
    intake_above_range: bool = field("Whether the intake is above 32, where the model is not usually read.")


def predicted(intake: float, sessions: int) -> Trajectory:
    """The trajectory of one intake."""
    intakes = np.array([intake])
    course = trajectories.trajectory(_MODEL, intakes, sessions)
    return Trajectory(
        model=_MODEL.version,
        expected=course.expected[0].tolist(),
        successful=course.successful[0].tolist(),
        unsuccessful=course.unsuccessful[0].tolist(),
        service_target=float(trajectories.service_target(_MODEL, intakes)[0]),
        intake_above_range=bool(trajectories.intake_above_range(_MODEL, intakes)[0]),
    )


@strawberry.type(description="What one informant scored on one session.")
class ChartPoint:
    """A source of this type is a `Point`."""

    session: SessionRef | None = referenced("session_id", "The session.")
    ors: OrsScoreRef | None = field("The ORS; null if not given.")
    srs: SrsScoreRef | None = field("The SRS; null if not given.")

    @method("Where the ORS lies on the trajectory; null without one.")
    def zone(self: Point) -> OrsZone | None:
        """The engine's zone."""
        return None if self.zone is None else OrsZone(int(self.zone))

    alerts: list[Alert] = field("What asks for attention here.")


@strawberry.type(description="The scores of one informant about one client on one episode, by session.")
class ChartSeries:
    """A source of this type is a `ChartedCourse`."""

    client: ClientRef | None = referenced("client_id", "The client who is scored.")
    rater: RaterRef | None = referenced("rater_id", "The collateral rater; null: the client's own scores.")
    intake: float | None = field("Total of the first ORS, 0 to 40; null without one.")
    latest: float | None = field("Total of the last ORS, 0 to 40; null without one.")
    cutoff: float | None = field("Clinical cut-off of the ORS for the client's age and this informant, 0 to 40.")
    change: Change | None = field("Change from the first to the last ORS; null with fewer than two.")
    points: list[ChartPoint] = field("By date, each session on which this informant gave a score.")
    trajectory: Trajectory | None = field("As long as the scored sessions, or as asked for; null without an ORS.")


class ChartedCourse:
    """A course with the trajectory that was asked for."""

    def __init__(self, course: Course, sessions: int) -> None:
        self.client_id, self.rater_id = course.client_id, course.rater_id
        self.intake, self.latest, self.cutoff = course.intake, course.latest, course.cutoff
        self.points = course.points
        self.change = None if course.category is ChangeCategory.UNDEFINED else Change(int(course.category))
        length = max(sessions, course.ors_count)
        self.trajectory = None if course.intake is None else predicted(course.intake, length)


@strawberry.type(description="The charts of one episode.")
class EpisodeChart:
    """A source of this type is an `_Chart`."""

    episode: EpisodeRef | None = referenced("episode_id", "The episode.")
    series: list[ChartSeries] = field("One series per informant: clients before raters; empty without scores.", size=2)


class _Chart:
    def __init__(self, episode_id: int, courses: list[Course], sessions: int) -> None:
        self.episode_id = episode_id
        self.series = [ChartedCourse(course, sessions) for course in courses]


async def of_client(
    context: Context,
    client: Client,
    *,
    episode_id: Annotated[strawberry.ID | None, describe("Only this episode.")] = None,
    sessions: Sessions = None,
) -> list[Any]:
    """The client's charts, an entry per episode by its start (`fit.clients.scores_by_session`)."""
    length = _length(sessions)
    episodes = (await context.load(RowsByParent(_EPISODES_OF_CLIENT, _BY_START), client.id)).rows
    wanted = [episode for episode in episodes if episode_id is None or _is(episode_id, "Episode", episode.id)]
    loaded = await _gather(context, [episode.id for episode in wanted])
    context.saw(Client, [client.id])
    return [
        _Chart(episode.id, [course for course in courses if course.client_id == client.id], length)
        for episode, courses in zip(wanted, loaded, strict=True)
    ]


async def of_episode(
    context: Context,
    episode: models.Episode,
    *,
    client_id: Annotated[strawberry.ID | None, describe("Only this client.")] = None,
    sessions: Sessions = None,
) -> list[Any]:
    """The episode's chart, as a list of one (`fit.episodes.scores_by_session`)."""
    length = _length(sessions)
    courses = await context.load(CoursesByEpisode(), episode.id)
    wanted = [course for course in courses if client_id is None or _is(client_id, "Client", course.client_id)]
    context.saw(models.Score, {course.client_id for course in wanted})
    return [_Chart(episode.id, wanted, length)]


async def _gather(context: Context, episode_ids: list[int]) -> list[list[Course]]:
    waiting = [context.load(CoursesByEpisode(), episode_id) for episode_id in episode_ids]
    return [await one for one in waiting]


def _length(sessions: int | None) -> int:
    if sessions is None:
        return 0
    if not 1 <= sessions <= trajectories.MAXIMUM_SESSIONS:
        raise bad_input(f"sessions must be between 1 and {trajectories.MAXIMUM_SESSIONS}", "sessions")
    return sessions


def _is(text: str, type_name: str, row_id: int) -> bool:
    return parse_id(text) == (type_name, row_id)


@strawberry.type(description="A step of how a number came about. Steps form a tree by `parent`.")
class ExplanationStep:
    """The engine's own account."""

    key: str = field("Name of the step within its explanation.")
    parent: str | None = field("Key of the step that this one leads to; null for the number itself.")
    label: str = field("What the step is.")
    value: float | None = field("Its value; null where it is undefined.")
    rule: str = field("The rule that gave the value.")
    source: str = field("Where the rule comes from.")


async def alerts(context: Context, score: models.Score) -> list[Alert]:
    """What about this score asks for attention."""
    of_measure = (
        (Alert.ORS_BELOW_BOUNDARY,)
        if score.measure is MeasureKind.ORS
        else (
            Alert.SRS_BELOW_CUTOFF,
            Alert.SRS_DROPPED,
        )
    )
    course = await _course_of(context, score)
    return [alert for alert in course.point(score).alerts if alert in of_measure]


async def explanation(context: Context, score: models.Score) -> list[Any]:
    """How the total came about, and what it means: the four lines, cut-off, trajectory, change and alerts."""
    course = await _course_of(context, score)
    series = course.scores(score.measure)
    earlier = [total(one) for one in series[: [one.id for one in series].index(score.id)]]
    if score.measure is MeasureKind.SRS:
        return list(explain.explain_srs(lines(score), rules=DEFAULT_RULES, earlier=earlier))
    return list(
        explain.explain_ors(
            lines(score),
            age=course.age,
            collateral=score.rater_id is not None,
            rules=DEFAULT_RULES,
            earlier=earlier,
        )
    )


async def _course_of(context: Context, score: models.Score) -> Course:
    courses: list[Course] = await context.load(CoursesByEpisode(), score.episode_id)
    return next(one for one in courses if (one.client_id, one.rater_id) == (score.client_id, score.rater_id))
