"""Goal attainment scaling: how far goals that differ from person to person were reached, as one T score."""

import numpy as np

from .arrays import Floats, divide

EXPECTED_CORRELATION = 0.3
"""Between goals, as assumed by Kiresuk & Sherman 1968, Community Mental Health Journal 4:443-453."""


def goal_attainment_t(attainments: Floats, weights: Floats, correlation: float = EXPECTED_CORRELATION) -> Floats:
    """T scores, 50 as expected, of attainments -2 to 2 of shape (n, goals) with weights of the same shape (FACTS §4).

    T is 50 + 10 Σ wx / √((1 - r) Σ w² + r (Σ w)²), r the correlation of goals. NaN marks a goal that a
    person does not have, and is the result without any.
    """
    if not 0 <= correlation <= 1:
        raise ValueError(f"the correlation of goals is from 0 to 1, not {correlation}")
    held = ~np.isnan(attainments)
    shares = np.where(held, weights, 0.0)
    reached = (shares * np.where(held, attainments, 0.0)).sum(axis=1)
    return t_of(reached, shares.sum(axis=1), (shares**2).sum(axis=1), correlation)


def t_of(reached: Floats, weight: Floats, squares: Floats, correlation: float = EXPECTED_CORRELATION) -> Floats:
    """T scores from the sums of weighted attainments, of weights and of their squares; NaN where all weights are 0."""
    return 50 + 10 * divide(reached, np.sqrt((1 - correlation) * squares + correlation * weight * weight))
