"""What the ORS and the SRS are: their lines, their totals, and the bands that ages and intakes fall into."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from .arrays import Floats, Ints
from .engine import rounded, score
from .instruments import instrument
from .spec import ScoringSpec


@dataclass(frozen=True)
class Measure:
    """An instrument of visual analogue lines, all of one range; the total is their sum."""

    spec: ScoringSpec
    """Its one score has the key `total`."""

    @property
    def key(self) -> str:
        """Name in small letters, such as `ors`."""
        return self.spec.key

    @property
    def version(self) -> str:
        """Version of the scoring rules."""
        return self.spec.version

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Names of the lines."""
        return tuple(item.key for item in self.spec.items)

    @property
    def item_minimum(self) -> float:
        """The lowest value of a line."""
        return self.spec.items[0].minimum

    @property
    def item_maximum(self) -> float:
        """The highest value of a line."""
        return self.spec.items[0].maximum

    @property
    def maximum(self) -> float:
        """The highest total."""
        return self.item_maximum * len(self.items)


ORS = Measure(instrument("ors").spec)
SRS = Measure(instrument("srs").spec)
_DECIMALS = 6
"""Of the totals, as the files of both instruments say."""


def total(measure: Measure, items: Floats) -> Floats:
    """Totals of shape (n,), 0-40 for ORS and SRS, from lines of shape (n, 4).

    NaN where a line is missing or out of range: nothing is prorated (FACTS §1).
    """
    if items.shape[1:] != (len(measure.items),):
        raise ValueError(f"{measure.key} needs items of shape (n, {len(measure.items)}), not {items.shape}")
    return score(measure.spec, items)["total"].score


def of_sums(sums: Floats) -> Floats:
    """Totals of sums of all four lines, each valid and added in its order."""
    return rounded(sums, _DECIMALS)


def equal_lines(measure: Measure, totals: Floats) -> Floats:
    """Lines of shape (n, 4) for scores known by their total only: each a quarter of it (FACTS §1)."""
    valid = (totals >= measure.item_minimum * len(measure.items)) & (totals <= measure.maximum)
    shares = np.where(valid, totals, np.nan) / len(measure.items)
    return np.repeat(shares[:, np.newaxis], len(measure.items), axis=1)


class AgeBand(IntEnum):
    """Age in completed years at intake, in the bands that cut-offs are published for (FACTS §1)."""

    UNDER_6 = 0
    AGE_6_12 = 1
    AGE_13_17 = 2
    ADULT = 3
    UNKNOWN = 4


_AGE_BAND_STARTS = (6.0, 13.0, 18.0)


def age_bands(ages: Floats) -> Ints:
    """Give the AgeBand of each age in years; NaN, infinite and negative ages are UNKNOWN."""
    known = np.isfinite(ages) & (ages >= 0)
    return np.where(known, np.digitize(ages, _AGE_BAND_STARTS), AgeBand.UNKNOWN).astype(np.int8)


@dataclass(frozen=True)
class IntakeBand:
    """First ORS totals from `start` up to, not including, `end`; the last band includes its end."""

    label: str
    start: float
    end: float


INTAKE_BANDS: tuple[IntakeBand, ...] = (
    IntakeBand("0-<10", 0.0, 10.0),
    IntakeBand("10-<15", 10.0, 15.0),
    IntakeBand("15-<20", 15.0, 20.0),
    IntakeBand("20-<25", 20.0, 25.0),
    IntakeBand("25-<30", 25.0, 30.0),
    IntakeBand("30-40", 30.0, 40.0),
)
NO_INTAKE_BAND = -1


def intake_bands(intakes: Floats) -> Ints:
    """Positions in INTAKE_BANDS; NO_INTAKE_BAND for NaN and for totals outside 0-40."""
    known = (intakes >= INTAKE_BANDS[0].start) & (intakes <= INTAKE_BANDS[-1].end)
    positions = np.digitize(intakes, [band.start for band in INTAKE_BANDS[1:]])
    return np.where(known, positions, NO_INTAKE_BAND).astype(np.int8)
