"""`gloo.calculation_variables.*`, and our operation that creates them."""

from typing import Any

import pytest

from caregraph.assessments.enums import PublicationStatus, ScoreScope, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, refused, strange_ids
from factories.assessments import make_calculation, make_config, make_item
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
CREATE = """mutation($calculation: ID!, $config: ID!, $name: String!) {
    result: createCalculationVariable(customCalculationId: $calculation, scoreConfigId: $config, input: {name: $name}) {
        node { id name scoreConfig { id level } } errors { code message path } } }"""


class _Row:
    def __init__(self, row_id: int) -> None:
        self.id = row_id


async def _config(author: Principal, name: str = "Ratio", **overrides: Any) -> Any:
    item = await make_item(author, "Low?", values=(0, 1, 2))
    score_type = overrides.pop("score_type", ScoreType.CUSTOM_CALCULATION)
    return await make_config(author, item, score_type, name=name, **overrides)


async def _raw(author: Principal) -> Any:
    return await _config(author, "Raw", score_type=ScoreType.RAW_VALUE)


def _node(variable_id: int, name: str, config: Any) -> dict[str, Any]:
    config_id = global_id("ScoreConfig", config.id)
    return {
        "id": global_id("CalculationVariable", variable_id),
        "name": name,
        "scoreConfig": {"id": config_id, "level": "ITEM"},
    }


async def _create(principal: Principal, calculation: Any, config: Any, name: str = "A") -> Answer:
    ids = {"calculation": global_id("CustomCalculation", calculation.id), "config": global_id("ScoreConfig", config.id)}
    return await principal.ask(CREATE, **ids, name=name)


async def test_create_gives_a_calculation_a_letter(world: World) -> None:
    raw = await _raw(world.superuser)
    calculation = await make_calculation(world.superuser, await _config(world.superuser))

    async with changes(world) as found:
        made = await _create(world.superuser, calculation, raw)
        again = await _create(world.superuser, calculation, raw)
        by_user = await _create(world.user, calculation, raw, "B")
        elsewhere = await _create(world.other_superuser, calculation, raw, "B")
        wrong = [(await _create(world.superuser, calculation, raw, name)).result for name in ("AB", "a", "é", "1")]

    assert made.result == changed(_node(1, "A", raw))
    assert again.result == refused("CONFLICT", "The letter stands for something already", "input", "name")
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "CustomCalculation not found", "customCalculationId")
    assert wrong == [refused("INVALID", "A variable is one letter from A to Z", "input", "name")] * 4
    assert found == {"calculation_variables": 1}


async def test_scores_do_not_need_each_other_in_a_circle(world: World) -> None:
    author = world.superuser
    first, second, third = [await _config(author, name) for name in ("First", "Second", "Third")]
    of_first = await make_calculation(author, first)
    await make_calculation(author, second, A=first)
    await make_calculation(author, third, A=second, B=await _raw(author))
    spare = await make_calculation(author, await _config(author, "Spare"), A=await _raw(author))
    variable = await author.ask(
        "query($id: ID!) { customCalculation(id: $id) { variables { id } } }",
        id=global_id("CustomCalculation", spare.id),
    )
    (known,) = variable.data["customCalculation"]["variables"]

    async with changes(world) as found:
        itself = await _create(author, of_first, first)
        by_two = await _create(author, of_first, third)
    apart = await author.run(
        "gloo.calculation_variables.update", id=known["id"], scoreConfigId=global_id("ScoreConfig", third.id)
    )
    closing = await _create(author, of_first, _Row(spare.score_config_id))

    circle = "The scores would need each other in a circle: "
    assert itself.result == refused("CONFLICT", f"{circle}“First” → “First”", "scoreConfigId")
    assert by_two.result == refused("CONFLICT", f"{circle}“First” → “Third” → “Second” → “First”", "scoreConfigId")
    assert found == {}
    assert apart.result["errors"] == []
    assert closing.result["errors"][0]["message"] == f"{circle}“First” → “Spare” → “Third” → “Second” → “First”"


async def test_a_calculation_takes_scores_of_its_own_scope(world: World) -> None:
    author = world.superuser
    raw = await _raw(author)
    mean = await _config(author, score_type=ScoreType.MEAN_OF_RAW_VALUES, score_type_scope=ScoreScope.COHORT)
    each = await make_calculation(author, await _config(author))
    all_ = await make_calculation(author, await _config(author, score_type_scope=ScoreScope.COHORT))

    async with changes(world) as found:
        wide = await _create(author, each, mean)
        narrow = await _create(author, all_, raw)

    message = "A is a score of a cohort: a calculation for respondents needs scores of respondents"
    assert wide.result == refused("INVALID", message, "scoreConfigId")
    message = "A is a score of respondents: a calculation for a cohort needs scores of cohorts"
    assert narrow.result == refused("INVALID", message, "scoreConfigId")
    assert found == {}


