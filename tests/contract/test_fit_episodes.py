"""`fit.episodes`: creating, changing, reading and listing. Clients on episodes and deletion have files of their own."""

from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id
from contract.asserts import (
    assert_bad_variable,
    assert_nobody_is_refused,
    changed,
    changes,
    included,
    page,
    refused,
    strange_ids,
)
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import World

LISTS = ("fit.episodes.list_agency", "fit.episodes.list_user")


def shown(row: Any, **fields: Any) -> dict[str, Any]:
    """An episode as the factory makes it, with what differs."""
    return {
        "id": global_id("Episode", row if isinstance(row, int) else row.id),
        "title": "Course of care",
        "startDate": "2026-01-05",
        "endDate": None,
        "status": "ONGOING",
        "phone": None,
        "comment": None,
        "groupSrs": False,
        "labels": [],
        **fields,
    }


async def titles(world: World, contract_id: str, **variables: Any) -> list[str]:
    result = (await world.superuser.run(contract_id, **variables)).result
    return [node["title"] for node in result["nodes"]]


@pytest.mark.parametrize(
    ("contract_id", "variables"),
    [
        ("fit.episodes.create", {"id": "x", "title": "A", "startDate": "2026-01-05"}),
        ("fit.episodes.update", {"id": "x", "title": "A"}),
        ("fit.episodes.get", {"id": "x"}),
        ("fit.episodes.list_agency", {}),
        ("fit.episodes.list_user", {}),
        ("fit.episodes.delete", {"id": "x"}),
        ("fit.episodes.list_clients", {"id": "x"}),
        ("fit.episodes.add_client", {"episodeId": "x", "clientId": "x"}),
        ("fit.episodes.remove_client", {"episodeId": "x", "clientId": "x"}),
    ],
)
async def test_nobody_is_refused(world: World, contract_id: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, contract_id, **variables)


async def test_an_episode_is_created_through_a_client(world: World) -> None:
    client = await make_client(world.user)

    async with changes(world) as found:
        answer = await world.user.run(
            "fit.episodes.create",
            id=global_id("Client", client.id),
            title="Grief",
            startDate="2026-02-01",
            endDate="2026-02-01",
            status="TERMINATED_MUTUAL_AGREEMENT",
            phone="+45 33 12 34 56",
            comment="Referred by the school",
            groupSrs=True,
        )

    assert answer.result == changed(
        shown(
            1,
            title="Grief",
            startDate="2026-02-01",
            endDate="2026-02-01",
            status="TERMINATED_MUTUAL_AGREEMENT",
            phone="+45 33 12 34 56",
            comment="Referred by the school",
            groupSrs=True,
        )
    )
    assert found == {"episodes": 1, "episode_clients": 1}


async def test_an_episode_needs_only_title_and_start(world: World) -> None:
    client = await make_client(world.user)

    answer = await world.user.run(
        "fit.episodes.create", id=global_id("Client", client.id), title="Grief", startDate="2024-02-29"
    )

    assert answer.result == changed(shown(1, title="Grief", startDate="2024-02-29"))


async def test_no_episode_is_created_for_a_client_out_of_sight(world: World) -> None:
    await make_client(world.colleague)
    foreign = await make_client(world.other_user)

    async with changes(world) as found:
        for client_id in [*strange_ids("Client", foreign), global_id("Client", 1)]:
            answer = await world.user.run("fit.episodes.create", id=client_id, title="A", startDate="2026-01-05")
            assert answer.result == refused("NOT_FOUND", "Client not found", "clientId")

    assert found == {}


