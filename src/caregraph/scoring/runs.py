"""Sorted series held end to end in one flat array."""

import numpy as np

from .arrays import Bools, Ints


def starts(series: Ints) -> Bools:
    """Whether each row is the first of its series."""
    steps = np.diff(series)
    if np.any(steps < 0):
        raise ValueError("series must be sorted")
    return np.concatenate([np.ones(min(len(series), 1), np.bool_), steps > 0])


def firsts(series: Ints) -> Ints:
    """Find the position of the first row of each row's series."""
    positions = np.flatnonzero(starts(series))
    return np.repeat(positions, np.diff(positions, append=len(series)))


def ordinals(series: Ints) -> Ints:
    """Count the rows of each series from 1."""
    return np.arange(len(series)) - firsts(series) + 1
