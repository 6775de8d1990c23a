"""Answers to scores, for one respondent or a million by the same code."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import norms
from .arrays import SLACK, Bools, Floats, Ints
from .attainment import t_of
from .bands import Bands
from .expressions import evaluate
from .grouping import Grouping
from .parts import ScoreConfig
from .plan import Attainment, Calculation, Node, OverAnswers, OverCohort, OverScores, Term
from .spec import ScoringSpec

# Respondents at a time while answers are read: their columns then stay in the processor's cache.
_BLOCK = 4096
# From here on floats hold whole numbers only, there is nothing to round.
_WHOLE = 2.0**52


@dataclass(frozen=True, eq=False)
class Column:
    """One score of everybody, of shape (n,), or (cohorts,) for scores of cohorts; what it means is computed if asked.

    Undefined is NaN, in `stanine` NO_STANINE and in `band` NO_BAND; without a norm z, T, percentile and stanine are
    undefined.
    """

    score: Floats
    config: ScoreConfig
    bands: Bands

    @cached_property
    def z(self) -> Floats:
        """Standard deviations above the mean of the norm."""
        if self.config.norm is None:
            return np.full(np.shape(self.score), np.nan)
        return norms.z_scores(self.score, self.config.norm)

    @cached_property
    def t(self) -> Floats:
        """T scores: 50 at the mean of the norm, 10 for each standard deviation."""
        return norms.t_scores(self.z)

    @cached_property
    def percentile(self) -> Floats:
        """Percentile ranks 0-100 by the normal distribution."""
        return norms.percentiles(self.z)

    @cached_property
    def stanine(self) -> Ints:
        """Stanines 1-9."""
        return norms.stanines(self.z)

    @cached_property
    def band(self) -> Ints:
        """Positions in `config.ranges`."""
        return self.bands.of(self.score)


def score(spec: ScoringSpec, answers: Floats, *, cohorts: Grouping | None = None) -> dict[str, Column]:
    """Every score of a specification by the key of its config.

    `answers` are of shape (n, items), in the order of `spec.items`; NaN is no answer, and a number outside the range
    of its item counts as none. `cohorts` says which of how many cohorts each respondent is in, one for all if left out.
    Raises ValueError for answers of another shape.
    """
    values = node_values(spec, answers, cohorts)
    return {key: Column(values[key], one.config, one.bands) for key, one in spec.plan.outputs.items()}


def node_values(spec: ScoringSpec, answers: Floats, cohorts: Grouping | None = None) -> dict[str, Floats]:
    """Every number of the plan, also those on the way to a score."""
    answers = checked(spec, answers)
    if cohorts is not None and len(cohorts.groups) != len(answers):
        raise ValueError(f"{len(answers)} respondents cannot be in {len(cohorts.groups)} places of cohorts")
    values = _over_answers(spec, answers)
    if spec.plan.later:
        later = _Later(spec.plan.nodes, values, cohorts, len(answers))
        for node in spec.plan.later:
            values[node.key] = later.value(node)
    return values


def checked(spec: ScoringSpec, answers: Floats) -> Floats:
    """Answers as a table of float64; raises ValueError for another shape than (n, items)."""
    answers = np.asarray(answers, np.float64)
    if answers.ndim != 2 or answers.shape[1] != len(spec.items):  # noqa: PLR2004 - a table
        raise ValueError(f"answers must have the shape (n, {len(spec.items)}), not {answers.shape}")
    return answers


def invalid(spec: ScoringSpec, answers: Floats) -> Bools:
    """Whether each answer is given but not one that its item has: out of range, or none of its options."""
    given = ~np.isnan(answers)
    wrong = np.zeros(answers.shape, np.bool_)
    for column, item in enumerate(spec.items):
        answer = answers[:, column]
        wrong[:, column] = (answer < item.minimum) | (answer > item.maximum)
        if item.values:
            wrong[:, column] |= ~np.isin(answer, item.values)
    return wrong & given


def finished(node: Node, values: Floats) -> Floats:
    """Multiply and round a raw value as its score config says; there is no -0."""
    if node.multiplier != 1.0:
        values = values * node.multiplier + 0.0
    if not isinstance(node.formula, OverAnswers):
        values = np.where(np.isfinite(values), values + 0.0, np.nan)
    return values if node.decimals is None else rounded(values, node.decimals)


def rounded(values: Floats, decimals: int) -> Floats:
    """Round to a number of decimals, halves up, also those that binary floats hold a hair too low."""
    unit = 10.0**decimals
    scaled = values * unit
    return np.where(np.abs(scaled) < _WHOLE, np.floor(scaled + (0.5 + SLACK)) / unit, values)


def _over_answers(spec: ScoringSpec, answers: Floats) -> dict[str, Floats]:
    """Sums and means of answers, a block of respondents at a time."""
    lowest, highest = spec.bounds
    formulas = [(formula, np.empty(len(answers))) for formula, _ in spec.plan.of_answers]
    for start in range(0, len(answers), _BLOCK):
        block = _Block(answers[start : start + _BLOCK], lowest, highest)
        for formula, raw in formulas:
            raw[start : start + _BLOCK] = block.value(formula)
    for _, raw in formulas:
        raw.flags.writeable = False  # several scores may share it
    return {
        node.key: finished(node, raw)
        for (_, raw), (_, nodes) in zip(formulas, spec.plan.of_answers, strict=True)
        for node in nodes
    }


class _Block:
    """The answers of some respondents, one contiguous row for each item, 0 where there is none."""

    def __init__(self, answers: Floats, lowest: Floats, highest: Floats) -> None:
        self.answers = np.array(answers.T, order="C")
        self.given = (self.answers >= lowest) & (self.answers <= highest)
        self.answers[~self.given] = 0.0
        self.spans = (lowest + highest)[:, 0]

    def value(self, formula: OverAnswers | Attainment) -> Floats:
        return self._attained(formula) if isinstance(formula, Attainment) else self._combined(formula)

    def _combined(self, formula: OverAnswers) -> Floats:
        """Add term by term: the order decides about the last bit, and one respondent must get the same bits as many."""
        total = np.zeros(self.answers.shape[1])
        for term in formula.terms:
            total += self._term(term)
        if formula.required == len(formula.terms):
            total[~self.given[[term.item for term in formula.terms]].all(axis=0)] = np.nan
            return total / formula.weight if formula.mean else total
        count = self.given[[term.item for term in formula.terms]].sum(axis=0)
        weight = self._weight(formula) if any(term.weight != 1.0 for term in formula.terms) else count
        with np.errstate(divide="ignore", invalid="ignore"):
            total = total / weight if formula.mean else total * (formula.weight / weight)
        total[count < formula.required] = np.nan
        return total

    def _attained(self, formula: Attainment) -> Floats:
        reached, weight, squares = np.zeros((3, self.answers.shape[1]))
        for term in formula.terms:
            reached += self._term(term)
            weight += self.given[term.item] * term.weight
            squares += self.given[term.item] * (term.weight * term.weight)
        score = t_of(reached, weight, squares)
        score[self.given[[term.item for term in formula.terms]].sum(axis=0) < formula.required] = np.nan
        return score

    def _term(self, term: Term) -> Floats:
        row: Floats = self.answers[term.item]
        if term.reverse:
            row = np.multiply(self.spans[term.item] - row, self.given[term.item])
        return row if term.weight == 1.0 else np.multiply(row, term.weight)

    def _weight(self, formula: OverAnswers) -> Floats:
        """Sum of the weights of what was answered."""
        weight = np.zeros(self.answers.shape[1])
        for term in formula.terms:
            weight += self.given[term.item] * term.weight
        return weight


class _Later:
    """Numbers that are made of other numbers."""

    def __init__(
        self, nodes: dict[str, Node], values: dict[str, Floats], cohorts: Grouping | None, respondents: int
    ) -> None:
        self.nodes = nodes
        self.values = values
        self.cohorts = Grouping.single(respondents) if cohorts is None else cohorts
        self.respondents = respondents

    def value(self, node: Node) -> Floats:
        match node.formula:
            case OverScores() as formula:
                return finished(node, self._over_scores(formula))
            case OverCohort() as formula:
                return finished(node, self._over_cohort(formula))
            case Calculation() as formula:
                return finished(node, self._calculated(node, formula))
        raise AssertionError(node)

    def _over_scores(self, formula: OverScores) -> Floats:
        total, count = np.zeros(self.respondents), np.zeros(self.respondents)
        for part in formula.parts:
            given = ~np.isnan(self.values[part])
            total += np.where(given, self.values[part], 0.0)
            count += given
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = total / count if formula.mean else total * (len(formula.parts) / count)
        total[count < formula.required] = np.nan
        return total

    def _over_cohort(self, formula: OverCohort) -> Floats:
        values = self.values[formula.part]
        if formula.mean:
            return self.cohorts.means(values)
        nobody = self.cohorts.counts(~np.isnan(values)) == 0
        return np.where(nobody, np.nan, self.cohorts.sums(values))

    def _calculated(self, node: Node, formula: Calculation) -> Floats:
        size = self.cohorts.count if node.is_cohort else self.respondents
        values = {letter: self._seen_from(node, key) for letter, key in formula.variables}
        return np.array(np.broadcast_to(evaluate(formula.expression, values), (size,)))

    def _seen_from(self, node: Node, key: str) -> Floats:
        """A number of a cohort, looked at by each of its respondents."""
        value = self.values[key]
        if self.nodes[key].is_cohort and not node.is_cohort:
            return value[self.cohorts.groups]
        return value
