"""Permissions: who grants what to whom, and that somebody who may manage always remains."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from caregraph.auth.viewer import GRANTABLE
from caregraph.organizations.enums import PermissionKey
from caregraph.organizations.models import Membership
from contract.asserts import changes
from factories.organizations import make_permission
from kit import Answer, Principal, World

SET = """mutation ($id: ID!, $keys: [PermissionKey!]!) { setUserPermissions(id: $id, permissionKeys: $keys) {
    node { permissions { nodes { key name } } } errors { code message path }
} }"""
ADD_ROLE = "mutation ($id: ID!) { addUserRole(id: $id, role: DISABLED) { node { id } errors { message } } }"
DELETE = "mutation ($id: ID!) { deleteUser(id: $id) { deletedId errors { message } } }"
REMOVE_ROLE = "mutation ($id: ID!) { removeUserRole(id: $id, role: AGENCY_ADMIN) { node { id } errors { message } } }"
MAY_MANAGE = "{ invitations { totalCount } }"
LAST_MANAGER = [{"code": "CONFLICT", "message": "The organization's last manager must stay", "path": ["id"]}]
DENIED = ("FORBIDDEN", "Access denied")


async def grant(by: Principal, to: Principal, *keys: str) -> Answer:
    return await by.ask(SET, id=to.id, keys=list(keys))


def granted(answer: Answer) -> list[str]:
    payload = answer.data["setUserPermissions"]
    assert payload["errors"] == []
    return [one["key"] for one in payload["node"]["permissions"]["nodes"]]


async def change(principal: Principal, **values: Any) -> None:
    async with principal.world.writing(principal) as tx:
        await tx.execute(update(Membership).where(Membership.user_id == principal.row_id).values(**values))


@pytest.fixture
async def manager(world: World) -> Principal:
    """Cleo, who manages without being a superuser."""
    await make_permission(world.colleague)
    return world.colleague


def test_the_keys_are_those_that_signing_in_knows() -> None:
    assert {one.name for one in PermissionKey} == {one.value for one in PermissionKey} == GRANTABLE.keys()


async def test_what_is_granted_holds_from_the_next_request_on(world: World) -> None:
    assert (await world.user.ask(MAY_MANAGE)).error == DENIED

    assert granted(await grant(world.superuser, world.user, "MANAGE_ORGANIZATION")) == ["MANAGE_ORGANIZATION"]
    assert (await world.user.ask(MAY_MANAGE)).data == {"invitations": {"totalCount": 0}}

    assert granted(await grant(world.superuser, world.user)) == []
    assert (await world.user.ask(MAY_MANAGE)).error == DENIED


async def test_other_keys_do_not_let_one_manage(world: World) -> None:
    others = ["ASSESSMENT_AUTHOR", "CREATE_ASSESSMENT", "CREATE_DEPLOYMENT", "MANAGE_LOCATION"]

    assert granted(await grant(world.superuser, world.user, *others)) == others

    assert (await world.user.ask(MAY_MANAGE)).error == DENIED
    assert (await grant(world.user, world.user, *others, "MANAGE_ORGANIZATION")).error == DENIED


async def test_a_manager_grants_and_takes_every_key(world: World, manager: Principal) -> None:
    every = sorted(GRANTABLE)

    assert granted(await grant(manager, world.user, *every)) == every
    assert granted(await grant(manager, world.user, "CREATE_DEPLOYMENT")) == ["CREATE_DEPLOYMENT"]
    assert granted(await grant(world.superuser, manager)) == []


async def test_a_manager_neither_touches_superusers_nor_becomes_one(world: World, manager: Principal) -> None:
    async with changes(world) as found:
        refused = [await grant(manager, world.superuser, "CREATE_DEPLOYMENT"), await grant(manager, world.superuser)]

    assert [answer.error for answer in refused] == [DENIED, DENIED]
    role = "mutation ($id: ID!) { addUserRole(id: $id, role: AGENCY_ADMIN) { node { id } } }"
    assert (await manager.ask(role, id=manager.id)).error == DENIED
    assert found == {}
    assert granted(await grant(world.superuser, world.superuser, "CREATE_DEPLOYMENT")) == ["CREATE_DEPLOYMENT"]


async def test_repeated_keys_are_granted_once(world: World) -> None:
    answer = await grant(world.superuser, world.user, "MANAGE_LOCATION", "MANAGE_LOCATION")

    assert granted(answer) == ["MANAGE_LOCATION"]


@pytest.mark.parametrize("keys", [["AGENCY_ADMIN"], ["manage_organization"], [None], [""], [1]])
async def test_what_is_no_key_is_refused(world: World, keys: list[Any]) -> None:
    async with changes(world) as found:
        answer = await world.superuser.ask(SET, id=world.user.id, keys=keys)

    assert answer.error[0] == "BAD_USER_INPUT"
    assert found == {}


async def test_the_last_manager_of_an_organization_without_superusers_stays(world: World, manager: Principal) -> None:
    await change(world.superuser, is_superuser=False)

    async with changes(world) as found:
        answers = [await grant(manager, manager), await grant(manager, manager, "MANAGE_LOCATION")]

    assert [answer.data["setUserPermissions"] for answer in answers] == [{"node": None, "errors": LAST_MANAGER}] * 2
    assert found == {}
    assert granted(await grant(manager, world.user, "MANAGE_ORGANIZATION")) == ["MANAGE_ORGANIZATION"]
    assert granted(await grant(manager, manager)) == []


async def test_a_disabled_manager_is_none(world: World, manager: Principal) -> None:
    await make_permission(world.user)
    await change(world.user, is_disabled=True)
    await change(world.superuser, is_superuser=False)

    answer = await grant(manager, manager)

    assert answer.data["setUserPermissions"] == {"node": None, "errors": LAST_MANAGER}
    assert granted(await grant(manager, world.user)) == []


@pytest.mark.parametrize("call", [ADD_ROLE, DELETE, REMOVE_ROLE])
async def test_the_last_superuser_stays_also_beside_managers(world: World, manager: Principal, call: str) -> None:
    answer = await world.superuser.ask(call, id=world.superuser.id)

    ((_, payload),) = answer.data.items()
    assert payload["errors"] == [{"message": "The organization's last superuser must stay"}]


async def test_with_a_superuser_managers_may_go(world: World, manager: Principal) -> None:
    assert (await world.superuser.ask(ADD_ROLE, id=manager.id)).data["addUserRole"]["errors"] == []
    assert (await world.superuser.ask(DELETE, id=manager.id)).data["deleteUser"]["errors"] == []


async def test_two_managers_cannot_leave_at_once(world: World, manager: Principal) -> None:
    await make_permission(world.user)
    await change(world.superuser, is_superuser=False)

    answers = await asyncio.gather(*(grant(one, one) for one in (manager, world.user)))

    errors = sorted((answer.data["setUserPermissions"]["errors"] for answer in answers), key=len)
    assert errors == [[], LAST_MANAGER]


async def test_two_who_grant_at_once_leave_what_one_of_them_said(world: World, manager: Principal) -> None:
    wishes = (["CREATE_ASSESSMENT", "CREATE_DEPLOYMENT"], ["CREATE_DEPLOYMENT", "MANAGE_LOCATION"])

    answers = await asyncio.gather(
        *(grant(one, world.user, *keys) for one, keys in zip((world.superuser, manager), wishes, strict=True))
    )

    assert [answer.data["setUserPermissions"]["errors"] for answer in answers] == [[], []]
    own = "{ me { permissions { nodes { key } } } }"
    held = (await world.user.ask(own)).data["me"]["permissions"]["nodes"]
    assert [one["key"] for one in held] in wishes


async def test_a_key_that_stays_keeps_its_row(world: World) -> None:
    query = "{ me { permissions { nodes { id key createdAt } } } }"
    await grant(world.superuser, world.user, "CREATE_DEPLOYMENT")
    before = (await world.user.ask(query)).data["me"]["permissions"]["nodes"]

    await grant(world.superuser, world.user, "CREATE_DEPLOYMENT", "MANAGE_LOCATION")

    after = (await world.user.ask(query)).data["me"]["permissions"]["nodes"]
    assert after[:1] == before
    assert [one["key"] for one in after] == ["CREATE_DEPLOYMENT", "MANAGE_LOCATION"]


async def test_permissions_go_with_the_membership_and_hold_in_its_organization_only(world: World) -> None:
    await grant(world.superuser, world.user, "MANAGE_ORGANIZATION")

    assert (await grant(world.user, world.other_user, "MANAGE_LOCATION")).data["setUserPermissions"] == {
        "node": None,
        "errors": [{"code": "NOT_FOUND", "message": "User not found", "path": ["id"]}],
    }
    async with changes(world) as found:
        await world.superuser.ask(DELETE, id=world.user.id)
    assert found == {"memberships": -1, "users": -1, "api_tokens": -1, "granted_permissions": -1}
