"""`gloo.assessment_items.*`. The list of a deployment's items comes with deployments."""

from typing import Any
from unittest.mock import ANY

from caregraph.assessments.enums import Privacy, PublicationStatus
from caregraph.graph.node import global_id
from contract.asserts import changed, changes, page, refused, strange_ids
from contract.authoring import assert_for_authors, assert_for_readers
from factories.assessments import make_assessment, make_domain, make_item, make_scale, put_on
from kit import World

ASSESSMENT = global_id("Assessment", 1)
FROZEN = "The assessment is shared or in use and can no longer be changed"


def place_id(row_id: int = 1) -> str:
    return global_id("AssessmentItem", row_id)


def place(row_id: int = 1, item: int | None = None, **overrides: Any) -> dict[str, Any]:
    return {
        "id": place_id(row_id),
        "assessment": {"id": ASSESSMENT},
        "item": {"id": global_id("Item", item or row_id)},
        "position": row_id,
        "required": True,
        "profileAttribute": None,
        "createdAt": ANY,
        "updatedAt": ANY,
        **overrides,
    }


async def make_form(world: World, count: int = 3, **overrides: Any) -> Any:
    """An assessment with some items on it."""
    assessment = await make_assessment(world.superuser, **overrides)
    await put_on(world.superuser, assessment, *[await make_item(world.superuser) for _ in range(count)])
    return assessment


async def positions(world: World) -> list[tuple[int, int]]:
    """Ids and positions in the order of an assessment."""
    answer = await world.user.run("gloo.assessment_items.list_for_assessment", assessmentId=ASSESSMENT)
    ids = {place_id(one): one for one in range(1, 10)}
    return [(ids[one["id"]], one["position"]) for one in answer.result["assessmentItems"]["nodes"]]


async def test_places_are_written_by_authors_and_read_by_all(world: World) -> None:
    await make_form(world, 1)

    await assert_for_authors(
        world,
        [
            ("gloo.assessment_items.create", {"assessmentId": ASSESSMENT, "itemId": global_id("Item", 1)}),
            ("gloo.assessment_items.update", {"id": place_id(), "position": 1}),
            ("gloo.assessment_items.delete", {"id": place_id()}),
        ],
    )
    await assert_for_readers(
        world,
        [
            ("gloo.assessment_items.get", {"id": place_id()}),
            ("gloo.assessment_items.list_for_assessment", {"assessmentId": ASSESSMENT}),
        ],
    )


async def test_create_appends_or_pushes_the_later_ones_down(world: World) -> None:
    await make_form(world, 2)
    added = [await make_item(world.superuser), await make_item(world.other_superuser, privacy=Privacy.PUBLIC)]
    run = world.superuser.run

    async with changes(world) as found:
        last = await run("gloo.assessment_items.create", assessmentId=ASSESSMENT, itemId=global_id("Item", 3))
        first = await run(
            "gloo.assessment_items.create",
            assessmentId=ASSESSMENT,
            itemId=global_id("Item", added[1].id),
            position=1,
            required=False,
        )
        twice = await run("gloo.assessment_items.create", assessmentId=ASSESSMENT, itemId=global_id("Item", 3))

    assert last.result == changed(place(3))
    assert first.result == changed(place(4, position=1, required=False))
    assert twice.result == refused("CONFLICT", "The item is on this assessment already", "itemId")
    assert found == {"assessment_items": 2}
    assert await positions(world) == [(4, 1), (1, 2), (2, 3), (3, 4)]


async def test_create_refuses(world: World) -> None:
    await make_assessment(world.superuser, privacy=Privacy.PUBLIC)
    theirs = await make_assessment(world.other_superuser, privacy=Privacy.PUBLIC)
    own = await make_assessment(world.superuser)
    hidden = await make_assessment(world.other_superuser)
    await make_item(world.superuser)
    secret = await make_item(world.other_superuser)
    run, item_id = world.superuser.run, global_id("Item", 1)

    async with changes(world) as found:
        frozen = await run("gloo.assessment_items.create", assessmentId=ASSESSMENT, itemId=item_id)
        foreign = await run(
            "gloo.assessment_items.create", assessmentId=global_id("Assessment", theirs.id), itemId=item_id
        )
        for strange in strange_ids("Assessment", hidden):
            answer = await run("gloo.assessment_items.create", assessmentId=strange, itemId=item_id)
            assert answer.result == refused("NOT_FOUND", "Assessment not found", "assessmentId")
        for strange in strange_ids("Item", secret):
            answer = await run(
                "gloo.assessment_items.create", assessmentId=global_id("Assessment", own.id), itemId=strange
            )
            assert answer.result == refused("NOT_FOUND", "Item not found", "itemId")
        low = await run("gloo.assessment_items.create", assessmentId=ASSESSMENT, itemId=item_id, position=-1)
        null = await run("gloo.assessment_items.create", assessmentId=ASSESSMENT, itemId=item_id, required=None)

    assert frozen.result == refused("CONFLICT", FROZEN, "assessmentId")
    assert foreign.result == refused("CONFLICT", "The assessment belongs to another organization", "assessmentId")
    assert low.result == refused("INVALID", "must be between 0 and 1e+06", "input", "position")
    assert null.result == refused("INVALID", "must not be null", "input", "required")
    assert found == {}


