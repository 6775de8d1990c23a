"""How much a change is worth: reliable change after Jacobson and Truax, effect sizes, and least squares."""

from dataclasses import dataclass
from enum import Enum
from math import sqrt

import numpy as np

from .arrays import Floats, Ints, divide
from .grouping import Grouping
from .norms import Norm
from .trajectories import TrajectoryModel, expected_end

# Two-sided 95 %, as printed by Jacobson & Truax 1991, JCCP 59(1):12-19.
Z_95 = 1.96


class Better(Enum):
    """Which way scores go when a person is better off."""

    HIGHER = 1
    LOWER = -1


def sem(sd: float, reliability: float) -> float:
    """Give the standard error of measurement, in points."""
    if not (sd >= 0 and 0 <= reliability <= 1):
        raise ValueError("sd must not be negative and reliability must be from 0 to 1")
    return sd * sqrt(1 - reliability)


def s_diff(sd: float, reliability: float) -> float:
    """Give the standard error of the difference between two scores, in points."""
    return sqrt(2) * sem(sd, reliability)


def rci_threshold(sd: float, reliability: float, z: float = Z_95) -> float:
    """Give the smallest reliable change, in points."""
    return z * s_diff(sd, reliability)


def reliable_change(pre: Floats, post: Floats, sd: float, reliability: float) -> Floats:
    """Change in units of S_diff; reliable at 95 % when beyond 1.96 either way. NaN if scores have no error."""
    return divide(post - pre, np.asarray(s_diff(sd, reliability)))


@dataclass(frozen=True)
class ClinicalCutoffs:
    """The three cut-offs between a clinical and a functional population, in points."""

    a: float
    """Two clinical standard deviations beyond the clinical mean."""
    b: float
    """Within two functional standard deviations of the functional mean."""
    c: float
    """Where a score is equally far from both means in their own standard deviations; NaN if both are 0."""


def clinical_cutoffs(clinical: Norm, functional: Norm, better: Better = Better.HIGHER) -> ClinicalCutoffs:
    """Cut-offs of Jacobson & Truax 1991 (FACTS §4)."""
    weight = functional.sd + clinical.sd
    crossing = functional.sd * clinical.mean + clinical.sd * functional.mean
    return ClinicalCutoffs(
        a=clinical.mean + better.value * 2 * clinical.sd,
        b=functional.mean - better.value * 2 * functional.sd,
        c=crossing / weight if weight > 0 else float("nan"),
    )


@dataclass(frozen=True, eq=False)
class EffectSizes:
    """Effect sizes of change by group, each of shape (groups,); NaN where undefined (FACTS §3)."""

    n: Ints
    mean_change: Floats
    sd_first: Floats
    sd_change: Floats
    es_pre_sd: Floats
    es_pre_sd_hedges: Floats
    es_ref_sd: Floats
    es_dz: Floats
    es_av: Floats


def effect_sizes(grouping: Grouping, first: Floats, last: Floats, reference_sd: float) -> EffectSizes:
    """Effect sizes of the pairs (first, last); every pair must be complete."""
    n = grouping.counts()
    mean_change = grouping.means(last - first)
    sd_first, sd_change = grouping.sds(first), grouping.sds(last - first)
    es_pre_sd = divide(mean_change, sd_first)
    return EffectSizes(
        n=n,
        mean_change=mean_change,
        sd_first=sd_first,
        sd_change=sd_change,
        es_pre_sd=es_pre_sd,
        # With 2 pairs the correction is 0 by formula; adding 0 keeps a loss from becoming -0.
        es_pre_sd_hedges=es_pre_sd * (1 - divide(np.array(3.0), 4 * (n - 1) - 1)) + 0.0,
        es_ref_sd=mean_change / reference_sd,
        es_dz=divide(mean_change, sd_change),
        # Both spreads are needed: after equal first scores the average would rest on the last ones only.
        es_av=np.where(sd_first > 0, divide(mean_change, (sd_first + grouping.sds(last)) / 2), np.nan),
    )


@dataclass(frozen=True, eq=False)
class SeverityAdjusted:
    """Change against what the model expects for the same intakes, by group, each of shape (groups,)."""

    mean_residual: Floats
    relative_es: Floats
    severity_adjusted_es: Floats


def severity_adjusted(
    grouping: Grouping,
    first: Floats,
    last: Floats,
    *,
    model: TrajectoryModel,
    reference_sd: float,
    reference_effect_size: float,
) -> SeverityAdjusted:
    """Residuals of the pairs in points, and as effect sizes around 0 and around the reference effect size."""
    mean_residual = grouping.means(last - expected_end(model, first))
    relative = mean_residual / reference_sd
    return SeverityAdjusted(mean_residual, relative, relative + reference_effect_size)


@dataclass(frozen=True)
class Line:
    """A least squares line of y on x; NaN where undefined."""

    slope: float
    intercept: float
    correlation: float
    residual_sd: float


def least_squares(x: Floats, y: Floats) -> Line:
    """Fit the line of `y` on `x`, such as last on first scores."""
    dx, dy = x - x.mean(), y - y.mean()
    sxx, syy, sxy = np.array(dx @ dx), np.array(dy @ dy), np.array(dx @ dy)
    slope = divide(sxy, sxx)
    residuals = dy - slope * dx
    return Line(
        slope=float(slope),
        intercept=float(y.mean() - slope * x.mean()),
        correlation=float(divide(sxy, np.sqrt(sxx * syy))),
        residual_sd=float(np.sqrt(divide(residuals @ residuals, np.array(len(x) - 2)))),
    )


def end_point_line(intakes: Floats, ordinals: Ints, scores: Floats, rate: float) -> tuple[float, float]:
    """Intercept and slope of the end-point on the intake that fit the scores best, given the rate (FACTS §2.7)."""
    remaining = np.exp(-rate * (ordinals - 1.0))
    gained = 1 - remaining
    design = np.column_stack([gained, gained * intakes])
    (intercept, slope), *_ = np.linalg.lstsq(design, scores - intakes * remaining)
    return float(intercept), float(slope)
