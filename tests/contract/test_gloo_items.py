"""`gloo.items.*` and `gloo.item_scales.*`."""

from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import update

from caregraph.assessments.enums import ItemType, Privacy
from caregraph.graph.node import global_id
from contract.asserts import changed, changes, page, refused, strange_ids
from contract.authoring import NORTHFIELD, assert_for_authors, assert_for_readers
from factories.assessments import (
    make_answers,
    make_assessment,
    make_domain,
    make_grant,
    make_item,
    make_option,
    make_response,
    make_scale,
    make_tag,
    put_on,
)
from kit import World

HARBOR = global_id("Organization", 2)
ANSWERED = "The item has responses: its options can no longer be added, moved or removed"
FROZEN = "The item is shared or in use and can no longer be changed"


def item_id(row_id: int = 1) -> str:
    return global_id("Item", row_id)


def item(world: World, row_id: int = 1, text: str | None = "How are you?", **overrides: Any) -> dict[str, Any]:
    return {
        "id": item_id(row_id),
        "itemType": "MULTIPLE_CHOICE",
        "text": text,
        "isNominal": False,
        "privacy": "PRIVATE",
        "hideScaleNumbers": False,
        "displayDescending": False,
        "organization": {"id": NORTHFIELD},
        "location": None,
        "createdBy": {"id": world.superuser.id},
        "identifier": None,
        "legacyQuestionId": None,
        "createdAt": ANY,
        "updatedAt": ANY,
        "archivedAt": None,
        "zeroBasedPositioning": False,
        "showRandomized": False,
        "hasItemResponses": False,
        "itemResponseCount": 0,
        "isEditable": True,
        **overrides,
    }


async def options(world: World, row_id: int = 1) -> list[tuple[int, str | None, str | None]]:
    """Position, text and value of an item's options."""
    answer = await world.superuser.run("gloo.item_options.list_for_item", itemId=item_id(row_id), sort=["POSITION_ASC"])
    return [(one["position"], one["text"], one["value"]) for one in answer.result["options"]["nodes"]]


async def withdraw(world: World, row: Any) -> None:
    """Make public content private again, which others use by now."""
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(type(row)).where(type(row).id == row.id).values(privacy=Privacy.PRIVATE))


async def test_items_are_written_by_authors_and_read_by_all(world: World) -> None:
    await make_scale(world.superuser, "Mood", await make_item(world.superuser))
    on_scale = {"scaleId": global_id("Scale", 1), "itemId": item_id()}

    await assert_for_authors(
        world,
        [
            ("gloo.items.create", {"organizationId": NORTHFIELD, "text": "x"}),
            ("gloo.items.update", {"id": item_id(), "text": "x"}),
            ("gloo.items.clone", {"id": item_id()}),
            ("gloo.items.add_to_scale", on_scale),
            ("gloo.items.remove_from_scale", on_scale),
        ],
    )
    await assert_for_readers(
        world,
        [
            ("gloo.items.get", {"id": item_id()}),
            ("gloo.items.find_all", {"ids": [item_id()]}),
            ("gloo.items.list_library", {"organizationId": NORTHFIELD}),
            ("gloo.items.list_for_organization", {"organizationId": NORTHFIELD}),
            ("gloo.items.list_for_scale", {"scaleId": global_id("Scale", 1)}),
            ("gloo.items.get_response_total", {"itemId": item_id()}),
            ("gloo.item_scales.get", {"id": global_id("ItemScale", 1)}),
        ],
    )


async def test_create_adds_an_item_with_its_options(world: World) -> None:
    entries = [{"position": 2, "text": "Well", "value": "1.5"}, {"position": 1, "text": "Badly", "value": "0"}]

    async with changes(world) as found:
        answer = await world.superuser.run(
            "gloo.items.create", organizationId=NORTHFIELD, text="How are you?", itemOptionsAttributes=entries
        )

    assert answer.result == changed(item(world))
    assert found == {"items": 1, "item_options": 2}
    assert await options(world) == [(1, "Badly", "0.0"), (2, "Well", "1.5")]


