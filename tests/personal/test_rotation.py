"""`caregraph rotate-keys`: from no key to a key, from one to the next, and back."""

import asyncio
import os
import re
import sys
from typing import Any

import pytest
from sqlalchemy import Text, select, type_coerce

from caregraph.auth.viewer import Viewer
from caregraph.cli.demo.dataset import Dataset
from caregraph.cli.demo.load import load
from caregraph.db import rotation
from caregraph.db.base import now, table_of
from caregraph.db.encryption import Keyring
from caregraph.db.session import Database, Tx
from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from caregraph.people.enums import Gender
from caregraph.people.models import Client, Label
from caregraph.treatment.models import Episode, Rater, Session
from cli.test_commands import run
from factories.people import make_client
from factories.treatment import make_episode, make_rater
from kit import Answer, World, settings_for
from personal.keys import FIRST, IMPOSTOR, SECOND, change, in_files, stored
from streaming import listening, open_socket, subscribers

KEY = re.compile(r"^sealed:(\w*):")
EVERYTHING = """{ clients(orderBy: FULL_NAME_ASC) { nodes {
    fullName ssn phone episodes { nodes { phone raters { email } } }
} } }"""
SEARCH = "query($text: String) { clients(search: $text) { totalCount } }"


async def people(world: World, count: int = 3) -> None:
    """Some in both organizations, with everything that can be encrypted; the last without any of it."""
    for owner in (world.user, world.other_user):
        for place in range(count):
            has = place < count - 1
            client = await make_client(
                owner, full_name=f"Client {place}", ssn=f"10-{place}" if has else None, phone="1234567" if has else None
            )
            episode = await make_episode(owner, client, phone="7654321" if has else None)
            await make_rater(owner, episode, client, email="R@x.example" if has else None)


async def keys(world: World) -> set[str]:
    """The keys that something is stored under; `` for none."""
    columns = ("ssn FROM clients", "phone FROM clients", "phone FROM episodes", "email FROM raters")
    texts = [row[0] for column in columns for row in await stored(world, f"SELECT {column}") if row[0] is not None]
    found = [KEY.match(text) for text in texts]
    return {one[1] if one else "" for one in found}


async def everything(world: World) -> list[Any]:
    return [(await one.ask(EVERYTHING)).data for one in (world.superuser, world.other_superuser)]


async def rotate(world: World, setting: str) -> str:
    """Run the command; what it says last."""
    result = await run("rotate-keys", url=world.settings.database_url, CAREGRAPH_ENCRYPTION_KEYS=setting)
    assert result.exit_code == 0, result.output
    return str(result.output.splitlines()[-1])


async def test_a_key_comes_another_follows_and_both_go(world: World) -> None:
    await people(world)
    before = await everything(world)
    plain = await stored(world, "SELECT id, ssn, phone, search_text, ssn_index, phone_index FROM clients ORDER BY id")

    for setting, in_use in ((FIRST, {"first"}), (f"{SECOND},{FIRST}", {"second"}), (f"none,{SECOND}", {""})):
        said = await rotate(world, setting)
        assert said == "12 rows were written, nothing is left under another key"
        assert await keys(world) == in_use
        assert await stored(world, "SELECT name FROM encryption_keys") == [(one,) for one in in_use if one]
        await world.restart(encryption_keys=setting)
        assert await everything(world) == before
        assert (await world.superuser.ask(SEARCH, text="10-1")).data["clients"] == {"totalCount": 1}
        assert (await world.superuser.ask(SEARCH, text="0-1")).data["clients"] == {"totalCount": int(in_use == {""})}
        texts = {row[0] for row in await stored(world, "SELECT search_text FROM clients")}
        assert any("10-" in text for text in texts) == (in_use == {""})
    await world.restart(encryption_keys="")
    assert await everything(world) == before
    assert (
        await stored(world, "SELECT id, ssn, phone, search_text, ssn_index, phone_index FROM clients ORDER BY id")
        == plain
    )


