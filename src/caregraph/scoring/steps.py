"""The steps of an explanation: each number on the way to a score, and the rule that made it."""

from dataclasses import dataclass
from enum import Enum

from .errors import Problem


@dataclass(frozen=True)
class Step:
    """One number on the way to a score, and the rule that made it; `parent` is the key of the step it belongs to."""

    key: str
    parent: str | None
    label: str
    value: float | None
    """Null where undefined, and for versions; yes is 1 and no is 0."""
    rule: str
    source: str


class Operation(Enum):
    """How the value of a step is computed from those of its operands and from its numbers."""

    ANSWER = "answer"
    """What the respondent answered."""
    REVERSED = "reversed"
    """The number, which is the lowest and the highest answer together, minus the operand."""
    SUM = "sum"
    """Sum of operand times weight over those given, times all weights over theirs. Numbers: required, weights."""
    MEAN = "mean"
    """Sum of operand times weight over those given, over their weights. Numbers: how many are required, weights."""
    GOAL_ATTAINMENT = "goal_attainment"
    """Goal attainment T of the operands. Numbers: how many are required, weights."""
    COHORT_MEAN = "cohort_mean"
    """The first number, a sum over a cohort, over the second, how many respondents it is of."""
    COHORT_SUM = "cohort_sum"
    """The first number, a sum over a cohort; the second tells of how many respondents."""
    CALCULATION = "calculation"
    """The expression, with its letters standing for the operands in order."""
    MULTIPLIED = "multiplied"
    """The operand times the number."""
    ROUNDED = "rounded"
    """The operand rounded to as many decimals as the number says, halves up."""
    Z = "z"
    """The operand less the first number, a mean, over the second, a standard deviation."""
    T = "t"
    """50 and 10 times the operand, a z score."""
    PERCENTILE = "percentile"
    """Percentile rank 0-100 of the operand, a z score, by the normal distribution."""
    STANINE = "stanine"
    """Stanine 1-9 of the operand, a z score."""
    BAND = "band"
    """Position, from 0, of the range that the operand is in. Numbers: start and end of each range in turn."""


@dataclass(frozen=True)
class TreeStep(Step):
    """A step that can be computed again, with what it takes."""

    operation: Operation
    operands: tuple[str, ...] = ()
    """Keys of the steps whose values it takes."""
    numbers: tuple[float, ...] = ()
    expression: str = ""
    problem: Problem | None = None
    """Why there is no value."""
