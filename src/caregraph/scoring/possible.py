"""The lowest and the highest value that each score can have.

Sums and means of complete answers, and calculations that only add, subtract and scale them, are followed back to the
answers, so that their range is exact. Prorated, rounded, multiplied-together and divided scores and scores of cohorts
are taken by themselves (interval arithmetic): then the range holds every possible value and may be wider than needed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .attainment import t_of
from .engine import rounded
from .expressions import run
from .parts import Item
from .plan import Attainment, Calculation, Node, OverAnswers, OverCohort, OverScores
from .spec import ScoringSpec

Bounds: TypeAlias = tuple[float, float]

_EVERYTHING: Bounds = (-math.inf, math.inf)
_DIGITS = 12
_NOISE = 1e-12


@dataclass(frozen=True)
class PossibleRange:
    """Lowest and highest value of a score, in points; None where there is no limit."""

    minimum: float | None
    maximum: float | None


def possible_ranges(spec: ScoringSpec) -> dict[str, PossibleRange]:
    """Give the range of every score by the key of its config, to 12 digits."""
    forms: dict[str, _Form] = {}
    for key, node in spec.plan.nodes.items():
        forms[key] = _finished(node, _raw(node, spec.items, forms))
    return {key: _told(forms[key].bounds) for key in spec.plan.outputs}


def _told(bounds: Bounds) -> PossibleRange:
    low, high = (float(f"{bound:.{_DIGITS}g}") + 0.0 if math.isfinite(bound) else None for bound in bounds)
    return PossibleRange(low, high)


@dataclass(frozen=True)
class _Form:
    """A constant, and multiples of quantities that vary by themselves within their bounds."""

    constant: float
    terms: Mapping[object, tuple[float, Bounds]]

    @property
    def bounds(self) -> Bounds:
        low = high = self.constant
        for share, bounds in self.terms.values():
            least, most = _around(share * bound for bound in bounds)
            low, high = low + least, high + most
        return _around((low, high))

    def __add__(self, other: "_Form") -> "_Form":
        terms = dict(self.terms)
        for name, (share, bounds) in other.terms.items():
            terms[name] = (terms.get(name, (0.0, bounds))[0] + share, bounds)
        return _Form(self.constant + other.constant, {name: term for name, term in terms.items() if term[0] != 0})

    def __neg__(self) -> "_Form":
        return self.scaled(-1.0)

    def __sub__(self, other: "_Form") -> "_Form":
        return self + -other

    def __mul__(self, other: "_Form") -> "_Form":
        if not self.terms:
            return other.scaled(self.constant)
        if not other.terms:
            return self.scaled(other.constant)
        return _alone(_around(one * another for one in self.bounds for another in other.bounds))

    def scaled(self, factor: float) -> "_Form":
        terms = {name: (share * factor, bounds) for name, (share, bounds) in self.terms.items()}
        return _Form(self.constant * factor, {} if factor == 0 else terms)


def _around(values: Iterable[float]) -> Bounds:
    """From the least to the most of some values; everything if one of them is no number, as infinity times 0."""
    known = tuple(values)
    return _EVERYTHING if any(map(math.isnan, known)) else (min(known), max(known))


def _alone(bounds: Bounds) -> _Form:
    """A quantity that varies by itself."""
    return _Form(0.0, {object(): (1.0, bounds)})


def _constant(value: float) -> _Form:
    return _Form(value, {})


def _quotient(numerator: _Form, denominator: _Form) -> _Form:
    low, high = denominator.bounds
    if low <= 0 <= high:
        return _alone(_EVERYTHING)
    if not denominator.terms:
        return numerator.scaled(1 / denominator.constant)
    return _alone(_around(one / another for one in numerator.bounds for another in (low, high)))


def _raw(node: Node, items: tuple[Item, ...], forms: dict[str, _Form]) -> _Form:
    match node.formula:
        case OverAnswers() as formula:
            return _over_answers(formula, items)
        case Attainment() as formula:
            return _attained(formula, items)
        case OverScores() as formula:
            return _combined(
                [(1.0, forms[part]) for part in formula.parts], required=formula.required, mean=formula.mean
            )
        case OverCohort(part=part, mean=mean):
            low, high = forms[part].bounds
            return _alone((low, high) if mean else (low if low >= 0 else -math.inf, high if high <= 0 else math.inf))
        case Calculation(expression=expression, variables=variables):
            known = {letter: forms[key] for letter, key in variables}
            return run(expression, known, constant=_constant, divide=_quotient)


def _over_answers(formula: OverAnswers, items: tuple[Item, ...]) -> _Form:
    parts = []
    for term in formula.terms:
        item = items[term.item]
        answer = _Form(0.0, {term.item: (1.0, (item.minimum, item.maximum))})
        if term.reverse:
            answer = _constant(item.minimum + item.maximum) - answer
        parts.append((term.weight, answer))
    return _combined(parts, required=formula.required, mean=formula.mean)


def _combined(parts: list[tuple[float, _Form]], *, required: int, mean: bool) -> _Form:
    """Weighted sum or mean; one that is prorated lies between the least and the most that any who answer enough get."""
    weight = sum(share for share, _ in parts)
    if required == len(parts):
        total = _constant(0.0)
        for share, form in parts:
            total += form.scaled(share)
        return total.scaled(1 / weight) if mean else total
    lows, highs = zip(*(form.bounds for _, form in parts), strict=True)
    extremes = sorted(lows), sorted(highs, reverse=True)
    # With equal weights the extreme is the mean of as few parts as will do; with others a single part bounds it.
    count = required if len({share for share, _ in parts}) == 1 else 1
    low, high = (sum(ends[:count]) / count for ends in extremes)
    return _alone((low, high)).scaled(1.0 if mean else weight)


def _attained(formula: Attainment, items: tuple[Item, ...]) -> _Form:
    """Of all weights equal ones give the widest range (Cauchy and Schwarz), with all goals; it holds 50."""
    count = float(len(formula.terms))
    ends = [end for term in formula.terms for end in (items[term.item].minimum, items[term.item].maximum)]
    t = t_of(np.array([min(ends), max(ends)]) * count, np.full(2, count), np.full(2, count))
    return _alone((min(float(t[0]), 50.0), max(float(t[1]), 50.0)))


def _finished(node: Node, form: _Form) -> _Form:
    form = form if node.multiplier == 1.0 else form.scaled(node.multiplier)
    if node.decimals is None:
        return form
    low, high = form.bounds
    # A half may come out a hair to either side, according to the order of the terms.
    ends = rounded(np.array([low - _NOISE * abs(low), high + _NOISE * abs(high)]), node.decimals)
    return _alone((float(ends[0]), float(ends[1])))
