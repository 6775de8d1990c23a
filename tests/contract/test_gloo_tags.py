"""`gloo.tags.*`: tags, and which stand on items, scales, domains and assessments."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments.enums import Privacy
from caregraph.graph.node import global_id
from contract.asserts import changed, changes, page, refused, strange_ids
from contract.authoring import assert_for_authors, assert_for_readers
from factories.assessments import make_assessment, make_domain, make_item, make_scale, make_tag
from kit import World

MAKERS: dict[str, Any] = {
    "assessment": make_assessment,
    "domain": make_domain,
    "item": make_item,
    "scale": make_scale,
}
REPLACED = ("assessment", "domain", "item", "scale")
ASSIGNED = ("domain", "item", "scale")


def tag(row_id: int = 1, name: str = "Mood", **overrides: Any) -> dict[str, Any]:
    return {
        "id": global_id("Tag", row_id),
        "name": name,
        "featured": False,
        "featuredPosition": None,
        "createdAt": ANY,
        "updatedAt": ANY,
        **overrides,
    }


def of(kind: str, row: Any) -> dict[str, str]:
    """The variable that names a piece of content."""
    return {f"{kind}Id": id_of(kind, row)}


def id_of(kind: str, row: Any) -> str:
    return global_id(kind.capitalize(), row.id)


async def names(world: World, kind: str, row: Any) -> list[str]:
    answer = await world.user.run(f"gloo.tags.list_for_{kind}", **of(kind, row))
    tags = answer.result["tags"]
    return [one["name"] for one in (tags if isinstance(tags, list) else tags["nodes"])]


def test_the_calls() -> None:
    """The ids that are put together below."""
    assert {f"gloo.tags.list_for_{kind}" for kind in REPLACED} == {
        "gloo.tags.list_for_assessment",
        "gloo.tags.list_for_domain",
        "gloo.tags.list_for_item",
        "gloo.tags.list_for_scale",
    }
    assert {f"gloo.tags.bulk_assign_to_{kind}" for kind in REPLACED} == {
        "gloo.tags.bulk_assign_to_assessment",
        "gloo.tags.bulk_assign_to_domain",
        "gloo.tags.bulk_assign_to_item",
        "gloo.tags.bulk_assign_to_scale",
    }
    assert {f"gloo.tags.assign_to_{kind}" for kind in ASSIGNED} == {
        "gloo.tags.assign_to_domain",
        "gloo.tags.assign_to_item",
        "gloo.tags.assign_to_scale",
    }
    assert {f"gloo.tags.remove_from_{kind}" for kind in ASSIGNED} == {
        "gloo.tags.remove_from_domain",
        "gloo.tags.remove_from_item",
        "gloo.tags.remove_from_scale",
    }


async def test_tags_are_put_by_authors_and_read_by_all(world: World) -> None:
    rows = {kind: await make(world.superuser) for kind, make in MAKERS.items()}
    await make_tag(world.superuser)
    tag_id = global_id("Tag", 1)

    await assert_for_authors(
        world,
        [
            *((f"gloo.tags.bulk_assign_to_{kind}", {**of(kind, rows[kind]), "tagIds": []}) for kind in REPLACED),
            *((f"gloo.tags.assign_to_{kind}", {**of(kind, rows[kind]), "tagId": tag_id}) for kind in ASSIGNED),
            *((f"gloo.tags.remove_from_{kind}", {**of(kind, rows[kind]), "tagId": tag_id}) for kind in ASSIGNED),
        ],
    )
    await assert_for_readers(
        world,
        [
            ("gloo.tags.get", {"id": tag_id}),
            ("gloo.tags.list", {}),
            *((f"gloo.tags.list_for_{kind}", of(kind, rows[kind])) for kind in REPLACED),
        ],
    )


async def test_get_and_list(world: World) -> None:
    await make_tag(world.superuser, "Winter")
    await make_tag(world.superuser, "Autumn", featured=True, featured_position=1)
    hidden = await make_tag(world.other_superuser, "Hidden")
    await make_tag(world.other_superuser, "Shown", await make_item(world.other_superuser, privacy=Privacy.PUBLIC))
    winter, shown = tag(1, "Winter"), tag(4, "Shown")
    autumn = tag(2, "Autumn", featured=True, featuredPosition=1)
    run = world.user.run

    assert (await run("gloo.tags.get", id=global_id("Tag", 1))).result == winter
    for strange in strange_ids("Tag", hidden):
        assert (await run("gloo.tags.get", id=strange)).result is None
    assert (await run("gloo.tags.list")).result == page(autumn, shown, winter)
    assert (await run("gloo.tags.list", featured=True)).result == page(autumn)
    assert (await run("gloo.tags.list", q="WINT")).result == page(winter)
    named = await run("gloo.tags.list", sort=["NAME_DESC"], first=1, offset=1)
    assert named.result == page(shown, total=3, more=True)


@pytest.mark.parametrize("kind", ASSIGNED)
async def test_tags_are_assigned_and_removed(world: World, kind: str) -> None:
    row = await MAKERS[kind](world.superuser, privacy=Privacy.PUBLIC)
    first, second = await make_tag(world.superuser, "Winter"), await make_tag(world.superuser, "Autumn")
    done = changed({"id": id_of(kind, row)})
    run = world.superuser.run

    async with changes(world) as found:
        for one in (first, second, second):
            answer = await run(f"gloo.tags.assign_to_{kind}", **of(kind, row), tagId=global_id("Tag", one.id))
            assert answer.result == done
    assert found == {f"{kind}_tags": 2}
    listed = await world.user.run(f"gloo.tags.list_for_{kind}", **of(kind, row))
    assert listed.result == {"tags": page(tag(2, "Autumn"), tag(1, "Winter"))}
    later = await world.user.run(f"gloo.tags.list_for_{kind}", **of(kind, row), sort=["NAME_DESC"], first=1)
    assert later.result == {"tags": page(tag(1, "Winter"), total=2, more=True)}
    async with changes(world) as lost:
        for _ in range(2):
            answer = await run(f"gloo.tags.remove_from_{kind}", **of(kind, row), tagId=global_id("Tag", first.id))
            assert answer.result == done
    assert lost == {f"{kind}_tags": -1}
    assert await names(world, kind, row) == ["Autumn"]


@pytest.mark.parametrize("kind", REPLACED)
async def test_bulk_assigning_replaces_the_set(world: World, kind: str) -> None:
    row = await MAKERS[kind](world.superuser)
    kept, lost = [await make_tag(world.superuser, name, row) for name in ("Kept", "Lost")]
    new = await make_tag(world.superuser, "New")
    ids = [global_id("Tag", one.id) for one in (new, kept)]
    run = world.superuser.run

    async with changes(world) as found:
        answer = await run(f"gloo.tags.bulk_assign_to_{kind}", **of(kind, row), tagIds=ids)
        assert await names(world, kind, row) == ["Kept", "New"]
        unknown = await run(f"gloo.tags.bulk_assign_to_{kind}", **of(kind, row), tagIds=[*ids, "nonsense"])
        assert await names(world, kind, row) == ["Kept", "New"]

    assert lost.name == "Lost"
    assert answer.result == changed({"id": id_of(kind, row)})
    assert unknown.result == refused("NOT_FOUND", "Tag not found", "tagIds")
    assert found == {}
    await run(f"gloo.tags.bulk_assign_to_{kind}", **of(kind, row), tagIds=[])
    assert await names(world, kind, row) == []


@pytest.mark.parametrize("kind", REPLACED)
async def test_content_and_tags_of_others(world: World, kind: str) -> None:
    own = await MAKERS[kind](world.superuser)
    public = await MAKERS[kind](world.other_superuser, "Public", privacy=Privacy.PUBLIC)
    hidden = await MAKERS[kind](world.other_superuser, "Hidden")
    secret = await make_tag(world.other_superuser, "Secret")
    shown = await make_tag(world.other_superuser, "Shown", public)
    verbs = ["bulk_assign_to"] if kind == "assessment" else ["bulk_assign_to", "assign_to", "remove_from"]
    noun = kind.capitalize()

    async with changes(world) as found:
        for verb in verbs:
            call, bulk = f"gloo.tags.{verb}_{kind}", verb.startswith("bulk")
            sent = {"tagIds": [global_id("Tag", shown.id)]} if bulk else {"tagId": global_id("Tag", shown.id)}
            strange_tag = {"tagIds": [global_id("Tag", secret.id)]} if bulk else {"tagId": global_id("Tag", secret.id)}
            foreign = await world.superuser.run(call, **of(kind, public), **sent)
            assert foreign.result == refused("CONFLICT", f"The {kind} belongs to another organization", "id")
            for strange in strange_ids(noun, hidden):
                answer = await world.superuser.run(call, **{f"{kind}Id": strange}, **sent)
                assert answer.result == refused("NOT_FOUND", f"{noun} not found", "id")
            answer = await world.superuser.run(call, **of(kind, own), **strange_tag)
            assert answer.result == refused("NOT_FOUND", "Tag not found", *strange_tag)
    assert found == {}

    answer = await world.superuser.run(
        f"gloo.tags.bulk_assign_to_{kind}", **of(kind, own), tagIds=[global_id("Tag", shown.id)]
    )
    assert answer.result["errors"] == []
    assert await names(world, kind, own) == ["Shown"]
    assert (await world.user.run(f"gloo.tags.list_for_{kind}", **of(kind, hidden))).result is None
