"""`gloo.percentile_rank_configs.*`, and our operation that deletes one."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments.enums import PublicationStatus, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, refused
from factories.assessments import (
    make_answer_score,
    make_answers,
    make_assessment,
    make_config,
    make_domain,
    make_item,
    make_norm,
    make_scale,
)
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORM = global_id("PercentileRankConfig", 1)
DELETE = "mutation($id: ID!) { result: deletePercentileRankConfig(id: $id) { deletedId errors { code message path } } }"
CREATE = {
    "item": "gloo.percentile_rank_configs.create_for_item_score_config",
    "scale": "gloo.percentile_rank_configs.create_for_scale_score_config",
    "domain": "gloo.percentile_rank_configs.create_for_domain_score_config",
}
GET = {
    "item": "gloo.percentile_rank_configs.get_for_item_score_config",
    "scale": "gloo.percentile_rank_configs.get_for_scale_score_config",
    "domain": "gloo.percentile_rank_configs.get_for_domain_score_config",
}
TYPES = {"item": ScoreType.RAW_VALUE, "scale": ScoreType.SCALE_SUM, "domain": ScoreType.DOMAIN_SUM}


async def _config(author: Principal, kind: str = "item", **overrides: Any) -> Any:
    item = await make_item(author, "Low?", values=(0, 1, 2))
    scale = await make_scale(author, f"Mood {item.id}", item)
    whole = {"item": item, "scale": scale}.get(kind) or await make_domain(author, "Life", scale)
    return await make_config(author, whole, overrides.pop("score_type", TYPES[kind]), **overrides)


def _node(config: Any, kind: str = "item", **known: str) -> dict[str, Any]:
    return {
        "id": NORM,
        "scoreConfig": {"id": global_id("ScoreConfig", config.id), "level": kind.upper()},
        "standardDeviation": "2.5",
        "mean": "10.0",
        "createdAt": ANY,
        "updatedAt": ANY,
        **known,
    }


async def _create(principal: Principal, kind: str, config: Any, **numbers: Any) -> Answer:
    values = {"standardDeviation": "2.5", "mean": "10", **numbers}
    return await principal.run(CREATE[kind], **{f"{kind}ScoreConfigId": global_id("ScoreConfig", config.id)}, **values)


@pytest.mark.parametrize("kind", CREATE)
async def test_create_says_whom_a_score_is_compared_with(world: World, kind: str) -> None:
    config = await _config(world.superuser, kind)
    named = {f"{kind}ScoreConfigId": global_id("ScoreConfig", config.id)}

    async with changes(world) as found:
        by_user = await _create(world.user, kind, config)
        elsewhere = await _create(world.other_superuser, kind, config)
        made = await _create(world.superuser, kind, config)
        again = await _create(world.superuser, kind, config)

    assert made.result == changed(_node(config, kind))
    message = "The score config has a percentile rank config already"
    assert again.result == refused("CONFLICT", message, "scoreConfigId")
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "ScoreConfig not found", "scoreConfigId")
    assert found == {"percentile_rank_configs": 1}
    shown = {"percentileRankConfigs": [_node(config, kind)]}
    assert (await world.superuser.run(GET[kind], **named)).result == shown
    assert (await world.user.run(GET[kind], **named)).result is None
    await assert_nobody_is_refused(world, GET[kind], **named)
    await assert_nobody_is_refused(world, CREATE[kind], **named, standardDeviation="1", mean="1")


async def test_create_refuses_configs_that_take_none_and_impossible_numbers(world: World) -> None:
    author = world.superuser
    custom = await _config(author, score_type=ScoreType.CUSTOM_CALCULATION)
    published = await _config(author, status=PublicationStatus.PUBLISHED)
    scored = await _config(author)
    await make_answer_score(author, await make_answers(author, await make_assessment(author), None), scored)
    config = await _config(author)
    numbers = (
        {"standardDeviation": "0"},
        {"standardDeviation": "-1"},
        {"standardDeviation": "1e-10"},
        {"mean": "1e400"},
    )

    async with changes(world) as found:
        answers = [(await _create(author, "item", one)).result for one in (custom, published, scored)]
        wrong = [(await _create(author, "item", config, **one)).result for one in numbers]

    assert answers == [
        refused("CONFLICT", message, "scoreConfigId")
        for message in (
            "A custom calculation takes no percentile rank config",
            "The score config is published",
            "The score config has scores",
        )
    ]
    assert wrong == [
        refused("INVALID", message, "input", path)
        for message, path in (
            ("The standard deviation must be above 0", "standardDeviation"),
            ("The standard deviation must be above 0", "standardDeviation"),
            ("must be between 1e-09 and 1e+15", "standardDeviation"),
            ("must be between -1e+15 and 1e+15", "mean"),
        )
    ]
    assert found == {}


async def test_get_and_update(world: World) -> None:
    config = await _config(world.superuser)
    await make_norm(world.superuser, config, 10, 2.5)
    get, update = "gloo.percentile_rank_configs.get", "gloo.percentile_rank_configs.update"

    assert (await world.superuser.run(get, percentileRankConfigId=NORM)).result == _node(config)
    assert (await world.user.run(get, percentileRankConfigId=NORM)).result is None
    async with changes(world) as found:
        answer = await world.superuser.run(update, id=NORM, mean="-0.25")
        wrong = await world.superuser.run(update, id=NORM, standardDeviation="0", mean="5")
        by_user = await world.user.run(update, id=NORM, mean="5")
        elsewhere = await world.other_superuser.run(update, id=NORM, mean="5")

    assert answer.result == changed(_node(config, mean="-0.25"))
    message = "The standard deviation must be above 0"
    assert wrong.result == refused("INVALID", message, "input", "standardDeviation")
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == refused("NOT_FOUND", "PercentileRankConfig not found", "id")
    assert found == {}
    assert (await world.superuser.run(get, percentileRankConfigId=NORM)).result == _node(config, mean="-0.25")
    await assert_nobody_is_refused(world, get, percentileRankConfigId=NORM)
    await assert_nobody_is_refused(world, update, id=NORM, mean="5")


async def test_a_norm_is_frozen_with_its_config(world: World) -> None:
    norm = await make_norm(world.superuser, await _config(world.superuser, status=PublicationStatus.PUBLISHED))

    async with changes(world) as found:
        moved = await world.superuser.run("gloo.percentile_rank_configs.update", id=NORM, mean="5")
        gone = await world.superuser.ask(DELETE, id=NORM)
    free = await make_norm(world.superuser, await _config(world.superuser))

    assert moved.result == refused("CONFLICT", "The score config is published", "id")
    assert gone.result == refused("CONFLICT", "The score config is published", "id", of="deletedId")
    assert found == {}
    answer = await world.superuser.ask(DELETE, id=global_id("PercentileRankConfig", free.id))
    assert answer.result == deleted("PercentileRankConfig", free)
    assert norm.id != free.id
