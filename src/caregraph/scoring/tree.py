"""Explains a score as a tree from the number down to answers, rules and norms."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .arrays import Floats
from .compiling import WITHIN
from .engine import node_values
from .errors import Problem
from .expressions import problem_of
from .grouping import Grouping
from .parts import ScoreConfig
from .plan import Attainment, Calculation, Node, OverAnswers, OverCohort, OverScores, Term
from .replay import recompute
from .spec import ScoringSpec
from .steps import Operation, TreeStep


def explain(
    spec: ScoringSpec, answers: Floats, config: str, *, respondent: int = 0, cohorts: Grouping | None = None
) -> tuple[TreeStep, ...]:
    """Explain one score of one respondent: first the score, then what it means, then what it is made of.

    `answers` and `cohorts` are what `score` takes, `respondent` is a row of them. A score of a cohort is explained by
    the sum over the cohort and its size, without the answers of others. Raises KeyError for an unknown config.
    """
    meaning = spec.config(config)
    answers = np.asarray(answers, np.float64)
    if not _needs_cohort(spec, config):
        answers, cohorts, respondent = answers[respondent : respondent + 1], None, 0
    tree = _Tree(spec, answers, cohorts or Grouping.single(len(answers)), respondent)
    tree.add(config)
    first, *below = tree.steps
    return _filled((first, *_meaning(meaning, first), *below), tree.numbers)


def _needs_cohort(spec: ScoringSpec, config: str) -> bool:
    waiting, seen = [config], {config}
    while waiting:
        node = spec.plan.nodes[waiting.pop()]
        if node.is_cohort:
            return True
        waiting += [key for key in node.inputs if key not in seen]
        seen.update(node.inputs)
    return False


def _filled(steps: Sequence[TreeStep], numbers: dict[str, float]) -> tuple[TreeStep, ...]:
    """Give each step its value: what the engine computed, or for a number that it does not keep, what follows."""
    known = {key: None if math.isnan(number) else number for key, number in numbers.items()}
    values = recompute([replace(step, value=known.get(step.key)) for step in steps]) | known
    return tuple(replace(step, value=values[step.key]) for step in steps)


class _Tree:
    """The steps of one respondent, and the numbers that the engine has for some of them."""

    def __init__(self, spec: ScoringSpec, answers: Floats, cohorts: Grouping, respondent: int) -> None:
        self.nodes = spec.plan.nodes
        self.items = spec.items
        self.labels = {config.key: config.label or config.key for config in spec.configs}
        self.answers = answers[respondent]
        self.values = node_values(spec, answers, cohorts)
        self.cohorts = cohorts
        self.respondent = respondent
        version = f" version {spec.version}" if spec.version else ""
        self.source = f"{spec.key or 'scoring rules'}{version}"
        self.steps: list[TreeStep] = []
        self.numbers: dict[str, float] = {}

    def add(self, config: str) -> None:
        """Add a score with everything below it, each number once, under the first that it is part of."""
        waiting: list[tuple[str, str | None]] = [(config, None)]
        while waiting:
            name, parent = waiting.pop()
            if _score(name) not in self.numbers:
                node = self.nodes[name]
                self.numbers[_score(name)] = self._number(name)
                raw = self._node(node, parent)
                if not isinstance(node.formula, OverCohort):
                    waiting += [(key, raw) for key in reversed(node.inputs)]

    def _number(self, name: str) -> float:
        """The value of a node for the respondent; NaN where undefined."""
        place = self.cohorts.groups[self.respondent] if self.nodes[name].is_cohort else self.respondent
        return float(self.values[name][place])

    def _node(self, node: Node, parent: str | None) -> str:
        """Add what is done with the raw value of a node, then the raw value; gives the key of that."""
        label = self.labels.get(node.key, node.key)
        key, made = _score(node.key), self._raw(node)
        finish: list[tuple[Operation, float, str]] = []
        if node.decimals is not None:
            finish.append((Operation.ROUNDED, float(node.decimals), f"rounded halves up, decimals: {node.decimals}"))
        if node.multiplier != 1.0:
            finish.append((Operation.MULTIPLIED, node.multiplier, f"times {node.multiplier:g}"))
        for operation, number, rule in finish:
            inner = f"{key}{WITHIN}before it was {operation.value}"
            done = replace(made, key=key, parent=parent, label=label, rule=rule, operation=operation, expression="")
            self.steps.append(replace(done, operands=(inner,), numbers=(number,)))
            key, parent = inner, key
        self.steps.append(replace(made, key=key, parent=parent, label=label))
        if isinstance(node.formula, OverAnswers | Attainment):
            self._answers(node.formula, key)
        return key

    def _raw(self, node: Node) -> TreeStep:
        match node.formula:
            case OverAnswers() | Attainment() as formula:
                return self._over_answers(formula, undefined=math.isnan(self._number(node.key)))
            case OverScores() as formula:
                return self._over_scores(formula, undefined=math.isnan(self._number(node.key)))
            case OverCohort() as formula:
                return self._over_cohort(formula)
            case Calculation() as formula:
                return self._calculation(formula)

    def _step(self, operation: Operation, rule: str) -> TreeStep:
        return TreeStep("", None, "", None, rule, self.source, operation)

    def _over_answers(self, formula: OverAnswers | Attainment, *, undefined: bool) -> TreeStep:
        operation, rule = _combined(formula, len(formula.terms), "answers")
        return replace(
            self._step(operation, rule),
            operands=tuple(self._operand(term) for term in formula.terms),
            numbers=(float(formula.required), *(term.weight for term in formula.terms)),
            problem=Problem.UNANSWERED if undefined else None,
        )

    def _operand(self, term: Term) -> str:
        return f"{'reversed' if term.reverse else 'answer'}:{self.items[term.item].key}"

    def _answers(self, formula: OverAnswers | Attainment, parent: str) -> None:
        """Add the answers that a sum or mean is made of, below it."""
        for term in formula.terms:
            item = self.items[term.item]
            label, span = item.label or item.key, f"{item.minimum:g} to {item.maximum:g}"
            operand, answer = self._operand(term), f"answer:{item.key}"
            if operand in self.numbers:
                continue
            given = float(self.answers[term.item])
            number = given if item.minimum <= given <= item.maximum else math.nan
            if term.reverse:
                total = item.minimum + item.maximum
                step = replace(self._step(Operation.REVERSED, f"{total:g} less the answer"), operands=(answer,))
                self.steps.append(replace(step, key=operand, parent=parent, label=label, numbers=(total,)))
                self.numbers[operand] = total - number
            if answer not in self.numbers:
                step = self._step(Operation.ANSWER, _answer_rule(given, number, span))
                problem = Problem.OUTSIDE_RANGE if given != number and not math.isnan(given) else None
                below = operand if term.reverse else parent
                self.steps.append(replace(step, key=answer, parent=below, label=label, problem=problem))
                self.numbers[answer] = number

    def _over_scores(self, formula: OverScores, *, undefined: bool) -> TreeStep:
        operation, rule = _combined(formula, len(formula.parts), "scores")
        given = sum(not math.isnan(self._number(part)) for part in formula.parts)
        problem = Problem.UNANSWERED if given < formula.required else Problem.NOT_FINITE
        return replace(
            self._step(operation, rule),
            operands=tuple(_score(part) for part in formula.parts),
            numbers=(float(formula.required), *(1.0 for _ in formula.parts)),
            problem=problem if undefined else None,
        )

    def _over_cohort(self, formula: OverCohort) -> TreeStep:
        values = self.values[formula.part]
        cohort = int(self.cohorts.groups[self.respondent])
        count = int(self.cohorts.counts(~np.isnan(values))[cohort])
        operation = Operation.COHORT_MEAN if formula.mean else Operation.COHORT_SUM
        rule = f"{'mean' if formula.mean else 'sum'} over the {count} respondents of the cohort who have the score"
        return replace(
            self._step(operation, rule),
            numbers=(float(self.cohorts.sums(values)[cohort]), float(count)),
            problem=None if count else Problem.NO_RESPONDENTS,
        )

    def _calculation(self, formula: Calculation) -> TreeStep:
        text = formula.expression.text
        letters = ", ".join(f"{letter} is {self.labels.get(name, name)}" for letter, name in formula.variables)
        values = {letter: self._number(name) for letter, name in formula.variables}
        return replace(
            self._step(Operation.CALCULATION, f"{text}; {letters}" if letters else text),
            operands=tuple(_score(name) for _, name in formula.variables),
            expression=text,
            problem=problem_of(formula.expression, values),
        )


def _score(name: str) -> str:
    return f"score:{name}"


def _combined(formula: OverAnswers | Attainment | OverScores, count: int, what: str) -> tuple[Operation, str]:
    if isinstance(formula, Attainment):
        return Operation.GOAL_ATTAINMENT, f"T of {count} goals; undefined with fewer than {formula.required}"
    name = "mean" if formula.mean else "sum"
    weights = [f"{term.weight:g}" for term in formula.terms] if isinstance(formula, OverAnswers) else []
    if set(weights) - {"1"}:
        what += f", weights {', '.join(weights[:-1])}{' and ' if weights[1:] else ''}{weights[-1]}"
    if formula.required == count:
        rule = f"{name} of {count} {what}; undefined if one is missing"
    else:
        prorated = "" if formula.mean else ", prorated for those left out"
        rule = f"{name} of {count} {what}{prorated}; undefined with fewer than {formula.required}"
    return Operation.MEAN if formula.mean else Operation.SUM, rule


def _answer_rule(given: float, number: float, span: str) -> str:
    if math.isnan(given):
        return f"{span}; not answered"
    return span if given == number else f"{span}; {given:g} is outside and counts as not answered"


def _meaning(config: ScoreConfig, score: TreeStep) -> list[TreeStep]:
    """Steps from the score on: where it stands in the norm and in which range it is."""
    steps = []
    if config.norm is not None:
        norm = config.norm
        source = norm.source or score.source
        of_mean = f"(score - {norm.mean:g}) / {norm.sd:g}, mean and standard deviation of the norm"
        z = f"z:{config.key}"
        step = TreeStep(z, score.key, "z", None, of_mean, source, Operation.Z, operands=(score.key,))
        steps.append(replace(step, numbers=(float(norm.mean), float(norm.sd))))
        for operation, label, rule in (
            (Operation.T, "T", "50 + 10 z"),
            (Operation.PERCENTILE, "Percentile rank", "100 times the normal distribution at z"),
            (Operation.STANINE, "Stanine", "1 and how many of -1.75, -1.25, … 1.75 are reached by z"),
        ):
            key = f"{operation.value}:{config.key}"
            steps.append(TreeStep(key, z, label, None, rule, source, operation, operands=(z,)))
    if config.ranges:
        bounds = tuple(float(bound) for one in config.ranges for bound in (one.start, one.end))
        rule = "; ".join(
            f"{place} {one.label}, {one.start:g} to {one.end:g}" for place, one in enumerate(config.ranges)
        )
        key = f"band:{config.key}"
        step = TreeStep(key, score.key, "Result range", None, rule, score.source, Operation.BAND)
        steps.append(replace(step, operands=(score.key,), numbers=bounds))
    return steps
