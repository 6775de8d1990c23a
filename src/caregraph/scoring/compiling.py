"""Checks a specification and turns it into a plan; every mistake is a SpecError that names its place."""

from collections.abc import Callable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol, TypeVar

from .bands import bands
from .errors import SpecCode, SpecError
from .expressions import parse
from .parts import Domain, Item, MissingRule, Scale, ScoreConfig, ScoreKind
from .plan import Attainment, Calculation, Formula, Node, Output, OverAnswers, OverCohort, OverScores, Plan, Term

MAXIMUM_DECIMALS = 9
LARGEST = 1e15
"""Limit of bounds, weights and multipliers either way, so that sums of answers stay finite."""
SMALLEST_SD = 1e-9
WITHIN = " > "
"""Joins the key of a score and the name of a number on the way to it; no key may contain it."""

A = TypeVar("A")
R = TypeVar("R")

_ITEM_KINDS = {ScoreKind.RAW_VALUE, ScoreKind.MEAN_OF_RAW_VALUES, ScoreKind.SUM_OF_RAW_VALUES}
_MEANS = {ScoreKind.MEAN, ScoreKind.AVERAGE_OF_MEANS, ScoreKind.MEAN_OF_RAW_VALUES}


class Parts(Protocol):
    """The plain data of a specification."""

    @property
    def items(self) -> tuple[Item, ...]:
        """In the order of the columns of the answers."""

    @property
    def scales(self) -> tuple[Scale, ...]:
        """Groups of items."""

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Groups of scales."""

    @property
    def configs(self) -> tuple[ScoreConfig, ...]:
        """The scores to compute."""


def compile_plan(parts: Parts) -> Plan:
    """Check the parts of a specification and order its scores; raises SpecError."""
    return _Compiler(parts).plan()


class _Compiler:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        check_parts(parts)
        self.columns = {item.key: column for column, item in enumerate(parts.items)}
        self.scales = {scale.key: scale for scale in parts.scales}
        self.domains = {domain.key: domain for domain in parts.domains}
        self.configs = {config.key: config for config in parts.configs}
        self.first_of: dict[str, ScoreConfig] = {}
        for config in parts.configs:
            if not config.is_cohort and config.kind is not ScoreKind.CUSTOM_CALCULATION:
                self.first_of.setdefault(config.of, config)
        self.nodes: dict[str, Node] = {}

    def plan(self) -> Plan:
        outputs = {}
        for place, config in enumerate(self.parts.configs):
            try:
                _check_numbers(config)
                self.nodes[config.key] = self._node(config)
                outputs[config.key] = Output(config, _told(bands, config.ranges, at="ranges"))
            except SpecError as error:
                raise error.under("configs", place) from None
        return Plan({key: self.nodes[key] for key in self._order()}, outputs)

    def _node(self, config: ScoreConfig) -> Node:
        if config.of not in self.columns and config.of not in self.scales and config.of not in self.domains:
            message = f"There is no item, scale or domain {config.of!r}"
            raise SpecError(SpecCode.UNKNOWN_KEY, message, "of")
        if config.kind is ScoreKind.CUSTOM_CALCULATION:
            return Node(config.key, self._calculation(config), config.is_cohort, config.multiplier, config.decimals)
        if config.expression or config.variables or config.scope is not None:
            message = "Only custom calculations have an expression, variables and a scope of their own"
            raise SpecError(SpecCode.KIND, message, "kind")
        if (config.of in self.columns) != (config.kind in _ITEM_KINDS):
            message = f"The kind {config.kind.value} does not go with {config.of!r}"
            raise SpecError(SpecCode.KIND, message, "kind")
        if config.kind is ScoreKind.GOAL_ATTAINMENT and config.of not in self.scales:
            raise SpecError(SpecCode.KIND, "Goal attainment is scored over the items of a scale", "kind")
        if config.is_cohort:
            return self._cohort(config)
        return Node(config.key, self._individual(config), False, config.multiplier, config.decimals)

    def _cohort(self, config: ScoreConfig) -> Node:
        """A cohort's score is made of one number of each respondent, which need not be a score of its own."""
        part = f"{config.key}{WITHIN}each"
        self.nodes[part] = Node(part, self._individual(config), is_cohort=False, multiplier=config.multiplier)
        mean = config.kind is not ScoreKind.SUM_OF_RAW_VALUES
        return Node(config.key, OverCohort(part, mean), is_cohort=True, decimals=config.decimals)

    def _individual(self, config: ScoreConfig) -> Formula:
        mean = config.kind in _MEANS
        if config.of in self.columns:
            return OverAnswers((Term(self.columns[config.of], 1.0, reverse=False),), 1, mean=False)
        if config.kind is ScoreKind.GOAL_ATTAINMENT:
            terms = self._terms(self.scales[config.of])
            _check_weights(terms, config.of)
            return Attainment(terms, _required(config.missing, len(terms)))
        if config.of in self.scales:
            return self._over_scale(self.scales[config.of], config.missing, mean=mean)
        return self._over_domain(self.domains[config.of], config, mean=mean)

    def _over_scale(self, scale: Scale, missing: MissingRule, *, mean: bool) -> OverAnswers:
        terms = self._terms(scale)
        required = _required(missing, len(terms))
        if mean or required < len(terms):
            _check_weights(terms, scale.key)
        return OverAnswers(terms, required, mean)

    def _terms(self, scale: Scale) -> tuple[Term, ...]:
        return tuple(Term(self.columns[one.item], float(one.weight), one.reverse) for one in scale.items)

    def _over_domain(self, domain: Domain, config: ScoreConfig, *, mean: bool) -> OverScores:
        keys = config.parts or tuple(self._part(self.scales[scale], mean=mean) for scale in domain.scales)
        for place, key in enumerate(keys):
            if config.parts and key not in self.configs:
                raise SpecError(SpecCode.UNKNOWN_KEY, f"There is no score {key!r}", "parts", place)
            if key in self.configs and self.configs[key].is_cohort:
                message = f"{key!r} is a score of a cohort: a domain adds scores of respondents"
                raise SpecError(SpecCode.KIND, message, "parts", place)
        return OverScores(keys, _required(config.missing, len(keys)), mean)

    def _part(self, scale: Scale, *, mean: bool) -> str:
        """Key of the score by which a scale goes into its domains."""
        if scale.key in self.first_of:
            return self.first_of[scale.key].key
        key = f"{scale.key}{WITHIN}{'mean' if mean else 'sum'}"
        self.nodes[key] = Node(key, self._over_scale(scale, MissingRule(), mean=mean), is_cohort=False)
        return key

    def _calculation(self, config: ScoreConfig) -> Calculation:
        if config.norm is not None:
            raise SpecError(SpecCode.KIND, "A custom calculation takes no norm", "norm")
        expression = _told(parse, config.expression, at="expression")
        keys: dict[str, str] = {}
        for place, variable in enumerate(config.variables):
            self._check_variable(config, keys, variable.letter, variable.config, place)
            keys[variable.letter] = variable.config
        for letter in expression.letters:
            if letter not in keys:
                position = expression.position_of(letter)
                message = f"There is no variable {letter}, used at character {position}"
                raise SpecError(SpecCode.UNKNOWN_VARIABLE, message, "expression", position=position)
        return Calculation(expression, tuple((letter, keys[letter]) for letter in expression.letters))

    def _check_variable(self, config: ScoreConfig, known: Iterable[str], letter: str, key: str, place: int) -> None:
        if not (len(letter) == 1 and letter.isascii() and letter.isalpha()):
            raise SpecError(SpecCode.SYNTAX, f"A variable is a single letter, not {letter!r}", "variables", place)
        if letter in known:
            raise SpecError(SpecCode.DUPLICATE_KEY, f"There are two variables {letter}", "variables", place)
        if key not in self.configs:
            raise SpecError(SpecCode.UNKNOWN_KEY, f"There is no score {key!r}", "variables", place)
        if config.is_cohort and not self.configs[key].is_cohort:
            message = f"{letter} is a score of respondents: a calculation for a cohort needs scores of cohorts"
            raise SpecError(SpecCode.KIND, message, "variables", place)

    def _order(self) -> tuple[str, ...]:
        try:
            return tuple(TopologicalSorter({key: node.inputs for key, node in self.nodes.items()}).static_order())
        except CycleError as error:
            circle = " → ".join(repr(key) for key in reversed(error.args[1]))
            place = next(place for place, one in enumerate(self.parts.configs) if one.key in error.args[1])
            message = f"Scores need each other in a circle: {circle}"
            raise SpecError(SpecCode.CYCLE, message, "configs", place) from None


