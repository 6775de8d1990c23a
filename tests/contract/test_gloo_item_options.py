"""`gloo.item_options.*`."""

from typing import Any
from unittest.mock import ANY

from caregraph.assessments.enums import ItemType, Privacy
from caregraph.graph.node import global_id
from contract.asserts import changed, changes, page, refused, strange_ids
from contract.authoring import assert_for_authors, assert_for_readers
from factories.assessments import make_answers, make_assessment, make_item, make_option, make_response
from kit import World

ANSWERED = "The item has responses: its options can no longer be added, moved or removed"
FROZEN = "The item is shared or in use and can no longer be changed"
ITEM = global_id("Item", 1)


def option_id(row_id: int = 1) -> str:
    return global_id("ItemOption", row_id)


def option(row_id: int = 1, **overrides: Any) -> dict[str, Any]:
    return {
        "id": option_id(row_id),
        "item": {"id": ITEM},
        "value": "1.0",
        "text": "Well",
        "position": 1,
        "correct": None,
        "legacyAnswerId": None,
        "createdAt": ANY,
        "updatedAt": ANY,
        **overrides,
    }


async def answered(world: World, item: Any) -> None:
    answers = await make_answers(world.superuser, await make_assessment(world.superuser), None)
    await make_response(world.superuser, answers, item)


async def positions(world: World) -> list[tuple[str, int]]:
    answer = await world.user.run("gloo.item_options.list_for_item", itemId=ITEM, sort=["POSITION_ASC"])
    return [(one["text"], one["position"]) for one in answer.result["options"]["nodes"]]


async def test_options_are_written_by_authors_and_read_by_all(world: World) -> None:
    await make_item(world.superuser, values=[1])

    await assert_for_authors(
        world,
        [
            ("gloo.item_options.create", {"itemId": ITEM, "text": "x", "value": "1"}),
            ("gloo.item_options.bulk_update", {"itemId": ITEM, "itemOptions": []}),
            ("gloo.item_options.update", {"id": option_id(), "text": "x"}),
            ("gloo.item_options.delete", {"id": option_id()}),
        ],
    )
    await assert_for_readers(
        world,
        [("gloo.item_options.get", {"id": option_id()}), ("gloo.item_options.list_for_item", {"itemId": ITEM})],
    )


async def test_create_puts_an_option_where_it_wants(world: World) -> None:
    await make_item(world.superuser)
    run = world.superuser.run

    async with changes(world) as found:
        first = await run("gloo.item_options.create", itemId=ITEM, text="A", value="0.5")
        for text, position in (("B", None), ("C", 1), ("D", 7), ("E", 2)):
            sent = {} if position is None else {"position": position}
            await run("gloo.item_options.create", itemId=ITEM, text=text, value="1", **sent)

    assert first.result == changed(option(text="A", value="0.5"))
    assert found == {"item_options": 5}
    assert await positions(world) == [("C", 1), ("E", 2), ("A", 3), ("B", 4), ("D", 7)]


async def test_positions_begin_at_zero_where_the_item_says_so(world: World) -> None:
    await make_item(world.superuser, zero_based_positioning=True)

    answer = await world.superuser.run("gloo.item_options.create", itemId=ITEM, text="Well", value="1")

    assert answer.result == changed(option(position=0))


async def test_what_options_each_type_needs_or_forbids(world: World) -> None:
    """Type of the item, whether it hides numbers, the option, and the refusal; null where it is taken."""
    choice = "An option of a multiple choice needs a "
    table: list[tuple[ItemType, bool, dict[str, Any], tuple[str, ...] | None]] = [
        (ItemType.MULTIPLE_CHOICE, False, {"text": "x"}, (choice + "value", "input", "value")),
        (ItemType.MULTIPLE_CHOICE, False, {"value": "1"}, (choice + "text", "input", "text")),
        (ItemType.LIKERT_SCALE, False, {"value": "1"}, None),
        (ItemType.LIKERT_SCALE, False, {"text": "x"}, ("A step of a Likert scale needs a value", "input", "value")),
        (
            ItemType.LIKERT_SCALE,
            True,
            {"value": "1"},
            ("A step of a Likert scale that hides its numbers needs a text", "input", "text"),
        ),
        (ItemType.LIKERT_SCALE, True, {"value": "1", "text": "x"}, None),
        (ItemType.MULTIPLE_SELECT, False, {"text": "x"}, None),
        (
            ItemType.MULTIPLE_SELECT,
            False,
            {"value": "1"},
            ("An option of a multiple select needs a text", "input", "text"),
        ),
        (ItemType.SHORT_ANSWER, False, {"text": "x", "value": "1"}, ("A short answer has no options", "itemId")),
        (ItemType.INSTRUCTION, False, {"text": "x", "value": "1"}, ("An instruction has no options", "itemId")),
    ]
    for item_type, hides, sent, refusal in table:
        item = await make_item(world.superuser, item_type=item_type, hide_scale_numbers=hides)
        async with changes(world) as found:
            answer = await world.superuser.run("gloo.item_options.create", itemId=global_id("Item", item.id), **sent)
        if refusal is None:
            assert answer.result["errors"] == []
            assert found == {"item_options": 1}
        else:
            assert answer.result == refused("INVALID", *refusal)
            assert found == {}


