"""How an ORS is expected to move from its intake: the middle course and the limits above and below which to look.

The model is our own proposal (FACTS §2.5), not a vendor's, and says nothing certain about one person.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

import numpy as np

from .arrays import Bools, Floats, Ints

MAXIMUM_SESSIONS = 1000


@dataclass(frozen=True)
class TrajectoryModel:
    """Exponential approach to an end-point, with bands normal on the logit scale; scores 0-`maximum`."""

    version: str = "ors-default-v1"
    reference_intake: float = 20.0
    expected_end_at_reference: float = 28.0
    end_slope: float = 0.53
    rate: float = 0.48
    """Share of the way to the end-point, per session: 1 - exp(-rate)."""
    end_spread: float = 0.81
    """Standard deviation on the logit scale, many sessions on."""
    green_quantile: float = 0.31
    red_quantile: float = 0.10
    maximum: float = 40.0
    usual_maximum_intake: float = 32.0
    """Vendors leave higher intakes out of their curves; here they are only flagged."""

    def __post_init__(self) -> None:
        if not 0 < self.red_quantile <= self.green_quantile < 1:
            raise ValueError("quantiles must satisfy 0 < red <= green < 1")
        if not (self.rate > 0 and self.end_spread >= 0 and self.maximum > 0):
            raise ValueError("rate and maximum must be positive and end_spread not negative")
        lowest = self.expected_end_at_reference - self.end_slope * self.reference_intake
        if not 0 <= lowest <= lowest + self.end_slope * self.maximum <= self.maximum:
            raise ValueError(f"expected end-points must rise and stay within 0 and {self.maximum:g}")

    def as_group_median(self) -> Self:
        """Give the same model with the middle courses of those above and of those below the green limit.

        It suits charts; zones and alerts are defined by the boundary (FACTS §2.4).
        """
        return replace(
            self,
            version=f"{self.version}-group-median",
            green_quantile=(1 + self.green_quantile) / 2,
            red_quantile=self.green_quantile / 2,
        )


ORS_DEFAULT_V1 = TrajectoryModel()


@dataclass(frozen=True, eq=False)
class Trajectory:
    """ORS totals on the expected course and on the green and red limits; the three have one shape."""

    expected: Floats
    successful: Floats
    unsuccessful: Floats


def trajectory(model: TrajectoryModel, intakes: Floats, sessions: int) -> Trajectory:
    """Courses of shape (n, sessions); the first column is the intake itself."""
    if isinstance(sessions, bool) or not isinstance(sessions, int | np.integer):
        raise ValueError(f"sessions must be a whole number, not {sessions!r}")  # noqa: TRY004 - one error for callers
    if not 1 <= sessions <= MAXIMUM_SESSIONS:
        raise ValueError(f"sessions must be from 1 to {MAXIMUM_SESSIONS}, not {sessions}")
    return at(model, np.asarray(intakes)[:, np.newaxis], np.arange(1, sessions + 1)[np.newaxis, :])


def at(model: TrajectoryModel, intakes: Floats, ordinals: Floats | Ints) -> Trajectory:
    """Give the course at given sessions, elementwise; `ordinals` count scored sessions from 1, infinity is the end."""
    _check_intakes(model, intakes)
    if not np.all(ordinals >= 1):
        raise ValueError("session ordinals must be 1 or more")
    remaining = np.exp(-model.rate * (ordinals - 1.0))
    expected = intakes + (expected_end(model, intakes) - intakes) * (1 - remaining)
    spread = model.end_spread * np.sqrt(1 - remaining**2)
    return Trajectory(
        expected,
        _limit(model, expected, spread, model.green_quantile),
        _limit(model, expected, spread, model.red_quantile),
    )


def _limit(model: TrajectoryModel, expected: Floats, spread: Floats, quantile: float) -> Floats:
    # maximum / (1 + exp(-L)) with the logit multiplied out, so that 0 and the maximum need no logarithm.
    odds_against = (model.maximum - expected) * np.exp(-NormalDist().inv_cdf(quantile) * spread)
    limit = model.maximum * expected / (expected + odds_against)
    return np.where(spread == 0, expected, limit)


def expected_end(model: TrajectoryModel, intakes: Floats) -> Floats:
    """Give the end-point of the expected course: the regression of last on first score."""
    return model.expected_end_at_reference + model.end_slope * (intakes - model.reference_intake)


def service_target(model: TrajectoryModel, intakes: Floats) -> Floats:
    """Give the green limit after very many sessions."""
    return at(model, intakes, np.full(np.shape(intakes), np.inf)).successful


def intake_above_range(model: TrajectoryModel, intakes: Floats) -> Bools:
    """Whether an intake is higher than those that published curves cover."""
    return intakes > model.usual_maximum_intake


def _check_intakes(model: TrajectoryModel, intakes: Floats) -> None:
    if not np.all((intakes >= 0) & (intakes <= model.maximum)):
        raise ValueError(f"intakes must be numbers from 0 to {model.maximum:g}")
