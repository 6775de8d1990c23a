"""`charitylog.workers.*`."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, page
from factories.organizations import application, signed_in_as
from kit import Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")


def worker(principal: Principal, *roles: str) -> dict[str, Any]:
    first, last = principal.name.split()
    return {
        "id": principal.id,
        "fullName": principal.name,
        "firstName": first,
        "lastName": last,
        "email": principal.headers["X-Api-Email"],
        "phone": None,
        "roles": list(roles),
    }


async def test_list_shows_the_organizations_workers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = page(worker(world.superuser, "AGENCY_ADMIN"), worker(world.user), worker(world.colleague))

    assert (await world.superuser.run("charitylog.workers.list")).result == everyone
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("charitylog.workers.list")).result == everyone
        found = await world.nobody.run("charitylog.workers.list", search="BEN")
    assert found.result == page(worker(world.user))


async def test_list_refuses_ordinary_users(world: World) -> None:
    await assert_nobody_is_refused(world, "charitylog.workers.list")
    for principal in (world.user, world.calculator):
        answer = await principal.run("charitylog.workers.list")
        assert (answer.error, answer.body["data"]) == (FORBIDDEN, {"result": None})


async def test_list_selectable_fields_says_what_can_be_asked_of_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.restart(introspection=False)

    answer = await world.user.run("charitylog.workers.list_selectable_fields")

    assert [one["name"] for one in answer.result] == [
        "apiEnabled",
        "clients",
        "createdAt",
        "email",
        "firstName",
        "fullName",
        "gdprApproval",
        "gender",
        "id",
        "lastName",
        "locale",
        "organization",
        "phone",
        "photoUrl",
        "roles",
        "screenLockAfterScore",
        "screenLockCode",
        "screenLockTimeout",
        "timeZone",
        "updatedAt",
    ]
    assert {"name": "phone", "description": "Telephone number at work, E.164."} in answer.result
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("charitylog.workers.list_selectable_fields")).result == answer.result
    await assert_nobody_is_refused(world, "charitylog.workers.list_selectable_fields")
    assert (await world.calculator.run("charitylog.workers.list_selectable_fields")).error == FORBIDDEN


@pytest.mark.parametrize("name", ["Query", "UserPatch", "CurrentUser", "Nothing", "", "__Type", global_id("User", 1)])
async def test_only_types_with_an_id_have_selectable_fields(world: World, name: str) -> None:
    answer = await world.user.ask("query ($t: String!) { selectableFields(type: $t) { name } }", t=name)

    assert answer.data == {"selectableFields": None}
