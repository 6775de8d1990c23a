"""Score configs as the scoring engine wants them: rows become a specification, which the engine checks."""

from collections.abc import Iterable
from dataclasses import dataclass

from caregraph.graph.errors import Code, Refused
from caregraph.scoring.bands import ResultRange as Band
from caregraph.scoring.errors import SpecCode, SpecError
from caregraph.scoring.norms import Norm
from caregraph.scoring.parts import (
    COMPLETE,
    Domain,
    Item,
    MissingRule,
    Scale,
    ScaleItem,
    Scope,
    ScoreConfig,
    ScoreKind,
    Variable,
)
from caregraph.scoring.spec import ScoringSpec

from . import config_models, models
from .enums import ItemType, ScoreScope, ScoreType
from .rule_rows import RuleRows
from .score_types import KINDS, MEANS, is_displayed

_UNSCORED = (ItemType.INSTRUCTION, ItemType.SHORT_ANSWER)
_CONFLICTS = (SpecCode.OVERLAP, SpecCode.CYCLE)
_COMBINED = (ScoreKind.SUM, ScoreKind.MEAN, ScoreKind.AVERAGE_OF_SUMS, ScoreKind.AVERAGE_OF_MEANS)


def config_key(config_id: int) -> str:
    """What the engine calls a score config."""
    return f"config:{config_id}"


def item_key(item_id: int) -> str:
    """What the engine calls an item."""
    return f"item:{item_id}"


def scale_key(scale_id: int) -> str:
    """What the engine calls a scale."""
    return f"scale:{scale_id}"


def domain_key(domain_id: int) -> str:
    """What the engine calls a domain."""
    return f"domain:{domain_id}"


def spec_of(rows: RuleRows, configs: Iterable[int], *, key: str = "", version: str = "") -> ScoringSpec:
    """The specification of some score configs and whatever they need; raises SpecError."""
    made = _Spec(rows)
    for config_id in configs:
        made.add(rows.configs[config_id])
    return made.spec(key, version)


def limits_spec(rows: RuleRows) -> ScoringSpec:
    """A specification with the sum and the mean of every scale and domain of `rows`, named by `plain_key`."""
    made = _Spec(rows)
    for mean in (False, True):
        for scale_id in rows.scales:
            if made.has_items(scale_id):
                made.add_plain(scale_id, mean=mean)
        for domain_id in rows.domains:
            if made.add_domain(domain_id):
                parts = tuple(made.add_plain(one, mean=mean) for one in rows.within[domain_id])
                kind = ScoreKind.MEAN if mean else ScoreKind.SUM
                name = plain_key(domain_key(domain_id), mean=mean)
                made.configs[name] = ScoreConfig(name, domain_key(domain_id), kind, parts=parts)
    return made.spec("", "")


def plain_key(key: str, *, mean: bool) -> str:
    """What the engine calls the plain sum or mean of a scale or domain."""
    return f"{'mean' if mean else 'sum'} of {key}"


def refusal(rows: RuleRows, error: SpecError, *path: str) -> Refused:
    """The engine's error for people: names instead of keys. Positions in expressions are in its words."""
    message = error.message
    for key, name in _names(rows):
        message = message.replace(repr(key), name)
    return Refused(Code.CONFLICT if error.code in _CONFLICTS else Code.INVALID, message, *path)


def _names(rows: RuleRows) -> Iterable[tuple[str, str]]:
    yield from ((config_key(one.id), f"“{one.name}”") for one in rows.configs.values())
    yield from ((scale_key(one.id), f"“{one.name}”") for one in rows.scales.values())
    yield from ((domain_key(one.id), f"“{one.name}”") for one in rows.domains.values())
    yield from ((item_key(one.id), f"“{one.text or one.id}”") for one in rows.items.values())


