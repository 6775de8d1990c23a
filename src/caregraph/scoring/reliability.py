"""How well the items of a scale measure one thing: Cronbach's alpha and McDonald's omega total."""

from dataclasses import dataclass

import numpy as np

from .arrays import SLACK, Floats
from .engine import checked
from .spec import ScoringSpec

_FEWEST_ITEMS, _FEWEST_FOR_A_FACTOR = 2, 3
_ROUNDS = 5000


@dataclass(frozen=True)
class Reliability:
    """Reliability of a scale by the respondents who answered all of its items; NaN where undefined."""

    alpha: float
    omega: float
    respondents: int


def reliability(spec: ScoringSpec, scale: str, answers: Floats) -> Reliability:
    """Alpha and omega of a scale, reversed items turned round, weights left out; raises KeyError without the scale."""
    items = keyed_answers(spec, scale, answers)
    complete = items[~np.isnan(items).any(axis=1)]
    return Reliability(cronbach_alpha(complete), omega_total(complete), len(complete))


def keyed_answers(spec: ScoringSpec, scale: str, answers: Floats) -> Floats:
    """Answers to the items of a scale, of shape (n, its items), reversed ones turned round, NaN where out of range."""
    members = {one.key: one for one in spec.scales}[scale].items
    columns = {item.key: column for column, item in enumerate(spec.items)}
    chosen = [columns[member.item] for member in members]
    values = checked(spec, answers)[:, chosen]
    lowest = np.array([spec.items[column].minimum for column in chosen])
    highest = np.array([spec.items[column].maximum for column in chosen])
    turned = np.where([member.reverse for member in members], lowest + highest - values, values)
    return np.where((values >= lowest) & (values <= highest), turned, np.nan)


def cronbach_alpha(items: Floats) -> float:
    """Cronbach's alpha, k/(k-1) (1 - Σ var / var of the sum), from items of shape (n, k); rows with NaN are left out.

    NaN for fewer than 2 items or respondents, and when all have the same sum (FACTS §4).
    """
    complete = items[~np.isnan(items).any(axis=1)]
    respondents, count = complete.shape
    if count < _FEWEST_ITEMS or respondents < _FEWEST_ITEMS:
        return float("nan")
    whole = complete.sum(axis=1).var(ddof=1)
    if whole < SLACK:
        return float("nan")
    return float(count / (count - 1) * (1 - complete.var(axis=0, ddof=1).sum() / whole))


def omega_total(items: Floats) -> float:
    """McDonald's omega total of items of shape (n, k), by one factor; rows with NaN are left out.

    The factor is fitted to the correlations by least squares and taken back to points with the standard deviations.
    NaN for fewer than 3 items, an item that all answer alike, and respondents not more than items.
    """
    complete = items[~np.isnan(items).any(axis=1)]
    respondents, count = complete.shape
    if count < _FEWEST_FOR_A_FACTOR or respondents <= count:
        return float("nan")
    sds = complete.std(axis=0, ddof=1)
    if (sds < SLACK).any():
        return float("nan")
    correlations: Floats = np.asarray(np.corrcoef(complete, rowvar=False))
    loadings = one_factor(correlations)
    return omega_of_factor(loadings * sds, (1 - loadings**2) * sds**2)


def omega_of_factor(loadings: Floats, residual_variances: Floats) -> float:
    """Omega total from the loadings on one factor and what it leaves unexplained (FACTS §4)."""
    common = loadings.sum() ** 2
    whole = common + residual_variances.sum()
    return float(common / whole) if whole > 0 else float("nan")


def one_factor(correlations: Floats) -> Floats:
    """Loadings of one factor, at most 1 either way, by principal axes repeated until they stay."""
    communalities = np.abs(correlations - np.eye(len(correlations))).max(axis=0)
    reduced = correlations.copy()
    loadings = communalities
    for _ in range(_ROUNDS):
        np.fill_diagonal(reduced, communalities)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
        found = np.minimum(loadings**2, 1.0)
        if np.abs(found - communalities).max() < SLACK:
            break
        communalities = found
    sign = 1.0 if loadings.sum() >= 0 else -1.0
    clipped: Floats = np.clip(sign * loadings, -1.0, 1.0)
    return clipped