def check_parts(parts: Parts) -> None:
    """Refuse keys that are used twice or lead nowhere, empty groups, and numbers outside their limits."""
    if not parts.items:
        raise SpecError(SpecCode.EMPTY, "There are no items", "items")
    known: dict[str, str] = {}
    for field, many in (("items", parts.items), ("scales", parts.scales), ("domains", parts.domains)):
        _check_keys(field, [one.key for one in many], known)
    _check_keys("configs", [one.key for one in parts.configs], {})
    items, scales = {one.key for one in parts.items}, {one.key for one in parts.scales}
    for place, item in enumerate(parts.items):
        _check_item(item, place)
    for place, scale in enumerate(parts.scales):
        _check_members([one.item for one in scale.items], items, "item", "scales", place)
        for inner, one in enumerate(scale.items):
            _check_size(one.weight, "A weight", "scales", place, "items", inner)
    for place, domain in enumerate(parts.domains):
        _check_members(domain.scales, scales, "scale", "domains", place)


def _check_keys(field: str, keys: Sequence[str], known: dict[str, str]) -> None:
    for place, key in enumerate(keys):
        if key in known:
            raise SpecError(SpecCode.DUPLICATE_KEY, f"The key {key!r} is used twice", field, place)
        if WITHIN in key:
            raise SpecError(SpecCode.FORMAT, f"A key must not contain {WITHIN!r}", field, place)
        known[key] = field


