"""Courses of scores of many episodes at once: read in two statements, judged by the engine in one call.

Charts, alerts and explanations all read these, so that a number is the same wherever it stands.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import select

from caregraph.db.scope import criterion
from caregraph.graph.context import Context
from caregraph.graph.loaders import among
from caregraph.scoring import courses as engine
from caregraph.scoring import measures
from caregraph.scoring.outcomes import DEFAULT_RULES, ChangeCategory, Zone

from . import models
from .enums import Alert, MeasureKind
from .scores import MEASURES, lines


@dataclass
class Point:
    """What one informant scored on one session."""

    session_id: int
    session_date: date
    ors: models.OrsScore | None = None
    srs: models.SrsScore | None = None
    zone: Zone | None = None
    alerts: list[Alert] = field(default_factory=list)


@dataclass
class Course:
    """The scores of one informant about one client on one episode, in the order of their sessions."""

    episode_id: int
    client_id: int
    rater_id: int | None
    age: float | None
    points: list[Point] = field(default_factory=list)
    intake: float | None = None
    latest: float | None = None
    cutoff: float | None = None
    category: ChangeCategory = ChangeCategory.UNDEFINED
    ors_count: int = 0

    def scores(self, measure: MeasureKind) -> list[models.Score]:
        """The scores on one measure, first to last."""
        found = (point.ors if measure is MeasureKind.ORS else point.srs for point in self.points)
        return [score for score in found if score is not None]

    def point(self, score: models.Score) -> Point:
        """The point that a score stands at."""
        return next(point for point in self.points if point.session_id == score.session_id)


@dataclass(frozen=True)
class CoursesByEpisode:
    """The courses on an episode of the clients that the viewer sees, clients before raters."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[list[Course]]:
        """Two statements for all episodes."""
        episode_of = models.EpisodeClient.episode_id
        places = select(episode_of, models.EpisodeClient.client_id, models.EpisodeClient.age_at_start)
        found = await context.run(
            places.where(criterion(models.EpisodeClient, context.viewer), among(context, episode_of, keys)).order_by(
                episode_of, models.EpisodeClient.client_id
            )
        )
        ages = {(episode, client): age for episode, client, age in found}
        scores = (
            select(models.Score, models.Session.session_date)
            .join(models.Session, models.Session.id == models.Score.session_id)
            .where(criterion(models.Score, context.viewer), among(context, models.Score.episode_id, keys))
            .order_by(models.Session.session_date, models.Score.session_id, models.Score.id)
        )
        rows = [(score, day) for score, day in await context.run(scores)]
        courses: dict[int, list[Course]] = defaultdict(list)
        for course in judged(ages, rows):
            courses[course.episode_id].append(course)
        return [courses[key] for key in keys]


def judged(ages: dict[tuple[int, int], int | None], rows: list[tuple[models.Score, date]]) -> list[Course]:
    """Courses of scores that come in the order of their sessions."""
    places = {place: number for number, place in enumerate(ages)}
    scores = [score for score, _ in rows]
    if not scores:
        return []
    verdict = engine.courses(_episodes(ages), _columns(places, scores), DEFAULT_RULES)
    numbers = list(places)
    courses = []
    for number, (row, informant) in enumerate(zip(verdict.row, verdict.informant, strict=True)):
        episode_id, client_id = numbers[row]
        course = Course(episode_id, client_id, int(informant) or None, ages[episode_id, client_id])
        course.ors_count = int(verdict.ors.count[number])
        if course.ors_count:
            course.intake, course.latest = float(verdict.ors.first[number]), float(verdict.ors.last[number])
            course.category = ChangeCategory(verdict.category[number])
        course.cutoff = float(verdict.cutoff[number])
        courses.append(course)
    _place_points(courses, verdict, rows)
    return courses


def _episodes(ages: dict[tuple[int, int], int | None]) -> engine.Episodes:
    """Only ages matter to courses; what statistics need besides is left empty."""
    count = len(ages)
    nothing, no_day = np.zeros(count, np.int64), np.full(count, np.datetime64("NaT"), "datetime64[D]")
    known = np.array([np.nan if age is None else age for age in ages.values()], float)
    pairs = np.array(list(ages), np.int64).reshape(count, 2)
    return engine.Episodes(pairs[:, 0], pairs[:, 1], known, nothing, no_day, no_day, nothing, no_day, nothing)


def _columns(places: dict[tuple[int, int], int], scores: list[models.Score]) -> engine.Scores:
    return engine.Scores(
        row=np.array([places[score.episode_id, score.client_id] for score in scores], np.int64),
        informant=np.array([score.rater_id or engine.CLIENT for score in scores], np.int64),
        measure=np.array([score.measure.value for score in scores], np.int64),
        position=np.arange(len(scores), dtype=np.int64),
        total=totals(np.array([lines(score) for score in scores]), scores),
    )


def totals(values: Any, scores: Sequence[models.Score]) -> Any:
    """Totals of scores of mixed measures, from their lines of shape (n, 4)."""
    is_ors = np.array([score.measure is MeasureKind.ORS for score in scores])
    ors, srs = (measures.total(MEASURES[kind], values) for kind in (MeasureKind.ORS, MeasureKind.SRS))
    return np.where(is_ors, ors, srs)


def _place_points(courses: list[Course], verdict: engine.Courses, rows: list[tuple[models.Score, date]]) -> None:
    for course, source, zone, alert in zip(
        verdict.ors_points.course,
        verdict.ors_points.source,
        verdict.ors_zones.zone,
        verdict.ors_zones.alert,
        strict=True,
    ):
        point = _point(courses[course], rows[source])
        point.ors, point.zone = rows[source][0], Zone(zone)
        point.alerts += [Alert.ORS_BELOW_BOUNDARY] if alert else []
    for course, source, below, dropped in zip(
        verdict.srs_points.course,
        verdict.srs_points.source,
        verdict.srs_alerts.below_cutoff,
        verdict.srs_alerts.dropped,
        strict=True,
    ):
        point = _point(courses[course], rows[source])
        point.srs = rows[source][0]
        point.alerts += [Alert.SRS_BELOW_CUTOFF] if below else []
        point.alerts += [Alert.SRS_DROPPED] if dropped else []
    for course in courses:
        course.points.sort(key=lambda point: (point.session_date, point.session_id))


def _point(course: Course, row: tuple[models.Score, date]) -> Point:
    score, day = row
    for point in reversed(course.points):
        if point.session_id == score.session_id:
            return point
    course.points.append(Point(score.session_id, day))
    return course.points[-1]
