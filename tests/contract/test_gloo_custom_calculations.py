"""`gloo.custom_calculations.*`."""

from typing import Any

import pytest

from caregraph.assessments.enums import PublicationStatus, ScoreScope, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, refused, strange_ids
from factories.assessments import (
    make_answer_score,
    make_answers,
    make_assessment,
    make_calculation,
    make_config,
    make_domain,
    make_item,
    make_scale,
)
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
CREATE = {
    "item": "gloo.custom_calculations.create_for_item_score_config",
    "scale": "gloo.custom_calculations.create_for_scale_score_config",
    "domain": "gloo.custom_calculations.create_for_domain_score_config",
}
GET = {
    "item": "gloo.custom_calculations.get_for_item_score_config",
    "scale": "gloo.custom_calculations.get_for_scale_score_config",
    "domain": "gloo.custom_calculations.get_for_domain_score_config",
}


async def _config(author: Principal, kind: str = "item", **overrides: Any) -> Any:
    """A draft of a custom calculation's type."""
    item = await make_item(author, "Low?", values=(0, 1, 2))
    scale = await make_scale(author, f"Mood {item.id}", item)
    whole = {"item": item, "scale": scale}.get(kind) or await make_domain(author, "Life", scale)
    values = {"name": "Ratio", **overrides}
    return await make_config(author, whole, values.pop("score_type", ScoreType.CUSTOM_CALCULATION), **values)


def _node(config: Any, kind: str, **known: Any) -> dict[str, Any]:
    return {
        "id": global_id("CustomCalculation", 1),
        "scoreConfig": {"id": global_id("ScoreConfig", config.id), "level": kind.upper()},
        "expression": None,
        "scoreScope": "INDIVIDUAL",
        **known,
    }


async def _create(principal: Principal, kind: str, config: Any, scope: str = "INDIVIDUAL") -> Answer:
    row_id = config if isinstance(config, str) else global_id("ScoreConfig", config.id)
    return await principal.run(CREATE[kind], **{f"{kind}ScoreConfigId": row_id, "scoreScope": scope})


async def _update(principal: Principal, calculation: Any, **changes_: Any) -> Answer:
    row_id = global_id("CustomCalculation", calculation.id)
    return await principal.run("gloo.custom_calculations.update", id=row_id, **changes_)


@pytest.mark.parametrize("kind", CREATE)
async def test_create_gives_a_config_its_one_calculation(world: World, kind: str) -> None:
    config = await _config(world.superuser, kind)

    async with changes(world) as found:
        by_user = await _create(world.user, kind, config)
        elsewhere = await _create(world.other_superuser, kind, config)
        made = await _create(world.superuser, kind, config, "COHORT")
        again = await _create(world.superuser, kind, config)

    assert made.result == changed(_node(config, kind, scoreScope="COHORT"))
    assert again.result == refused("CONFLICT", "The score config has a custom calculation already", "scoreConfigId")
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "ScoreConfig not found", "scoreConfigId")
    assert found == {"custom_calculations": 1}
    row_id = global_id("ScoreConfig", config.id)
    read = await world.superuser.ask("query($id: ID!) { scoreConfig(id: $id) { scoreTypeScope version } }", id=row_id)
    assert read.data["scoreConfig"] == {"scoreTypeScope": "COHORT", "version": 2}
    named = {f"{kind}ScoreConfigId": row_id}
    shown = {"customCalculations": [_node(config, kind, scoreScope="COHORT")]}
    assert (await world.superuser.run(GET[kind], **named)).result == shown
    assert (await world.user.run(GET[kind], **named)).result is None
    await assert_nobody_is_refused(world, GET[kind], **named)
    await assert_nobody_is_refused(world, CREATE[kind], **named, scoreScope="COHORT")


async def test_create_refuses_a_config_that_does_not_take_one(world: World) -> None:
    author = world.superuser
    plain = await _config(author, score_type=ScoreType.RAW_VALUE)
    published = await _config(author, status=PublicationStatus.PUBLISHED)
    scored = await _config(author)
    await make_answer_score(author, await make_answers(author, await make_assessment(author), None), scored)

    async with changes(world) as found:
        answers = [(await _create(author, "item", one)).result for one in (plain, published, scored)]
        strange = [(await _create(author, "item", one)).result for one in strange_ids("ScoreConfig", _Row(99))]

    assert answers == [
        refused("CONFLICT", message, "scoreConfigId")
        for message in (
            "The score config is not of the type CUSTOM_CALCULATION",
            "The score config is published",
            "The score config has scores",
        )
    ]
    assert strange == [refused("NOT_FOUND", "ScoreConfig not found", "scoreConfigId")] * 6
    assert found == {}


class _Row:
    def __init__(self, row_id: int) -> None:
        self.id = row_id


async def test_get_shows_a_calculation_as_its_config(world: World) -> None:
    config = await _config(world.superuser)
    calculation = await make_calculation(world.superuser, config)
    row_id = global_id("CustomCalculation", calculation.id)

    async def get(principal: Principal) -> Any:
        return (await principal.run("gloo.custom_calculations.get", customCalculationId=row_id)).result

    assert await get(world.superuser) == _node(config, "item")
    assert await get(world.user) is None
    assert await get(world.other_superuser) is None
    await assert_nobody_is_refused(world, "gloo.custom_calculations.get", customCalculationId=row_id)


