"""What is particular to treatment beyond the documented calls: labels, ages, and what happens at the same time."""

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from caregraph.db.base import table_of
from caregraph.graph.node import global_id
from caregraph.people.models import Client
from caregraph.treatment.models import Episode, EpisodeClient
from caregraph.treatment.service import age_in_years
from contract.asserts import changed, changes, refused, strange_ids
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session
from kit import Answer, Principal, World

SET_LABELS = """mutation ($id: ID!, $labelIds: [ID!]!) {
  result: setEpisodeLabels(id: $id, labelIds: $labelIds) { node { labels { id name } } errors { code message path } }
}"""
UPDATE_CLIENT = """mutation ($id: ID!, $input: ClientPatch!) {
  result: updateClient(id: $id, input: $input) { errors { message } }
}"""
LINES = {"individually": 5, "interpersonally": 5, "socially": 5, "overall": 5}


async def set_labels(principal: Principal, episode: Episode, labels: Iterable[Any]) -> Answer:
    ids = [label if isinstance(label, str) else global_id("Label", label.id) for label in labels]
    return await principal.ask(SET_LABELS, id=global_id("Episode", episode.id), labelIds=ids)


def labelled(*labels: tuple[Any, str]) -> dict[str, Any]:
    return changed({"labels": [{"id": global_id("Label", label.id), "name": name} for label, name in labels]})


async def test_the_labels_of_an_episode_are_replaced(world: World) -> None:
    zeta, alpha, beta = [await make_label(world.superuser, name) for name in ("Zeta", "Alpha", "Beta")]
    episode = await make_episode(world.user, await make_client(world.user), labels=(beta,))

    async with changes(world) as found:
        two = await set_labels(world.user, episode, [zeta, alpha, zeta])
    assert two.result == labelled((alpha, "Alpha"), (zeta, "Zeta"))
    assert found == {"episode_labels": 1}
    assert (await set_labels(world.user, episode, [zeta])).result == labelled((zeta, "Zeta"))
    assert (await world.user.run("fit.episodes.list_user", labels=["Zeta"])).result["totalCount"] == 1
    assert (await world.user.run("fit.episodes.list_user", labels=["Alpha"])).result["totalCount"] == 0

    async with changes(world) as found:
        none = await set_labels(world.user, episode, [])
    assert none.result == labelled()
    assert found == {"episode_labels": -1}


async def test_labels_of_another_organization_cannot_be_set(world: World) -> None:
    label, foreign = await make_label(world.superuser, "Here"), await make_label(world.other_superuser, "There")
    episode = await make_episode(world.user, await make_client(world.user), labels=(label,))
    hidden = await make_episode(world.colleague, await make_client(world.colleague))

    async with changes(world) as found:
        for strange in strange_ids("Label", foreign):
            answer = await set_labels(world.user, episode, [label, strange])
            assert answer.result == refused("NOT_FOUND", "Label not found", "labelIds")
        too_many = await set_labels(world.user, episode, [label] * 101)
        assert too_many.result == refused("INVALID", "must have at most 100 items", "labelIds")
        out_of_sight = await set_labels(world.user, hidden, [label])
        assert out_of_sight.result == refused("NOT_FOUND", "Episode not found", "id")

    assert found == {}
    assert (await set_labels(world.nobody, episode, [])).error == ("UNAUTHENTICATED", "Authentication failed")
    assert (await set_labels(world.user, episode, [label])).result == labelled((label, "Here"))


async def test_a_client_joins_an_episode_once(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.add_client", **_pair(episode, client))

    assert answer.result == refused("CONFLICT", "The client is already on this episode", "clientId")
    assert found == {}


async def test_a_client_joins_an_episode_once_when_asked_several_times_at_once(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))
    other = await make_client(world.user)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(world.user.run("fit.episodes.add_client", **_pair(episode, other)) for _ in range(5))
        )

    refusals = [one.result for one in answers if one.result["errors"]]
    assert refusals == [refused("CONFLICT", "The client is already on this episode", "clientId")] * 4
    assert found == {"episode_clients": 1}


@pytest.mark.parametrize("informant", ["client", "rater"])
async def test_of_scores_recorded_at_once_one_stays(world: World, informant: str) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    rater = await make_rater(world.user, episode, client)
    session = await make_session(world.user, episode)
    row = client if informant == "client" else rater
    variables = {
        "sessionId": global_id("Session", session.id),
        f"{informant}Id": global_id(informant.capitalize(), row.id),
        **LINES,
    }

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(world.user.run(f"fit.ors_scores.create_{informant}", **variables) for _ in range(5))
        )

    refusals = [one.result for one in answers if one.result["errors"]]
    assert refusals == [refused("CONFLICT", "This informant already has such a score on this session")] * 4
    assert found == {"scores": 1}


async def test_when_the_last_two_clients_leave_at_once_no_episode_stays_behind(world: World) -> None:
    kim, bo = await make_client(world.user), await make_client(world.user)
    episodes = [await make_episode(world.user, kim, bo) for _ in range(5)]
    for episode in episodes:
        await make_session(world.user, episode)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(
                world.user.run("fit.episodes.remove_client", **_pair(episode, client))
                for episode in episodes
                for client in (kim, bo)
            )
        )

    assert [one.result["errors"] for one in answers] == [[]] * 10
    assert found == {"episodes": -5, "episode_clients": -10, "sessions": -5}


async def test_a_client_leaves_once_when_asked_several_times_at_once(world: World) -> None:
    kim, bo = await make_client(world.user), await make_client(world.user)
    episode = await make_episode(world.user, kim, bo)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(world.user.run("fit.episodes.remove_client", **_pair(episode, kim)) for _ in range(5))
        )

    refusals = [one.result for one in answers if one.result["errors"]]
    assert refusals == [refused("NOT_FOUND", "The client is not on this episode", "clientId")] * 4
    assert found == {"episode_clients": -1}


