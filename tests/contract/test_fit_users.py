"""`fit.users.*`, reading: who sees which users, and what of them."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from contract.asserts import assert_nobody_is_refused, included, page, strange_ids
from contract.included import CLIENT, EPISODES, LEVELS, including, make_course, member
from factories.people import make_client
from kit import Principal, World

NORTHFIELD = {"id": global_id("Organization", 1), "name": "Northfield"}
PROFILE = {
    "gdpr_approval": True,
    "locale": "da",
    "time_zone": "Europe/Copenhagen",
    "screen_lock_after_score": True,
    "screen_lock_code": "1234",
    "screen_lock_timeout": 300,
}
SHOWN_PROFILE = {
    "gdprApproval": True,
    "locale": "da",
    "timeZone": "Europe/Copenhagen",
    "screenLockAfterScore": True,
    "screenLockCode": "1234",
    "screenLockTimeout": 300,
}
HIDDEN_PROFILE = {**dict.fromkeys(SHOWN_PROFILE), "roles": None, "organization": NORTHFIELD}
TO_READ = [
    ("fit.users.list_agency", {}),
    ("fit.users.get_me", {}),
    ("fit.users.get", {"id": global_id("User", 2)}),
]


async def set_profile(principal: Principal) -> None:
    async with principal.world.writing(principal) as tx:
        user = await tx.get_one(User, principal.row_id)
        for name, value in PROFILE.items():
            setattr(user, name, value)


@pytest.mark.parametrize(("call", "variables"), TO_READ)
async def test_users_are_not_for_nobody(world: World, call: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, call, **variables)

    assert (await world.calculator.run(call, **variables)).error == ("FORBIDDEN", "Access denied")


async def test_list_agency_shows_the_superusers_own_organization(world: World) -> None:
    await set_profile(world.user)

    answer = await world.superuser.run("fit.users.list_agency")

    assert answer.result == page(
        member(world.superuser, "AGENCY_ADMIN"), member(world.user, **SHOWN_PROFILE), member(world.colleague)
    )
    assert (await world.user.run("fit.users.list_agency")).error == ("FORBIDDEN", "Access denied")


@pytest.mark.parametrize(
    ("term", "names"),
    [
        ("cruz", ["Cleo Cruz"]),
        ("BEN@NORTH", ["Ben Borg"]),
        ("northfield.example", ["Ada Admin", "Ben Borg", "Cleo Cruz"]),
        ("o", ["Ada Admin", "Ben Borg", "Cleo Cruz"]),
        ("olga", []),
        ("%", []),
        ("_", []),
        ("", ["Ada Admin", "Ben Borg", "Cleo Cruz"]),
        (None, ["Ada Admin", "Ben Borg", "Cleo Cruz"]),
    ],
)
async def test_list_agency_searches_email_and_name(world: World, term: str | None, names: list[str]) -> None:
    found = (await world.superuser.run("fit.users.list_agency", searchTerm=term)).result

    assert [node["fullName"] for node in found["nodes"]] == names
    assert found["totalCount"] == len(names)


async def test_list_agency_goes_on_after_a_cursor(world: World) -> None:
    first = (await world.superuser.run("fit.users.list_agency", first=2)).result

    rest = await world.superuser.run("fit.users.list_agency", first=2, after=first["pageInfo"]["endCursor"])

    assert first == page(member(world.superuser, "AGENCY_ADMIN"), member(world.user), total=3, more=True)
    assert rest.result == page(member(world.colleague), total=3)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": -1}, "first must be between 0 and 5000"),
        ({"first": 5001}, "first must be between 0 and 5000"),
        ({"after": "nonsense"}, "after is not a cursor of this list in this order"),
        ({"searchTerm": "x" * 201}, "search takes at most 200 characters"),
    ],
)
async def test_list_agency_refuses_bad_input(world: World, variables: dict[str, Any], message: str) -> None:
    answer = await world.superuser.run("fit.users.list_agency", **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
    assert answer.body["data"] == {"result": None}


async def test_get_me_shows_ones_own_profile_and_agency(world: World) -> None:
    await set_profile(world.user)

    ben = await world.user.run("fit.users.get_me", **including("Agency"))
    ada = await world.superuser.run("fit.users.get_me", **including("Agency"))

    assert ben.result == member(world.user, **SHOWN_PROFILE, organization=NORTHFIELD)
    assert ada.result == member(world.superuser, "AGENCY_ADMIN", organization=NORTHFIELD)


async def test_get_shows_other_users_by_id_email_and_name_only(world: World) -> None:
    await set_profile(world.colleague)

    by_colleague = await world.user.run("fit.users.get", id=world.colleague.id, **including("Agency"))
    by_superuser = await world.superuser.run("fit.users.get", id=world.colleague.id, **including("Agency"))

    assert by_colleague.result == member(world.colleague, **HIDDEN_PROFILE)
    assert by_superuser.result == member(world.colleague, **SHOWN_PROFILE, organization=NORTHFIELD)


async def test_get_answers_null_for_users_who_are_not_there(world: World) -> None:
    otto = User(id=world.other_user.row_id)

    for strange in strange_ids("User", otto):
        assert (await world.user.run("fit.users.get", id=strange)).result is None
        assert (await world.superuser.run("fit.users.get", id=strange)).result is None


@pytest.mark.parametrize("level", LEVELS)
async def test_get_includes_each_level_with_those_above(world: World, level: str) -> None:
    await make_course(world.user)

    answer = await world.user.run("fit.users.get", id=world.user.id, **including(level))

    clients = included({**CLIENT, "episodes": EPISODES[level]})
    assert answer.result == member(world.user, clients=clients)


async def test_every_call_includes_everything_at_once(world: World) -> None:
    await make_course(world.user)
    everything = including("Agency", "Clients", *LEVELS)
    clients = included({**CLIENT, "episodes": EPISODES["Scores"]})
    ben = member(world.user, organization=NORTHFIELD, clients=clients)
    others = {"organization": NORTHFIELD, "clients": included()}

    listed = await world.superuser.run("fit.users.list_agency", **everything)
    got = await world.superuser.run("fit.users.get", id=world.user.id, **everything)
    me = await world.user.run("fit.users.get_me", **everything)

    ada = member(world.superuser, "AGENCY_ADMIN", **others)
    assert listed.result == page(ada, ben, member(world.colleague, **others))
    assert got.result == ben
    assert me.result == ben


async def test_included_clients_are_those_whom_the_caller_sees(world: World) -> None:
    await make_client(world.colleague, full_name="Hers alone")
    await make_client(world.colleague, world.user, full_name="Theirs")
    everything = including("Clients")

    seen = (await world.user.run("fit.users.get", id=world.colleague.id, **everything)).result["clients"]
    all_of_hers = (await world.superuser.run("fit.users.get", id=world.colleague.id, **everything)).result["clients"]

    assert [node["fullName"] for node in seen["nodes"]] == ["Theirs"]
    assert [node["fullName"] for node in all_of_hers["nodes"]] == ["Hers alone", "Theirs"]
