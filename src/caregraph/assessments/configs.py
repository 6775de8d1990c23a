"""The verbs of score configs."""

from typing import Any

from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import given
from caregraph.scoring.errors import SpecError

from . import models
from .config_inputs import ScoreConfigInput, ScoreConfigPatch
from .config_models import ScoreConfig
from .config_rules import must_be_open, must_not_be_used, whole_of
from .enums import PublicationStatus, ScoreLevel, ScoreScope, ScoreType
from .rule_rows import RuleRows, rule_rows
from .rules import must_be_draft, must_be_editable, must_be_own
from .score_types import LEVELS, goes_with, level_of, scope_of
from .specs import refusal, spec_of

_RULES = frozenset({"score_type", "status", "minimum_answered_share"})
"""What is frozen once published; a new version is counted for it, and none for another name."""


async def create_item_score_config(
    tx: Tx,
    context: Context,
    item: models.Item,
    input: ScoreConfigInput,  # noqa: A002
) -> ScoreConfig:
    """Say how an item is scored, as a draft (`gloo.item_score_configs.create`)."""
    return await _create(tx, context, item, ScoreLevel.ITEM, input)


async def create_scale_score_config(
    tx: Tx,
    context: Context,
    scale: models.Scale,
    input: ScoreConfigInput,  # noqa: A002
) -> ScoreConfig:
    """Say how a scale is scored, as a draft (`gloo.scale_score_configs.create`)."""
    return await _create(tx, context, scale, ScoreLevel.SCALE, input)


async def create_domain_score_config(
    tx: Tx,
    context: Context,
    domain: models.Domain,
    input: ScoreConfigInput,  # noqa: A002
) -> ScoreConfig:
    """Say how a domain is scored, as a draft (`gloo.domain_score_configs.create`)."""
    return await _create(tx, context, domain, ScoreLevel.DOMAIN, input)


async def update_score_config(
    tx: Tx,
    context: Context,
    config: ScoreConfig,
    input: ScoreConfigPatch,  # noqa: A002
) -> ScoreConfig:
    """Change or publish a score config; only the fields sent change.

    `gloo.item_score_configs.update`, `gloo.scale_score_configs.update`, `gloo.domain_score_configs.update`. Once it is
    published its type, status and share are frozen. Published are only those that can be computed: whatever their
    expression needs is published, and there are answers with numbers.
    """
    must_be_own(context.viewer, config)
    await must_be_editable(tx, context, await whole_of(tx, config), "id")
    changes = _changed(config, input)
    if changes.keys() & _RULES:
        await _open(tx, context, config, changes)
    if "score_type" in changes:
        await _retype(tx, config, changes["score_type"])
    if not changes:
        return config
    for name, value in changes.items():
        setattr(config, name, value)
    if changes.keys() & _RULES:
        config.version += 1
    if "status" in changes:
        config.published_at = now()
    await tx.flush()
    if "status" in changes:
        await _must_be_computable(tx, config)
    return config


async def delete_score_config(tx: Tx, context: Context, config: ScoreConfig) -> None:
    """Delete a score config with its custom calculation and percentile rank config.

    `gloo.item_score_configs.delete`, `gloo.scale_score_configs.delete`, `gloo.domain_score_configs.delete`: only a
    draft that was never scored. Refused while an expression uses it.
    """
    await must_be_open(tx, context, config)
    await must_not_be_used(tx, config)
    await tx.delete(config)
    await tx.flush()


async def _create(
    tx: Tx, context: Context, whole: models.Content, level: ScoreLevel, values: ScoreConfigInput
) -> ScoreConfig:
    argument = f"{level.name.lower()}Id"
    await must_be_editable(tx, context, whole, argument)
    _must_go_with(level, values.score_type)
    config = ScoreConfig(
        **_as_columns(values), **{f"{level.name.lower()}_id": whole.id}, score_type_scope=scope_of(values.score_type)
    )
    tx.add(config)
    await tx.flush()
    return config


def _must_go_with(level: ScoreLevel, score_type: ScoreType) -> None:
    if not goes_with(level, score_type):
        noun = {ScoreLevel.ITEM: "An item", ScoreLevel.SCALE: "A scale", ScoreLevel.DOMAIN: "A domain"}[level]
        names = ", ".join(one.name for one in LEVELS[level])
        message = f"{noun} is scored by {names} or CUSTOM_CALCULATION"
        raise Refused(Code.INVALID, message, "input", "scoreType")


def _changed(config: ScoreConfig, values: ScoreConfigPatch) -> dict[str, Any]:
    """What is really changed: a value that the row has already is not."""
    return {name: value for name, value in _as_columns(values).items() if getattr(config, name) != value}


def _as_columns(values: ScoreConfigInput | ScoreConfigPatch) -> dict[str, Any]:
    columns: dict[str, Any] = given(values)
    if columns.get("minimum_answered_share") is not None:
        columns["minimum_answered_share"] = float(columns["minimum_answered_share"])
    return columns


async def _open(tx: Tx, context: Context, config: ScoreConfig, changes: dict[str, Any]) -> None:
    for name, argument in (
        ("score_type", "scoreType"),
        ("status", "status"),
        ("minimum_answered_share", "minimumAnsweredShare"),
    ):
        if name in changes:
            must_be_draft(config, "input", argument)
    await must_be_open(tx, context, config)


async def _retype(tx: Tx, config: ScoreConfig, score_type: ScoreType) -> None:
    _must_go_with(level_of(config), score_type)
    rows = await rule_rows(tx.execute, configs=[config.id])
    if score_type is not ScoreType.CUSTOM_CALCULATION and config.id in rows.calculations:
        raise Refused(Code.CONFLICT, "The score config has a custom calculation", "input", "scoreType")
    if score_type is ScoreType.CUSTOM_CALCULATION and config.id in rows.norms:
        raise Refused(Code.CONFLICT, "The score config has a percentile rank config", "input", "scoreType")
    await change_scope(tx, config, scope_of(score_type))


async def change_scope(tx: Tx, config: ScoreConfig, scope: ScoreScope) -> None:
    """Keep whose number a score is; refused while an expression counts on it."""
    if config.score_type_scope is not scope:
        await must_not_be_used(tx, config)
        config.score_type_scope = scope


async def _must_be_computable(tx: Tx, config: ScoreConfig) -> None:
    """The engine itself says so."""
    rows = await rule_rows(tx.execute, configs=[config.id])
    _must_have_expression(rows, config)
    for other in rows.configs.values():
        if other.status is not PublicationStatus.PUBLISHED:
            message = f"The expression needs the score config “{other.name}”, which is not published"
            raise Refused(Code.CONFLICT, message, "input", "status")
    try:
        spec_of(rows, [config.id])
    except SpecError as error:
        raise refusal(rows, error, "input", "status") from None


def _must_have_expression(rows: RuleRows, config: ScoreConfig) -> None:
    if config.score_type is ScoreType.CUSTOM_CALCULATION:
        calculation = rows.calculations.get(config.id)
        if calculation is None or calculation.expression is None:
            raise Refused(Code.CONFLICT, "The custom calculation has no expression", "input", "status")