async def test_no_score_is_lost_to_an_unforced_leave_at_the_same_time(world: World) -> None:
    kim, bo = await make_client(world.user), await make_client(world.user)
    places = []
    for _ in range(5):
        episode = await make_episode(world.user, kim, bo)
        places.append((episode, await make_session(world.user, episode)))
    client_id = global_id("Client", kim.id)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(
                request
                for episode, session in places
                for request in (
                    world.user.run(
                        "fit.ors_scores.create_client",
                        sessionId=global_id("Session", session.id),
                        clientId=client_id,
                        **LINES,
                    ),
                    world.user.run("fit.episodes.remove_client", **_pair(episode, kim)),
                )
            )
        )

    for scored, left in zip(answers[::2], answers[1::2], strict=True):
        assert (scored.result["errors"] == []) != (left.result["errors"] == [])
    scores = sum(one.result["errors"] == [] for one in answers[::2])
    expected = {"scores": scores, "episode_clients": scores - 5}
    assert found == {table: change for table, change in expected.items() if change}


async def test_no_score_is_lost_to_an_unforced_delete_at_the_same_time(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    session_ids = [global_id("Session", (await make_session(world.user, episode)).id) for _ in range(5)]
    client_id = global_id("Client", client.id)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(
                request
                for session_id in session_ids
                for request in (
                    world.user.run("fit.ors_scores.create_client", sessionId=session_id, clientId=client_id, **LINES),
                    world.user.run("fit.sessions.delete", id=session_id),
                )
            )
        )

    for scored, gone in zip(answers[::2], answers[1::2], strict=True):
        assert (scored.result["errors"] == []) != (gone.result["errors"] == [])
    scores = sum(one.result["errors"] == [] for one in answers[::2])
    expected = {"scores": scores, "sessions": scores - 5}
    assert found == {table: change for table, change in expected.items() if change}


@pytest.mark.parametrize("resource", ["sessions", "ors_scores"])
async def test_what_is_deleted_several_times_at_once_is_gone_once(world: World, resource: str) -> None:
    client = await make_client(world.user)
    session = await make_session(world.user, await make_episode(world.user, client))
    name, row = "Session", session
    if resource == "ors_scores":
        name, row = "OrsScore", await make_ors(world.user, session, client)

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(world.user.run(f"fit.{resource}.delete", id=global_id(name, row.id)) for _ in range(5))
        )

    refusals = [one.result for one in answers if one.result["errors"]]
    assert refusals == [refused("NOT_FOUND", f"{name} not found", "id", of="deletedId")] * 4
    assert found == {"sessions" if resource == "sessions" else "scores": -1}


def _pair(episode: Episode, client: Client) -> dict[str, str]:
    return {"episodeId": global_id("Episode", episode.id), "clientId": global_id("Client", client.id)}


async def test_the_age_at_the_start_follows_corrected_dates(world: World) -> None:
    client = await make_client(world.user)
    answer = await world.user.run(
        "fit.episodes.create", id=global_id("Client", client.id), title="Grief", startDate="2026-03-01"
    )
    episode_id = answer.result["node"]["id"]

    async def age_after(birth_date: str | None, start_date: str) -> int | None:
        sent = {"input": {"birthDate": birth_date}}
        assert (await world.user.ask(UPDATE_CLIENT, id=global_id("Client", client.id), **sent)).result == {"errors": []}
        updated = await world.user.run("fit.episodes.update", id=episode_id, startDate=start_date)
        assert updated.result["errors"] == []
        return await _age(world, client)

    assert await _age(world, client) is None
    assert await age_after("2010-03-01", "2026-03-01") == 16
    assert await age_after("2010-03-02", "2026-03-01") == 15
    assert await age_after("2010-03-02", "2026-03-02") == 16
    assert await age_after("2026-03-02", "2026-03-02") == 0
    assert await age_after("2026-03-03", "2026-03-02") is None
    assert await age_after(None, "2026-03-02") is None


async def test_the_age_is_kept_for_each_client_on_an_episode(world: World) -> None:
    child = await make_client(world.user, birth_date=date(2016, 6, 1))
    adult = await make_client(world.colleague, birth_date=date(1980, 6, 1))
    episode = await make_episode(world.user, child)
    await world.superuser.run("fit.episodes.add_client", **_pair(episode, adult))
    assert [await _age(world, client) for client in (child, adult)] == [9, 45]

    await world.user.run("fit.episodes.update", id=global_id("Episode", episode.id), startDate="2026-07-01")

    assert [await _age(world, client) for client in (child, adult)] == [10, 46]


async def _age(world: World, client: Client) -> int | None:
    places = table_of(EpisodeClient)
    row = await world.row(select(places.c.age_at_start).where(places.c.client_id == client.id))
    return row.age_at_start


@pytest.mark.parametrize(
    ("birth_date", "on", "age"),
    [
        (date(2000, 2, 29), date(2025, 2, 28), 24),
        (date(2000, 2, 29), date(2025, 3, 1), 25),
        (date(2000, 2, 29), date(2024, 2, 29), 24),
        (date(1925, 12, 31), date(2026, 1, 1), 100),
        (None, date(2026, 1, 1), None),
        (date(2026, 1, 2), date(2026, 1, 1), None),
    ],
)
def test_ages_are_completed_years(birth_date: date | None, on: date, age: int | None) -> None:
    assert age_in_years(birth_date, on) == age