REFUSED_VALUES = [
    ({"title": ""}, "must not be empty", "title"),
    ({"title": " \t\n"}, "must not be empty", "title"),
    ({"title": "x" * 201}, "must have at most 200 characters", "title"),
    ({"title": "a\x00b"}, "must not contain the character U+0000", "title"),
    ({"comment": "x" * 10_001}, "must have at most 10000 characters", "comment"),
    ({"endDate": "2026-01-04"}, "End date must not be before the start date", "endDate"),
    ({"status": None}, "must not be null", "status"),
    ({"groupSrs": None}, "must not be null", "groupSrs"),
]
BAD_VALUES = [
    ({"startDate": "2026-02-30"}, "$startDate", "Date cannot represent a day that does not exist: 2026-02-30"),
    ({"endDate": "2025-02-29"}, "$endDate", "Date cannot represent a day that does not exist: 2025-02-29"),
    ({"startDate": "5 January"}, "$startDate", "Date cannot represent a value that is not of the form YYYY-MM-DD"),
    ({"status": "PAUSED"}, "$status", "Value 'PAUSED' does not exist in 'EpisodeStatus' enum."),
    ({"status": 1}, "$status", "Enum 'EpisodeStatus' cannot represent non-string value: 1."),
    ({"phone": "call me"}, "$phone", "PhoneNumber cannot represent a value that is not a telephone number"),
    ({"groupSrs": "no"}, "$groupSrs", "Boolean cannot represent a non boolean value: 'no'"),
]


@pytest.mark.parametrize(("values", "message", "name"), REFUSED_VALUES)
async def test_what_breaks_a_rule_is_neither_created_nor_changed(
    world: World, values: dict[str, Any], message: str, name: str
) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    episode_id = global_id("Episode", episode.id)

    async with changes(world) as found:
        created = await world.user.run(
            "fit.episodes.create",
            **{"id": global_id("Client", client.id), "title": "A", "startDate": "2026-01-05", **values},
        )
        updated = await world.user.run("fit.episodes.update", id=episode_id, **values)

    assert created.result == updated.result == refused("INVALID", message, "input", name)
    assert found == {}
    assert (await world.user.run("fit.episodes.get", id=episode_id)).result == shown(episode)


@pytest.mark.parametrize(("values", "variable", "message"), BAD_VALUES)
async def test_what_is_not_of_its_type_is_neither_created_nor_changed(
    world: World, values: dict[str, Any], variable: str, message: str
) -> None:
    client_id = global_id("Client", (await make_client(world.user)).id)
    expected = f"Variable '{variable}' has invalid value: {message}"

    await assert_bad_variable(
        world, "fit.episodes.create", expected, **{"id": client_id, "title": "A", "startDate": "2026-01-05", **values}
    )
    await assert_bad_variable(world, "fit.episodes.update", expected, id=client_id, **values)


async def test_every_wrong_value_is_named_at_once(world: World) -> None:
    client = await make_client(world.user)

    answer = await world.user.run(
        "fit.episodes.create", id=global_id("Client", client.id), title="", startDate="2026-01-05", comment="x" * 10_001
    )

    assert answer.result == {
        "node": None,
        "errors": [
            {"code": "INVALID", "message": "must not be empty", "path": ["input", "title"]},
            {"code": "INVALID", "message": "must have at most 10000 characters", "path": ["input", "comment"]},
        ],
    }


@pytest.mark.parametrize("name", ["title", "startDate"])
async def test_title_and_start_are_required(world: World, name: str) -> None:
    type_name = {"title": "String!", "startDate": "Date!"}[name]
    variables = {"id": "x", "title": "A", "startDate": "2026-01-05"}
    absent = {key: value for key, value in variables.items() if key != name}

    message = f"Variable '${name}' has invalid value: Expected a value of non-null type '{type_name}' to be provided."
    await assert_bad_variable(world, "fit.episodes.create", message, **absent)
    message = f"Variable '${name}' has invalid value: Expected value of non-null type '{type_name}' not to be None."
    await assert_bad_variable(world, "fit.episodes.create", message, **{**variables, name: None})


