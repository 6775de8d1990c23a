"""`fit.sessions`: the meetings of an episode, and the scores on them."""

from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.treatment.models import Session
from contract.asserts import (
    assert_bad_variable,
    assert_nobody_is_refused,
    changed,
    changes,
    deleted,
    page,
    refused,
    strange_ids,
)
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World


def shown(session: Session | int, day: str = "2026-01-05") -> dict[str, Any]:
    row_id = session if isinstance(session, int) else session.id
    return {"id": global_id("Session", row_id), "sessionDate": day}


async def session_of(principal: Principal) -> Session:
    """A session of a client of `principal`'s."""
    return await make_session(principal, await make_episode(principal, await make_client(principal)))


@pytest.mark.parametrize(
    ("contract_id", "variables"),
    [
        ("fit.sessions.list_episode", {"id": "x"}),
        ("fit.sessions.create", {"episodeId": "x", "sessionDate": "2026-01-05"}),
        ("fit.sessions.get", {"id": "x"}),
        ("fit.sessions.update", {"id": "x", "sessionDate": "2026-01-05"}),
        ("fit.sessions.delete", {"id": "x"}),
        ("fit.sessions.list_ors_scores", {"id": "x"}),
        ("fit.sessions.list_srs_scores", {"id": "x"}),
    ],
)
async def test_nobody_is_refused(world: World, contract_id: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, contract_id, **variables)


async def test_a_session_is_created_on_an_episode(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))
    episode_id = global_id("Episode", episode.id)

    async with changes(world) as found:
        answer = await world.user.run("fit.sessions.create", episodeId=episode_id, sessionDate="2026-01-12")
        same_day = await world.user.run("fit.sessions.create", episodeId=episode_id, sessionDate="2026-01-12")

    assert answer.result == changed(shown(1, "2026-01-12"))
    assert same_day.result == changed(shown(2, "2026-01-12"))
    assert found == {"sessions": 2}


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2026-02-30", "Date cannot represent a day that does not exist: 2026-02-30"),
        ("0000-01-01", "Date cannot represent a day that does not exist: 0000-01-01"),
        ("2026-01-05T10:00:00Z", "Date cannot represent a value that is not of the form YYYY-MM-DD"),
        ("20260105", "Date cannot represent a value that is not of the form YYYY-MM-DD"),
        ("", "Date cannot represent a value that is not of the form YYYY-MM-DD"),
        (20260105, "Date cannot represent a value that is not of the form YYYY-MM-DD"),
    ],
)
async def test_a_day_must_exist(world: World, day: Any, message: str) -> None:
    session = await session_of(world.user)
    episode_id = global_id("Episode", session.episode_id)
    expected = f"Variable '$sessionDate' has invalid value: {message}"

    await assert_bad_variable(world, "fit.sessions.create", expected, episodeId=episode_id, sessionDate=day)
    await assert_bad_variable(world, "fit.sessions.update", expected, id=shown(session)["id"], sessionDate=day)


async def test_the_day_is_required(world: World) -> None:
    session = await session_of(world.user)
    episode_id = global_id("Episode", session.episode_id)

    message = "Variable '$sessionDate' has invalid value: Expected a value of non-null type 'Date!' to be provided."
    await assert_bad_variable(world, "fit.sessions.create", message, episodeId=episode_id)
    message = "Variable '$sessionDate' has invalid value: Expected value of non-null type 'Date!' not to be None."
    await assert_bad_variable(world, "fit.sessions.create", message, episodeId=episode_id, sessionDate=None)
    emptied = await world.user.run("fit.sessions.update", id=shown(session)["id"], sessionDate=None)
    assert emptied.result == refused("INVALID", "must not be null", "input", "sessionDate")


async def test_sessions_are_listed_by_date_page_by_page(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))
    late = await make_session(world.user, episode, date(2026, 1, 19))
    early = await make_session(world.user, episode, date(2026, 1, 12))
    latest = await make_session(world.user, episode, date(2026, 1, 26))
    await session_of(world.user)
    episode_id = global_id("Episode", episode.id)
    nodes = [shown(early, "2026-01-12"), shown(late, "2026-01-19"), shown(latest, "2026-01-26")]

    whole = (await world.user.run("fit.sessions.list_episode", id=episode_id)).result
    head = (await world.user.run("fit.sessions.list_episode", id=episode_id, first=2)).result
    cursor = head["sessions"]["pageInfo"]["endCursor"]
    tail = (await world.user.run("fit.sessions.list_episode", id=episode_id, first=2, after=cursor)).result

    assert whole == {"sessions": page(*nodes)}
    assert head == {"sessions": page(*nodes[:2], total=3, more=True)}
    assert tail == {"sessions": page(nodes[2], total=3)}


