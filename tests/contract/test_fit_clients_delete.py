"""`fit.clients.delete`: refused while there is care, with all of it when forced."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.people.models import Client
from contract.asserts import assert_nobody_is_refused, changes, deleted, refused, strange_ids
from contract.included import make_course
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session
from kit import World

DELETE = "fit.clients.delete"


def by_id(client: Client) -> dict[str, str]:
    return {"id": global_id("Client", client.id)}


def in_the_way(dependents: str) -> dict[str, Any]:
    message = f"Client has {dependents}: set force to delete them too"
    return refused("CONFLICT", message, "force", of="deletedId")


@pytest.mark.parametrize("who", ["user", "superuser"])
async def test_a_client_without_care_is_deleted_with_owners_and_labels(world: World, who: str) -> None:
    client = await make_client(world.user, world.colleague)
    await make_label(world.superuser, "Winter", client)

    async with changes(world) as found:
        answer = await getattr(world, who).run(DELETE, **by_id(client))

    assert answer.result == deleted("Client", client)
    assert found == {"clients": -1, "client_owners": -2, "client_labels": -1}
    assert (await world.superuser.run("fit.clients.get", **by_id(client))).result is None


async def test_a_client_whom_one_does_not_see_cannot_be_deleted(world: World) -> None:
    client = await make_course(world.user)
    foreign = await make_client(world.other_user)
    await assert_nobody_is_refused(world, DELETE, **by_id(client), force=True)

    async with changes(world) as found:
        answers = [
            await world.superuser.run(DELETE, id=strange, force=True) for strange in strange_ids("Client", foreign)
        ]
        answers += [
            await principal.run(DELETE, **by_id(client), force=True)
            for principal in (world.colleague, world.other_superuser)
        ]

    not_found = refused("NOT_FOUND", "Client not found", "id", of="deletedId")
    assert [answer.result for answer in answers] == [not_found] * 8
    assert found == {}


async def test_deleting_is_refused_while_there_are_episodes(world: World) -> None:
    client = await make_client(world.user)
    for _ in range(2):
        await make_episode(world.user, client)

    async with changes(world) as found:
        answer = await world.user.run(DELETE, **by_id(client))

    assert answer.result == in_the_way("2 episodes")
    assert found == {}


async def test_deleting_is_refused_while_there_are_sessions_and_scores(world: World) -> None:
    client = await make_course(world.user)

    async with changes(world) as found:
        answer = await world.user.run(DELETE, **by_id(client), force=False)

    assert answer.result == in_the_way("1 episode, 3 scores and 1 session")
    assert found == {}


async def test_force_deletes_all_care_of_the_client(world: World) -> None:
    client = await make_course(world.user)

    async with changes(world) as found:
        answer = await world.user.run(DELETE, **by_id(client), force=True)

    assert answer.result == deleted("Client", client)
    assert found == {
        "clients": -1,
        "client_owners": -1,
        "client_labels": -1,
        "episodes": -1,
        "episode_clients": -1,
        "episode_labels": -1,
        "raters": -1,
        "sessions": -1,
        "scores": -3,
    }


async def test_force_keeps_a_shared_episode_with_all_that_is_another_clients(world: World) -> None:
    mine, hers = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, mine, hers)
    session = await make_session(world.user, episode)
    for client in (mine, hers):
        await make_ors(world.user, session, client)
        rater = await make_rater(world.user, episode, client)
        await make_ors(world.user, session, client, rater=rater)

    async with changes(world) as found:
        answer = await world.user.run(DELETE, **by_id(mine), force=True)

    assert answer.result == deleted("Client", mine)
    assert found == {"clients": -1, "client_owners": -1, "episode_clients": -1, "raters": -1, "scores": -2}
    left = (await world.colleague.run("fit.clients.get", **by_id(hers), includeScores=True)).result["episodes"]
    assert [len(one["raters"]) for one in left["nodes"]] == [1]
    assert [len(one["orsScores"]) for one in left["nodes"][0]["sessions"]["nodes"]] == [2]


async def test_force_counts_nothing_of_a_shared_episode_that_stays_hidden(world: World) -> None:
    mine, hers = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, mine, hers)
    await make_ors(world.user, await make_session(world.user, episode), hers)

    answer = await world.user.run(DELETE, **by_id(mine))

    assert answer.result == in_the_way("1 episode and 1 session")


async def test_force_deletes_only_episodes_left_without_client(world: World) -> None:
    mine, hers = await make_client(world.user), await make_client(world.colleague)
    shared = await make_episode(world.user, mine, hers)
    alone = await make_episode(world.user, mine)
    for episode in (shared, alone):
        await make_session(world.user, episode)

    async with changes(world) as found:
        await world.user.run(DELETE, **by_id(mine), force=True)

    assert found == {"clients": -1, "client_owners": -1, "episodes": -1, "episode_clients": -2, "sessions": -1}
    left = (await world.colleague.run("fit.clients.list_episodes", **by_id(hers))).result["episodes"]
    assert [one["id"] for one in left["nodes"]] == [global_id("Episode", shared.id)]


@pytest.mark.parametrize("force", [None, "yes", 1])
async def test_force_is_true_or_false(world: World, force: object) -> None:
    client = await make_client(world.user)

    async with changes(world) as found:
        answer = await world.user.run(DELETE, **by_id(client), force=force)

    assert answer.error[0] == "BAD_USER_INPUT"
    assert found == {}
