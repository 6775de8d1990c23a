"""Names for the array types that the engine passes around, and the one tolerance that scores are compared with."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.integer]
Bools: TypeAlias = NDArray[np.bool_]
Days: TypeAlias = NDArray[np.datetime64]

# Scores are multiples of 0.1 that binary floats cannot hold: 8.2 - 3.2 is a hair under 5 (FACTS §1.2).
SLACK = 1e-9


def at_least(values: Floats, bound: Floats | float) -> Bools:
    """Whether each value reaches the bound; false where either is NaN."""
    return values - bound >= -SLACK


def divide(numerator: Floats | Ints, denominator: Floats | Ints) -> Floats:
    """Divide where the denominator is positive; NaN elsewhere."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotient: Floats = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient
