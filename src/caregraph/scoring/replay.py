"""Computes the steps of an explanation again from nothing but themselves."""

import math
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise

import numpy as np

from .attainment import t_of
from .bands import NO_BAND, ResultRange, bands
from .engine import rounded
from .expressions import parse, run
from .norms import NO_STANINE, Norm, percentiles, stanines, t_scores, z_scores
from .steps import Operation, TreeStep


def recompute(steps: Sequence[TreeStep]) -> dict[str, float | None]:
    """Compute every step by its operation, from the answers and numbers in the tree alone, to the last bit; by key."""
    by_key = {step.key: step for step in steps}
    order = TopologicalSorter({step.key: step.operands for step in steps}).static_order()
    found: dict[str, float] = {}
    for key in order:
        step = by_key[key]
        if step.operation is Operation.ANSWER:
            found[key] = math.nan if step.value is None else step.value
        else:
            found[key] = _OPERATIONS[step.operation](step, [found[operand] for operand in step.operands])
    return {step.key: None if math.isnan(found[step.key]) else found[step.key] for step in steps}


def _reversed(step: TreeStep, operands: list[float]) -> float:
    return step.numbers[0] - operands[0]


def _weighted(step: TreeStep, operands: list[float]) -> float:
    required, *weights = step.numbers
    total = weight = 0.0
    count = 0
    for value, share in zip(operands, weights, strict=True):
        if not math.isnan(value):
            total += value * share
            weight += share
            count += 1
    whole = sum(weights, 0.0)
    if count < required or (weight == 0 and (step.operation is Operation.MEAN or required < len(weights))):
        return math.nan
    if step.operation is Operation.MEAN:
        return _finite(total / weight)
    return _finite(total if required == len(weights) else total * (whole / weight))


def _attained(step: TreeStep, operands: list[float]) -> float:
    required, *weights = step.numbers
    reached = weight = squares = 0.0
    given = 0
    for value, share in zip(operands, weights, strict=True):
        if not math.isnan(value):
            reached += value * share
            weight += share
            squares += share * share
            given += 1
    found = t_of(np.array([reached]), np.array([weight]), np.array([squares]))
    return float(found[0]) if given >= required else math.nan


def _cohort(step: TreeStep, _: list[float]) -> float:
    total, count = step.numbers
    if count == 0:
        return math.nan
    return _finite(total / count if step.operation is Operation.COHORT_MEAN else total)


def _calculated(step: TreeStep, operands: list[float]) -> float:
    expression = parse(step.expression)
    values = dict(zip(expression.letters, operands, strict=True))
    return _finite(run(expression, values, constant=float, divide=_quotient))


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator != 0 else math.nan


def _finite(value: float) -> float:
    """Keep what is a number, as the engine keeps it: without -0."""
    return value + 0.0 if math.isfinite(value) else math.nan


def _multiplied(step: TreeStep, operands: list[float]) -> float:
    return _finite(operands[0] * step.numbers[0])


def _rounded(step: TreeStep, operands: list[float]) -> float:
    return float(rounded(np.array(operands), int(step.numbers[0]))[0])


def _z(step: TreeStep, operands: list[float]) -> float:
    return float(z_scores(np.array(operands), Norm(step.numbers[0], step.numbers[1]))[0])


def _t(_: TreeStep, operands: list[float]) -> float:
    return float(t_scores(np.array(operands))[0])


def _percentile(_: TreeStep, operands: list[float]) -> float:
    return float(percentiles(np.array(operands))[0])


def _stanine(_: TreeStep, operands: list[float]) -> float:
    found = int(stanines(np.array(operands))[0])
    return math.nan if found == NO_STANINE else float(found)


def _band(step: TreeStep, operands: list[float]) -> float:
    ranges = [ResultRange(start, end, "") for start, end in list(pairwise(step.numbers))[::2]]
    found = int(bands(ranges).of(np.array(operands))[0])
    return math.nan if found == NO_BAND else float(found)


_OPERATIONS: dict[Operation, Callable[[TreeStep, list[float]], float]] = {
    Operation.REVERSED: _reversed,
    Operation.SUM: _weighted,
    Operation.MEAN: _weighted,
    Operation.GOAL_ATTAINMENT: _attained,
    Operation.COHORT_MEAN: _cohort,
    Operation.COHORT_SUM: _cohort,
    Operation.CALCULATION: _calculated,
    Operation.MULTIPLIED: _multiplied,
    Operation.ROUNDED: _rounded,
    Operation.Z: _z,
    Operation.T: _t,
    Operation.PERCENTILE: _percentile,
    Operation.STANINE: _stanine,
    Operation.BAND: _band,
}