async def test_get_and_list(world: World) -> None:
    await make_form(world, 2)
    hidden = await put_on(
        world.other_superuser, await make_assessment(world.other_superuser), await make_item(world.other_superuser)
    )
    run = world.user.run

    assert (await run("gloo.assessment_items.get", id=place_id())).result == place()
    for strange in strange_ids("AssessmentItem", hidden):
        assert (await run("gloo.assessment_items.get", id=strange)).result is None
    listed = await run("gloo.assessment_items.list_for_assessment", assessmentId=ASSESSMENT, sort=["POSITION_DESC"])
    assert listed.result == {"assessmentItems": page(place(2), place(1))}
    rest = await run("gloo.assessment_items.list_for_assessment", assessmentId=ASSESSMENT, first=1, offset=1)
    assert rest.result == {"assessmentItems": page(place(2), total=2)}
    unseen = await run("gloo.assessment_items.list_for_assessment", assessmentId=global_id("Assessment", 2))
    assert unseen.result is None


async def test_update_moves(world: World) -> None:
    await make_form(world, 4)
    run = world.superuser.run

    async with changes(world) as found:
        up = await run("gloo.assessment_items.update", id=place_id(3), position=1)
        assert await positions(world) == [(3, 1), (1, 2), (2, 3), (4, 4)]
        await run("gloo.assessment_items.update", id=place_id(3), position=3)
        assert await positions(world) == [(1, 2), (3, 3), (2, 4), (4, 5)]
        await run("gloo.assessment_items.update", id=place_id(2), position=4, required=False)
        await run("gloo.assessment_items.update", id=place_id(2))

    assert up.result == changed(place(3, position=1))
    assert found == {}
    assert await positions(world) == [(1, 2), (3, 3), (2, 4), (4, 5)]
    kept = await world.user.run("gloo.assessment_items.get", id=place_id(2))
    assert kept.result == place(2, position=4, required=False)


async def test_only_the_position_changes_once_an_assessment_is_not_private(world: World) -> None:
    await make_form(world, 2, privacy=Privacy.PUBLIC)
    run = world.superuser.run

    async with changes(world) as found:
        required = await run("gloo.assessment_items.update", id=place_id(), position=2, required=False)
        same = await run("gloo.assessment_items.update", id=place_id(), position=2, required=True)
        gone = await run("gloo.assessment_items.delete", id=place_id())

    message = "Only while the assessment is private"
    assert required.result == refused("CONFLICT", message, "input", "required")
    assert same.result == changed(place(position=2))
    assert gone.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}


async def test_only_the_position_changes_once_an_assessment_is_published(world: World) -> None:
    assessment = await make_form(world, 2, status=PublicationStatus.PUBLISHED)
    item = await make_item(world.superuser)
    run = world.superuser.run

    async with changes(world) as found:
        required = await run("gloo.assessment_items.update", id=place_id(), required=False)
        moved = await run("gloo.assessment_items.update", id=place_id(), position=2)
        gone = await run("gloo.assessment_items.delete", id=place_id())
        added = await run(
            "gloo.assessment_items.create",
            assessmentId=global_id("Assessment", assessment.id),
            itemId=global_id("Item", item.id),
        )

    message = "The assessment is published"
    assert required.result == refused("CONFLICT", message, "input", "required")
    assert moved.result == changed(place(position=2))
    assert gone.result == refused("CONFLICT", message, "id", of="deletedId")
    assert added.result == refused("CONFLICT", message, "assessmentId")
    assert found == {}


async def test_update_is_refused_for_items_on_scales_of_the_assessment(world: World) -> None:
    assessment = await make_assessment(world.superuser)
    items = [await make_item(world.superuser) for _ in range(3)]
    direct, inner = [await make_scale(world.superuser, f"S{one.id}", one) for one in items[:2]]
    await make_scale(world.superuser, "Of no assessment", items[2])
    await put_on(world.superuser, assessment, *items)
    await put_on(world.superuser, assessment, direct)
    await put_on(world.superuser, assessment, await make_domain(world.superuser, "Life", inner))

    async with changes(world) as found:
        results = [
            (await world.superuser.run("gloo.assessment_items.update", id=place_id(one), position=9)).result
            for one in (1, 2, 3)
        ]

    on_scale = refused("CONFLICT", "The item is on a scale of this assessment", "id")
    assert results == [on_scale, on_scale, changed(place(3, position=9))]
    assert found == {}


async def test_delete_takes_an_item_off_a_private_assessment(world: World) -> None:
    await make_form(world, 2)

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.assessment_items.delete", id=place_id())

    assert answer.result == {"deletedId": place_id(), "errors": []}
    assert found == {"assessment_items": -1}
    assert await positions(world) == [(2, 2)]


async def test_places_on_assessments_of_others_stay(world: World) -> None:
    public = await make_assessment(world.other_superuser, privacy=Privacy.PUBLIC)
    private = await make_assessment(world.other_superuser)
    seen, hidden = [
        await put_on(world.other_superuser, one, await make_item(world.other_superuser)) for one in (public, private)
    ]
    foreign = ("CONFLICT", "The assessment item belongs to another organization", "id")
    missing = ("NOT_FOUND", "AssessmentItem not found", "id")

    async with changes(world) as found:
        for call, of in (("gloo.assessment_items.update", "node"), ("gloo.assessment_items.delete", "deletedId")):
            assert (await world.superuser.run(call, id=place_id(seen.id))).result == refused(*foreign, of=of)
            for strange in strange_ids("AssessmentItem", hidden):
                assert (await world.superuser.run(call, id=strange)).result == refused(*missing, of=of)

    assert found == {}