async def test_an_update_changes_only_what_is_sent(world: World) -> None:
    episode = await make_episode(
        world.user, await make_client(world.user), comment="Kept", end_date=date(2026, 3, 1), group_srs=True
    )
    episode_id = global_id("Episode", episode.id)

    async with changes(world) as found:
        renamed = await world.user.run("fit.episodes.update", id=episode_id, title="Renamed")
        ended = await world.user.run(
            "fit.episodes.update", id=episode_id, status="TERMINATED_NO_EFFECT", startDate="2026-01-06", groupSrs=False
        )
        emptied = await world.user.run("fit.episodes.update", id=episode_id, comment=None, endDate=None)

    node = shown(episode, title="Renamed", comment="Kept", endDate="2026-03-01", groupSrs=True)
    assert renamed.result == changed(node)
    node |= {"status": "TERMINATED_NO_EFFECT", "startDate": "2026-01-06", "groupSrs": False}
    assert ended.result == changed(node)
    node |= {"comment": None, "endDate": None}
    assert emptied.result == changed(node)
    assert found == {}


async def test_an_update_of_nothing_answers_the_episode(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))

    answer = await world.user.run("fit.episodes.update", id=global_id("Episode", episode.id))

    assert answer.result == changed(shown(episode))


@pytest.mark.parametrize("dates", [{"startDate": "2026-03-02"}, {"endDate": "2026-01-04"}])
async def test_an_update_of_one_date_is_checked_against_the_other(world: World, dates: dict[str, str]) -> None:
    episode = await make_episode(world.user, await make_client(world.user), end_date=date(2026, 3, 1))
    episode_id = global_id("Episode", episode.id)

    answer = await world.user.run("fit.episodes.update", id=episode_id, **dates)

    assert answer.result == refused("INVALID", "End date must not be before the start date", "input", "endDate")
    assert (await world.user.run("fit.episodes.get", id=episode_id)).result == shown(episode, endDate="2026-03-01")


@pytest.mark.parametrize("name", ["title", "startDate"])
async def test_required_values_cannot_be_emptied(world: World, name: str) -> None:
    episode = await make_episode(world.user, await make_client(world.user))

    answer = await world.user.run("fit.episodes.update", id=global_id("Episode", episode.id), **{name: None})

    assert answer.result == refused("INVALID", "must not be null", "input", name)


async def test_an_episode_out_of_sight_is_neither_read_nor_changed(world: World) -> None:
    hidden = await make_episode(world.colleague, await make_client(world.colleague))
    foreign = await make_episode(world.other_user, await make_client(world.other_user))

    for episode_id in [*strange_ids("Episode", foreign), global_id("Episode", hidden.id)]:
        assert (await world.user.run("fit.episodes.get", id=episode_id)).result is None
        changed_title = await world.user.run("fit.episodes.update", id=episode_id, title="Mine")
        assert changed_title.result == refused("NOT_FOUND", "Episode not found", "id")
    assert (await world.superuser.run("fit.episodes.get", id=global_id("Episode", hidden.id))).result == shown(hidden)
    answer = await world.other_user.run("fit.episodes.get", id=global_id("Episode", foreign.id))
    assert answer.result == shown(foreign)


