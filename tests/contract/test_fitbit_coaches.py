"""`fitbit.coaches.*`: users as programs see them."""

from dataclasses import replace
from typing import Any

import pytest

from caregraph.auth.viewer import GROUP_APPLICATION_PERMISSIONS
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, page
from factories.organizations import application, make_group, signed_in_as
from kit import Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")


def coach(principal: Principal) -> dict[str, Any]:
    first, last = principal.name.split()
    return {"id": principal.id, "firstName": first, "lastName": last}


async def test_get_shows_a_coach_of_the_programs_organization(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in_as(monkeypatch, application(1)):
        own = await world.nobody.run("fitbit.coaches.get", id=world.user.id)
        foreign = await world.nobody.run("fitbit.coaches.get", id=world.other_user.id)

    assert own.result == coach(world.user)
    assert foreign.result is None
    assert (await world.colleague.run("fitbit.coaches.get", id=world.user.id)).result == coach(world.user)
    await assert_nobody_is_refused(world, "fitbit.coaches.get", id=world.user.id)


async def test_list_shows_all_coaches_or_those_of_groups(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = await make_group(world.superuser, "Practice", world.user, world.colleague)
    school = await make_group(world.superuser, "School", world.colleague)
    empty = await make_group(world.superuser, "Empty")
    pier = await make_group(world.other_superuser, "Pier", world.other_user)
    ids = {one.name: global_id("Group", one.id) for one in (practice, school, empty, pier)}
    ada, ben, cleo = (coach(one) for one in (world.superuser, world.user, world.colleague))
    wanted = {
        None: page(ada, ben, cleo),
        ("Practice",): page(ben, cleo),
        ("School",): page(cleo),
        ("Practice", "School", "Empty"): page(ben, cleo),
        ("Empty",): page(),
        ("Pier",): page(),
        (): page(),
    }

    with signed_in_as(monkeypatch, application(1)):
        for names, expected in wanted.items():
            groups = None if names is None else [ids[name] for name in names]
            assert (await world.nobody.run("fitbit.coaches.list", groups=groups)).result == expected
        nonsense = await world.nobody.run("fitbit.coaches.list", groups=["nonsense", world.user.id])

    assert nonsense.result == page()


async def test_list_counts_without_rows_and_goes_on_by_cursor_and_by_offset(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben, cleo = (coach(one) for one in (world.superuser, world.user, world.colleague))

    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("fitbit.coaches.list", first=0)).result == page(total=3)
        first = (await world.nobody.run("fitbit.coaches.list", first=1)).result
        rest = await world.nobody.run("fitbit.coaches.list", first=2, after=first["pageInfo"]["endCursor"])
        last = await world.nobody.run("fitbit.coaches.list", offset=2)

    assert first == page(ada, total=3, more=True)
    assert rest.result == page(ben, cleo, total=3)
    assert last.result == page(cleo, total=3)


async def test_list_is_for_programs_and_managers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await assert_nobody_is_refused(world, "fitbit.coaches.list")
    for principal in (world.user, world.calculator):
        assert (await principal.run("fitbit.coaches.list")).error == FORBIDDEN
    of_a_group = replace(application(1), group_ids=(1,), permissions=GROUP_APPLICATION_PERMISSIONS)
    with signed_in_as(monkeypatch, of_a_group):
        assert (await world.nobody.run("fitbit.coaches.list")).result["totalCount"] == 3


async def test_list_takes_a_hundred_groups(world: World) -> None:
    answer = await world.superuser.run("fitbit.coaches.list", groups=[global_id("Group", n) for n in range(1, 102)])

    assert answer.error == ("BAD_USER_INPUT", "groupIds takes at most 100 ids")


async def test_a_token_whose_scopes_leave_groups_out_cannot_filter_by_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would learn who is in which group."""
    with signed_in_as(monkeypatch, replace(application(1), scopes=frozenset({"users.read"}))):
        everyone = await world.nobody.run("fitbit.coaches.list")
        by_group = await world.nobody.run("fitbit.coaches.list", groups=[global_id("Group", 1)])

    assert everyone.result["totalCount"] == 3
    assert by_group.error == FORBIDDEN
    assert by_group.body["errors"][0]["extensions"]["requiredScope"] == "groups.read"
