"""`fit.clients.*`, reading: lists, one client, and what hangs on it."""

from base64 import b64encode
from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.treatment.models import EpisodeClient
from contract.asserts import assert_nobody_is_refused, included, page, strange_ids
from contract.included import CLIENT, EPISODE, EPISODES, LABEL, LEVELS, including, make_course
from factories.people import make_client, make_label
from factories.treatment import make_episode
from kit import World

NORTHFIELD = {"id": global_id("Organization", 1), "name": "Northfield"}
BEN = {"id": global_id("User", 2), "email": "ben@northfield.example", "fullName": "Ben Borg"}
CLEO = {"id": global_id("User", 3), "email": "cleo@northfield.example", "fullName": "Cleo Cruz"}
CURSOR_WITH_NUL = b64encode(b'["Query.Client(full_name 0)","\\u0000",1]').decode()
LISTS = ["fit.clients.list_agency", "fit.clients.list_user"]
TO_READ = ["fit.clients.get", "fit.clients.get_owners", "fit.clients.get_labels", "fit.clients.list_episodes"]


def bare(row_id: int, full_name: str) -> dict[str, Any]:
    """A client of whom only the name is known."""
    known = {"id": global_id("Client", row_id), "fullName": full_name, "gender": "UNKNOWN", "gdprApproval": False}
    return {**dict.fromkeys(CLIENT), **known}


def names(answer: Any) -> list[str]:
    return [node["fullName"] for node in answer.result["nodes"]]


@pytest.mark.parametrize("call", LISTS)
async def test_lists_are_not_for_nobody(world: World, call: str) -> None:
    await make_client(world.user)

    await assert_nobody_is_refused(world, call)
    assert (await world.calculator.run(call)).error == ("FORBIDDEN", "Access denied")


@pytest.mark.parametrize("call", TO_READ)
async def test_a_client_is_seen_by_owners_and_superusers_only(world: World, call: str) -> None:
    client_id = global_id("Client", (await make_client(world.user)).id)
    foreign = await make_client(world.other_user)

    await assert_nobody_is_refused(world, call, id=client_id)
    for principal in (world.colleague, world.other_superuser):
        assert (await principal.run(call, id=client_id)).result is None
    for strange in strange_ids("Client", foreign):
        assert (await world.superuser.run(call, id=strange)).result is None
    for principal in (world.user, world.superuser):
        assert (await principal.run(call, id=client_id)).result is not None


async def test_list_agency_shows_all_clients_of_the_organization_to_superusers(world: World) -> None:
    await make_client(world.user, full_name="Bo")
    await make_client(world.colleague, full_name="Al")
    await make_client(world.other_user, full_name="Elsewhere")

    answer = await world.superuser.run("fit.clients.list_agency")

    assert answer.result == page(bare(2, "Al"), bare(1, "Bo"))
    refusal = await world.user.run("fit.clients.list_agency")
    assert refusal.error == ("FORBIDDEN", "Access denied")
    assert refusal.body["data"] == {"result": None}


async def test_list_user_shows_the_callers_own_clients(world: World) -> None:
    await make_client(world.user, full_name="Bo")
    await make_client(world.user, world.superuser, full_name="Al")
    await make_client(world.colleague, full_name="Hers")

    assert (await world.user.run("fit.clients.list_user")).result == page(bare(2, "Al"), bare(1, "Bo"))
    assert (await world.superuser.run("fit.clients.list_user")).result == page(bare(2, "Al"))
    assert (await world.other_user.run("fit.clients.list_user")).result == page()


