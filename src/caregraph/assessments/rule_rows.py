"""Rows that say how something is scored, loaded together: score configs and whatever they need."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from . import models
from .config_models import CalculationVariable, CustomCalculation, PercentileRankConfig, ResultRange, ScoreConfig
from .enums import PublicationStatus, ScoreType

Execute = Callable[[Any], Awaitable[Any]]
"""How a statement is sent: by a transaction or an operation's snapshot, which add the viewer's visibility."""
_PARTS = (ScoreType.SCALE_SUM, ScoreType.SCALE_MEAN)


@dataclass(eq=False)
class RuleRows:
    """Rows by id, and what hangs on them in order."""

    configs: dict[int, ScoreConfig] = field(default_factory=dict)
    calculations: dict[int, CustomCalculation] = field(default_factory=dict)
    """By the id of their score config, as norms."""
    norms: dict[int, PercentileRankConfig] = field(default_factory=dict)
    variables: dict[int, list[CalculationVariable]] = field(default_factory=lambda: defaultdict(list))
    """By the id of the custom calculation."""
    items: dict[int, models.Item] = field(default_factory=dict)
    options: dict[int, list[models.ItemOption]] = field(default_factory=lambda: defaultdict(list))
    scales: dict[int, models.Scale] = field(default_factory=dict)
    members: dict[int, list[models.ItemScale]] = field(default_factory=lambda: defaultdict(list))
    """Links to items by the id of the scale."""
    domains: dict[int, models.Domain] = field(default_factory=dict)
    within: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Ids of scales by the id of the domain."""
    parts: dict[tuple[int, ScoreType], ScoreConfig] = field(default_factory=dict)
    """The first published sum and mean of each scale: by these it goes into domains."""
    ranges: dict[tuple[str, int], list[ResultRange]] = field(default_factory=lambda: defaultdict(list))
    """By `scale_id` or `domain_id` and its value."""


async def rule_rows(
    execute: Execute, *, configs: Iterable[int] = (), scales: Iterable[int] = (), domains: Iterable[int] = ()
) -> RuleRows:
    """Load score configs, scales and domains with everything that their scores are made of."""
    rows = RuleRows()
    await _configs(execute, rows, set(configs))
    wanted = {*domains, *_named(rows, "domain_id")}
    rows.domains = await _by_id(execute, models.Domain, wanted)
    of_domains = models.DomainScale.domain_id.in_(wanted)
    for link in await _all(execute, models.DomainScale, of_domains, nothing=not wanted):
        rows.within[link.domain_id].append(link.scale_id)
    inner = {one for ids in rows.within.values() for one in ids}
    await _add_parts(execute, rows, inner)
    await _add_scales(execute, rows, {*scales, *inner, *_named(rows, "scale_id")})
    await _add_items(execute, rows)
    await _add_meaning(execute, rows)
    return rows


async def _configs(execute: Execute, rows: RuleRows, waiting: set[int]) -> None:
    """Score configs with those that their variables stand for, level by level."""
    while waiting:
        found = await _by_id(execute, ScoreConfig, waiting)
        rows.configs |= found
        custom = [row.id for row in found.values() if row.score_type is ScoreType.CUSTOM_CALCULATION]
        of_configs = CustomCalculation.score_config_id.in_(custom)
        calculations = await _all(execute, CustomCalculation, of_configs, nothing=not custom)
        rows.calculations |= {row.score_config_id: row for row in calculations}
        ids = [row.id for row in calculations]
        of_calculations = CalculationVariable.custom_calculation_id.in_(ids)
        variables = await _all(execute, CalculationVariable, of_calculations, nothing=not ids)
        for variable in variables:
            rows.variables[variable.custom_calculation_id].append(variable)
        waiting = {variable.score_config_id for variable in variables} - rows.configs.keys()


async def _add_parts(execute: Execute, rows: RuleRows, scales: set[int]) -> None:
    is_part = ScoreConfig.scale_id.in_(scales) & ScoreConfig.score_type.in_(_PARTS)
    is_published = ScoreConfig.status == PublicationStatus.PUBLISHED
    for row in await _all(execute, ScoreConfig, is_part & is_published, nothing=not scales):
        if row.scale_id is not None:
            rows.parts.setdefault((row.scale_id, row.score_type), row)


async def _add_scales(execute: Execute, rows: RuleRows, wanted: set[int]) -> None:
    rows.scales = await _by_id(execute, models.Scale, wanted)
    links = await _all(execute, models.ItemScale, models.ItemScale.scale_id.in_(wanted), nothing=not wanted)
    for link in sorted(links, key=lambda link: (link.position, link.id)):
        rows.members[link.scale_id].append(link)


async def _add_items(execute: Execute, rows: RuleRows) -> None:
    wanted = {link.item_id for links in rows.members.values() for link in links} | _named(rows, "item_id")
    rows.items = await _by_id(execute, models.Item, wanted)
    options = await _all(execute, models.ItemOption, models.ItemOption.item_id.in_(wanted), nothing=not wanted)
    for option in options:
        rows.options[option.item_id].append(option)


async def _add_meaning(execute: Execute, rows: RuleRows) -> None:
    configs = list(rows.configs)
    of_configs = PercentileRankConfig.score_config_id.in_(configs)
    norms = await _all(execute, PercentileRankConfig, of_configs, nothing=not configs)
    rows.norms = {row.score_config_id: row for row in norms}
    scales, domains = _named(rows, "scale_id"), _named(rows, "domain_id")
    ranges = or_(ResultRange.scale_id.in_(scales), ResultRange.domain_id.in_(domains))
    for row in await _all(execute, ResultRange, ranges, nothing=not (scales or domains)):
        key = ("domain_id", row.domain_id) if row.scale_id is None else ("scale_id", row.scale_id)
        rows.ranges[key].append(row)


def _named(rows: RuleRows, column: str) -> set[int]:
    return {found for row in rows.configs.values() if (found := getattr(row, column)) is not None}


async def _by_id(execute: Execute, model: type[Any], ids: set[int]) -> dict[int, Any]:
    return {row.id: row for row in await _all(execute, model, model.id.in_(ids), nothing=not ids)}


async def _all(execute: Execute, model: type[Any], condition: Any, *, nothing: bool) -> list[Any]:
    """The rows of `model` that the condition names, by id; without a statement where it can name none."""
    if nothing:
        return []
    return list((await execute(select(model).where(condition).order_by(model.id))).scalars())