async def test_bulk_adds_all_or_none(world: World) -> None:
    await make_item(world.superuser, values=[1])
    entries = [{"text": "A", "value": "2", "position": 2}, {"text": "B", "value": "3", "position": 1}]

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.item_options.bulk_update", itemId=ITEM, itemOptions=entries)
        wrong = await world.superuser.run(
            "gloo.item_options.bulk_update", itemId=ITEM, itemOptions=[*entries, {"text": "C", "value": "4"}]
        )
        too_many = [{"text": "x", "value": "1", "position": one} for one in range(98)]
        full = await world.superuser.run("gloo.item_options.bulk_update", itemId=ITEM, itemOptions=too_many)

    assert answer.result == changed({"id": ITEM})
    assert wrong.result == refused("INVALID", "An option needs a position", "input", "2", "position")
    assert full.result == refused("LIMIT", "An item has at most 100 options", "input", "97")
    assert found == {"item_options": 2}
    assert await positions(world) == [("B", 1), ("A", 2), ("Well", 3)]


async def test_get_and_list(world: World) -> None:
    item = await make_item(world.superuser, values=[3, 2])
    hidden = await make_option(world.other_superuser, await make_item(world.other_superuser))
    first, second = option(1, value="3.0"), option(2, value="2.0", position=2)
    run = world.user.run

    assert (await run("gloo.item_options.get", id=option_id())).result == first
    for strange in strange_ids("ItemOption", hidden):
        assert (await run("gloo.item_options.get", id=strange)).result is None
    listed = await run("gloo.item_options.list_for_item", itemId=global_id("Item", item.id))
    assert listed.result == {"options": page(first, second)}
    by_value = await run("gloo.item_options.list_for_item", itemId=ITEM, sort=["VALUE_ASC"], first=1)
    assert by_value.result == {"options": page(second, total=2, more=True)}
    assert (await run("gloo.item_options.list_for_item", itemId=global_id("Item", 2))).result is None


async def test_update_changes_and_moves(world: World) -> None:
    await make_item(world.superuser, values=[1, 2, 3])

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.item_options.update", id=option_id(3), text="Last", position=1)
        bare = await world.superuser.run("gloo.item_options.update", id=option_id(1), text=None)
        worthless = await world.superuser.run("gloo.item_options.update", id=option_id(1), value=None)
        nowhere = await world.superuser.run("gloo.item_options.update", id=option_id(1), position=None)

    assert answer.result == changed(option(3, text="Last", value="3.0", position=1))
    assert bare.result == refused("INVALID", "An option of a multiple choice needs a text", "input", "text")
    assert worthless.result == refused("INVALID", "An option of a multiple choice needs a value", "input", "value")
    assert nowhere.result == refused("INVALID", "must not be null", "input", "position")
    assert found == {}
    assert await positions(world) == [("Last", 1), ("Well", 2), ("Well", 3)]


async def test_of_an_answered_likert_scale_text_and_value_may_change(world: World) -> None:
    item = await make_item(world.superuser, values=[1, 2], item_type=ItemType.LIKERT_SCALE)
    await answered(world, item)
    run = world.superuser.run
    new = {"text": "x", "value": "1", "position": 3}

    async with changes(world) as found:
        changed_text = await run("gloo.item_options.update", id=option_id(), text="Often", value="5", position=1)
        moved = await run("gloo.item_options.update", id=option_id(), position=2)
        created = await run("gloo.item_options.create", itemId=ITEM, **new)
        bulk = await run("gloo.item_options.bulk_update", itemId=ITEM, itemOptions=[new])
        gone = await run("gloo.item_options.delete", id=option_id())

    assert changed_text.result == changed(option(text="Often", value="5.0"))
    assert moved.result == refused("CONFLICT", ANSWERED, "input", "position")
    assert created.result == refused("CONFLICT", ANSWERED, "itemId")
    assert bulk.result == refused("CONFLICT", ANSWERED, "id")
    assert gone.result == refused("CONFLICT", ANSWERED, "id", of="deletedId")
    assert found == {}


async def test_delete_removes_an_option(world: World) -> None:
    await make_item(world.superuser, values=[1, 2])

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.item_options.delete", id=option_id())

    assert answer.result == {"deletedId": option_id(), "errors": []}
    assert found == {"item_options": -1}


async def test_options_of_frozen_and_foreign_items_stay(world: World) -> None:
    await make_item(world.superuser, values=[1], privacy=Privacy.PUBLIC)
    theirs = await make_item(world.other_superuser, values=[1], privacy=Privacy.PUBLIC)
    hidden = await make_option(world.other_superuser, await make_item(world.other_superuser))
    run, values = world.superuser.run, {"text": "x", "value": "1"}

    async with changes(world) as found:
        for row_id, message in ((1, FROZEN), (theirs.id, "The item belongs to another organization")):
            item_id = global_id("Item", row_id)
            created = await run("gloo.item_options.create", itemId=item_id, **values)
            assert created.result == refused("CONFLICT", message, "itemId")
            bulk = await run("gloo.item_options.bulk_update", itemId=item_id, itemOptions=[])
            assert bulk.result == refused("CONFLICT", message, "id")
            written = await run("gloo.item_options.update", id=option_id(row_id), **values)
            assert written.result == refused("CONFLICT", message, "id")
            gone = await run("gloo.item_options.delete", id=option_id(row_id))
            assert gone.result == refused("CONFLICT", message, "id", of="deletedId")
        for strange in strange_ids("ItemOption", hidden):
            written = await run("gloo.item_options.update", id=strange, **values)
            assert written.result == refused("NOT_FOUND", "ItemOption not found", "id")
            gone = await run("gloo.item_options.delete", id=strange)
            assert gone.result == refused("NOT_FOUND", "ItemOption not found", "id", of="deletedId")

    assert found == {}
