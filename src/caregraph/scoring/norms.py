"""Where a score stands in a population: z, T, percentile rank and stanine from its mean and standard deviation."""

from dataclasses import dataclass

import numpy as np

from .arrays import SLACK, Floats, Ints

NO_STANINE = 0
"""The stanine of an undefined score; stanines are 1 to 9."""

_STANINE_BOUNDS = np.arange(-1.75, 2.0, 0.5)

# Rational approximation of the normal distribution, algorithm 5666 of J. F. Hart, Computer Approximations (1968), in
# the form of G. West, Better approximations to cumulative normal functions, Wilmott (2005): errors below 1e-15.
_UPPER = (
    3.52624965998911e-02,
    0.700383064443688,
    6.37396220353165,
    33.912866078383,
    112.079291497871,
    221.213596169931,
    220.206867912376,
)
_LOWER = (
    8.83883476483184e-02,
    1.75566716318264,
    16.064177579207,
    86.7807322029461,
    296.564248779674,
    637.333633378831,
    793.826512519948,
    440.413735824752,
)
_FAR = 7.07106781186547
_ROOT_OF_TWO_PI = 2.506628274631


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a population, in points, and where they come from."""

    mean: float
    sd: float
    source: str = ""


def z_scores(scores: Floats, norm: Norm) -> Floats:
    """Distance from the mean in standard deviations; NaN for a standard deviation of 0 (FACTS §4)."""
    if not norm.sd > 0:
        return np.full(np.shape(scores), np.nan)
    return (scores - norm.mean) / norm.sd


def t_scores(z: Floats) -> Floats:
    """T scores, 50 at the mean and 10 for each standard deviation."""
    return 50 + 10 * z


def percentiles(z: Floats) -> Floats:
    """Percentile ranks 0-100 by the normal distribution."""
    return 100 * normal_cdf(z)


def stanines(z: Floats) -> Ints:
    """Stanines 1-9: 1 and the number of -1.75, -1.25, … 1.75 that z reaches; NO_STANINE for NaN (FACTS §4)."""
    reached = np.searchsorted(_STANINE_BOUNDS, z + SLACK, "right") + 1
    return np.where(np.isnan(z), NO_STANINE, reached).astype(np.int8)


def normal_cdf(z: Floats) -> Floats:
    """Share of a normal population at or below z, 0-1; NaN for NaN."""
    distance = np.abs(z)
    tail = np.exp(-0.5 * distance * distance)
    beyond = distance >= _FAR
    if beyond.any():
        far = distance[beyond]
        tail[beyond] *= 1 / (_ROOT_OF_TWO_PI * _continued(far))
        tail[~beyond] *= _ratio(distance[~beyond])
    else:
        tail *= _ratio(distance)
    return np.where(z > 0, 1 - tail, tail)


def _ratio(distance: Floats) -> Floats:
    found = _polynomial(_UPPER, distance)
    found /= _polynomial(_LOWER, distance)
    return found


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    found = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        found *= x
        found += coefficient
    return found


def _continued(x: Floats) -> Floats:
    """Mills' ratio upside down, by its continued fraction."""
    found = x + 0.65
    for numerator in (4, 3, 2, 1):
        found = x + numerator / found
    return found
