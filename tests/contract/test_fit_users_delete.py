"""`fit.users.delete`: refused while there are clients, with what is theirs when forced."""

import pytest

from caregraph.graph.node import global_id
from caregraph.organizations.models import Membership, User
from contract.asserts import assert_nobody_is_refused, changes, refused, strange_ids
from contract.included import make_course
from factories.people import make_client
from factories.treatment import make_episode
from kit import Principal, World

DELETE = "fit.users.delete"
GONE = {"users": -1, "memberships": -1, "api_tokens": -1}


def gone(principal: Principal) -> dict[str, object]:
    return {"deletedId": principal.id, "errors": []}


def in_the_way(dependents: str) -> dict[str, object]:
    message = f"User has {dependents}: set force to delete them too"
    return refused("CONFLICT", message, "force", of="deletedId")


async def test_a_user_without_clients_is_deleted(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id)

    assert answer.result == gone(world.user)
    assert found == GONE
    assert (await world.superuser.run("fit.users.get", id=world.user.id)).result is None
    assert (await world.user.run("fit.users.get_me")).error == ("UNAUTHENTICATED", "Authentication failed")


async def test_deleting_is_for_superusers(world: World) -> None:
    await assert_nobody_is_refused(world, DELETE, id=world.user.id)

    async with changes(world) as found:
        for principal in (world.user, world.colleague):
            assert (await principal.run(DELETE, id=world.user.id)).error == ("FORBIDDEN", "Access denied")

    assert found == {}


async def test_a_user_who_is_not_there_cannot_be_deleted(world: World) -> None:
    otto = User(id=world.other_user.row_id)

    async with changes(world) as found:
        answers = [await world.superuser.run(DELETE, id=strange, force=True) for strange in strange_ids("User", otto)]

    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "User not found", "id", of="deletedId")] * 6
    assert found == {}


async def test_deleting_is_refused_while_there_are_clients(world: World) -> None:
    await make_course(world.user)
    await make_client(world.user, world.colleague)

    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id)

    assert answer.result == in_the_way("2 clients, 1 episode, 3 scores and 1 session")
    assert found == {}


async def test_force_deletes_clients_with_all_that_is_theirs(world: World) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id, force=True)

    assert answer.result == gone(world.user)
    assert found == {
        **GONE,
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


async def test_force_keeps_clients_whom_others_own_too(world: World) -> None:
    client = await make_course(world.user, world.colleague)

    async with changes(world) as unforced:
        refusal = await world.superuser.run(DELETE, id=world.user.id)
    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id, force=True)

    assert refusal.result == in_the_way("1 client, 1 episode, 3 scores and 1 session")
    assert unforced == {}
    assert answer.result == gone(world.user)
    assert found == {**GONE, "client_owners": -1}
    owners = await world.colleague.run("fit.clients.get_owners", id=global_id("Client", client.id))
    assert [owner["id"] for owner in owners.result["owners"]] == [world.colleague.id]


async def test_force_keeps_an_episode_that_has_another_client(world: World) -> None:
    his, hers = await make_client(world.user), await make_client(world.colleague)
    await make_episode(world.user, his, hers)

    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id, force=True)

    assert answer.result == gone(world.user)
    assert found == {**GONE, "clients": -1, "client_owners": -1, "episode_clients": -1}


@pytest.mark.parametrize("force", [True, False])
async def test_the_last_superuser_cannot_be_deleted(world: World, force: bool) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.superuser.id, force=force)

    assert answer.result == refused("CONFLICT", "The organization's last superuser must stay", "id", of="deletedId")
    assert found == {}


async def test_an_account_stays_while_it_works_elsewhere(world: World) -> None:
    async with world.writing(world.other_superuser) as tx:
        tx.add(Membership(user_id=world.user.row_id, organization_id=world.other_superuser.organization_id))

    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id)

    assert answer.result == gone(world.user)
    assert found == {"memberships": -1}
    assert (await world.other_superuser.run("fit.users.get", id=world.user.id)).result["fullName"] == "Ben Borg"


@pytest.mark.parametrize("force", [None, "yes", 1])
async def test_force_is_true_or_false(world: World, force: object) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run(DELETE, id=world.user.id, force=force)

    assert answer.error[0] == "BAD_USER_INPUT"
    assert found == {}
