"""`fit.raters`: someone near one client who rates that client on one episode."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.treatment.models import Rater
from contract.asserts import (
    assert_bad_variable,
    assert_nobody_is_refused,
    changed,
    changes,
    deleted,
    refused,
    strange_ids,
)
from factories.people import make_client
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World


def shown(rater: Rater | int, **fields: Any) -> dict[str, Any]:
    """A rater as the factory makes it, with what differs."""
    row_id = rater if isinstance(rater, int) else rater.id
    return {
        "id": global_id("Rater", row_id),
        "fullName": "Robin Rater",
        "email": None,
        "comment": None,
        **fields,
    }


async def rater_of(principal: Principal, **overrides: Any) -> Rater:
    """A rater of a client of `principal`'s on an episode of that client's."""
    client = await make_client(principal)
    return await make_rater(principal, await make_episode(principal, client), client, **overrides)


@pytest.mark.parametrize(
    ("contract_id", "variables"),
    [
        ("fit.raters.list_episode", {"id": "x"}),
        ("fit.raters.create", {"episodeId": "x", "clientId": "x", "fullName": "A"}),
        ("fit.raters.get", {"id": "x"}),
        ("fit.raters.update", {"id": "x", "fullName": "A"}),
        ("fit.raters.delete", {"id": "x"}),
    ],
)
async def test_nobody_is_refused(world: World, contract_id: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, contract_id, **variables)


async def test_a_rater_is_created_for_one_client_on_one_episode(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    place = {"episodeId": global_id("Episode", episode.id), "clientId": global_id("Client", client.id)}

    async with changes(world) as found:
        full = await world.user.run(
            "fit.raters.create", **place, fullName="Mo Mother", email="mo@example.org", comment="Lives with Kim"
        )
        bare = await world.user.run("fit.raters.create", **place, fullName="Fa Father")

    assert full.result == changed(shown(1, fullName="Mo Mother", email="mo@example.org", comment="Lives with Kim"))
    assert bare.result == changed(shown(2, fullName="Fa Father"))
    assert found == {"raters": 2}
    tied = await world.user.ask(
        "query ($id: ID!) { rater(id: $id) { episode { id } client { id } } }", id=global_id("Rater", 1)
    )
    assert tied.data["rater"] == {"episode": {"id": place["episodeId"]}, "client": {"id": place["clientId"]}}


async def test_a_rater_needs_a_client_who_is_on_the_episode(world: World) -> None:
    episode = await make_episode(world.user, await make_client(world.user))
    elsewhere, hidden = await make_client(world.user), await make_client(world.colleague)
    foreign = await make_client(world.other_user)
    foreign_episode = await make_episode(world.other_user, foreign)

    async def create(episode_id: str, client_id: str) -> Any:
        answer = await world.user.run("fit.raters.create", episodeId=episode_id, clientId=client_id, fullName="A")
        return answer.result

    async with changes(world) as found:
        not_on_it = await create(global_id("Episode", episode.id), global_id("Client", elsewhere.id))
        assert not_on_it == refused("INVALID", "The client is not on this episode", "clientId")
        for client_id in [*strange_ids("Client", foreign), global_id("Client", hidden.id)]:
            result = await create(global_id("Episode", episode.id), client_id)
            assert result == refused("NOT_FOUND", "Client not found", "clientId")
        for episode_id in strange_ids("Episode", foreign_episode):
            result = await create(episode_id, global_id("Client", elsewhere.id))
            assert result == refused("NOT_FOUND", "Episode not found", "episodeId")

    assert found == {}


@pytest.mark.parametrize(
    ("values", "message", "name"),
    [
        ({"fullName": ""}, "must not be empty", "fullName"),
        ({"fullName": "   "}, "must not be empty", "fullName"),
        ({"fullName": "x" * 201}, "must have at most 200 characters", "fullName"),
        ({"comment": "x" * 10_001}, "must have at most 10000 characters", "comment"),
    ],
)
async def test_what_breaks_a_rule_is_neither_created_nor_changed(
    world: World, values: dict[str, Any], message: str, name: str
) -> None:
    rater = await rater_of(world.user)
    place = {"episodeId": global_id("Episode", rater.episode_id), "clientId": global_id("Client", rater.client_id)}
    rater_id = global_id("Rater", rater.id)

    async with changes(world) as found:
        created = await world.user.run("fit.raters.create", **{**place, "fullName": "A", **values})
        updated = await world.user.run("fit.raters.update", id=rater_id, **values)

    assert created.result == updated.result == refused("INVALID", message, "input", name)
    assert found == {}
    assert (await world.user.run("fit.raters.get", id=rater_id)).result == shown(rater)


@pytest.mark.parametrize("email", ["robin", "robin@", "a b@example.org", "x" * 250 + "@example.org", "", 5])
async def test_an_email_address_must_be_one(world: World, email: Any) -> None:
    rater = await rater_of(world.user)
    place = {"episodeId": global_id("Episode", rater.episode_id), "clientId": global_id("Client", rater.client_id)}
    message = "Variable '$email' has invalid value: EmailAddress cannot represent a value that is not an e-mail address"

    await assert_bad_variable(world, "fit.raters.create", message, **place, fullName="A", email=email)
    await assert_bad_variable(world, "fit.raters.update", message, id=global_id("Rater", rater.id), email=email)


async def test_the_full_name_is_required(world: World) -> None:
    rater = await rater_of(world.user)
    place = {"episodeId": global_id("Episode", rater.episode_id), "clientId": global_id("Client", rater.client_id)}

    message = "Variable '$fullName' has invalid value: Expected a value of non-null type 'String!' to be provided."
    await assert_bad_variable(world, "fit.raters.create", message, **place)
    message = "Variable '$fullName' has invalid value: Expected value of non-null type 'String!' not to be None."
    await assert_bad_variable(world, "fit.raters.create", message, **place, fullName=None)
    emptied = await world.user.run("fit.raters.update", id=global_id("Rater", rater.id), fullName=None)
    assert emptied.result == refused("INVALID", "must not be null", "input", "fullName")


async def test_the_raters_on_an_episode_are_listed(world: World) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, own, hidden)
    zoe = await make_rater(world.user, episode, own, full_name="Zoe", email="zoe@example.org")
    amy = await make_rater(world.user, episode, own, full_name="Amy")
    max_ = await make_rater(world.colleague, episode, hidden, full_name="Max")
    episode_id = global_id("Episode", episode.id)
    first = shown(amy, fullName="Amy")
    last = shown(zoe, fullName="Zoe", email="zoe@example.org")

    assert (await world.user.run("fit.raters.list_episode", id=episode_id)).result == {"raters": [first, last]}
    by_superuser = (await world.superuser.run("fit.raters.list_episode", id=episode_id)).result
    assert by_superuser == {"raters": [first, shown(max_, fullName="Max"), last]}
    for strange in strange_ids("Episode", await make_episode(world.other_user, await make_client(world.other_user))):
        assert (await world.user.run("fit.raters.list_episode", id=strange)).result is None


async def test_an_update_changes_only_what_is_sent(world: World) -> None:
    rater = await rater_of(world.user, comment="Kept")
    rater_id = global_id("Rater", rater.id)

    async with changes(world) as found:
        renamed = await world.user.run("fit.raters.update", id=rater_id, fullName="Robin Renamed")
        reached = await world.user.run("fit.raters.update", id=rater_id, email="r@example.org")
        emptied = await world.user.run("fit.raters.update", id=rater_id, email=None, comment=None)

    assert renamed.result == changed(shown(rater, fullName="Robin Renamed", comment="Kept"))
    assert reached.result == changed(shown(rater, fullName="Robin Renamed", comment="Kept", email="r@example.org"))
    assert emptied.result == changed(shown(rater, fullName="Robin Renamed"))
    assert found == {}


async def test_a_rater_with_scores_is_deleted_only_by_force(world: World) -> None:
    rater = await rater_of(world.user)
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    scored = await make_rater(world.user, episode, client)
    session = await make_session(world.user, episode)
    await make_ors(world.user, session, client, rater=scored)
    await make_srs(world.user, session, client, rater=scored)
    await make_ors(world.user, session, client)

    async with changes(world) as found:
        answer = await world.user.run("fit.raters.delete", id=global_id("Rater", rater.id))
    assert answer.result == deleted("Rater", rater)
    assert found == {"raters": -1}

    async with changes(world) as found:
        answer = await world.user.run("fit.raters.delete", id=global_id("Rater", scored.id))
    assert answer.result == refused(
        "CONFLICT", "Rater has 2 scores: set force to delete them too", "force", of="deletedId"
    )
    assert found == {}

    async with changes(world) as found:
        answer = await world.user.run("fit.raters.delete", id=global_id("Rater", scored.id), force=True)
    assert answer.result == deleted("Rater", scored)
    assert found == {"raters": -1, "scores": -2}
    assert (await world.user.run("fit.raters.get", id=global_id("Rater", scored.id))).result is None


async def test_a_rater_out_of_sight_is_neither_read_changed_nor_deleted(world: World) -> None:
    hidden, foreign = await rater_of(world.colleague), await rater_of(world.other_user)

    async with changes(world) as found:
        for rater_id in [*strange_ids("Rater", foreign), global_id("Rater", hidden.id)]:
            assert (await world.user.run("fit.raters.get", id=rater_id)).result is None
            updated = await world.user.run("fit.raters.update", id=rater_id, fullName="Mine")
            assert updated.result == refused("NOT_FOUND", "Rater not found", "id")
            gone = await world.user.run("fit.raters.delete", id=rater_id, force=True)
            assert gone.result == refused("NOT_FOUND", "Rater not found", "id", of="deletedId")

    assert found == {}
    assert (await world.colleague.run("fit.raters.get", id=global_id("Rater", hidden.id))).result == shown(hidden)
    assert (await world.other_user.run("fit.raters.get", id=global_id("Rater", foreign.id))).result == shown(foreign)