async def test_create_of_a_likert_scale(world: World) -> None:
    steps = [{"text": "Never", "value": "0"}, {"text": "Often", "value": "1"}]
    form = {"itemType": "LIKERT_SCALE", "hideScaleNumbers": True, "displayDescending": True}

    answer = await world.superuser.run(
        "gloo.items.create",
        **{"organizationId": NORTHFIELD, "zeroBasedPositioning": True, **form, "itemOptionsAttributes": steps},
    )

    assert answer.result == changed(item(world, text=None, zeroBasedPositioning=True, **form))
    assert await options(world) == [(0, "Never", "0.0"), (1, "Often", "1.0")]


async def test_an_item_created_public_is_not_editable(world: World) -> None:
    answer = await world.superuser.run(
        "gloo.items.create", organizationId=NORTHFIELD, text="How are you?", privacy="PUBLIC"
    )

    assert answer.result == changed(item(world, privacy="PUBLIC", isEditable=False))
    seen = await world.other_user.run("gloo.items.get", id=item_id())
    hidden = {"organization": None, "createdBy": None}
    assert seen.result == item(world, privacy="PUBLIC", isEditable=False, **hidden)


AT = ("input", "options", "0")
FIRST = {"position": 1, "text": "Well", "value": "1"}
WRONG: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({}, "A multiple choice needs a text", ("input", "text")),
    ({"text": " "}, "A multiple choice needs a text", ("input", "text")),
    ({"text": "x" * 10_001}, "must have at most 10000 characters", ("input", "text")),
    ({"text": None, "itemType": "LIKERT_SCALE", "privacy": None}, "must not be null", ("input", "privacy")),
    ({"text": "x", "hideScaleNumbers": True}, "Only for Likert scales", ("input", "hideScaleNumbers")),
    (
        {"itemType": "SHORT_ANSWER", "displayDescending": True},
        "Only for Likert scales",
        ("input", "displayDescending"),
    ),
    (
        {"text": "x", "privacy": "LIMITED_TO_VERTICALS"},
        "Only assessments can be limited to verticals",
        ("input", "privacy"),
    ),
    ({"itemType": "SHORT_ANSWER", "options": [FIRST]}, "A short answer has no options", AT[:2]),
    ({"itemType": "INSTRUCTION", "options": [FIRST]}, "An instruction has no options", AT[:2]),
    ({"text": "x", "options": [{**FIRST, "position": -1}]}, "must be between 0 and 1e+06", (*AT, "position")),
    (
        {"text": "x", "options": [{"text": "Well", "value": "1"}]},
        "An option needs a position",
        (*AT, "position"),
    ),
    (
        {"text": "x", "options": [{"position": 1, "value": "1"}]},
        "An option of a multiple choice needs a text",
        (*AT, "text"),
    ),
    (
        {"text": "x", "options": [{"position": 1, "text": "Well"}]},
        "An option of a multiple choice needs a value",
        (*AT, "value"),
    ),
    (
        {"itemType": "LIKERT_SCALE", "options": [{"text": "Well"}]},
        "A step of a Likert scale needs a value",
        (*AT, "value"),
    ),
    (
        {"itemType": "LIKERT_SCALE", "hideScaleNumbers": True, "options": [{"value": "1"}]},
        "A step of a Likert scale that hides its numbers needs a text",
        (*AT, "text"),
    ),
    (
        {"itemType": "MULTIPLE_SELECT", "options": [{"value": "1"}]},
        "An option of a multiple select needs a text",
        (*AT, "text"),
    ),
    (
        {"text": "x", "options": [{**FIRST, "value": "1000000000001"}]},
        "must be between -1000000000000 and 1000000000000",
        (*AT, "value"),
    ),
    (
        {"text": "x", "options": [{**FIRST, "value": "0.1234567890123456"}]},
        "must have at most 15 digits",
        (*AT, "value"),
    ),
    (
        {"text": "x", "options": [FIRST, FIRST]},
        "Another option of the list has this position",
        ("input", "options", "1", "position"),
    ),
    ({"text": "x", "options": [FIRST] * 101}, "must have at most 100 items", AT[:2]),
]


