"""`fit.labels.*`."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, page, refused, strange_ids
from factories.people import make_client, make_label
from factories.treatment import make_episode
from kit import World

NAMELESS = [("", "must not be empty"), (" \t", "must not be empty"), ("x" * 201, "must have at most 200 characters")]


async def test_list_agency_shows_the_organizations_labels_to_all_its_users(world: World) -> None:
    for name in ("Winter", "Autumn"):
        await make_label(world.superuser, name)
    await make_label(world.other_superuser, "Elsewhere")
    autumn = {"id": global_id("Label", 2), "name": "Autumn"}
    winter = {"id": global_id("Label", 1), "name": "Winter"}

    for principal in (world.superuser, world.user):
        assert (await principal.run("fit.labels.list_agency")).result == page(autumn, winter)
    first = (await world.user.run("fit.labels.list_agency", first=1)).result
    assert first == page(autumn, total=2, more=True)
    rest = await world.user.run("fit.labels.list_agency", first=1, after=first["pageInfo"]["endCursor"])
    assert rest.result == page(winter, total=2)


@pytest.mark.parametrize("first", [-1, 5001])
async def test_list_agency_refuses_a_page_of_an_impossible_size(world: World, first: int) -> None:
    answer = await world.user.run("fit.labels.list_agency", first=first)

    assert answer.error == ("BAD_USER_INPUT", "first must be between 0 and 5000")


async def test_get_shows_a_label_of_the_organization(world: World) -> None:
    label = await make_label(world.superuser, "Winter")
    foreign = await make_label(world.other_superuser, "Elsewhere")

    answer = await world.user.run("fit.labels.get", id=global_id("Label", label.id))

    assert answer.result == {"id": global_id("Label", 1), "name": "Winter"}
    for strange in strange_ids("Label", foreign):
        assert (await world.user.run("fit.labels.get", id=strange)).result is None


async def test_create_adds_a_label_to_the_callers_organization(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("fit.labels.create", name="Winter")

    assert answer.result == changed({"id": global_id("Label", 1), "name": "Winter"})
    assert found == {"labels": 1}
    assert (await world.user.run("fit.labels.list_agency")).result["totalCount"] == 1
    assert (await world.other_user.run("fit.labels.list_agency")).result == page()


async def test_a_name_is_unique_within_the_organization(world: World) -> None:
    label = await make_label(world.superuser, "Winter")
    await make_label(world.superuser, "Autumn")
    taken = refused("CONFLICT", "A label with this name already exists", "input", "name")

    async with changes(world) as found:
        created = await world.superuser.run("fit.labels.create", name="Winter")
        renamed = await world.superuser.run("fit.labels.update", id=global_id("Label", label.id), name="Autumn")

    assert (created.result, renamed.result) == (taken, taken)
    assert found == {}
    elsewhere = await world.other_superuser.run("fit.labels.create", name="Winter")
    assert elsewhere.result["errors"] == []


@pytest.mark.parametrize(("name", "message"), NAMELESS)
async def test_a_name_has_1_to_200_characters(world: World, name: str, message: str) -> None:
    label = await make_label(world.superuser, "Winter")
    wrong = refused("INVALID", message, "input", "name")

    async with changes(world) as found:
        created = await world.superuser.run("fit.labels.create", name=name)
        renamed = await world.superuser.run("fit.labels.update", id=global_id("Label", label.id), name=name)

    assert (created.result, renamed.result) == (wrong, wrong)
    assert found == {}
    assert (await world.user.run("fit.labels.get", id=global_id("Label", label.id))).result["name"] == "Winter"


async def test_update_renames(world: World) -> None:
    label = await make_label(world.superuser, "Winter")
    label_id = global_id("Label", label.id)

    async with changes(world) as found:
        answer = await world.superuser.run("fit.labels.update", id=label_id, name="Spring")

    assert answer.result == changed({"id": label_id, "name": "Spring"})
    assert found == {}
    unchanged = await world.superuser.run("fit.labels.update", id=label_id)
    assert unchanged.result == changed({"id": label_id, "name": "Spring"})
    emptied = await world.superuser.run("fit.labels.update", id=label_id, name=None)
    assert emptied.result == refused("INVALID", "must not be null", "input", "name")


async def test_delete_removes_an_unused_label(world: World) -> None:
    label = await make_label(world.superuser, "Winter")

    async with changes(world) as found:
        answer = await world.superuser.run("fit.labels.delete", id=global_id("Label", label.id))

    assert answer.result == deleted("Label", label)
    assert found == {"labels": -1}


@pytest.mark.parametrize(
    ("clients", "episodes", "users_of_it"),
    [(1, 0, "1 client"), (2, 0, "2 clients"), (0, 1, "1 episode"), (2, 1, "2 clients and 1 episode")],
)
async def test_delete_is_refused_while_the_label_is_used_unless_forced(
    world: World, clients: int, episodes: int, users_of_it: str
) -> None:
    carriers = [await make_client(world.user) for _ in range(clients)]
    label = await make_label(world.superuser, "Winter", *carriers)
    for _ in range(episodes):
        await make_episode(world.user, await make_client(world.user), labels=(label,))
    label_id = global_id("Label", label.id)

    async with changes(world) as unforced:
        answer = await world.superuser.run("fit.labels.delete", id=label_id)

    assert answer.result == refused(
        "CONFLICT", f"Label has {users_of_it}: set force to take it off them", "force", of="deletedId"
    )
    assert unforced == {}

    async with changes(world) as forced:
        answer = await world.superuser.run("fit.labels.delete", id=label_id, force=True)

    assert answer.result == deleted("Label", label)
    carried = {"client_labels": -clients, "episode_labels": -episodes}
    assert forced == {"labels": -1, **{table: lost for table, lost in carried.items() if lost}}


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("fit.labels.create", {"name": "Mine"}),
    ("fit.labels.update", {"id": global_id("Label", 1), "name": "Mine"}),
    ("fit.labels.delete", {"id": global_id("Label", 1), "force": True}),
]


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_changing_labels_is_for_superusers(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_label(world.superuser, "Winter")

    async with changes(world) as found:
        answer = await world.user.run(call, **variables)

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["data"] == {"result": None}
    assert found == {}


@pytest.mark.parametrize(
    ("call", "variables"), [("fit.labels.list_agency", {}), ("fit.labels.get", {"id": global_id("Label", 1)}), *CALLS]
)
async def test_labels_are_not_for_nobody(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_label(world.superuser, "Winter")

    await assert_nobody_is_refused(world, call, **variables)


@pytest.mark.parametrize(("call", "of"), [("fit.labels.update", "node"), ("fit.labels.delete", "deletedId")])
async def test_a_label_that_is_not_there_cannot_be_changed(world: World, call: str, of: str) -> None:
    foreign = await make_label(world.other_superuser, "Elsewhere")

    async with changes(world) as found:
        answers = [await world.superuser.run(call, id=strange) for strange in strange_ids("Label", foreign)]

    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "Label not found", "id", of=of)] * 6
    assert found == {}