@pytest.fixture
async def known(world: World) -> dict[str, Any]:
    """A calculation `A + B` with a spare letter C."""
    author = world.superuser
    raw, other = await _raw(author), await _raw(author)
    config = await _config(author)
    calculation = await make_calculation(author, config, A=raw, B=other)
    await _create(author, calculation, raw, "C")
    return {"raw": raw, "other": other, "config": config, "calculation": calculation}


A, B, C = (global_id("CalculationVariable", one) for one in (1, 2, 3))


async def test_get_and_list_show_variables_to_authors(world: World, known: dict[str, Any]) -> None:
    calculation_id = global_id("CustomCalculation", known["calculation"].id)
    get, list_ = "gloo.calculation_variables.get", "gloo.calculation_variables.list_for_custom_calculation"
    first = _node(1, "A", known["raw"])

    assert (await world.superuser.run(get, calculationVariableId=A)).result == first
    assert (await world.superuser.run(list_, customCalculationId=calculation_id)).result == {
        "variables": [first, _node(2, "B", known["other"]), _node(3, "C", known["raw"])]
    }
    for principal in (world.user, world.other_superuser):
        assert (await principal.run(get, calculationVariableId=A)).result is None
        assert (await principal.run(list_, customCalculationId=calculation_id)).result is None
    await assert_nobody_is_refused(world, get, calculationVariableId=A)
    await assert_nobody_is_refused(world, list_, customCalculationId=calculation_id)


async def test_update_changes_the_letter_and_what_it_stands_for(world: World, known: dict[str, Any]) -> None:
    async def update(principal: Principal, variable: str, **new: Any) -> Any:
        return await principal.run("gloo.calculation_variables.update", id=variable, **new)

    other_id = global_id("ScoreConfig", known["other"].id)
    renamed = await update(world.superuser, C, name="D", scoreConfigId=other_id)
    same = await update(world.superuser, A, name="A")
    async with changes(world) as found:
        used = await update(world.superuser, A, name="Z")
        taken = await update(world.superuser, C, name="B")
        wrong = await update(world.superuser, C, name="dd")
        strange = [
            (await update(world.superuser, C, scoreConfigId=one)).result for one in strange_ids("ScoreConfig", _Row(99))
        ]
        by_user = await update(world.user, C, name="E")
        elsewhere = await update(world.other_superuser, C, name="E")

    assert renamed.result == changed(_node(3, "D", known["other"]))
    assert same.result == changed(_node(1, "A", known["raw"]))
    assert used.result == refused("CONFLICT", "The variable A is used in the expression", "input", "name")
    assert taken.result == refused("CONFLICT", "The letter stands for something already", "input", "name")
    assert wrong.result == refused("INVALID", "A variable is one letter from A to Z", "input", "name")
    assert strange == [refused("NOT_FOUND", "ScoreConfig not found", "input", "scoreConfigId")] * 6
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "CalculationVariable not found", "id")
    assert found == {}
    await assert_nobody_is_refused(world, "gloo.calculation_variables.update", id=C, name="E")


async def test_delete_is_refused_while_the_expression_uses_the_letter(world: World, known: dict[str, Any]) -> None:
    async def delete(principal: Principal, variable: str) -> Any:
        return await principal.run("gloo.calculation_variables.delete", calculationVariableId=variable)

    async with changes(world) as refusals:
        used = await delete(world.superuser, B)
        by_user = await delete(world.user, C)
        elsewhere = await delete(world.other_superuser, C)
    async with changes(world) as gone:
        answer = await delete(world.superuser, C)

    message = "The variable B is used in the expression"
    assert used.result == refused("CONFLICT", message, "id", of="deletedId")
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "CalculationVariable not found", "id", of="deletedId")
    assert refusals == {}
    assert answer.result == deleted("CalculationVariable", _Row(3))
    assert gone == {"calculation_variables": -1}
    await assert_nobody_is_refused(world, "gloo.calculation_variables.delete", calculationVariableId=A)


async def test_variables_are_frozen_with_their_config(world: World) -> None:
    author = world.superuser
    raw = await _raw(author)
    calculation = await make_calculation(author, await _config(author, status=PublicationStatus.PUBLISHED), A=raw)

    async with changes(world) as found:
        made = await _create(author, calculation, raw, "B")
        moved = await author.run("gloo.calculation_variables.update", id=A, name="B")
        gone = await author.run("gloo.calculation_variables.delete", calculationVariableId=A)

    message = "The score config is published"
    assert made.result == refused("CONFLICT", message, "customCalculationId")
    assert moved.result == refused("CONFLICT", message, "id")
    assert gone.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}