def _check_item(item: Item, place: int) -> None:
    for name in ("minimum", "maximum"):
        _check_size(getattr(item, name), f"The {name} of an answer", "items", place, name)
    if item.minimum > item.maximum:
        message = f"The lowest answer is above the highest: {item.minimum:g} and {item.maximum:g}"
        raise SpecError(SpecCode.NUMBER, message, "items", place)
    for inner, value in enumerate(item.values):
        if not item.minimum <= value <= item.maximum:
            message = f"{value} is outside {item.minimum:g} to {item.maximum:g}"
            raise SpecError(SpecCode.NUMBER, message, "items", place, "values", inner)


def _check_members(keys: Sequence[str], known: Iterable[str], what: str, field: str, place: int) -> None:
    inside, seen = f"{what}s", set[str]()
    if not keys:
        raise SpecError(SpecCode.EMPTY, f"There are no {inside}", field, place, inside)
    for inner, key in enumerate(keys):
        if key not in known:
            raise SpecError(SpecCode.UNKNOWN_KEY, f"There is no {what} {key!r}", field, place, inside, inner)
        if key in seen:
            raise SpecError(SpecCode.DUPLICATE_KEY, f"{key!r} is in it twice", field, place, inside, inner)
        seen.add(key)


def _check_numbers(config: ScoreConfig) -> None:
    _check_size(config.multiplier, "A multiplier", "multiplier")
    if config.decimals is not None and not 0 <= config.decimals <= MAXIMUM_DECIMALS:
        raise SpecError(SpecCode.NUMBER, f"Scores are rounded to 0 to {MAXIMUM_DECIMALS} decimals", "decimals")
    norm = config.norm
    if norm is not None and not (abs(norm.mean) <= LARGEST and SMALLEST_SD <= norm.sd <= LARGEST):
        message = "A norm needs a mean and a standard deviation above 0"
        raise SpecError(SpecCode.NUMBER, message, "norm")


def _check_size(number: float, name: str, *path: str | int) -> None:
    if not abs(number) <= LARGEST:
        raise SpecError(SpecCode.NUMBER, f"{name} is a number of at most {LARGEST:g} either way", *path)


def _check_weights(terms: Sequence[Term], scale: str) -> None:
    weights = [term.weight for term in terms]
    if not (min(weights) >= 0 and max(weights) > 0):
        message = f"A mean or a prorated score needs weights of 0 or more, and one above 0, in {scale!r}"
        raise SpecError(SpecCode.NUMBER, message, "of")


def _required(missing: MissingRule, parts: int) -> int:
    if missing.count is None and not 0 < missing.share <= 1:
        message = f"A share of answers is above 0 and at most 1, not {missing.share:g}"
        raise SpecError(SpecCode.NUMBER, message, "missing")
    required = missing.required(parts)
    if not 1 <= required <= parts:
        message = f"Of {parts} parts 1 to {parts} can be required, not {required}"
        raise SpecError(SpecCode.NUMBER, message, "missing")
    return required


def _told(check: Callable[[A], R], argument: A, *, at: str) -> R:
    """Check a field of a config; what is wrong is told with the field's name."""
    try:
        return check(argument)
    except SpecError as error:
        raise error.under(at) from None