@dataclass(eq=False)
class _Spec:
    """Parts of a specification, each added when something needs it."""

    rows: RuleRows

    def __post_init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.scales: dict[int, Scale] = {}
        self.domains: dict[int, Domain] = {}
        self.configs: dict[str, ScoreConfig] = {}

    def spec(self, key: str, version: str) -> ScoringSpec:
        return ScoringSpec(
            items=tuple(self.items[one] for one in sorted(self.items)),
            scales=tuple(self.scales.values()),
            domains=tuple(self.domains.values()),
            configs=tuple(self.configs.values()),
            key=key,
            version=version,
        )

    def add(self, first: config_models.ScoreConfig) -> None:
        """Add a score config, what it scores, and the scores that it is made of."""
        waiting = [first]
        while waiting:
            row = waiting.pop()
            if (key := config_key(row.id)) in self.configs:
                continue
            of = self._add_target(row)
            variables = self._variables(row)
            self.configs[key] = self._config(row, key, of, variables)
            waiting += [self.rows.configs[one.score_config_id] for one in variables]

    def add_domain(self, domain_id: int) -> bool:
        """Add a domain with its scales; false for one without, or with one that has nothing to score."""
        scales = self.rows.within[domain_id]
        if not scales or not all(self.has_items(one) for one in scales):
            return False
        for one in scales:
            self._add_scale(one)
        self.domains[domain_id] = Domain(
            domain_key(domain_id), tuple(scale_key(one) for one in scales), self.rows.domains[domain_id].name
        )
        return True

    def add_plain(self, scale_id: int, *, mean: bool) -> str:
        """Add the sum or mean of a scale as a score that no config of its own stands for."""
        self._add_scale(scale_id)
        key = plain_key(scale_key(scale_id), mean=mean)
        label = f"{'Mean' if mean else 'Sum'} of {self.rows.scales[scale_id].name}"
        kind = ScoreKind.MEAN if mean else ScoreKind.SUM
        self.configs[key] = ScoreConfig(key, scale_key(scale_id), kind, label=label)
        return key

    def has_items(self, scale_id: int) -> bool:
        """Whether a scale is there and has an item with numbers."""
        return scale_id in self.rows.scales and any(self._members(scale_id))

    def _config(
        self,
        row: config_models.ScoreConfig,
        key: str,
        of: str,
        variables: list[config_models.CalculationVariable],
    ) -> ScoreConfig:
        share = row.minimum_answered_share
        calculation, norm = self.rows.calculations.get(row.id), self.rows.norms.get(row.id)
        kind = KINDS[row.score_type]
        is_custom = kind is ScoreKind.CUSTOM_CALCULATION
        return ScoreConfig(
            key,
            of,
            kind,
            missing=COMPLETE if share is None else MissingRule(share),
            parts=self._parts(row, kind),
            expression="" if calculation is None else calculation.expression or "",
            variables=tuple(Variable(one.name, config_key(one.score_config_id)) for one in variables),
            scope=_scope(calculation) if is_custom else None,
            norm=None if norm is None else Norm(norm.mean, norm.standard_deviation),
            ranges=tuple(
                Band(one.range_start, one.range_end, one.name, str(one.id)) for one in ranges_of(self.rows, row)
            ),
            label=row.name,
        )

    def _variables(self, row: config_models.ScoreConfig) -> list[config_models.CalculationVariable]:
        calculation = self.rows.calculations.get(row.id)
        found = [] if calculation is None else self.rows.variables[calculation.id]
        return [one for one in found if one.score_config_id in self.rows.configs]

    def _parts(self, row: config_models.ScoreConfig, kind: ScoreKind) -> tuple[str, ...]:
        """Of a domain: the published sum, or mean, of each scale; without one the plain sum or mean."""
        if row.domain_id is None or kind not in _COMBINED:
            return ()
        mean = row.score_type in MEANS
        wanted = ScoreType.SCALE_MEAN if mean else ScoreType.SCALE_SUM
        keys = []
        for scale_id in self.rows.within[row.domain_id]:
            part = self.rows.parts.get((scale_id, wanted))
            if part is None:
                keys.append(self.add_plain(scale_id, mean=mean))
            else:
                keys.append(config_key(part.id))
                self.configs.setdefault(keys[-1], self._config(part, keys[-1], scale_key(scale_id), []))
        return tuple(keys)

    def _add_target(self, row: config_models.ScoreConfig) -> str:
        if row.item_id is not None:
            self._add_item(row.item_id)
            return item_key(row.item_id)
        if row.scale_id is not None:
            self._add_scale(row.scale_id)
            return scale_key(row.scale_id)
        domain_id = row.domain_id or 0
        if not self.add_domain(domain_id):
            raise SpecError(SpecCode.EMPTY, f"There is nothing to score in {domain_key(domain_id)!r}")
        return domain_key(domain_id)

    def _add_item(self, item_id: int) -> None:
        if item_id not in self.items:
            made = _item(self.rows.items.get(item_id), self.rows.options[item_id])
            if made is None:
                raise SpecError(SpecCode.EMPTY, f"There are no answers with numbers to {item_key(item_id)!r}")
            self.items[item_id] = made

    def _add_scale(self, scale_id: int) -> None:
        if scale_id in self.scales:
            return
        members = self._members(scale_id)
        if not members:
            raise SpecError(SpecCode.EMPTY, f"There are no items with numbers on {scale_key(scale_id)!r}")
        for one in members:
            self._add_item(one.item_id)
        self.scales[scale_id] = Scale(
            scale_key(scale_id),
            tuple(ScaleItem(item_key(one.item_id), one.weight, one.is_reversed) for one in members),
            self.rows.scales[scale_id].name,
        )

    def _members(self, scale_id: int) -> list[models.ItemScale]:
        """The items of a scale that have numbers, by position: texts and instructions on it are not scored."""
        links = self.rows.members[scale_id]
        return [one for one in links if _item(self.rows.items.get(one.item_id), self.rows.options[one.item_id])]


def ranges_of(rows: RuleRows, config: config_models.ScoreConfig) -> list[config_models.ResultRange]:
    """The result ranges that a score config's scores fall into: those of its scale or domain if it is the one shown."""
    whole = rows.scales.get(config.scale_id or 0) or rows.domains.get(config.domain_id or 0)
    if whole is None or not is_displayed(config.score_type, whole.display_score_type):
        return []
    return rows.ranges[("scale_id" if config.scale_id is not None else "domain_id", whole.id)]


def _item(row: models.Item | None, options: list[models.ItemOption]) -> Item | None:
    """Null for what is not answered by numbers. Of several options the answer is the sum."""
    values = [one.value for one in options if one.value is not None]
    if row is None or row.item_type in _UNSCORED or not values:
        return None
    label = row.text or ""
    if row.item_type is not ItemType.MULTIPLE_SELECT:
        return Item.of_options(item_key(row.id), values, label)
    lowest, highest = (sum(one for one in values if (one < 0) is below) for below in (True, False))
    return Item(item_key(row.id), lowest, highest, label=label)


def _scope(calculation: config_models.CustomCalculation | None) -> Scope:
    is_cohort = calculation is not None and calculation.score_scope is ScoreScope.COHORT
    return Scope.COHORT if is_cohort else Scope.INDIVIDUAL
