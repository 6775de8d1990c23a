"""`gloo.api_keys.*`: an application's key and secret make bearer tokens that it lists and deletes."""

from unittest.mock import ANY

import pytest

from caregraph.graph.node import global_id
from contract.asserts import changes, refused, strange_ids
from factories.programs import Program, make_application
from kit import Principal, World

FAILED = ("UNAUTHENTICATED", "Authentication failed")
FORBIDDEN = ("FORBIDDEN", "Access denied")


@pytest.fixture
async def program(world: World) -> Program:
    return await make_application(world.superuser)


async def key_of(program: Program) -> Principal:
    return program.with_token((await program.with_secret.run("gloo.api_keys.create")).result["secret"])


def key(number: int) -> dict[str, str]:
    return {"id": global_id("ApiKey", number), "createdAt": ANY}


async def test_create_shows_the_key_this_once(world: World, program: Program) -> None:
    async with changes(world) as found:
        answer = await program.with_secret.run("gloo.api_keys.create")

    secret = answer.result["secret"]
    assert answer.result == {"node": key(1), "secret": secret, "errors": []}
    assert (secret[:4], len(secret)) == ("cgk_", 47)
    assert found == {"api_keys": 1}
    assert (await program.with_token(secret).run("gloo.api_keys.list")).result == [key(1)]


async def test_create_is_for_key_and_secret(world: World, program: Program) -> None:
    own = await key_of(program)

    async with changes(world) as found:
        for principal in (own, world.superuser, world.user, world.calculator):
            assert (await principal.run("gloo.api_keys.create")).error == FORBIDDEN
        assert (await world.nobody.run("gloo.api_keys.create")).error == FAILED
    assert found == {}


async def test_list_shows_ones_own_keys_and_no_token(world: World, program: Program) -> None:
    first, second = await key_of(program), await key_of(program)
    other = await key_of(await make_application(world.superuser, name="Other"))
    foreign = await key_of(await make_application(world.other_superuser))

    assert (await first.run("gloo.api_keys.list")).result == [key(1), key(2)]
    assert (await second.run("gloo.api_keys.list")).result == [key(1), key(2)]
    assert (await (await program.signed_in()).run("gloo.api_keys.list")).result == [key(1), key(2)]
    assert (await other.run("gloo.api_keys.list")).result == [key(3)]
    assert (await foreign.run("gloo.api_keys.list")).result == [key(4)]
    for principal in (program.with_secret, world.superuser, world.user):
        assert (await principal.run("gloo.api_keys.list")).error == FORBIDDEN
    assert (await world.nobody.run("gloo.api_keys.list")).error == FAILED


async def test_delete_ends_a_key_at_once(world: World, program: Program) -> None:
    first, second = await key_of(program), await key_of(program)

    async with changes(world) as found:
        answer = await first.run("gloo.api_keys.delete", apiKeyId=global_id("ApiKey", 2))

    assert answer.result == {"deletedId": global_id("ApiKey", 2), "errors": []}
    assert found == {"api_keys": -1}
    assert (await second.run("gloo.api_keys.list")).error == FAILED
    itself = await first.run("gloo.api_keys.delete", apiKeyId=global_id("ApiKey", 1))
    assert itself.result == {"deletedId": global_id("ApiKey", 1), "errors": []}
    assert (await first.run("gloo.api_keys.list")).error == FAILED


async def test_an_application_deletes_its_own_keys_only(world: World, program: Program) -> None:
    own = await key_of(program)
    other = await make_application(world.superuser, name="Other")
    await key_of(other)
    await key_of(await make_application(world.other_superuser))
    ids = [global_id("ApiKey", number) for number in (2, 3)]

    async with changes(world) as found:
        for strange in [*ids, *strange_ids("ApiKey", other.row)[1:]]:
            answer = await own.run("gloo.api_keys.delete", apiKeyId=strange)
            assert answer.result == refused("NOT_FOUND", "ApiKey not found", "id", of="deletedId")
        for principal in (world.user, program.with_secret, world.calculator):
            assert (await principal.run("gloo.api_keys.delete", apiKeyId=ids[0])).error == FORBIDDEN
        assert (await world.nobody.run("gloo.api_keys.delete", apiKeyId=ids[0])).error == FAILED
    assert found == {}


async def test_a_superuser_deletes_any_key_of_the_organization(world: World, program: Program) -> None:
    own, _ = await key_of(program), await key_of(await make_application(world.other_superuser))

    foreign = await world.superuser.run("gloo.api_keys.delete", apiKeyId=global_id("ApiKey", 2))
    deleted = await world.superuser.run("gloo.api_keys.delete", apiKeyId=global_id("ApiKey", 1))

    assert foreign.result == refused("NOT_FOUND", "ApiKey not found", "id", of="deletedId")
    assert deleted.result == {"deletedId": global_id("ApiKey", 1), "errors": []}
    assert (await own.run("gloo.api_keys.list")).error == FAILED