async def test_a_former_key_can_be_dropped_after_rotation_only(world: World) -> None:
    await world.restart(encryption_keys=FIRST)
    await people(world)
    url = world.settings.database_url

    early = await run("rotate-keys", url=url, CAREGRAPH_ENCRYPTION_KEYS=SECOND)
    wrong = await run("rotate-keys", url=url, CAREGRAPH_ENCRYPTION_KEYS=f"{SECOND},{IMPOSTOR}")
    assert (early.exit_code, wrong.exit_code) == (1, 1)
    assert "values under the encryption key first, which is not in CAREGRAPH_ENCRYPTION_KEYS" in early.output
    assert "first in CAREGRAPH_ENCRYPTION_KEYS is another than the database was written with" in wrong.output
    assert await keys(world) == {"first"}
    await rotate(world, f"{SECOND},{FIRST}")
    await world.restart(encryption_keys=SECOND)
    await world.database.check_keys()
    assert (await world.superuser.ask(SEARCH, text="10-0")).data["clients"] == {"totalCount": 1}


async def test_nothing_is_left_in_the_file_from_before_the_key(world: World) -> None:
    for _ in range(30):
        await make_client(world.user, ssn="very-secret-number", phone="+45 99887766")
    plain = await in_files(world, "very-secret-number")

    await rotate(world, FIRST)

    assert plain == world.settings.database_url.startswith("sqlite")
    assert not await in_files(world, "very-secret-number")
    assert not await in_files(world, "99887766")


async def test_a_second_rotation_has_nothing_to_do(world: World) -> None:
    await people(world)
    await rotate(world, FIRST)
    written = await stored(world, "SELECT id, ssn, ssn_index FROM clients ORDER BY id")

    assert await rotate(world, FIRST) == "0 rows were written, nothing is left under another key"
    assert await stored(world, "SELECT id, ssn, ssn_index FROM clients ORDER BY id") == written


async def test_an_interrupted_rotation_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_AT_ONCE", 2)
    await people(world, 6)
    await world.restart(encryption_keys=FIRST)

    def stop(table: str, count: int, _total: int) -> None:
        if count:
            raise KeyboardInterrupt(table)

    with pytest.raises(KeyboardInterrupt):
        await rotation.rotate(world.database, stop)
    assert await keys(world) == {"", "first"}
    heard: list[tuple[str, int, int]] = []
    done = await rotation.rotate(world.database, lambda *one: heard.append(one))

    assert (done.rows, done.left) == (28, 0)
    assert sum(count for _, count, _ in heard) == 28
    assert {table: total for table, _, total in heard} == {
        "clients": 8,
        "episodes": 10,
        "raters": 10,
        "item_responses": 0,
    }
    assert await keys(world) == {"first"}


async def test_what_is_written_beside_a_rotation_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that comes when the rotation has read the row, and has not written it yet."""
    await world.restart(encryption_keys=FIRST)
    await people(world)
    await world.restart(encryption_keys=f"{SECOND},{FIRST}")
    other = Database(world.settings)
    update = "mutation($id: ID!, $n: String) { updateClient(id: $id, input: {ssn: $n}) { errors { message } } }"
    write = rotation._write
    changes: list[asyncio.Task[Answer]] = []

    async def write_late(tx: Tx, model: Any, rows: Any, keyring: Keyring) -> None:
        if model is Client and not changes:
            for row in rows:
                sent = world.superuser.ask(update, id=global_id("Client", row.id), n=f"new {row.full_name}")
                changes.append(asyncio.create_task(sent))
            await asyncio.sleep(0.5)
        await write(tx, model, rows, keyring)

    monkeypatch.setattr(rotation, "_write", write_late)
    done = await rotation.rotate(other, lambda *_: None)
    answers = await asyncio.gather(*changes)
    await other.close()

    assert [answer.data["updateClient"]["errors"] for answer in answers] == [[], []]
    assert done.left == 0
    assert await keys(world) == {"second"}
    listed = (await world.superuser.ask("{ clients { nodes { fullName ssn } } }")).data["clients"]["nodes"]
    assert {one["fullName"]: one["ssn"] for one in listed} == {
        "Client 0": "new Client 0",
        "Client 1": "new Client 1",
        "Client 2": None,
    }
    assert (await world.superuser.ask(SEARCH, text="newclient1")).data["clients"] == {"totalCount": 1}


async def test_a_server_with_another_first_key_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes a client when the clients' table is done already."""
    await world.restart(encryption_keys=FIRST)
    await people(world)
    await world.restart(encryption_keys=f"{SECOND},{FIRST}")
    late = Database(settings_for(world.settings.database_url, encryption_keys=f"{FIRST},{SECOND}"))
    whole = rotation._rotate_rows

    async def and_late(database: Database, model: Any, *arguments: Any) -> int:
        count = await whole(database, model, *arguments)
        if model is Rater:
            async with late.writing(world.user.viewer) as tx:
                tx.add(Client(full_name="Late", ssn="5"))
        return count

    monkeypatch.setattr(rotation, "_rotate_rows", and_late)
    done = await rotation.rotate(world.database, lambda *_: None)
    monkeypatch.undo()
    in_use = await stored(world, "SELECT name FROM encryption_keys ORDER BY name")
    again = await rotation.rotate(world.database, lambda *_: None)
    await late.close()

    assert (done, in_use) == (rotation.Rotated(rows=12, left=2), [("first",), ("second",)])  # written in both tenants
    assert again == rotation.Rotated(rows=2, left=0)
    assert await keys(world) == {"second"}


