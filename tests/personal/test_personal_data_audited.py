"""Exports, erasures and consents are on record by ids; rotation, which changes nothing that is said, is not."""

from audit.entries import entry, written
from caregraph.db import rotation
from caregraph.graph.node import global_id
from factories.people import make_client
from factories.treatment import make_episode, make_rater
from kit import World
from personal.keys import FIRST


async def test_an_export_is_on_record_as_reading_the_client(world: World) -> None:
    client = await make_client(world.user)
    await make_episode(world.user, client, await make_client(world.colleague))

    async with written(world) as found:
        await world.user.ask("query($id: ID!) { exportClient(id: $id) }", id=global_id("Client", client.id))

    assert [(one["kind"], one["fields"]) for one in found] == [("READ", ["exportClient"])]
    assert client.id in found[0]["client_ids"]


async def test_an_erasure_is_on_record_without_a_name(world: World) -> None:
    client = await make_client(world.user, full_name="Zebulon")
    episode = await make_episode(world.user, client)
    await make_rater(world.user, episode, client)

    async with written(world) as found:
        await world.superuser.ask(
            "mutation($id: ID!) { eraseClient(id: $id) { errors { message } } }", id=global_id("Client", client.id)
        )

    changes = [[name, "UPDATED", [[1]]] for name in ("Client", "Episode", "Rater")]
    found[0]["changes"].sort()
    assert found == [entry("UPDATE", "eraseClient", user_id=1, client_ids=[1], changes=changes)]


async def test_a_consent_is_on_record(world: World) -> None:
    client = await make_client(world.user)
    query = "mutation($id: ID!) { recordConsent(clientId: $id, kind: SMS, given: true) { errors { message } } }"

    async with written(world) as found:
        await world.user.ask(query, id=global_id("Client", client.id))

    changes = [["Consent", "CREATED", [[1]]]]
    assert found == [entry("CREATE", "recordConsent", client_ids=[1], changes=changes)]


async def test_a_rotation_is_no_change_of_a_record(world: World) -> None:
    await make_client(world.user, ssn="1")
    await world.restart(encryption_keys=FIRST)

    async with written(world) as found:
        done = await rotation.rotate(world.database, lambda *_: None)

    assert (done.rows, found) == (1, [])
