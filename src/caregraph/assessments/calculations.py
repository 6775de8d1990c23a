"""The verbs of custom calculations and their variables."""

from typing import Annotated, Any

from sqlalchemy import select

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import given
from caregraph.graph.node import row_id_of
from caregraph.scoring.errors import SpecError
from caregraph.scoring.expressions import Expression, parse

from .config_inputs import CalculationVariableInput, CalculationVariablePatch, CustomCalculationPatch
from .config_models import CalculationVariable, CustomCalculation, ScoreConfig
from .config_rules import must_be_open, visible_config
from .configs import change_scope
from .enums import ScoreScope, ScoreType
from .rule_rows import RuleRows, rule_rows
from .specs import refusal

_config_id = row_id_of("ScoreConfig")


async def create_custom_calculation(
    tx: Tx,
    context: Context,
    score_config: ScoreConfig,
    score_scope: Annotated[ScoreScope, describe("Whose number it makes.")],
) -> CustomCalculation:
    """Give a score config its custom calculation, without an expression yet.

    `gloo.custom_calculations.create_for_item_score_config` and its like for scales and domains. The config's type is
    `CUSTOM_CALCULATION`; it is a draft, was never scored, and has none yet.
    """
    await must_be_open(tx, context, score_config, "scoreConfigId")
    if score_config.score_type is not ScoreType.CUSTOM_CALCULATION:
        raise Refused(Code.CONFLICT, "The score config is not of the type CUSTOM_CALCULATION", "scoreConfigId")
    await must_have_none(tx, CustomCalculation, score_config, "custom calculation")
    await change_scope(tx, score_config, score_scope)
    calculation = CustomCalculation(score_config_id=score_config.id, score_scope=score_scope)
    tx.add(calculation)
    score_config.version += 1
    await tx.flush()
    return calculation


async def update_custom_calculation(
    tx: Tx,
    context: Context,
    calculation: CustomCalculation,
    input: CustomCalculationPatch,  # noqa: A002
) -> CustomCalculation:
    """Change an expression or its scope (`gloo.custom_calculations.update`). Only the fields sent change.

    Its score config is a draft that was never scored. Every letter of the expression is one of its variables.
    """
    config = await _open_config(tx, context, calculation)
    values = given(input)
    rows = await rule_rows(tx.execute, configs=[config.id])
    if values.get("expression") is not None:
        _must_be_known(_parsed(values["expression"]), rows, calculation)
    if "score_scope" in values:
        for variable in rows.variables[calculation.id]:
            _must_suit(values["score_scope"], variable.name, rows.configs[variable.score_config_id], "input.scoreScope")
        await change_scope(tx, config, values["score_scope"])
    for name, value in values.items():
        setattr(calculation, name, value)
    config.version += 1
    await tx.flush()
    return calculation


async def delete_custom_calculation(tx: Tx, context: Context, calculation: CustomCalculation) -> None:
    """Delete a custom calculation with its variables (`gloo.custom_calculations.delete`).

    Its score config is a draft that was never scored.
    """
    config = await _open_config(tx, context, calculation)
    await tx.delete(calculation)
    config.version += 1
    await tx.flush()


async def create_calculation_variable(
    tx: Tx,
    context: Context,
    custom_calculation: CustomCalculation,
    score_config: Annotated[ScoreConfig, describe("Id of the score config that gives its number.")],
    input: CalculationVariableInput,  # noqa: A002
) -> CalculationVariable:
    """Give a custom calculation a letter. The source shows variables and has no call that creates them.

    Refused where the scores would need each other in a circle. A calculation of respondents takes scores of
    respondents, one of cohorts those of cohorts.
    """
    config = await _open_config(tx, context, custom_calculation, "customCalculationId")
    await _must_fit(tx, custom_calculation, input.name, score_config, "scoreConfigId")
    variable = CalculationVariable(
        custom_calculation_id=custom_calculation.id, name=input.name, score_config_id=score_config.id
    )
    tx.add(variable)
    config.version += 1
    await tx.flush()
    return variable


async def update_calculation_variable(
    tx: Tx,
    context: Context,
    variable: CalculationVariable,
    input: CalculationVariablePatch,  # noqa: A002
) -> CalculationVariable:
    """Change a letter or what it stands for (`gloo.calculation_variables.update`). Only the fields sent change.

    The letter stays while the expression uses it.
    """
    calculation = await _calculation_of(tx, variable)
    config = await _open_config(tx, context, calculation)
    values: dict[str, Any] = given(input)
    if values.get("name", variable.name) != variable.name:
        _must_not_be_needed(calculation, variable, "input", "name")
        variable.name = values["name"]
    if "score_config_id" in values:
        target = await _named(tx, values["score_config_id"])
        await _must_fit(tx, calculation, variable.name, target, "input.scoreConfigId")
        variable.score_config_id = target.id
    config.version += 1
    await tx.flush()
    return variable