async def test_list_user_shows_of_another_users_clients_those_whom_the_caller_sees(world: World) -> None:
    await make_client(world.colleague, full_name="Hers alone")
    await make_client(world.colleague, world.user, full_name="Theirs")
    of_cleo = {"userId": world.colleague.id}

    assert names(await world.superuser.run("fit.clients.list_user", **of_cleo)) == ["Hers alone", "Theirs"]
    assert names(await world.user.run("fit.clients.list_user", **of_cleo)) == ["Theirs"]
    assert names(await world.other_superuser.run("fit.clients.list_user", **of_cleo)) == []
    for strange in (world.other_user.id, global_id("User", 999), global_id("Client", 1), "nonsense", ""):
        assert (await world.superuser.run("fit.clients.list_user", userId=strange)).result == page()


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("møller", ["Åse Møller"]),
        ("ÅSE", ["Åse Møller"]),
        ("bunny", ["Bo Berg"]),
        ("0101", ["Bo Berg"]),
        ("e", ["Bo Berg", "Åse Møller"]),
        ("e'", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("", ["Bo Berg", "Åse Møller"]),
        (None, ["Bo Berg", "Åse Møller"]),
    ],
)
async def test_lists_search_name_alias_and_number_in_any_case(
    world: World, call: str, term: str | None, found: list[str]
) -> None:
    await make_client(world.superuser, full_name="Bo Berg", alias="Bunny", ssn="010190-1234", comment="Åse")
    await make_client(world.superuser, full_name="Åse Møller")

    assert sorted(names(await world.superuser.run(call, searchTerm=term))) == found


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    ("labels", "term", "found"),
    [
        (["Winter"], None, ["Al", "Bo"]),
        (["Autumn"], None, ["Bo"]),
        (["Winter", "Autumn"], None, ["Al", "Bo"]),
        (["Unused"], None, []),
        (["Winter", "Unused", "Winter"], None, ["Al", "Bo"]),
        ([], None, ["Al", "Bo", "Cy"]),
        (None, None, ["Al", "Bo", "Cy"]),
        (["Winter"], "b", ["Bo"]),
        (["Autumn"], "al", []),
    ],
)
async def test_lists_filter_by_labels_and_search_together(
    world: World, call: str, labels: list[str] | None, term: str | None, found: list[str]
) -> None:
    al = await make_client(world.superuser, full_name="Al")
    bo = await make_client(world.superuser, full_name="Bo")
    await make_client(world.superuser, full_name="Cy")
    await make_label(world.superuser, "Winter", al, bo)
    await make_label(world.superuser, "Autumn", bo)
    await make_label(world.superuser, "Unused")

    answer = await world.superuser.run(call, labels=labels, searchTerm=term)

    assert names(answer) == found
    assert answer.result["totalCount"] == len(found)


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"labels": ["Winter", "winter"]}, "There is no label named 'winter'"),
        ({"labels": [""]}, "There is no label named ''"),
        ({"labels": ["Elsewhere"]}, "There is no label named 'Elsewhere'"),
        ({"labels": [str(number) for number in range(101)]}, "labels takes at most 100 names"),
        ({"searchTerm": "x" * 201}, "search takes at most 200 characters"),
        ({"searchTerm": "Kim\x00"}, "search must not contain the character U+0000"),
        ({"labels": ["Winter", "\x00"]}, "labels must not contain the character U+0000"),
        ({"first": -1}, "first must be between 0 and 5000"),
        ({"first": 5001}, "first must be between 0 and 5000"),
        ({"after": "nonsense"}, "after is not a cursor of this list in this order"),
        ({"after": CURSOR_WITH_NUL}, "after must not contain the character U+0000"),
        ({"after": ""}, "after is not a cursor of this list in this order"),
    ],
)
async def test_lists_refuse_bad_input(world: World, call: str, variables: dict[str, Any], message: str) -> None:
    await make_label(world.superuser, "Winter")
    await make_label(world.other_superuser, "Elsewhere")

    answer = await world.superuser.run(call, **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
    assert answer.body["data"] == {"result": None}


@pytest.mark.parametrize("condition", [{"eq": "\x00"}, {"in": ["Kim", "Ki\x00m"]}])
async def test_conditions_hold_no_character_that_a_database_refuses(world: World, condition: dict[str, Any]) -> None:
    query = "query ($name: StringFilter!) { clients(where: {fullName: $name}) { totalCount } }"

    answer = await world.user.ask(query, name=condition)

    assert answer.error == ("BAD_USER_INPUT", "where must not contain the character U+0000")


@pytest.mark.parametrize("call", LISTS)
async def test_lists_go_on_after_a_cursor(world: World, call: str) -> None:
    for name in ("Al", "Bo", "Bo"):
        await make_client(world.superuser, full_name=name)

    first = (await world.superuser.run(call, first=2)).result
    rest = await world.superuser.run(call, first=2, after=first["pageInfo"]["endCursor"])

    assert first == page(bare(1, "Al"), bare(2, "Bo"), total=3, more=True)
    assert rest.result == page(bare(3, "Bo"), total=3)
    assert (await world.superuser.run(call, first=0)).result == {
        "totalCount": 3,
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "nodes": [],
    }


async def test_get_shows_a_client_without_what_was_not_asked_for(world: World) -> None:
    await make_course(world.user)

    answer = await world.user.run("fit.clients.get", id=CLIENT["id"])

    assert answer.result == CLIENT


@pytest.mark.parametrize("level", LEVELS)
async def test_get_includes_each_level_with_those_above(world: World, level: str) -> None:
    await make_course(world.user)

    answer = await world.user.run("fit.clients.get", id=CLIENT["id"], **including(level))

    assert answer.result == {**CLIENT, "episodes": EPISODES[level]}


async def test_every_call_includes_everything_at_once(world: World) -> None:
    await make_course(world.user, world.colleague)
    everything = including("Agency", "Users", "Labels", *LEVELS)
    whole = {
        **CLIENT,
        "organization": NORTHFIELD,
        "owners": [BEN, CLEO],
        "labels": [LABEL],
        "episodes": EPISODES["Scores"],
    }

    got = await world.superuser.run("fit.clients.get", id=CLIENT["id"], **everything)
    listed = await world.superuser.run("fit.clients.list_agency", **everything)
    of_ben = await world.superuser.run("fit.clients.list_user", userId=world.user.id, **everything)
    own = await world.user.run("fit.clients.list_user", **everything)

    assert got.result == whole
    assert listed.result == page(whole)
    assert of_ben.result == page(whole)
    assert own.result == page(whole)


async def test_a_shared_episode_shows_only_what_is_of_ones_own_client(world: World) -> None:
    mine = await make_course(world.user)
    hers = await make_client(world.colleague, full_name="Hers")
    async with world.writing(world.user) as tx:
        tx.add(EpisodeClient(episode_id=1, client_id=hers.id))

    answer = await world.colleague.run("fit.clients.get", id=global_id("Client", hers.id), **including("Scores"))

    session = {"id": global_id("Session", 1), "sessionDate": "2026-01-12", "orsScores": [], "srsScores": []}
    episode = {**EPISODE, "raters": [], "sessions": included(session)}
    assert answer.result == {**bare(hers.id, "Hers"), "episodes": included(episode)}
    assert (await world.colleague.run("fit.clients.get", id=global_id("Client", mine.id))).result is None


async def test_get_owners_shows_id_email_and_name(world: World) -> None:
    client = await make_client(world.user, world.colleague)

    answer = await world.user.run("fit.clients.get_owners", id=global_id("Client", client.id))

    assert answer.result == {"owners": [BEN, CLEO]}


async def test_get_labels_shows_them_by_name(world: World) -> None:
    client = await make_client(world.user)
    for name in ("Winter", "Autumn"):
        await make_label(world.superuser, name, client)
    await make_label(world.superuser, "Unused")

    answer = await world.user.run("fit.clients.get_labels", id=global_id("Client", client.id))

    assert answer.result == {
        "labels": [{"id": global_id("Label", 2), "name": "Autumn"}, {"id": global_id("Label", 1), "name": "Winter"}]
    }


async def test_list_episodes_shows_them_by_start(world: World) -> None:
    client = await make_course(world.user)
    await make_episode(world.user, client, title="Earlier", start_date=date(2025, 1, 5))
    of_kim = {"id": CLIENT["id"]}

    answer = await world.user.run("fit.clients.list_episodes", **of_kim)

    earlier = {
        "id": global_id("Episode", 2),
        "title": "Earlier",
        "startDate": "2025-01-05",
        "endDate": None,
        "status": "ONGOING",
        "phone": None,
        "comment": None,
        "groupSrs": False,
        "labels": [],
    }
    assert answer.result == {"episodes": page(earlier, EPISODE)}
    first = (await world.user.run("fit.clients.list_episodes", **of_kim, first=1)).result["episodes"]
    assert first == page(earlier, total=2, more=True)
    rest = await world.user.run("fit.clients.list_episodes", **of_kim, after=first["pageInfo"]["endCursor"])
    assert rest.result == {"episodes": page(EPISODE, total=2)}


@pytest.mark.parametrize("first", [-1, 5001])
async def test_list_episodes_refuses_a_page_of_an_impossible_size(world: World, first: int) -> None:
    client = await make_client(world.user)

    answer = await world.user.run("fit.clients.list_episodes", id=global_id("Client", client.id), first=first)

    assert answer.error == ("BAD_USER_INPUT", "first must be between 0 and 5000")
