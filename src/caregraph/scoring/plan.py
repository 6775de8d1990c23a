"""A specification in the order in which it is computed: nodes that need only answers and earlier nodes."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from .bands import Bands
from .expressions import Expression
from .parts import ScoreConfig


@dataclass(frozen=True)
class Term:
    """An answer's share in a score."""

    item: int
    """Column of the answers."""
    weight: float
    reverse: bool


@dataclass(frozen=True)
class OverAnswers:
    """Weighted sum or mean of answers."""

    terms: tuple[Term, ...]
    required: int
    mean: bool

    @property
    def weight(self) -> float:
        """Sum of the weights, added in the order of the terms."""
        return sum((term.weight for term in self.terms), 0.0)


@dataclass(frozen=True)
class Attainment:
    """Goal attainment T of answers; goals without one are left out."""

    terms: tuple[Term, ...]
    required: int


@dataclass(frozen=True)
class OverScores:
    """Sum or mean of earlier scores of the same respondent."""

    parts: tuple[str, ...]
    required: int
    mean: bool


@dataclass(frozen=True)
class OverCohort:
    """Mean or sum of an earlier score over a cohort; respondents without it are left out."""

    part: str
    mean: bool


@dataclass(frozen=True)
class Calculation:
    """An expression over earlier scores."""

    expression: Expression
    variables: tuple[tuple[str, str], ...]
    """Letter and key of the node, for each letter in the expression."""


Formula: TypeAlias = OverAnswers | Attainment | OverScores | OverCohort | Calculation


@dataclass(frozen=True)
class Node:
    """One number to compute: a score, or a sum or mean on the way to one."""

    key: str
    formula: Formula
    is_cohort: bool
    multiplier: float = 1.0
    decimals: int | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Keys of the nodes that it needs."""
        match self.formula:
            case OverScores(parts=parts):
                return parts
            case OverCohort(part=part):
                return (part,)
            case Calculation(variables=variables):
                return tuple(dict.fromkeys(key for _, key in variables))
            case _:
                return ()


@dataclass(frozen=True)
class Output:
    """A node that was asked for, with what its score means."""

    config: ScoreConfig
    bands: Bands


@dataclass(frozen=True)
class Plan:
    """Nodes sorted so that each stands after what it needs, and the scores among them."""

    nodes: dict[str, Node]
    outputs: dict[str, Output]

    @cached_property
    def of_answers(self) -> tuple[tuple[OverAnswers | Attainment, tuple[Node, ...]], ...]:
        """What is made of answers alone: each formula once, with the nodes that share it."""
        shared: dict[OverAnswers | Attainment, list[Node]] = {}
        for node in self.nodes.values():
            if isinstance(node.formula, OverAnswers | Attainment):
                shared.setdefault(node.formula, []).append(node)
        return tuple((formula, tuple(nodes)) for formula, nodes in shared.items())

    @cached_property
    def later(self) -> tuple[Node, ...]:
        """The other nodes, in order."""
        return tuple(node for node in self.nodes.values() if not isinstance(node.formula, OverAnswers | Attainment))