async def test_update_changes_the_expression_and_the_scope(world: World) -> None:
    author = world.superuser
    config, raw = await _config(author), await _config(author, score_type=ScoreType.RAW_VALUE)
    calculation = await make_calculation(author, config, A=raw, B=raw)

    written = await _update(author, calculation, expression="-(A + 2) * .5 / B")
    emptied = await _update(author, calculation, expression=None)

    assert written.result == changed(_node(config, "item", expression="-(A + 2) * .5 / B"))
    assert emptied.result == changed(_node(config, "item", expression=None))
    row_id = global_id("CustomCalculation", calculation.id)
    await assert_nobody_is_refused(world, "gloo.custom_calculations.update", id=row_id, expression="1")
    assert (await _update(world.user, calculation, expression="1")).error == FORBIDDEN
    elsewhere = await _update(world.other_superuser, calculation, expression="1")
    assert elsewhere.result == refused("NOT_FOUND", "CustomCalculation not found", "id")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "The expression is empty"),
        ("A +", "The expression ends too early"),
        ("A B", "Expected one of + - * / at character 3, not B"),
        ("A * (B - 1", "The bracket at character 5 is not closed"),
        ("A + C", "There is no variable C, used at character 5"),
        ("a", "There is no variable a, used at character 1"),
        ("A / 0", "Division by zero at character 3"),
        ("A / (2 - 2)", "Division by zero at character 3"),
        ("__import__('os')", "Unexpected '_' at character 1"),
        ("A ** 2", "Expected a number, a letter or a bracket at character 4, not *"),
        ("(" * 10_000, "must have at most 10000 characters"),
        ("(" * 5_000 + "A" + ")" * 4_999, "At most 100 brackets may be nested, the next opens at character 101"),
        ("A" + " + A" * 300, "An expression has at most 1000 characters"),
        ("9" * 400, "The number at character 1 is too large"),
    ],
)
async def test_update_refuses_what_is_no_arithmetic_over_its_variables(
    world: World, expression: str, message: str
) -> None:
    author = world.superuser
    raw = await _config(author, score_type=ScoreType.RAW_VALUE)
    calculation = await make_calculation(author, await _config(author), A=raw, B=raw)
    if message.startswith("must have"):
        expression += "("

    async with changes(world) as found:
        answer = await _update(author, calculation, expression=expression)

    assert answer.result == refused("INVALID", message, "input", "expression")
    assert found == {}
    kept = await author.run(
        "gloo.custom_calculations.get", customCalculationId=global_id("CustomCalculation", calculation.id)
    )
    assert kept.result["expression"] == "A + B"


async def test_update_refuses_a_scope_that_its_variables_or_users_do_not_suit(world: World) -> None:
    author = world.superuser
    raw = await _config(author, score_type=ScoreType.RAW_VALUE)
    calculation = await make_calculation(author, await _config(author), A=raw)
    used = await _config(author)
    needed = await make_calculation(author, used)
    await make_calculation(author, await _config(author), A=used)
    published = await make_calculation(author, await _config(author, status=PublicationStatus.PUBLISHED))

    async with changes(world) as found:
        unsuited = await _update(author, calculation, scoreScope="COHORT")
        counted_on = await _update(author, needed, scoreScope="COHORT")
        frozen = await _update(author, published, expression="1")
        unsaid = await _update(author, calculation, scoreScope=None)

    message = "A is a score of respondents: a calculation for a cohort needs scores of cohorts"
    assert unsuited.result == refused("INVALID", message, "input", "scoreScope")
    assert counted_on.result == refused("CONFLICT", "The score config is used by a custom calculation", "id")
    assert frozen.result == refused("CONFLICT", "The score config is published", "id")
    assert unsaid.result == refused("INVALID", "must not be null", "input", "scoreScope")
    assert found == {}


async def test_delete_takes_the_variables_along(world: World) -> None:
    author = world.superuser
    raw = await _config(author, score_type=ScoreType.RAW_VALUE)
    calculation = await make_calculation(author, await _config(author), A=raw)
    frozen = await make_calculation(author, await _config(author, status=PublicationStatus.PUBLISHED))
    scored = await _config(author)
    of_scored = await make_calculation(author, scored)
    await make_answer_score(author, await make_answers(author, await make_assessment(author), None), scored)

    async def delete(principal: Principal, one: Any) -> Answer:
        row_id = global_id("CustomCalculation", one.id)
        return await principal.run("gloo.custom_calculations.delete", customCalculationId=row_id)

    async with changes(world) as refusals:
        by_user = await delete(world.user, calculation)
        elsewhere = await delete(world.other_superuser, calculation)
        answers = [(await delete(author, one)).result for one in (frozen, of_scored)]
    async with changes(world) as gone:
        answer = await delete(author, calculation)

    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "CustomCalculation not found", "id", of="deletedId")
    assert answers == [
        refused("CONFLICT", "The score config is published", "id", of="deletedId"),
        refused("CONFLICT", "The score config has scores", "id", of="deletedId"),
    ]
    assert refusals == {}
    assert answer.result == deleted("CustomCalculation", calculation)
    assert gone == {"custom_calculations": -1, "calculation_variables": -1}
    row_id = global_id("CustomCalculation", frozen.id)
    await assert_nobody_is_refused(world, "gloo.custom_calculations.delete", customCalculationId=row_id)


async def test_a_cohort_calculation_takes_scores_of_cohorts(world: World) -> None:
    author = world.superuser
    mean = await _config(author, score_type=ScoreType.MEAN_OF_RAW_VALUES, score_type_scope=ScoreScope.COHORT)
    config = await _config(author, score_type_scope=ScoreScope.COHORT)
    calculation = await make_calculation(author, config, A=mean)

    answer = await _update(author, calculation, scoreScope="INDIVIDUAL")

    message = "A is a score of a cohort: a calculation for respondents needs scores of respondents"
    assert answer.result == refused("INVALID", message, "input", "scoreScope")
