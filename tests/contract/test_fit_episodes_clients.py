"""`fit.episodes`: which clients are on an episode, and deleting it with what it holds."""

from collections.abc import Sequence
from typing import Any

from caregraph.graph.node import global_id
from caregraph.people.models import Client
from caregraph.treatment.models import Episode
from contract.asserts import changed, changes, deleted, refused, strange_ids
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import World


def shown(episode: Episode, *clients: tuple[Client, str]) -> dict[str, Any]:
    """An episode as the factory makes it, with its clients."""
    return {
        "id": global_id("Episode", episode.id),
        "title": "Course of care",
        "startDate": "2026-01-05",
        "endDate": None,
        "status": "ONGOING",
        "phone": None,
        "comment": None,
        "groupSrs": False,
        "labels": [],
        "clients": [{"id": global_id("Client", client.id), "fullName": name} for client, name in clients],
    }


async def names_on(world: World, episode: Episode) -> Sequence[str]:
    result = (await world.superuser.run("fit.episodes.list_clients", id=global_id("Episode", episode.id))).result
    return [client["fullName"] for client in result["clients"]]


def pair(episode: Episode, client: Client) -> dict[str, str]:
    return {"episodeId": global_id("Episode", episode.id), "clientId": global_id("Client", client.id)}


async def test_the_clients_on_an_episode_are_listed(world: World) -> None:
    kim = await make_client(world.user, full_name="Kim", alias="K", phone="12345678", gdpr_approval=True)
    bo = await make_client(world.colleague, full_name="Bo")
    episode = await make_episode(world.user, kim, bo)
    episode_id = global_id("Episode", episode.id)
    first = {
        "id": global_id("Client", bo.id),
        "fullName": "Bo",
        "alias": None,
        "ssn": None,
        "birthDate": None,
        "gender": "UNKNOWN",
        "phone": None,
        "comment": None,
        "gdprApproval": False,
    }
    second = {
        **first,
        "id": global_id("Client", kim.id),
        "fullName": "Kim",
        "alias": "K",
        "phone": "12345678",
        "gdprApproval": True,
    }

    assert (await world.superuser.run("fit.episodes.list_clients", id=episode_id)).result == {
        "clients": [first, second]
    }
    assert (await world.user.run("fit.episodes.list_clients", id=episode_id)).result == {"clients": [second]}
    for strange in strange_ids("Episode", await make_episode(world.other_user, await make_client(world.other_user))):
        assert (await world.user.run("fit.episodes.list_clients", id=strange)).result is None


async def test_one_more_client_joins_an_episode(world: World) -> None:
    kim, bo = await make_client(world.user, full_name="Kim"), await make_client(world.user, full_name="Bo")
    episode = await make_episode(world.user, kim)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.add_client", **pair(episode, bo))

    assert answer.result == changed(shown(episode, (bo, "Bo"), (kim, "Kim")))
    assert found == {"episode_clients": 1}


async def test_only_what_one_sees_is_brought_together(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    foreign = await make_client(world.other_user)
    own_episode, hidden_episode = await make_episode(world.user, own), await make_episode(world.user, hidden)
    foreign_episode = await make_episode(world.other_user, foreign)
    for verb in ("add_client", "remove_client"):
        async with changes(world) as found:
            for client_id in [*strange_ids("Client", foreign), global_id("Client", hidden.id)]:
                answer = await world.user.run(
                    f"fit.episodes.{verb}", episodeId=global_id("Episode", own_episode.id), clientId=client_id
                )
                assert answer.result == refused("NOT_FOUND", "Client not found", "clientId")
            for episode_id in [*strange_ids("Episode", foreign_episode), global_id("Episode", hidden_episode.id)]:
                answer = await world.user.run(
                    f"fit.episodes.{verb}", episodeId=episode_id, clientId=global_id("Client", own.id)
                )
                assert answer.result == refused("NOT_FOUND", "Episode not found", "id")

        assert found == {}


async def test_a_client_who_is_not_on_the_episode_cannot_leave_it(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))
    other = await make_client(world.user)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.remove_client", **pair(episode, other), force=True)

    assert answer.result == refused("NOT_FOUND", "The client is not on this episode", "clientId")
    assert found == {}


async def test_a_client_leaves_with_raters(world: World) -> None:
    kim, bo = await make_client(world.user, full_name="Kim"), await make_client(world.user, full_name="Bo")
    episode = await make_episode(world.user, kim, bo)
    session = await make_session(world.user, episode)
    await make_rater(world.user, episode, kim)
    await make_rater(world.user, episode, bo)
    await make_ors(world.user, session, bo)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.remove_client", **pair(episode, kim))

    assert answer.result == changed(shown(episode, (bo, "Bo")))
    assert found == {"episode_clients": -1, "raters": -1}