async def test_create_refuses_what_the_type_forbids(world: World) -> None:
    for variables, message, path in WRONG:
        sent = dict(variables)
        entries = {"itemOptionsAttributes": sent.pop("options")} if "options" in sent else {}
        async with changes(world) as found:
            answer = await world.superuser.run("gloo.items.create", organizationId=NORTHFIELD, **sent, **entries)
        assert answer.result == refused("INVALID", message, *path)
        assert found == {}

    stray = [{**FIRST, "id": global_id("ItemOption", 1)}]
    answer = await world.superuser.run(
        "gloo.items.create", organizationId=NORTHFIELD, text="x", itemOptionsAttributes=stray
    )
    assert answer.result == refused("NOT_FOUND", "ItemOption not found", *AT, "id")
    elsewhere = await world.superuser.run("gloo.items.create", organizationId=HARBOR, text="x")
    assert elsewhere.result == refused("NOT_FOUND", "Organization not found", "organizationId")
    assert (await world.superuser.run("gloo.items.list_library", organizationId=NORTHFIELD)).result == page()


async def test_update_changes_what_is_sent(world: World) -> None:
    await make_item(world.superuser, "Old", item_type=ItemType.LIKERT_SCALE, values=[0, 1])
    form = {"itemType": "LIKERT_SCALE", "hideScaleNumbers": True, "displayDescending": True}

    async with changes(world) as found:
        answer = await world.superuser.run(
            "gloo.items.update", id=item_id(), text="New", hideScaleNumbers=True, displayDescending=True
        )
        public = await world.superuser.run("gloo.items.update", id=item_id(), privacy="PUBLIC")

    assert answer.result == changed(item(world, text="New", **form))
    assert public.result == changed(item(world, text="New", privacy="PUBLIC", isEditable=False, **form))
    assert found == {}
    again = await world.superuser.run("gloo.items.update", id=item_id(), privacy="PRIVATE")
    assert again.result == refused("CONFLICT", FROZEN, "id")


async def test_update_adds_changes_and_removes_options(world: World) -> None:
    await make_item(world.superuser, values=[1, 2, 3])
    first, second, third = (global_id("ItemOption", one) for one in (1, 2, 3))
    entries = [
        {"id": first, "remove": True},
        {"id": third, "position": 1, "text": "Third"},
        {"position": 2, "text": "New", "value": "4"},
    ]

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.items.update", id=item_id(), itemOptionsAttributes=entries)
        swapped = [{"id": second, "position": 1}, {"id": third, "position": 3}]
        await world.superuser.run("gloo.items.update", id=item_id(), itemOptionsAttributes=swapped)

    assert answer.result == changed(item(world))
    assert found == {}
    assert await options(world) == [(1, "Well", "2.0"), (2, "New", "4.0"), (3, "Third", "3.0")]


async def test_update_refuses_options_that_do_not_fit(world: World) -> None:
    await make_item(world.superuser, values=[1])
    likert = await make_item(world.superuser, "Steps", item_type=ItemType.LIKERT_SCALE)
    foreign = await make_option(world.superuser, likert, text=None)
    mine = {"id": global_id("ItemOption", 1)}
    wrong: list[tuple[str, str, dict[str, Any], str]] = [
        ("NOT_FOUND", "ItemOption not found", {"id": global_id("ItemOption", foreign.id), "remove": True}, "id"),
        ("NOT_FOUND", "ItemOption not found", {"id": "nonsense"}, "id"),
        ("INVALID", "An option of a multiple choice needs a text", {**mine, "text": ""}, "text"),
        ("INVALID", "An option of a multiple choice needs a value", {**mine, "value": None}, "value"),
        ("INVALID", "An option needs a position", {"text": "x", "value": "1"}, "position"),
        ("INVALID", "must not be null", {**mine, "position": None}, "position"),
    ]

    async with changes(world) as found:
        for code, message, entry, path in wrong:
            answer = await world.superuser.run("gloo.items.update", id=item_id(), itemOptionsAttributes=[entry])
            assert answer.result == refused(code, message, *AT, path)
        hiding = await world.superuser.run("gloo.items.update", id=item_id(2), hideScaleNumbers=True)

    unnumbered = "A step of a Likert scale that hides its numbers needs a text"
    assert hiding.result == refused("INVALID", unnumbered, "input", "hideScaleNumbers")
    assert found == {}
    assert await options(world) == [(1, "Well", "1.0")]


