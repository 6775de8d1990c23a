"""Result ranges: which named band of a score a value falls into."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

import numpy as np

from .arrays import SLACK, Floats, Ints
from .errors import SpecCode, SpecError

NO_BAND = -1
"""The band of an undefined score, and of one that no range covers."""


@dataclass(frozen=True)
class ResultRange:
    """A named range of a score, in points.

    Ranges are written as people read them: 0-4 and 5-9 leave no hole at 4.5, which belongs to the lower one. A range
    reaches up to, not including, the start of the next one when that starts at its end or one unit of the last
    written decimal place after it; otherwise, and for the last range, its end belongs to it (FACTS §4).
    """

    start: float
    end: float
    label: str
    key: str = ""


@dataclass(frozen=True)
class Bands:
    """Ranges sorted by their starts, each reaching to its end, or to the next start where that is infinite."""

    starts: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    positions: tuple[int, ...] = ()

    def of(self, scores: Floats) -> Ints:
        """Position of the range of each score; NO_BAND for NaN and outside all of them."""
        if not self.starts:
            return np.full(np.shape(scores), NO_BAND, np.int16)
        place = np.searchsorted(np.array(self.starts), scores + SLACK, "right") - 1
        within = (place >= 0) & (scores <= np.array(self.ends)[place] + SLACK)
        return np.where(within, np.array(self.positions, np.int16)[place], np.int16(NO_BAND))


def bands(ranges: Sequence[ResultRange]) -> Bands:
    """Sort ranges, which must not overlap; raises SpecError with the place of the range."""
    for place, one in enumerate(ranges):
        if not (math.isfinite(one.start) and math.isfinite(one.end) and one.start <= one.end):
            message = f"A range starts at or before its end: {one.start:g} to {one.end:g}"
            raise SpecError(SpecCode.NUMBER, message, place)
    order = sorted(range(len(ranges)), key=lambda place: (ranges[place].start, ranges[place].end))
    unit = _unit(ranges)
    ends = []
    for place, following in zip_longest(order, order[1:]):
        here = ranges[place]
        if following is None:
            ends.append(here.end)
            continue
        after = ranges[following]
        if after.start < here.end or after.start == here.start:
            message = f"{after.start:g} to {after.end:g} overlaps {here.start:g} to {here.end:g}"
            raise SpecError(SpecCode.OVERLAP, message, following)
        joined = after.start - here.end <= unit + SLACK
        ends.append(np.inf if joined else here.end)
    return Bands(tuple(ranges[place].start for place in order), tuple(ends), tuple(order))


def _unit(ranges: Sequence[ResultRange]) -> float:
    """One unit of the last decimal place that any bound is written with."""
    bounds = [bound for one in ranges for bound in (one.start, one.end)]
    exponents = [Decimal(repr(bound)).normalize().as_tuple().exponent for bound in bounds]
    return float(10.0 ** min([0, *(one for one in exponents if isinstance(one, int))]))
