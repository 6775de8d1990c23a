"""`gloo.result_ranges.get`, and our operations that make, change and delete ranges."""

from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import update

from caregraph.assessments.answer_models import AnswerScore
from caregraph.assessments.enums import Privacy, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, refused
from factories.assessments import (
    make_answer_score,
    make_answers,
    make_assessment,
    make_config,
    make_domain,
    make_item,
    make_range,
    make_scale,
)
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NODE = "node { id name rangeStart rangeEnd scale { id } domain { id } } errors { code message path }"
UPDATE = f"mutation($id: ID!, $input: ResultRangePatch!) {{ result: updateResultRange(id: $id, input: $input) {{ {NODE} }} }}"
DELETE = "mutation($id: ID!) { result: deleteResultRange(id: $id) { deletedId errors { code message path } } }"
RANGE = global_id("ResultRange", 1)


async def _create(principal: Principal, whole: Any, start: str, end: str, **values: str) -> Answer:
    kind = type(whole).__name__
    created = f"create{kind}ResultRange({kind.lower()}Id: $id, input: $input)"
    new = {"name": "Mild", "description": "A little", "rangeStart": start, "rangeEnd": end, **values}
    query = f"mutation($id: ID!, $input: ResultRangeInput!) {{ result: {created} {{ {NODE} }} }}"
    return await principal.ask(query, id=global_id(kind, whole.id), input=new)


@pytest.fixture
async def scale(world: World) -> Any:
    """A scale of one item."""
    return await make_scale(world.superuser, "Mood", await make_item(world.superuser, values=(0, 1, 2)))


async def test_get_shows_a_range_to_readers_of_its_scale(world: World, scale: Any) -> None:
    made = await make_range(world.superuser, scale, 0, 4.5)
    expected = {
        "id": RANGE,
        "name": "Mild",
        "description": "What it means",
        "scale": {"id": global_id("Scale", scale.id)},
        "domain": None,
        "rangeStart": "0.0",
        "rangeEnd": "4.5",
        "createdAt": ANY,
        "updatedAt": ANY,
    }

    assert made.id == 1
    assert (await world.user.run("gloo.result_ranges.get", id=RANGE)).result == expected
    assert (await world.other_superuser.run("gloo.result_ranges.get", id=RANGE)).result is None
    await assert_nobody_is_refused(world, "gloo.result_ranges.get", id=RANGE)


@pytest.mark.parametrize("kind", ["scale", "domain"])
async def test_create_names_a_stretch_of_scores(world: World, scale: Any, kind: str) -> None:
    whole = scale if kind == "scale" else await make_domain(world.superuser, "Life", scale)

    async with changes(world) as found:
        made = await _create(world.superuser, whole, "-1", "4")
        beside = await _create(world.superuser, whole, "5", "9")
        touching = await _create(world.superuser, whole, "4", "5")
        by_user = await _create(world.user, whole, "20", "30")
        elsewhere = await _create(world.other_superuser, whole, "20", "30")

    of = {"scale": None, "domain": None} | {kind: {"id": global_id(kind.capitalize(), whole.id)}}
    assert made.result == changed({"id": RANGE, "name": "Mild", "rangeStart": "-1.0", "rangeEnd": "4.0", **of})
    assert beside.result["errors"] == touching.result["errors"] == []
    assert by_user.error == FORBIDDEN
    noun = kind.capitalize()
    assert elsewhere.result == refused("NOT_FOUND", f"{noun} not found", f"{kind}Id")
    assert found == {"result_ranges": 3}


