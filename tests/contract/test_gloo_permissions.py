"""`gloo.permissions.*`: what members are granted in an organization."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.organizations import make_permission
from kit import World

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.permissions.list_for_user", {"userId": global_id("User", 2)}),
    ("gloo.permissions.replace_for_user", {"userId": global_id("User", 2), "permissionKeys": []}),
]


def permission(row_id: int, key: str, name: str) -> dict[str, Any]:
    return {
        "id": global_id("GrantedPermission", row_id),
        "key": key,
        "name": name,
        "createdAt": ANY,
        "updatedAt": ANY,
    }


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_permissions_are_for_managers(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_permission(world.user, "MANAGE_LOCATION")
    await assert_nobody_is_refused(world, call, **variables)

    async with changes(world) as found:
        answer = await world.user.run(call, **variables)

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["data"] == {"result": None}
    assert found == {}


@pytest.mark.parametrize("who", ["superuser", "colleague"])
async def test_list_for_user_lists_what_one_user_holds(world: World, who: str) -> None:
    await make_permission(world.user, "CREATE_DEPLOYMENT")
    await make_permission(world.user, "ASSESSMENT_AUTHOR")
    await make_permission(world.colleague, "MANAGE_ORGANIZATION")
    author = permission(2, "ASSESSMENT_AUTHOR", "Assessment author")
    deployment = permission(1, "CREATE_DEPLOYMENT", "Create deployment")

    caller = getattr(world, who)
    whole = await caller.run("gloo.permissions.list_for_user", userId=world.user.id)
    second = await caller.run("gloo.permissions.list_for_user", userId=world.user.id, first=1, offset=1)
    none = await caller.run("gloo.permissions.list_for_user", userId=world.superuser.id)

    assert whole.result == page(author, deployment)
    assert second.result == page(deployment, total=2)
    assert none.result == page()


async def test_list_for_user_knows_nobody_elsewhere(world: World) -> None:
    await make_permission(world.other_user, "MANAGE_LOCATION")

    answers = [
        await world.superuser.run("gloo.permissions.list_for_user", userId=strange)
        for strange in strange_ids("User", User(id=world.other_user.row_id))
    ]

    assert [answer.result for answer in answers] == [page()] * 6


async def test_replace_for_user_replaces_the_whole_set(world: World) -> None:
    await make_permission(world.user, "CREATE_DEPLOYMENT")
    await make_permission(world.user, "ASSESSMENT_AUTHOR")
    await make_permission(world.colleague, "ASSESSMENT_AUTHOR")

    async with changes(world) as found:
        answer = await world.superuser.run(
            "gloo.permissions.replace_for_user",
            userId=world.user.id,
            permissionKeys=["MANAGE_LOCATION", "CREATE_DEPLOYMENT", "CREATE_ASSESSMENT"],
        )

    held = [
        permission(4, "CREATE_ASSESSMENT", "Create assessment"),
        permission(1, "CREATE_DEPLOYMENT", "Create deployment"),
        permission(5, "MANAGE_LOCATION", "Manage location"),
    ]
    assert answer.result == changed({"id": world.user.id, "permissions": {"totalCount": 3, "nodes": held}})
    assert found == {"granted_permissions": 1}


async def test_replace_for_user_with_nothing_removes_everything(world: World) -> None:
    await make_permission(world.user, "CREATE_DEPLOYMENT")
    await make_permission(world.user, "ASSESSMENT_AUTHOR")

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.permissions.replace_for_user", userId=world.user.id, permissionKeys=[])

    assert answer.result == changed({"id": world.user.id, "permissions": {"totalCount": 0, "nodes": []}})
    assert found == {"granted_permissions": -2}


async def test_replace_for_user_finds_nobody_elsewhere(world: World) -> None:
    async with changes(world) as found:
        answers = [
            await world.superuser.run(
                "gloo.permissions.replace_for_user", userId=strange, permissionKeys=["MANAGE_LOCATION"]
            )
            for strange in strange_ids("User", User(id=world.other_user.row_id))
        ]

    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "User not found", "id")] * 6
    assert found == {}