async def test_an_episode_brings_what_is_included(world: World) -> None:
    client = await make_client(world.user, full_name="Kim", ssn="010190-1234", birth_date=date(1990, 1, 1))
    label = await make_label(world.superuser, "Pilot")
    episode = await make_episode(world.user, client, labels=(label,))
    rater = await make_rater(world.user, episode, client, email="robin@example.org")
    session = await make_session(world.user, episode)
    ors = await make_ors(world.user, session, client, 1, 2.5, 3, 4)
    rated = await make_ors(world.user, session, client, 0, 0, 0, 10, rater=rater)
    srs = await make_srs(world.user, session, client, 9, 8, 7.5, 6)
    bare = shown(episode, labels=[{"id": global_id("Label", label.id), "name": "Pilot"}])
    with_everything = {
        **bare,
        "organization": {"id": global_id("Organization", 1), "name": "Northfield"},
        "clients": [
            {
                "id": global_id("Client", client.id),
                "fullName": "Kim",
                "alias": None,
                "ssn": "010190-1234",
                "birthDate": "1990-01-01",
                "gender": "UNKNOWN",
                "phone": None,
                "comment": None,
                "gdprApproval": False,
            }
        ],
        "raters": [
            {
                "id": global_id("Rater", rater.id),
                "fullName": "Robin Rater",
                "email": "robin@example.org",
                "comment": None,
            }
        ],
    }
    scored = {
        "id": global_id("Session", session.id),
        "sessionDate": "2026-01-05",
        "orsScores": [
            {
                "id": global_id("OrsScore", ors.id),
                "individually": 1.0,
                "interpersonally": 2.5,
                "socially": 3.0,
                "overall": 4.0,
                "total": 10.5,
            },
            {
                "id": global_id("OrsScore", rated.id),
                "individually": 0.0,
                "interpersonally": 0.0,
                "socially": 0.0,
                "overall": 10.0,
                "total": 10.0,
            },
        ],
        "srsScores": [
            {
                "id": global_id("SrsScore", srs.id),
                "relationship": 9.0,
                "goalsAndTopics": 8.0,
                "approachOrMethod": 7.5,
                "overall": 6.0,
                "total": 30.5,
            }
        ],
    }
    includes = dict.fromkeys(("includeAgency", "includeClients", "includeRaters"), True)

    assert (await world.superuser.run("fit.episodes.get", id=bare["id"])).result == bare
    answer = await world.superuser.run("fit.episodes.get", id=bare["id"], includeSessions=True)
    plain = {"id": scored["id"], "sessionDate": "2026-01-05"}
    assert answer.result == {**bare, "sessions": included(plain)}
    answer = await world.superuser.run("fit.episodes.get", id=bare["id"], includeScores=True, **includes)
    assert answer.result == {**with_everything, "sessions": included(scored)}
    for contract_id in LISTS:
        scope = {"userId": world.user.id} if contract_id == "fit.episodes.list_user" else {}
        assert (await world.superuser.run(contract_id, **scope)).result == page(bare)
        answer = await world.superuser.run(contract_id, includeScores=True, includeSessions=True, **includes, **scope)
        assert answer.result == page({**with_everything, "sessions": included(scored)})
    seen_by_owner = (await world.user.run("fit.episodes.get", id=bare["id"], **includes)).result
    assert seen_by_owner == with_everything


async def test_only_superusers_list_the_agency(world: World) -> None:
    mine = await make_episode(world.user, await make_client(world.user), title="Ben's")
    other = await make_episode(
        world.colleague, await make_client(world.colleague), title="Cleo's", start_date=date(2026, 1, 4)
    )
    await make_episode(world.other_user, await make_client(world.other_user))

    answer = await world.superuser.run("fit.episodes.list_agency")
    refusal = await world.user.run("fit.episodes.list_agency")

    assert answer.result == page(shown(other, title="Cleo's", startDate="2026-01-04"), shown(mine, title="Ben's"))
    assert refusal.error == ("FORBIDDEN", "Access denied")
    assert refusal.body["data"] == {"result": None}


async def test_users_list_the_episodes_of_their_clients(world: World) -> None:
    shared = await make_client(world.user, world.colleague)
    both = await make_episode(world.user, shared, title="Shared")
    alone = await make_episode(world.colleague, await make_client(world.colleague), title="Cleo's alone")
    await make_episode(world.user, await make_client(world.user), title="Ben's alone")
    cleo, otto = world.colleague.id, world.other_user.id

    own = await world.colleague.run("fit.episodes.list_user")
    seen_by_user = await world.user.run("fit.episodes.list_user", userId=cleo)
    seen_by_superuser = await world.superuser.run("fit.episodes.list_user", userId=cleo)

    assert own.result == page(shown(both, title="Shared"), shown(alone, title="Cleo's alone"))
    assert seen_by_user.result == page(shown(both, title="Shared"))
    assert seen_by_superuser.result == own.result
    assert (await world.superuser.run("fit.episodes.list_user")).result == page()
    for user_id in (otto, global_id("User", 999_999), global_id("Client", shared.id), "nonsense"):
        assert (await world.superuser.run("fit.episodes.list_user", userId=user_id)).result == page()