async def test_ranges_do_not_overlap_and_end_above_their_start(world: World, scale: Any) -> None:
    await make_range(world.superuser, scale, 0, 4)
    await make_range(world.superuser, scale, 5, 9)
    apart = await make_range(world.superuser, await make_scale(world.superuser, "Other"), 0, 9)

    async with changes(world) as found:
        overlapping = [
            (await _create(world.superuser, scale, *ends)).result
            for ends in (("3", "4"), ("3", "6"), ("0", "1"), ("-9", "99"))
        ]
        upside_down = [(await _create(world.superuser, scale, *ends)).result for ends in (("20", "10"), ("20", "20"))]
        moved = await world.superuser.ask(UPDATE, id=RANGE, input={"rangeEnd": "6"})
        turned = await world.superuser.ask(UPDATE, id=RANGE, input={"rangeEnd": "-1"})
        endless = await _create(world.superuser, scale, "20", "1e400")

    assert overlapping == [
        refused("CONFLICT", message, "input", "rangeStart")
        for message in (
            "3 to 4 overlaps 0 to 4",
            "3 to 6 overlaps 0 to 4",
            "0 to 4 overlaps 0 to 1",
            "0 to 4 overlaps -9 to 99",
        )
    ]
    assert upside_down == [refused("INVALID", "A range must end above its start", "input", "rangeEnd")] * 2
    assert moved.result == refused("CONFLICT", "5 to 9 overlaps 0 to 6", "input", "rangeStart")
    assert turned.result == refused("INVALID", "A range must end above its start", "input", "rangeEnd")
    assert endless.result == refused("INVALID", "must be between -1e+15 and 1e+15", "input", "rangeEnd")
    assert found == {}
    assert apart.range_end == 9


async def test_a_range_with_scores_keeps_its_ends(world: World, scale: Any) -> None:
    author = world.superuser
    full, empty = await make_range(author, scale, 0, 4), await make_range(author, scale, 5, 9)
    config = await make_config(author, scale, ScoreType.SCALE_SUM)
    score = await make_answer_score(author, await make_answers(author, await make_assessment(author), None), config)
    async with world.writing(author) as tx:
        await tx.execute(update(AnswerScore).where(AnswerScore.id == score.id).values(result_range_id=full.id))
    empty_id = global_id("ResultRange", empty.id)

    async with changes(world) as found:
        moved = await author.ask(UPDATE, id=RANGE, input={"rangeEnd": "3"})
        gone = await author.ask(DELETE, id=RANGE)
        by_user = await world.user.ask(DELETE, id=empty_id)
        unseen = await world.other_superuser.ask(UPDATE, id=empty_id, input={"name": "x"})
    renamed = await author.ask(UPDATE, id=RANGE, input={"name": "Low", "rangeEnd": "4"})
    widened = await author.ask(UPDATE, id=empty_id, input={"rangeEnd": "10"})
    deleted_ = await author.ask(DELETE, id=empty_id)

    assert moved.result == refused("CONFLICT", "The result range has scores", "input", "rangeEnd")
    assert gone.result == refused("CONFLICT", "The result range has scores", "id", of="deletedId")
    assert by_user.error == FORBIDDEN
    assert unseen.result == refused("NOT_FOUND", "ResultRange not found", "id")
    assert found == {}
    assert renamed.result["node"]["name"] == "Low"
    assert widened.result["node"]["rangeEnd"] == "10.0"
    assert deleted_.result == deleted("ResultRange", empty)


async def test_ranges_of_shared_scales_are_frozen(world: World) -> None:
    theirs = await make_scale(world.other_superuser, "Theirs", privacy=Privacy.PUBLIC)
    ours = await make_scale(world.superuser, "Ours", privacy=Privacy.PUBLIC)
    await make_range(world.other_superuser, theirs, 0, 1)
    mine = await make_range(world.superuser, ours, 0, 1)

    async with changes(world) as found:
        made = await _create(world.superuser, theirs, "5", "6")
        moved = await world.superuser.ask(UPDATE, id=RANGE, input={"name": "x"})
        frozen = await world.superuser.ask(DELETE, id=global_id("ResultRange", mine.id))

    assert made.result == refused("CONFLICT", "The scale belongs to another organization", "scaleId")
    assert moved.result == refused("CONFLICT", "The result range belongs to another organization", "id")
    message = "The scale is shared or in use and can no longer be changed"
    assert frozen.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}