async def test_a_client_with_scores_leaves_only_by_force(world: World) -> None:
    kim, bo = await make_client(world.user, full_name="Kim"), await make_client(world.user, full_name="Bo")
    episode, elsewhere = await make_episode(world.user, kim, bo), await make_episode(world.user, kim)
    session = await make_session(world.user, episode)
    rater = await make_rater(world.user, episode, kim)
    await make_ors(world.user, session, kim)
    await make_ors(world.user, await make_session(world.user, elsewhere), kim)

    async with changes(world) as found:
        with_one = await world.user.run("fit.episodes.remove_client", **pair(episode, kim))
    assert with_one.result == refused(
        "CONFLICT", "Client has 1 score on this episode: set force to delete them too", "force"
    )
    assert found == {}

    await make_srs(world.user, session, kim, rater=rater)
    await make_srs(world.user, session, bo)
    with_two = await world.user.run("fit.episodes.remove_client", **pair(episode, kim), force=False)
    assert with_two.result == refused(
        "CONFLICT", "Client has 2 scores on this episode: set force to delete them too", "force"
    )

    async with changes(world) as found:
        forced = await world.user.run("fit.episodes.remove_client", **pair(episode, kim), force=True)
    assert forced.result == changed(shown(episode, (bo, "Bo")))
    assert found == {"episode_clients": -1, "raters": -1, "scores": -2}
    assert await names_on(world, elsewhere) == ["Kim"]


async def test_the_last_client_takes_the_episode_along(world: World) -> None:
    client = await make_client(world.user)
    label = await make_label(world.superuser, "Pilot")
    bare = await make_episode(world.user, client, labels=(label,))
    await make_session(world.user, bare)
    scored = await make_episode(world.user, client)
    rater = await make_rater(world.user, scored, client)
    await make_srs(world.user, await make_session(world.user, scored), client, rater=rater)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.remove_client", **pair(bare, client))
    assert answer.result == changed(None)
    assert found == {"episodes": -1, "episode_clients": -1, "episode_labels": -1, "sessions": -1}

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.remove_client", **pair(scored, client), force=True)
    assert answer.result == changed(None)
    assert found == {"episodes": -1, "episode_clients": -1, "raters": -1, "sessions": -1, "scores": -1}


async def test_an_episode_stays_for_a_client_whom_the_caller_does_not_see(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague, full_name="Hidden")
    episode = await make_episode(world.user, own, hidden)
    await make_ors(world.user, await make_session(world.user, episode), hidden)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.remove_client", **pair(episode, own), force=True)

    assert answer.result == changed(None)
    assert found == {"episode_clients": -1}
    assert await names_on(world, episode) == ["Hidden"]


async def test_an_episode_is_deleted_only_by_force(world: World) -> None:
    kim, bo = await make_client(world.user), await make_client(world.user)
    episode = await make_episode(world.user, kim, bo, labels=(await make_label(world.superuser, "Pilot"),))
    first, second = await make_session(world.user, episode), await make_session(world.user, episode)
    rater = await make_rater(world.user, episode, bo)
    await make_ors(world.user, first, kim)
    await make_srs(world.user, second, kim)
    await make_ors(world.user, second, bo, rater=rater)
    kept = await make_episode(world.user, kim)
    await make_ors(world.user, await make_session(world.user, kept), kim)
    episode_id = global_id("Episode", episode.id)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.delete", id=episode_id)
    assert answer.result == refused(
        "CONFLICT",
        "Episode has 2 clients, 2 sessions, 1 rater and 3 scores: set force to delete them too",
        "force",
        of="deletedId",
    )
    assert found == {}

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.delete", id=episode_id, force=True)
    assert answer.result == deleted("Episode", episode)
    assert found == {
        "episodes": -1,
        "episode_clients": -2,
        "episode_labels": -1,
        "raters": -1,
        "sessions": -2,
        "scores": -3,
    }
    assert (await world.user.run("fit.episodes.get", id=episode_id)).result is None


async def test_an_episode_with_nothing_but_its_client_still_asks_for_force(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.delete", id=global_id("Episode", episode.id), force=False)

    assert answer.result == refused(
        "CONFLICT", "Episode has 1 client: set force to delete them too", "force", of="deletedId"
    )
    assert found == {}


async def test_what_hangs_on_a_hidden_client_is_never_deleted(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, own, hidden)
    await make_ors(world.user, await make_session(world.user, episode), hidden)
    episode_id = global_id("Episode", episode.id)

    async with changes(world) as found:
        answer = await world.user.run("fit.episodes.delete", id=episode_id, force=True)
    assert answer.result == refused("CONFLICT", "Access denied", of="deletedId")
    assert found == {}

    by_superuser = await world.superuser.run("fit.episodes.delete", id=episode_id, force=True)
    assert by_superuser.result == deleted("Episode", episode)


async def test_an_episode_out_of_sight_is_not_deleted(world: World) -> None:
    hidden = await make_episode(world.colleague, await make_client(world.colleague))
    foreign = await make_episode(world.other_user, await make_client(world.other_user))

    async with changes(world) as found:
        for episode_id in [*strange_ids("Episode", foreign), global_id("Episode", hidden.id)]:
            answer = await world.user.run("fit.episodes.delete", id=episode_id, force=True)
            assert answer.result == refused("NOT_FOUND", "Episode not found", "id", of="deletedId")

    assert found == {}
