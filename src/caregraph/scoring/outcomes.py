"""What a score or a pair of scores means: cut-offs, change categories, zones and alerts."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np

from . import runs, trajectories
from .arrays import Bools, Floats, Ints, at_least
from .measures import AgeBand
from .trajectories import ORS_DEFAULT_V1, TrajectoryModel


@dataclass(frozen=True)
class AgeCutoffs:
    """The lowest non-clinical ORS total by age at intake; an unknown age counts as adult."""

    under_6: float
    age_6_12: float
    age_13_17: float
    adult: float

    def by_band(self) -> Floats:
        """Cut-offs in the order of AgeBand."""
        return np.array([self.under_6, self.age_6_12, self.age_13_17, self.adult, self.adult])


class DropoutRule(Enum):
    """What counts as drop-out among closed episodes, on which vendors disagree (FACTS §3)."""

    TERMINATED_WITHOUT_EFFECT = "terminated_without_effect"
    UNPLANNED_UNDER_TARGET = "unplanned_under_target"
    """An unplanned ending with a last ORS under the green limit (OpenFIT)."""


@dataclass(frozen=True)
class OutcomeRules:
    """Every number that vendors disagree on; the defaults are argued in FACTS §1.1, §1.2 and §3."""

    rci: float = 5.0
    reference_sd: float = 8.0
    reference_effect_size: float = 1.0
    # Measures for children under 6 are for talking, not for scoring. A total entered all the same gets the
    # cut-off of the youngest scored band, so that the four change categories still cover every pair.
    self_cutoffs: AgeCutoffs = AgeCutoffs(under_6=32.0, age_6_12=32.0, age_13_17=28.0, adult=25.0)
    collateral_cutoffs: AgeCutoffs = AgeCutoffs(under_6=28.0, age_6_12=28.0, age_13_17=28.0, adult=25.0)
    at_cutoff_is_nonclinical: bool = True
    srs_cutoff: float = 36.0
    srs_drop: float = 1.0
    dropout: DropoutRule = DropoutRule.TERMINATED_WITHOUT_EFFECT
    trajectory: TrajectoryModel = field(default=ORS_DEFAULT_V1)

    def __post_init__(self) -> None:
        if not (self.rci > 0 and self.reference_sd > 0 and self.srs_drop > 0):
            raise ValueError("rci, reference_sd and srs_drop must be positive")


DEFAULT_RULES = OutcomeRules()


def cutoffs(rules: OutcomeRules, bands: Ints, collateral: Bools) -> Floats:
    """ORS cut-offs by AgeBand of the client and by who rates, elementwise."""
    if np.any((bands < 0) | (bands >= len(AgeBand))):
        raise ValueError("bands must be values of AgeBand")
    return np.where(collateral, rules.collateral_cutoffs.by_band()[bands], rules.self_cutoffs.by_band()[bands])


def is_nonclinical(rules: OutcomeRules, totals: Floats, cutoff: Floats) -> Bools:
    """Whether each ORS is on the healthy side of its cut-off; false for NaN."""
    if rules.at_cutoff_is_nonclinical:
        return at_least(totals, cutoff)
    return ~at_least(cutoff, totals) & ~np.isnan(totals - cutoff)


class ChangeCategory(IntEnum):
    """Reliable and clinically significant change from the first to the last ORS (FACTS §4)."""

    UNDEFINED = -1
    RECOVERED = 0
    IMPROVED = 1
    NO_CHANGE = 2
    DETERIORATED = 3


def change_categories(first: Floats, last: Floats, cutoff: Floats, rules: OutcomeRules) -> Ints:
    """Give the ChangeCategory of each pair; UNDEFINED where a value is NaN."""
    recovers = ~is_nonclinical(rules, first, cutoff) & is_nonclinical(rules, last, cutoff)
    gains, loses = at_least(last - first, rules.rci), at_least(first - last, rules.rci)
    category = np.full(np.shape(first), ChangeCategory.NO_CHANGE, np.int8)
    category[loses] = ChangeCategory.DETERIORATED
    category[gains] = ChangeCategory.IMPROVED
    category[gains & recovers] = ChangeCategory.RECOVERED
    category[np.isnan(first + last + cutoff)] = ChangeCategory.UNDEFINED
    return category


class Zone(IntEnum):
    """Where an ORS lies between the limits of its trajectory (OpenFIT alert table, FACTS §2.1)."""

    GREY = 0
    """The first score of a series: there is no course yet."""
    GREEN = 1
    AMBER = 2
    RED = 3


@dataclass(frozen=True, eq=False)
class OrsZones:
    """One entry per ORS: its zone, whether it alerts, and the course it was compared with."""

    zone: Ints
    alert: Bools
    course: trajectories.Trajectory


def ors_zones(series: Ints, totals: Floats, rules: OutcomeRules = DEFAULT_RULES) -> OrsZones:
    """Zones of many series at once; rows sorted by series, then time, without missing totals."""
    ordinals = runs.ordinals(series)
    course = trajectories.at(rules.trajectory, totals[runs.firsts(series)], ordinals)
    zone = np.full(len(totals), Zone.RED, np.int8)
    zone[at_least(totals, course.unsuccessful)] = Zone.AMBER
    zone[at_least(totals, course.successful)] = Zone.GREEN
    zone[ordinals == 1] = Zone.GREY
    return OrsZones(zone, zone == Zone.RED, course)


@dataclass(frozen=True, eq=False)
class SrsAlerts:
    """One entry per SRS: whether it is under the cut-off, and whether it fell since the one before."""

    below_cutoff: Bools
    dropped: Bools

    @property
    def alert(self) -> Bools:
        """Whether either holds."""
        return self.below_cutoff | self.dropped


def srs_alerts(series: Ints, totals: Floats, rules: OutcomeRules = DEFAULT_RULES) -> SrsAlerts:
    """Alerts of many series at once; rows sorted by series, then time, without missing totals."""
    previous = np.where(runs.ordinals(series) > 1, np.roll(totals, 1), np.nan)
    below = ~at_least(totals, rules.srs_cutoff) & ~np.isnan(totals)
    return SrsAlerts(below, at_least(previous - totals, rules.srs_drop))