async def delete_calculation_variable(tx: Tx, context: Context, variable: CalculationVariable) -> None:
    """Delete a letter (`gloo.calculation_variables.delete`). Refused while the expression uses it."""
    calculation = await _calculation_of(tx, variable)
    config = await _open_config(tx, context, calculation)
    _must_not_be_needed(calculation, variable, "id")
    await tx.delete(variable)
    config.version += 1
    await tx.flush()


async def must_have_none(tx: Tx, model: Any, config: ScoreConfig, noun: str) -> None:
    """Refuse a second row of `model` for a score config."""
    if await tx.scalar(select(model.id).where(model.score_config_id == config.id)) is not None:
        raise Refused(Code.CONFLICT, f"The score config has a {noun} already", "scoreConfigId")


async def _open_config(tx: Tx, context: Context, calculation: CustomCalculation, *path: str) -> ScoreConfig:
    config = await visible_config(tx, calculation.score_config_id)
    await must_be_open(tx, context, config, *(path or ("id",)))
    return config


async def _calculation_of(tx: Tx, variable: CalculationVariable) -> CustomCalculation:
    statement = select(CustomCalculation).where(CustomCalculation.id == variable.custom_calculation_id)
    return (await tx.execute(statement)).scalar_one()


async def _named(tx: Tx, text: str) -> ScoreConfig:
    """The score config of a global id, if there is one that the viewer sees."""
    row_id = _config_id(text)
    found = None
    if row_id is not None:
        found = (await tx.execute(select(ScoreConfig).where(ScoreConfig.id == row_id))).scalar_one_or_none()
    if found is None:
        raise Refused(Code.NOT_FOUND, "ScoreConfig not found", "input", "scoreConfigId")
    return found


def _parsed(text: str) -> Expression:
    try:
        return parse(text)
    except SpecError as error:
        raise refusal(RuleRows(), error, "input", "expression") from None


def _must_be_known(expression: Expression, rows: RuleRows, calculation: CustomCalculation) -> None:
    known = {variable.name for variable in rows.variables[calculation.id]}
    for letter in expression.letters:
        if letter not in known:
            message = f"There is no variable {letter}, used at character {expression.position_of(letter)}"
            raise Refused(Code.INVALID, message, "input", "expression")


def _must_not_be_needed(calculation: CustomCalculation, variable: CalculationVariable, *path: str) -> None:
    if calculation.expression is not None and variable.name in _parsed(calculation.expression).letters:
        raise Refused(Code.CONFLICT, f"The variable {variable.name} is used in the expression", *path)


def _must_suit(scope: ScoreScope, letter: str, target: ScoreConfig, path: str) -> None:
    """A stored score of a respondent would go stale with every answer of others if it counted on a cohort's."""
    if target.score_type_scope is scope:
        return
    if scope is ScoreScope.COHORT:
        message = f"{letter} is a score of respondents: a calculation for a cohort needs scores of cohorts"
    else:
        message = f"{letter} is a score of a cohort: a calculation for respondents needs scores of respondents"
    raise Refused(Code.INVALID, message, *path.split("."))


async def _must_fit(tx: Tx, calculation: CustomCalculation, letter: str, target: ScoreConfig, path: str) -> None:
    _must_suit(calculation.score_scope, letter, target, path)
    await _hold_expressions(tx)
    rows = await rule_rows(tx.execute, configs=[target.id])
    if calculation.score_config_id in rows.configs:
        circle = " → ".join(f"“{name}”" for name in _way(rows, target.id, calculation.score_config_id))
        raise Refused(Code.CONFLICT, f"The scores would need each other in a circle: {circle}", *path.split("."))


async def _hold_expressions(tx: Tx) -> None:
    """Of two changes at once that close a circle together, the second sees the first."""
    ids = select(CustomCalculation.id).where(CustomCalculation.organization_id == tx.info["viewer"].organization_id)
    await tx.execute(ids.order_by(CustomCalculation.id).with_for_update())


def _way(rows: RuleRows, first: int, last: int) -> list[str]:
    """Names from the last score over the first one back to the last, each needing the next."""
    waiting = [(first, [rows.configs[last].name, rows.configs[first].name])]
    while waiting:
        here, names = waiting.pop()
        if here == last:
            return names if first != last else names[:2]
        needed = [variable.score_config_id for variable in _needs(rows, here)]
        waiting += [(one, [*names, rows.configs[one].name]) for one in needed]
    raise AssertionError("what was loaded is led to")


def _needs(rows: RuleRows, config_id: int) -> list[CalculationVariable]:
    calculation = rows.calculations.get(config_id)
    return [] if calculation is None else rows.variables[calculation.id]