async def test_nobody_hears_of_a_rotation(world: World) -> None:
    await people(world)
    await world.restart(encryption_keys=FIRST)
    query = "subscription { episodeChanged { change } }"

    async with listening(world.app) as authority, open_socket(authority, world.superuser) as socket:
        await socket.subscribe("1", query)
        await subscribers(world, 1)
        done = await rotation.rotate(world.database, lambda *_: None)
        assert done.rows == 12
        await socket.silence()
        rater = global_id("Rater", 1)
        await world.user.ask(
            'mutation($id: ID!) { updateRater(id: $id, input: {email: "n@x.example"}) { node { id } } }', id=rater
        )
        assert (await socket.receive())["payload"] == {"data": {"episodeChanged": {"change": "UPDATED"}}}


async def test_an_unreadable_row_stops_the_rotation(world: World) -> None:
    await world.restart(encryption_keys=FIRST)
    await people(world)
    await change(world, "UPDATE clients SET ssn = 'sealed:first:AAAA' WHERE id = 1")

    result = await run("rotate-keys", url=world.settings.database_url, CAREGRAPH_ENCRYPTION_KEYS=f"{SECOND},{FIRST}")

    assert result.exit_code == 1
    assert "clients.ssn holds a value that the key first does not open\n" in result.output
    assert {row[0] for row in await stored(world, "SELECT name FROM encryption_keys")} == {"first", "second"}


async def test_a_server_without_the_keys_does_not_start(world: World) -> None:
    await world.restart(encryption_keys=FIRST)
    await world.database.check_keys()
    url = world.settings.database_url

    for setting in ("", SECOND):
        environment = {**os.environ, "CAREGRAPH_DATABASE_URL": url, "CAREGRAPH_ENCRYPTION_KEYS": setting}
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "caregraph", "serve", "--port", "0"),
            env=environment,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await server.communicate()
        assert (server.returncode, said.decode()) == (
            1,
            "The database holds values under the encryption key first, which is not in CAREGRAPH_ENCRYPTION_KEYS\n",
        )


async def test_bulk_loads_are_encrypted_and_found(url: str) -> None:
    database = Database(settings_for(url, encryption_keys=FIRST))
    kim = {"full_name": "Kim", "alias": None, "ssn": "12-3", "phone": None, "gender": Gender.MALE, "created_at": now()}
    rows = {model: [] for model in (User, Label, Client, Episode, Session, Rater)}

    organization_id = await load(database, Dataset("Bulk", {**rows, Client: [{**kim, "gdpr_approval": True}]}), str)
    async with database.read_session(Viewer.system(organization_id)) as session:
        client = (await session.scalars(select(Client))).one()
        stored_ssn = await session.scalar(select(type_coerce(table_of(Client).c.ssn, Text)).select_from(Client))
    await database.close()

    assert (client.ssn, client.search_text) == ("12-3", "kim")
    assert client.ssn_index == Keyring(FIRST).index("123", "clients.ssn", organization_id)
    assert stored_ssn.startswith("sealed:first:")
