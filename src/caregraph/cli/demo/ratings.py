"""What people mark on the scales: courses that mostly improve, some that do not, never twice the same."""

import numpy as np

from caregraph.scoring.trajectories import ORS_DEFAULT_V1, at

from .dataset import Floats, Ints

_MAXIMUM = 40.0
# How much of the expected change a client shows: more, about all, hardly any, the other way.
_RESPONSES = (1.25, 0.9, 0.15, -0.5)
_RESPONSE_SHARES = (0.36, 0.33, 0.19, 0.12)
_DIP_SHARE = 0.06


def ors_courses(places: int, sessions: int, rng: np.random.Generator) -> Floats:
    """ORS totals of shape (places, sessions)."""
    intake = np.clip(rng.normal(18.0, 7.0, places), 1.5, 38.0)[:, np.newaxis]
    response = rng.choice(_RESPONSES, (places, 1), p=_RESPONSE_SHARES) + rng.normal(0.0, 0.15, (places, 1))
    expected = at(ORS_DEFAULT_V1, intake, np.arange(1, sessions + 1)[np.newaxis, :]).expected
    wander = _autocorrelated(places, sessions, 2.6, rng)
    wander[:, 0] = 0.0
    return np.clip(intake + response * (expected - intake) + wander, 0.4, _MAXIMUM)


def srs_courses(places: int, sessions: int, rng: np.random.Generator) -> Floats:
    """SRS totals of shape (places, sessions): high, with a dip now and then."""
    usual = rng.normal(36.2, 2.2, (places, 1))
    dips = np.where(rng.random((places, sessions)) < _DIP_SHARE, rng.uniform(4.0, 12.0, (places, sessions)), 0.0)
    return np.clip(usual + _autocorrelated(places, sessions, 1.3, rng) - dips, 8.0, _MAXIMUM)


def as_others_see_it(totals: Floats, rater: Ints, rng: np.random.Generator) -> Floats:
    """ORS totals as raters give them: near the client's own, each rater with a bias, numbered from 0."""
    bias = rng.normal(-1.5, 3.0, int(rater.max(initial=0)) + 1)
    return np.clip(totals + bias[rater] + rng.normal(0.0, 2.2, len(totals)), 0.0, _MAXIMUM)


def lines(totals: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """Four lines of 0 to 10 in tenths, of shape (n, 4), that sum to about each total."""
    offsets = rng.normal(0.0, spread, (len(totals), 4))
    offsets -= offsets.mean(axis=1, keepdims=True)
    marked: Floats = np.clip(totals[:, np.newaxis] / 4 + offsets, 0.0, 10.0).round(1)
    return marked


def _autocorrelated(places: int, sessions: int, spread: float, rng: np.random.Generator) -> Floats:
    """Noise in which a good week is often followed by another."""
    carried = 0.55
    noise = rng.normal(0.0, spread, (places, sessions))
    for session in range(1, sessions):
        noise[:, session] = carried * noise[:, session - 1] + np.sqrt(1 - carried**2) * noise[:, session]
    return noise