async def test_options_of_an_answered_item_stay(world: World) -> None:
    question = await make_item(world.superuser, values=[1])
    answers = await make_answers(world.superuser, await make_assessment(world.superuser), None)
    await make_response(world.superuser, answers, question)

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.items.update", id=item_id(), itemOptionsAttributes=[FIRST])
        text = await world.superuser.run("gloo.items.update", id=item_id(), text="Reworded")

    assert answer.result == refused("CONFLICT", ANSWERED, "input", "options")
    assert text.result == changed(item(world, text="Reworded", hasItemResponses=True, itemResponseCount=1))
    assert found == {}
    total = await world.user.run("gloo.items.get_response_total", itemId=item_id())
    assert total.result == {"itemResponseCount": 1}


async def test_update_is_refused_where_others_may_rely_on_it(world: World) -> None:
    """Public, limited, in a public scale, domain or assessment, used elsewhere, another's."""
    limited = await make_item(world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    in_scale, in_domain, on_assessment = [await make_item(world.superuser) for _ in range(3)]
    used = await make_item(world.superuser, privacy=Privacy.PUBLIC)
    await make_scale(world.superuser, "Public", in_scale, privacy=Privacy.PUBLIC)
    private = await make_scale(world.superuser, "Private", in_domain)
    await make_domain(world.superuser, "Public", private, privacy=Privacy.PUBLIC)
    await put_on(world.superuser, await make_assessment(world.superuser, privacy=Privacy.PUBLIC), on_assessment)
    await make_scale(world.other_superuser, "Theirs", used)
    await withdraw(world, used)
    theirs = await make_item(world.other_superuser, privacy=Privacy.PUBLIC)

    async with changes(world) as found:
        frozen = [
            (await world.superuser.run("gloo.items.update", id=item_id(one.id), text="x")).result
            for one in (limited, in_scale, in_domain, on_assessment, used)
        ]
        other = await world.superuser.run("gloo.items.update", id=item_id(theirs.id), text="x")
        hidden = await make_item(world.other_superuser)
        strange = [
            (await world.superuser.run("gloo.items.update", id=one, text="x")).result
            for one in strange_ids("Item", hidden)
        ]

    assert frozen == [refused("CONFLICT", FROZEN, "id")] * 5
    assert other.result == refused("CONFLICT", "The item belongs to another organization", "id")
    assert strange == [refused("NOT_FOUND", "Item not found", "id")] * 6
    assert found == {"items": 1}


async def test_clone_copies_options_and_tags(world: World) -> None:
    theirs = await make_item(
        world.other_superuser, "Steps", values=[1, 2], item_type=ItemType.LIKERT_SCALE, privacy=Privacy.PUBLIC
    )
    await make_tag(world.other_superuser, "Mood", theirs)

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.items.clone", id=item_id())

    assert answer.result == changed(item(world, 2, "[Clone] Steps", itemType="LIKERT_SCALE"))
    assert found == {"items": 1, "item_options": 2, "item_tags": 1}
    assert await options(world, 2) == [(1, "Well", "1.0"), (2, "Well", "2.0")]
    tags = await world.superuser.run("gloo.tags.list_for_item", itemId=item_id(2))
    assert [one["name"] for one in tags.result["tags"]["nodes"]] == ["Mood"]
    hidden = await make_item(world.other_superuser)
    for strange in strange_ids("Item", hidden):
        assert (await world.superuser.run("gloo.items.clone", id=strange)).result == refused(
            "NOT_FOUND", "Item not found", "id"
        )


async def test_archived_items_are_listed_apart(world: World) -> None:
    await make_item(world.superuser)
    theirs = await make_item(world.other_superuser, privacy=Privacy.PUBLIC)
    archive = "mutation($id: ID!, $archived: Boolean!) { archiveItem(id: $id, archived: $archived) { node { archivedAt } errors { message } } }"

    done = await world.superuser.ask(archive, id=item_id(), archived=True)
    assert done.data["archiveItem"] == {"node": {"archivedAt": ANY}, "errors": []}
    assert done.data["archiveItem"]["node"]["archivedAt"] is not None
    archived = item(world, archivedAt=done.data["archiveItem"]["node"]["archivedAt"])
    own = {"organizationId": NORTHFIELD}
    assert (await world.user.run("gloo.items.list_for_organization", **own)).result == page()
    assert (await world.user.run("gloo.items.list_for_organization", **own, archived=True)).result == page(archived)
    library = await world.user.run("gloo.items.list_library", **own)
    assert [one["id"] for one in library.result["nodes"]] == [item_id(theirs.id)]
    refusal = await world.superuser.ask(archive, id=item_id(theirs.id), archived=True)
    assert refusal.data["archiveItem"]["errors"] == [{"message": "The item belongs to another organization"}]
    await world.superuser.ask(archive, id=item_id(), archived=False)
    assert (await world.user.run("gloo.items.list_for_organization", **own)).result == page(item(world))


async def test_lists_show_whose_and_which(world: World) -> None:
    await make_item(world.superuser, "Beta", item_type=ItemType.SHORT_ANSWER)
    await make_item(world.superuser, "Alpha")
    await make_item(world.other_superuser, "Gamma", privacy=Privacy.PUBLIC)
    await make_item(world.other_superuser, "Hidden")
    beta = item(world, 1, "Beta", itemType="SHORT_ANSWER")
    alpha = item(world, 2, "Alpha")
    gamma = item(world, 3, "Gamma", privacy="PUBLIC", isEditable=False, organization=None, createdBy=None)
    run, own = world.user.run, {"organizationId": NORTHFIELD}

    assert (await run("gloo.items.list_for_organization", **own)).result == page(beta, alpha)
    assert (await run("gloo.items.list_for_organization", **own, sort=["TEXT_ASC"])).result == page(alpha, beta)
    assert (await run("gloo.items.list_for_organization", **own, q="ALPH")).result == page(alpha)
    assert (await run("gloo.items.list_library", **own)).result == page(beta, alpha, gamma)
    assert (await run("gloo.items.list_library", **own, itemType=["SHORT_ANSWER"])).result == page(beta)
    assert (await run("gloo.items.list_library", **own, first=1, offset=1)).result == page(alpha, total=3, more=True)
    assert (await run("gloo.items.list_library", **own, onlyShared=True)).result == page()
    assert (await run("gloo.items.list_library", organizationId=HARBOR)).result == page()
    found = await run("gloo.items.find_all", ids=[item_id(3), item_id(4), item_id(1), "nonsense"])
    assert found.result == {"nodes": [beta, gamma]}
    too_many = await run("gloo.items.find_all", ids=["x"] * 101)
    assert too_many.error == ("BAD_USER_INPUT", "ids takes at most 100 ids")


async def test_items_are_shared_by_grant(world: World) -> None:
    given = await make_item(world.superuser, "Given", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, given, 2)

    answer = await world.other_user.run("gloo.items.list_library", organizationId=HARBOR, onlyShared=True)

    assert [one["text"] for one in answer.result["nodes"]] == ["Given"]


async def test_items_come_onto_scales_and_leave_them(world: World) -> None:
    first, second = await make_item(world.superuser), await make_item(world.other_superuser, privacy=Privacy.PUBLIC)
    await make_scale(world.superuser)
    scale_id = global_id("Scale", 1)
    done = changed({"id": scale_id})

    async with changes(world) as found:
        for one in (first, second):
            answer = await world.superuser.run("gloo.items.add_to_scale", scaleId=scale_id, itemId=item_id(one.id))
            assert answer.result == done
        twice = await world.superuser.run("gloo.items.add_to_scale", scaleId=scale_id, itemId=item_id())

    assert twice.result == refused("CONFLICT", "The item is on this scale already", "itemId")
    assert found == {"item_scales": 2}
    listed = await world.user.run("gloo.items.list_for_scale", scaleId=scale_id, first=1)
    assert listed.result == {"items": page(item(world), total=2, more=True)}
    link = await world.user.run("gloo.item_scales.get", id=global_id("ItemScale", 2))
    assert link.result == {
        "id": global_id("ItemScale", 2),
        "scale": {"id": scale_id},
        "item": {"id": item_id(2)},
        "weight": "1.0",
        "createdAt": ANY,
        "updatedAt": ANY,
    }
    async with changes(world) as lost:
        answer = await world.superuser.run("gloo.items.remove_from_scale", scaleId=scale_id, itemId=item_id())
        gone = await world.superuser.run("gloo.items.remove_from_scale", scaleId=scale_id, itemId=item_id())
    assert (answer.result, gone.result) == (done, refused("NOT_FOUND", "The item is not on this scale", "itemId"))
    assert lost == {"item_scales": -1}


@pytest.mark.parametrize("call", ["gloo.items.add_to_scale", "gloo.items.remove_from_scale"])
async def test_a_scale_that_others_rely_on_keeps_its_items(world: World, call: str) -> None:
    question = await make_item(world.superuser)
    await make_scale(world.superuser, "Public", question, privacy=Privacy.PUBLIC)
    used = await make_scale(world.superuser, "Used", question, privacy=Privacy.PUBLIC)
    await make_domain(world.other_superuser, "Theirs", used)
    await withdraw(world, used)
    theirs = await make_scale(world.other_superuser, "Their own", privacy=Privacy.PUBLIC)
    hidden = await make_scale(world.other_superuser, "Hidden")

    async with changes(world) as found:
        results = [
            (await world.superuser.run(call, scaleId=global_id("Scale", row_id), itemId=item_id())).result
            for row_id in (1, 2, theirs.id)
        ]
        strange = [
            (await world.superuser.run(call, scaleId=one, itemId=item_id())).result
            for one in strange_ids("Scale", hidden)
        ]
        secret = await make_item(world.other_superuser)
        unseen = await world.superuser.run(call, scaleId=global_id("Scale", 1), itemId=item_id(secret.id))

    frozen = refused("CONFLICT", "The scale is shared or in use and can no longer be changed", "id")
    assert results == [frozen, frozen, refused("CONFLICT", "The scale belongs to another organization", "id")]
    assert strange == [refused("NOT_FOUND", "Scale not found", "id")] * 6
    assert unseen.result == refused("NOT_FOUND", "Item not found", "itemId")
    assert found == {"items": 1}


async def test_how_an_item_counts_on_a_scale(world: World) -> None:
    items = [await make_item(world.superuser) for _ in range(3)]
    await make_scale(world.superuser, "Mood", *items[:2])
    add = """mutation($scale: ID!, $item: ID!, $input: ItemScaleInput) {
        addItemToScale(id: $scale, itemId: $item, input: $input) { errors { message path }
            node { itemScales { nodes { item { id } weight isReversed position } } } } }"""
    change = """mutation($id: ID!, $input: ItemScalePatch!) { updateItemScale(id: $id, input: $input) {
        node { weight isReversed position } errors { code message path } } }"""

    sent = {"weight": "0.5", "isReversed": True, "position": 1}
    answer = await world.superuser.ask(add, scale=global_id("Scale", 1), item=item_id(3), input=sent)

    assert answer.data["addItemToScale"]["errors"] == []
    assert answer.data["addItemToScale"]["node"]["itemScales"]["nodes"] == [
        {"item": {"id": item_id(3)}, "weight": "0.5", "isReversed": True, "position": 1},
        {"item": {"id": item_id(1)}, "weight": "1.0", "isReversed": False, "position": 2},
        {"item": {"id": item_id(2)}, "weight": "1.0", "isReversed": False, "position": 3},
    ]
    link = global_id("ItemScale", 3)
    moved = await world.superuser.ask(change, id=link, input={"weight": "2", "position": 3})
    assert moved.data["updateItemScale"] == changed({"weight": "2.0", "isReversed": True, "position": 3})
    wrong = await world.superuser.ask(change, id=link, input={"weight": "1e13"})
    message = "must be between -1000000000000 and 1000000000000"
    assert wrong.data["updateItemScale"] == refused("INVALID", message, "input", "weight")
    assert (await world.user.ask(change, id=link, input={})).error == ("FORBIDDEN", "Access denied")