@pytest.mark.parametrize(
    ("variables", "argument", "message"),
    [
        ({"first": -1}, "first", "first must be between 0 and 5000"),
        ({"first": 5001}, "first", "first must be between 0 and 5000"),
        ({"after": "nonsense"}, "after", "after is not a cursor of this list in this order"),
    ],
)
async def test_the_list_refuses_what_it_cannot_use(
    world: World, variables: dict[str, Any], argument: str, message: str
) -> None:
    session = await session_of(world.user)

    answer = await world.user.run("fit.sessions.list_episode", id=global_id("Episode", session.episode_id), **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
    assert answer.body["errors"][0]["extensions"]["argument"] == argument
    assert answer.body["data"] == {"result": None}


async def test_a_session_brings_what_is_included(world: World) -> None:
    client = await make_client(world.user)
    label = await make_label(world.superuser, "Pilot")
    episode = await make_episode(world.user, client, title="Grief", labels=(label,))
    session = await make_session(world.user, episode)
    ors = await make_ors(world.user, session, client, 1, 2, 3, 4)
    srs = await make_srs(world.user, session, client, 9, 8.5, 7, 6)
    session_id = global_id("Session", session.id)

    bare = (await world.user.run("fit.sessions.get", id=session_id)).result
    whole = (await world.user.run("fit.sessions.get", id=session_id, includeEpisode=True, includeScores=True)).result

    assert bare == {"id": session_id, "sessionDate": "2026-01-05"}
    assert whole == {
        "id": session_id,
        "sessionDate": "2026-01-05",
        "episode": {
            "id": global_id("Episode", episode.id),
            "title": "Grief",
            "startDate": "2026-01-05",
            "endDate": None,
            "status": "ONGOING",
            "phone": None,
            "comment": None,
            "groupSrs": False,
            "labels": [{"id": global_id("Label", label.id), "name": "Pilot"}],
        },
        "orsScores": [
            {
                "id": global_id("OrsScore", ors.id),
                "individually": 1.0,
                "interpersonally": 2.0,
                "socially": 3.0,
                "overall": 4.0,
                "total": 10.0,
            }
        ],
        "srsScores": [
            {
                "id": global_id("SrsScore", srs.id),
                "relationship": 9.0,
                "goalsAndTopics": 8.5,
                "approachOrMethod": 7.0,
                "overall": 6.0,
                "total": 30.5,
            }
        ],
    }


async def test_the_scores_of_a_session_are_listed_by_scale(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, own, hidden)
    session = await make_session(world.user, episode)
    rater = await make_rater(world.user, episode, own)
    first = await make_ors(world.user, session, own, 1, 2, 3, 4)
    second = await make_ors(world.user, session, own, 5, 6, 7, 8, rater=rater)
    third = await make_srs(world.user, session, own, 9, 9, 9, 9.5)
    await make_ors(world.colleague, session, hidden)
    await make_srs(world.colleague, session, hidden)
    session_id, client_id = global_id("Session", session.id), global_id("Client", own.id)

    ors = (await world.user.run("fit.sessions.list_ors_scores", id=session_id)).result
    srs = (await world.user.run("fit.sessions.list_srs_scores", id=session_id)).result

    assert ors == {
        "orsScores": [
            {
                "id": global_id("OrsScore", first.id),
                "individually": 1.0,
                "interpersonally": 2.0,
                "socially": 3.0,
                "overall": 4.0,
                "total": 10.0,
                "client": {"id": client_id},
                "rater": None,
            },
            {
                "id": global_id("OrsScore", second.id),
                "individually": 5.0,
                "interpersonally": 6.0,
                "socially": 7.0,
                "overall": 8.0,
                "total": 26.0,
                "client": {"id": client_id},
                "rater": {"id": global_id("Rater", rater.id)},
            },
        ]
    }
    assert srs == {
        "srsScores": [
            {
                "id": global_id("SrsScore", third.id),
                "relationship": 9.0,
                "goalsAndTopics": 9.0,
                "approachOrMethod": 9.0,
                "overall": 9.5,
                "total": 36.5,
                "client": {"id": client_id},
                "rater": None,
            }
        ]
    }
    by_superuser = (await world.superuser.run("fit.sessions.list_ors_scores", id=session_id)).result
    assert [score["client"]["id"] for score in by_superuser["orsScores"]] == [
        client_id,
        client_id,
        global_id("Client", hidden.id),
    ]


async def test_an_update_changes_the_day(world: World) -> None:
    session = await session_of(world.user)

    async with changes(world) as found:
        moved = await world.user.run("fit.sessions.update", id=shown(session)["id"], sessionDate="2024-02-29")
        untouched = await world.user.run("fit.sessions.update", id=shown(session)["id"])

    assert moved.result == untouched.result == changed(shown(session, "2024-02-29"))
    assert found == {}


async def test_a_session_with_scores_is_deleted_only_by_force(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    empty, scored, kept = [await make_session(world.user, episode) for _ in range(3)]
    await make_ors(world.user, scored, client)
    await make_srs(world.user, scored, client)
    await make_ors(world.user, kept, client)

    async with changes(world) as found:
        answer = await world.user.run("fit.sessions.delete", id=shown(empty)["id"])
    assert answer.result == deleted("Session", empty)
    assert found == {"sessions": -1}

    async with changes(world) as found:
        answer = await world.user.run("fit.sessions.delete", id=shown(scored)["id"])
    assert answer.result == refused(
        "CONFLICT", "Session has 2 scores: set force to delete them too", "force", of="deletedId"
    )
    assert found == {}

    async with changes(world) as found:
        answer = await world.user.run("fit.sessions.delete", id=shown(scored)["id"], force=True)
    assert answer.result == deleted("Session", scored)
    assert found == {"sessions": -1, "scores": -2}


async def test_scores_of_a_hidden_client_are_never_deleted(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    session = await make_session(world.user, await make_episode(world.user, own, hidden))
    await make_ors(world.user, session, own)
    await make_ors(world.colleague, session, hidden)

    async with changes(world) as found:
        answer = await world.user.run("fit.sessions.delete", id=shown(session)["id"], force=True)

    assert answer.result == refused("CONFLICT", "Access denied", of="deletedId")
    assert found == {}


async def test_a_session_out_of_sight_is_neither_read_changed_nor_deleted(world: World) -> None:
    hidden, foreign = await session_of(world.colleague), await session_of(world.other_user)

    async with changes(world) as found:
        for session_id in [*strange_ids("Session", foreign), shown(hidden)["id"]]:
            for verb in ("get", "list_ors_scores", "list_srs_scores"):
                assert (await world.user.run(f"fit.sessions.{verb}", id=session_id)).result is None
            updated = await world.user.run("fit.sessions.update", id=session_id, sessionDate="2026-01-06")
            assert updated.result == refused("NOT_FOUND", "Session not found", "id")
            gone = await world.user.run("fit.sessions.delete", id=session_id, force=True)
            assert gone.result == refused("NOT_FOUND", "Session not found", "id", of="deletedId")

    assert found == {}
    assert (await world.colleague.run("fit.sessions.get", id=shown(hidden)["id"])).result == shown(hidden)
    assert (await world.other_user.run("fit.sessions.get", id=shown(foreign)["id"])).result == shown(foreign)


async def test_an_episode_out_of_sight_gets_no_session_and_shows_none(world: World) -> None:
    hidden, foreign = await session_of(world.colleague), await session_of(world.other_user)
    foreign_episode = await make_episode(world.other_user, await make_client(world.other_user))

    async with changes(world) as found:
        for episode_id in [
            *strange_ids("Episode", foreign_episode),
            global_id("Episode", hidden.episode_id),
            global_id("Episode", foreign.episode_id),
        ]:
            answer = await world.user.run("fit.sessions.create", episodeId=episode_id, sessionDate="2026-01-05")
            assert answer.result == refused("NOT_FOUND", "Episode not found", "episodeId")
            assert (await world.user.run("fit.sessions.list_episode", id=episode_id)).result is None

    assert found == {}
