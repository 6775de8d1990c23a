"""What a specification is made of: items, scales, domains, and how each score comes out of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from .arrays import SLACK
from .bands import ResultRange
from .norms import Norm


@dataclass(frozen=True)
class Item:
    """A question whose answer is a number from `minimum` to `maximum`.

    The answer of a question with several choices is the sum of the values of the chosen options.
    """

    key: str
    minimum: float
    maximum: float
    values: tuple[float, ...] = ()
    """What the options stand for; empty when every number in the range is an answer."""
    label: str = ""

    @classmethod
    def of_options(cls, key: str, values: Sequence[float], label: str = "") -> Self:
        """Make an item that is answered by one of some options; there must be at least one."""
        return cls(key, min(values), max(values), tuple(values), label)


@dataclass(frozen=True)
class ScaleItem:
    """An item's place on a scale: reversed answers count as `minimum + maximum - answer`, times the weight."""

    item: str
    weight: float = 1.0
    reverse: bool = False


@dataclass(frozen=True)
class Scale:
    """Items that are scored together."""

    key: str
    items: tuple[ScaleItem, ...]
    label: str = ""


@dataclass(frozen=True)
class Domain:
    """Scales that are scored together."""

    key: str
    scales: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class MissingRule:
    """How many of its parts a score needs; it is undefined with fewer, and prorated for those left out (FACTS §4).

    Sums are multiplied by the number of parts (or their weights) over those answered, means are taken over those
    answered. `count` is an instrument's own number and goes before the share.
    """

    share: float = 1.0
    count: int | None = None

    def required(self, parts: int) -> int:
        """Number of parts that must be answered, at least 1."""
        if self.count is not None:
            return self.count
        return max(1, math.ceil(self.share * parts - SLACK))


COMPLETE = MissingRule()
"""Every part must be answered."""
FOUR_FIFTHS = MissingRule(share=0.8)
"""The general rule of FACTS §4 for instruments that have none of their own."""


class ScoreKind(Enum):
    """How a score is made; the names of Gloo's score types are in parentheses."""

    RAW_VALUE = "raw_value"
    """The answer to an item."""
    MEAN_OF_RAW_VALUES = "mean_of_raw_values"
    """Mean of an item's answers over a cohort."""
    SUM_OF_RAW_VALUES = "sum_of_raw_values"
    """Sum of an item's answers over a cohort."""
    SUM = "sum"
    """Weighted sum of the items of a scale (scale_sum), or sum of the scores of a domain's scales (domain_sum)."""
    MEAN = "mean"
    """Weighted mean of the items of a scale (scale_mean), or mean of the scores of a domain's scales (domain_mean)."""
    AVERAGE_OF_SUMS = "average_of_sums"
    """Mean of the sums over a cohort (average_of_scale_sums, average_of_domain_sums)."""
    AVERAGE_OF_MEANS = "average_of_means"
    """Mean of the means over a cohort (average_of_scale_means, average_of_domain_means)."""
    GOAL_ATTAINMENT = "goal_attainment"
    """T score of goals -2 to 2, the items of a scale, by the method of Kiresuk & Sherman; ours, Gloo has none."""
    CUSTOM_CALCULATION = "custom_calculation"
    """An expression over other scores."""


class Scope(Enum):
    """Whom a score is about."""

    INDIVIDUAL = "individual"
    """Each respondent has one."""
    COHORT = "cohort"
    """All respondents of a cohort share one."""


COHORT_KINDS = frozenset(
    {
        ScoreKind.MEAN_OF_RAW_VALUES,
        ScoreKind.SUM_OF_RAW_VALUES,
        ScoreKind.AVERAGE_OF_SUMS,
        ScoreKind.AVERAGE_OF_MEANS,
    }
)


@dataclass(frozen=True)
class Variable:
    """The letter by which a custom calculation refers to another score."""

    letter: str
    config: str


@dataclass(frozen=True)
class ScoreConfig:
    """How one score is made out of an item, a scale or a domain."""

    key: str
    of: str
    """Key of the item, scale or domain."""
    kind: ScoreKind
    missing: MissingRule = COMPLETE
    multiplier: float = 1.0
    """What the score is multiplied by, such as 2 for the DASS-21."""
    decimals: int | None = None
    """Places that the score is rounded to, halves up; None keeps it as it is."""
    parts: tuple[str, ...] = ()
    """Of a domain: the scores that are added or averaged, one for each scale.

    Left out, it is the first individual score of each scale that is no custom calculation, or without one the plain
    sum of the scale, for means its mean.
    """
    expression: str = ""
    variables: tuple[Variable, ...] = ()
    scope: Scope | None = None
    """Of a custom calculation; the other kinds have the scope that their kind says."""
    norm: Norm | None = None
    ranges: tuple[ResultRange, ...] = ()
    label: str = ""

    @property
    def is_cohort(self) -> bool:
        """Whether all respondents of a cohort share this score."""
        return self.kind in COHORT_KINDS or self.scope is Scope.COHORT