@pytest.mark.parametrize("contract_id", LISTS)
async def test_lists_are_searched_and_filtered_by_label(world: World, contract_id: str) -> None:
    client = await make_client(world.superuser)
    pilot, other = await make_label(world.superuser, "Pilot"), await make_label(world.superuser, "pilot")
    await make_label(world.other_superuser, "Elsewhere")
    await make_episode(world.superuser, client, title="Grief 50%", labels=(pilot,))
    await make_episode(world.superuser, client, title="GRIEF, Åse", labels=(pilot, other))
    await make_episode(world.superuser, client, title="Sleep", labels=(other,))
    await make_episode(world.superuser, client, title="Unlabelled")

    assert await titles(world, contract_id, searchTerm="grief") == ["Grief 50%", "GRIEF, Åse"]
    assert await titles(world, contract_id, searchTerm="åSE") == ["GRIEF, Åse"]
    assert await titles(world, contract_id, searchTerm="0%") == ["Grief 50%"]
    assert await titles(world, contract_id, searchTerm="%") == ["Grief 50%"]
    assert await titles(world, contract_id, searchTerm="care") == []
    assert await titles(world, contract_id, labels=["Pilot"]) == ["Grief 50%", "GRIEF, Åse"]
    assert await titles(world, contract_id, labels=["Pilot", "pilot"]) == ["Grief 50%", "GRIEF, Åse", "Sleep"]
    assert await titles(world, contract_id, labels=["pilot"], searchTerm="gri") == ["GRIEF, Åse"]
    assert len(await titles(world, contract_id, labels=[])) == 4


@pytest.mark.parametrize("contract_id", LISTS)
async def test_lists_go_on_page_by_page(world: World, contract_id: str) -> None:
    client = await make_client(world.superuser)
    rows = [await make_episode(world.superuser, client, start_date=date(2026, 1, day)) for day in (1, 2, 3)]
    nodes = [shown(row, startDate=f"2026-01-0{day}") for day, row in enumerate(rows, 1)]

    head = (await world.superuser.run(contract_id, first=2)).result
    tail = (await world.superuser.run(contract_id, first=2, after=head["pageInfo"]["endCursor"])).result

    assert head == page(*nodes[:2], total=3, more=True)
    assert tail == page(nodes[2], total=3)
    assert (await world.superuser.run(contract_id, first=0)).result == page(total=3)


@pytest.mark.parametrize("contract_id", LISTS)
@pytest.mark.parametrize(
    ("variables", "argument", "message"),
    [
        ({"first": -1}, "first", "first must be between 0 and 5000"),
        ({"first": 5001}, "first", "first must be between 0 and 5000"),
        ({"after": "nonsense"}, "after", "after is not a cursor of this list in this order"),
        ({"labels": ["Pilot", "Elsewhere"]}, "labels", "There is no label named 'Elsewhere'"),
        ({"labels": ["pilot"]}, "labels", "There is no label named 'pilot'"),
        ({"labels": [str(n) for n in range(101)]}, "labels", "labels takes at most 100 names"),
        ({"searchTerm": "x" * 201}, "search", "search takes at most 200 characters"),
    ],
)
async def test_lists_refuse_what_they_cannot_use(
    world: World, contract_id: str, variables: dict[str, Any], argument: str, message: str
) -> None:
    await make_label(world.superuser, "Pilot")
    await make_label(world.other_superuser, "Elsewhere")

    answer = await world.superuser.run(contract_id, **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
    assert answer.body["errors"][0]["extensions"]["argument"] == argument
    assert answer.body["data"] == {"result": None}
