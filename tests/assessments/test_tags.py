"""Making, changing and deleting tags, which the source shows without saying where they come from."""

from typing import Any

from caregraph.assessments.enums import Privacy
from caregraph.graph.node import global_id
from contract.asserts import changed, changes, refused
from factories.assessments import make_item, make_tag
from kit import World

NODE = "node { name featured featuredPosition } errors { code message path }"
CREATE = f"mutation($input: TagInput!) {{ result: createTag(input: $input) {{ {NODE} }} }}"
UPDATE = f"mutation($id: ID!, $input: TagPatch!) {{ result: updateTag(id: $id, input: $input) {{ {NODE} }} }}"
DELETE = """mutation($id: ID!, $force: Boolean! = false) {
    result: deleteTag(id: $id, force: $force) { deletedId errors { code message path } } }"""
TAG = global_id("Tag", 1)


def tag(name: str = "Mood", **overrides: Any) -> dict[str, Any]:
    return {"name": name, "featured": False, "featuredPosition": None, **overrides}


async def test_tags_are_made_and_changed(world: World) -> None:
    async with changes(world) as found:
        made = await world.superuser.ask(CREATE, input={"name": "Mood"})
        taken = await world.superuser.ask(CREATE, input={"name": "Mood"})
        blank = await world.superuser.ask(CREATE, input={"name": " "})
        put = await world.superuser.ask(UPDATE, id=TAG, input={"featured": True, "featuredPosition": 2})
        refusals = [
            (await world.user.ask(query, **{"input": {"name": "x"}, **sent})).error
            for query, sent in ((CREATE, {}), (UPDATE, {"id": TAG}), (DELETE, {"id": TAG}))
        ]

    assert made.result == changed(tag())
    assert taken.result == refused("CONFLICT", "A tag with this name already exists", "input", "name")
    assert blank.result == refused("INVALID", "must not be empty", "input", "name")
    assert put.result == changed(tag(featured=True, featuredPosition=2))
    assert refusals == [("FORBIDDEN", "Access denied")] * 3
    assert found == {"tags": 1}
    assert (await world.other_superuser.ask(CREATE, input={"name": "Mood"})).result == changed(tag())


async def test_tags_of_others_stay(world: World) -> None:
    await make_tag(world.other_superuser, "Theirs", await make_item(world.other_superuser, privacy=Privacy.PUBLIC))

    async with changes(world) as found:
        written = await world.superuser.ask(UPDATE, id=TAG, input={"name": "x"})
        gone = await world.superuser.ask(DELETE, id=TAG, force=True)
        unseen = await world.superuser.ask(DELETE, id=global_id("Tag", 9))

    assert written.result == refused("CONFLICT", "The tag belongs to another organization", "id")
    assert gone.result == refused("CONFLICT", "The tag belongs to another organization", "id", of="deletedId")
    assert unseen.result == refused("NOT_FOUND", "Tag not found", "id", of="deletedId")
    assert found == {}


async def test_deleting_a_tag_that_is_used_takes_force(world: World) -> None:
    used = await make_tag(world.superuser, "Used", await make_item(world.superuser))
    free = await make_tag(world.superuser, "Free")

    async with changes(world) as found:
        unforced = await world.superuser.ask(DELETE, id=global_id("Tag", used.id))
        gone = await world.superuser.ask(DELETE, id=global_id("Tag", free.id))

    message = "The tag stands on content: set force to take it off"
    assert unforced.result == refused("CONFLICT", message, "force", of="deletedId")
    assert gone.result == {"deletedId": global_id("Tag", free.id), "errors": []}
    assert found == {"tags": -1}
    async with changes(world) as lost:
        await world.superuser.ask(DELETE, id=global_id("Tag", used.id), force=True)
    assert lost == {"tags": -1, "item_tags": -1}


async def test_a_tag_on_content_of_another_organization_stays(world: World) -> None:
    public = await make_item(world.superuser, privacy=Privacy.PUBLIC)
    await make_tag(world.superuser, "Mood", public)
    clone = "mutation($id: ID!) { cloneItem(id: $id) { node { id } } }"
    assert (await world.other_superuser.ask(clone, id=global_id("Item", public.id))).data["cloneItem"]["node"]

    async with changes(world) as found:
        answer = await world.superuser.ask(DELETE, id=TAG, force=True)

    message = "The tag stands on content of another organization"
    assert answer.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}
