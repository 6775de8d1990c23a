"""Scores put in order: one course per (episode, client) row and informant, shared by charts and statistics."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from . import trajectories
from .arrays import Bools, Days, Floats, Ints, at_least
from .measures import age_bands
from .outcomes import (
    DEFAULT_RULES,
    OrsZones,
    OutcomeRules,
    SrsAlerts,
    Zone,
    change_categories,
    cutoffs,
    is_nonclinical,
    ors_zones,
    srs_alerts,
)

CLIENT = 0
"""The informant number of clients rating themselves; any other number is a collateral rater."""

_SCORES_OF_A_PAIR = 2


class EpisodeStatus(IntEnum):
    """How an episode stands or ended, as numbered by FIT-Outcomes."""

    ONGOING = 0
    TERMINATED_NO_EFFECT = 1
    TERMINATED_WITH_EFFECT = 2
    MUTUAL_AGREEMENT = 3


class ScoreMeasure(IntEnum):
    """Which measure a total belongs to."""

    ORS = 0
    SRS = 1


@dataclass(frozen=True, eq=False)
class Episodes:
    """One row per (episode, client): an episode shared by two clients has two rows."""

    episode: Ints
    client: Ints
    age: Floats
    """The client's age in years at intake; NaN if unknown."""
    status: Ints
    start: Days
    end: Days
    """NaT while open."""
    session_count: Ints
    """Sessions of the episode."""
    last_session: Days
    """NaT without any."""
    rater_count: Ints
    """Collateral raters of this client on this episode."""

    def __post_init__(self) -> None:
        check_lengths(self)


@dataclass(frozen=True, eq=False)
class Scores:
    """One row per ORS or SRS total, in any order."""

    row: Ints
    """Index into Episodes."""
    informant: Ints
    measure: Ints
    position: Ints
    """Sort key in time within the episode; equal positions keep the order of the rows."""
    total: Floats
    """0-40; rows with NaN are left out."""

    def __post_init__(self) -> None:
        check_lengths(self)


def check_lengths(columns: object) -> None:
    """Refuse a dataclass of columns whose arrays differ in length."""
    if len({len(column) for column in vars(columns).values() if isinstance(column, np.ndarray)}) > 1:
        raise ValueError(f"columns of {type(columns).__name__} differ in length")


@dataclass(frozen=True, eq=False)
class Points:
    """The totals of one measure, sorted by course and time."""

    source: Ints
    """Index into Scores."""
    course: Ints
    """Index into Courses."""
    total: Floats


@dataclass(frozen=True, eq=False)
class Summary:
    """The totals of one measure by course; NaN without any."""

    count: Ints
    first: Floats
    last: Floats
    total: Floats
    """Sum of the totals; 0 without any."""
    alert_count: Ints


@dataclass(frozen=True, eq=False)
class Courses:
    """One entry per (episode row, informant) with a score, sorted by both; a pair is one with 2 ORS or more."""

    row: Ints
    informant: Ints
    ors: Summary
    srs: Summary
    srs_below_count: Ints
    cutoff: Floats
    """ORS cut-off by the client's age at intake and by who rates."""
    intake_nonclinical: Bools
    category: Ints
    """ChangeCategory from first to last ORS; UNDEFINED unless a pair."""
    zone: Ints
    """Zone of the last ORS; GREY unless a pair."""
    reached_service_target: Bools
    """Whether the last ORS of a pair reached the green limit of the end of the trajectory."""
    ors_points: Points
    ors_zones: OrsZones
    srs_points: Points
    srs_alerts: SrsAlerts

    @property
    def is_collateral(self) -> Bools:
        """Whether a collateral rater gave the scores."""
        return np.not_equal(self.informant, CLIENT)

    @property
    def is_pair(self) -> Bools:
        """Whether there is a first and another last ORS."""
        return np.greater_equal(self.ors.count, _SCORES_OF_A_PAIR)


def courses(episodes: Episodes, scores: Scores, rules: OutcomeRules = DEFAULT_RULES) -> Courses:
    """Order the scores and judge each course."""
    if np.any((scores.row < 0) | (scores.row >= len(episodes.episode))):
        raise ValueError("scores name rows that episodes does not have")
    order, course = _sorted_courses(scores)
    starts = np.flatnonzero(np.diff(course, prepend=-1))
    row, informant = scores.row[order][starts], scores.informant[order][starts]
    ors_points = _points(scores, order, course, ScoreMeasure.ORS)
    srs_points = _points(scores, order, course, ScoreMeasure.SRS)
    zones = ors_zones(ors_points.course, ors_points.total, rules)
    alerts = srs_alerts(srs_points.course, srs_points.total, rules)
    ors = _summary(ors_points, zones.alert, len(row))
    cutoff = cutoffs(rules, age_bands(episodes.age[row]), informant != CLIENT)
    pair = ors.count >= _SCORES_OF_A_PAIR
    return Courses(
        row=row,
        informant=informant,
        ors=ors,
        srs=_summary(srs_points, alerts.alert, len(row)),
        srs_below_count=np.bincount(srs_points.course[alerts.below_cutoff], minlength=len(row)),
        cutoff=cutoff,
        intake_nonclinical=is_nonclinical(rules, ors.first, cutoff),
        category=change_categories(np.where(pair, ors.first, np.nan), ors.last, cutoff, rules),
        zone=_last_zones(ors_points, zones, len(row)),
        reached_service_target=pair & _reaches_service_target(ors, rules),
        ors_points=ors_points,
        ors_zones=zones,
        srs_points=srs_points,
        srs_alerts=alerts,
    )


def _sorted_courses(scores: Scores) -> tuple[Ints, Ints]:
    """Positions of the given scores by row, informant and time, and the number of the course of each."""
    order = np.lexsort((scores.position, scores.informant, scores.row))
    order = order[~np.isnan(scores.total[order])]
    is_new = (np.diff(scores.row[order]) != 0) | (np.diff(scores.informant[order]) != 0)
    course = np.zeros(len(order), np.int64)
    course[1:] = np.cumsum(is_new)
    return order, course


def _points(scores: Scores, order: Ints, course: Ints, measure: ScoreMeasure) -> Points:
    chosen = scores.measure[order] == measure
    return Points(order[chosen], course[chosen], scores.total[order[chosen]])


def _summary(points: Points, alerts: Bools, count: int) -> Summary:
    first, last = np.full(count, np.nan), np.full(count, np.nan)
    is_first = np.diff(points.course, prepend=-1) > 0
    is_last = np.diff(points.course, append=count) > 0
    first[points.course[is_first]] = points.total[is_first]
    last[points.course[is_last]] = points.total[is_last]
    return Summary(
        count=np.bincount(points.course, minlength=count),
        first=first,
        last=last,
        total=np.bincount(points.course, points.total, minlength=count).astype(np.float64),
        alert_count=np.bincount(points.course[alerts], minlength=count),
    )


def _last_zones(points: Points, zones: OrsZones, count: int) -> Ints:
    is_last = np.diff(points.course, append=count) > 0
    zone = np.full(count, Zone.GREY, np.int8)
    zone[points.course[is_last]] = zones.zone[is_last]
    return zone


def _reaches_service_target(ors: Summary, rules: OutcomeRules) -> Bools:
    reached = np.zeros(len(ors.count), np.bool_)
    scored = ors.count > 0
    target = trajectories.service_target(rules.trajectory, ors.first[scored])
    reached[scored] = at_least(ors.last[scored], target)
    return reached
