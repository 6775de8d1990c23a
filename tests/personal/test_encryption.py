"""Numbers, telephones and e-mails at rest: what lies in the database, who can read it, and how it is found."""

from pathlib import Path
from typing import Any

import pytest

from caregraph.db.base import Base
from caregraph.db.encryption import Encrypted, Keyring, UnreadableValueError, mailbox, number, telephone
from caregraph.db.keyuse import EncryptionKeyError
from caregraph.graph.node import global_id
from caregraph.people.models import Client
from caregraph.settings import InvalidSettingError
from factories.people import make_client
from factories.treatment import make_episode, make_rater
from kit import World, settings_for
from personal.keys import FIRST, IMPOSTOR, SECOND, change, stored

NUMBERS = {"ssn": "010190-1234", "phone": "+45 12 34 56 78"}
CLIENT = "query($id: ID!) { client(id: $id) { ssn phone } }"
SEARCH = "query($text: String) { clients(search: $text) { totalCount nodes { fullName } } }"
EXACT = (
    "query($ssn: String, $phone: PhoneNumber) { clients(ssn: $ssn, phone: $phone) { totalCount nodes { fullName } } }"
)
INTERNAL = ("INTERNAL_SERVER_ERROR", "Internal server error. Support staff has been notified.")


@pytest.fixture
async def sealed(world: World) -> World:
    """The world behind a server with a key."""
    await world.restart(encryption_keys=FIRST)
    return world


async def found(world: World, query: str, **variables: Any) -> list[str]:
    page = (await world.superuser.ask(query, **variables)).data["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["fullName"] for node in page["nodes"]]


async def test_only_ciphertext_lies_in_the_database(sealed: World, url: str) -> None:
    create = """mutation($ssn: String, $phone: PhoneNumber) {
        createClient(input: {fullName: "Kim", ssn: $ssn, phone: $phone}) { node { id ssn phone } errors { message } }
    }"""

    made = (await sealed.user.ask(create, **NUMBERS)).data["createClient"]
    client = await make_client(sealed.user)
    episode = await make_episode(sealed.user, client, phone="+45 87654321")
    await make_rater(sealed.user, episode, client, email="robin@example.com")

    assert made == {"node": {"id": global_id("Client", 1), **NUMBERS}, "errors": []}
    [(ssn, phone, text, ssn_index, phone_index)] = await stored(
        sealed, "SELECT ssn, phone, search_text, ssn_index, phone_index FROM clients WHERE id = 1"
    )
    assert ssn.startswith("sealed:first:")
    assert phone.startswith("sealed:first:")
    assert text == "kim"
    assert (ssn_index[0], len(ssn_index)) == ("#", 65)
    assert (phone_index[0], len(phone_index)) == ("#", 65)
    [(email, email_index)] = await stored(sealed, "SELECT email, email_index FROM raters")
    assert email.startswith("sealed:first:")
    assert (email_index[0], len(email_index)) == ("#", 65)
    [(phone,)] = await stored(sealed, "SELECT phone FROM episodes")
    assert phone.startswith("sealed:first:")
    if url.startswith("sqlite"):
        await sealed.close()
        files = [one.read_bytes() for one in Path(url.partition("///")[2]).parent.glob("caregraph.sqlite*")]
        for secret in (b"1234", b"12 34 56 78", b"87654321", b"robin@"):
            assert not any(secret in content for content in files)


async def test_the_same_number_never_looks_the_same(sealed: World) -> None:
    for owner in (sealed.user, sealed.colleague, sealed.other_user):
        await make_client(owner, **NUMBERS)

    rows = await stored(sealed, "SELECT organization_id, ssn, phone, ssn_index, phone_index FROM clients ORDER BY id")

    assert len({row[1] for row in rows} | {row[2] for row in rows}) == 6
    assert rows[0][3:] == rows[1][3:]
    assert not set(rows[0][3:]) & set(rows[2][3:])
    assert len({row[3] for row in rows} | {row[4] for row in rows}) == 4


async def test_without_a_key_everything_is_as_it_was(world: World) -> None:
    await make_client(world.user, full_name="Kim", **NUMBERS)

    assert await stored(world, "SELECT ssn, phone, search_text, ssn_index FROM clients") == [
        ("010190-1234", "+45 12 34 56 78", "kim\n010190-1234", "=0101901234")
    ]
    assert await found(world, SEARCH, text="90-12") == ["Kim"]
    assert await found(world, SEARCH, text="0101901234") == []
    assert await found(world, EXACT, ssn="0101901234") == ["Kim"]
    assert await stored(world, "SELECT * FROM encryption_keys") == []


@pytest.mark.parametrize("text", ["sealed:first:AAAA", "sealed::", "sealed:"])
async def test_text_that_looks_like_ciphertext_is_only_text(world: World, text: str) -> None:
    client = await make_client(world.user, ssn=text)
    client_id = global_id("Client", client.id)

    before = (await world.user.ask(CLIENT, id=client_id)).data["client"]["ssn"]
    await world.restart(encryption_keys=FIRST)
    after = (await world.user.ask(CLIENT, id=client_id)).data["client"]["ssn"]

    assert (before, after) == (text, text)
    assert await found(world, EXACT, ssn=text) == ["Kim Client"]


async def test_search_matches_whole_numbers_only(sealed: World) -> None:
    await make_client(sealed.user, full_name="Kim 010190", **NUMBERS)
    await make_client(sealed.other_user, full_name="Elsewhere", **NUMBERS)

    for text in ("010190-1234", "0101901234", " 010190 1234", "\uff10\uff11\uff10\uff11\uff19\uff10\N{EN DASH}1234"):
        assert await found(sealed, SEARCH, text=text) == ["Kim 010190"]
        assert await found(sealed, EXACT, ssn=text) == ["Kim 010190"]
    assert await found(sealed, SEARCH, text="10190") == ["Kim 010190"]  # in the name
    for text in ("1234", "90-1234", "010190-123", "+45 12 34 56 78", "-", "#", "="):
        assert await found(sealed, SEARCH, text=text) == []
    for text in ("1234", "-", " ", ""):
        assert await found(sealed, EXACT, ssn=text) == []
    for text in ("+4512345678", "+45 (12) 34-56.78"):
        assert await found(sealed, EXACT, phone=text) == ["Kim 010190"]
    assert await found(sealed, EXACT, phone="12345678") == []
    assert await found(sealed, EXACT, phone="+4512345678", ssn="1") == []


async def test_what_one_does_not_see_is_not_found_by_its_number(sealed: World) -> None:
    await make_client(sealed.colleague, **NUMBERS)

    for principal, count in (
        (sealed.colleague, 1),
        (sealed.superuser, 1),
        (sealed.user, 0),
        (sealed.other_superuser, 0),
    ):
        for query, variables in ((SEARCH, {"text": NUMBERS["ssn"]}), (EXACT, NUMBERS)):
            assert (await principal.ask(query, **variables)).data["clients"]["totalCount"] == count


async def test_a_stored_index_cannot_be_searched_for(sealed: World) -> None:
    await make_client(sealed.user, **NUMBERS)
    [(index,)] = await stored(sealed, "SELECT ssn_index FROM clients")

    assert await found(sealed, SEARCH, text=index) == []
    assert await found(sealed, EXACT, ssn=index) == []


async def test_a_changed_number_is_found_and_the_former_is_not(sealed: World) -> None:
    client = await make_client(sealed.user, **NUMBERS)
    update = "mutation($id: ID!, $in: ClientPatch!) { updateClient(id: $id, input: $in) { node { ssn } errors { message } } }"
    client_id = global_id("Client", client.id)

    changed = (await sealed.user.ask(update, id=client_id, **{"in": {"ssn": "77"}})).data["updateClient"]
    assert changed == {"node": {"ssn": "77"}, "errors": []}
    assert await found(sealed, SEARCH, text="77") == ["Kim Client"]
    assert await found(sealed, SEARCH, text=NUMBERS["ssn"]) == []
    removed = (await sealed.user.ask(update, id=client_id, **{"in": {"ssn": None}})).data["updateClient"]
    assert removed == {"node": {"ssn": None}, "errors": []}
    assert await stored(sealed, "SELECT ssn, ssn_index FROM clients") == [(None, None)]


async def test_rows_from_before_the_key_are_read_and_found(world: World) -> None:
    await make_client(world.user, full_name="Before", **NUMBERS)
    await world.restart(encryption_keys=FIRST)
    await make_client(world.user, full_name="After", **NUMBERS)

    answer = await world.superuser.ask("{ clients(orderBy: CREATED_AT_ASC) { nodes { fullName ssn phone } } }")

    assert answer.data["clients"]["nodes"] == [{"fullName": name, **NUMBERS} for name in ("Before", "After")]
    assert await found(world, SEARCH, text="0101901234") == ["After", "Before"]
    assert await found(world, EXACT, **NUMBERS) == ["After", "Before"]


@pytest.mark.parametrize("keys", ["", SECOND, IMPOSTOR])
async def test_without_the_right_key_nothing_is_shown_and_nothing_written(sealed: World, keys: str) -> None:
    client = await make_client(sealed.user, **NUMBERS)
    await sealed.restart(encryption_keys=keys)
    before = await sealed.counts()

    read = await sealed.user.ask(CLIENT, id=global_id("Client", client.id))
    name = await sealed.user.ask("{ clients { nodes { fullName } } }")
    made = await sealed.user.ask(
        'mutation { createClient(input: {fullName: "New"}) { node { id } errors { message } } }'
    )

    for answer in (read, name, made):
        assert answer.error == INTERNAL
        assert "sealed" not in str(answer.body)
    assert await sealed.counts() == before


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", "The database holds values under the encryption key first, which is not in CAREGRAPH_ENCRYPTION_KEYS"),
        (SECOND, "The database holds values under the encryption key first, which is not in CAREGRAPH_ENCRYPTION_KEYS"),
        (
            IMPOSTOR,
            "The encryption key first in CAREGRAPH_ENCRYPTION_KEYS is another than the database was written with",
        ),
    ],
)
async def test_a_server_says_which_key_it_lacks(sealed: World, keys: str, message: str) -> None:
    await make_client(sealed.user)
    await sealed.restart(encryption_keys=keys)

    with pytest.raises(EncryptionKeyError) as caught:
        await sealed.database.check_keys()

    assert str(caught.value) == message


async def test_altered_and_misplaced_ciphertext_is_refused(sealed: World) -> None:
    client = await make_client(sealed.user, **NUMBERS)
    client_id = global_id("Client", client.id)
    [(ssn, phone)] = await stored(sealed, "SELECT ssn, phone FROM clients")
    flipped = ssn[:-6] + ("A" if ssn[-6] != "A" else "B") + ssn[-5:]

    for text in (flipped, phone, ssn[:-8], ssn + "AAAA", "sealed:first:", "sealed:first:!", "sealed:second:AAAA"):
        await change(sealed, "UPDATE clients SET ssn = :text", text=text)
        answer = await sealed.user.ask(CLIENT, id=client_id)
        assert answer.error == INTERNAL
        assert text not in str(answer.body)
    await change(sealed, "UPDATE clients SET ssn = :text", text=ssn)
    assert (await sealed.user.ask(CLIENT, id=client_id)).data["client"] == NUMBERS


async def test_two_servers_in_one_process_keep_to_their_own_keys(sealed: World) -> None:
    client_id = global_id("Client", (await make_client(sealed.user, **NUMBERS)).id)
    other = World(sealed.settings.database_url, sealed.settings.database_url, encryption_keys=SECOND)
    try:
        refused = await other.http.post(
            "/graphql", json={"query": CLIENT, "variables": {"id": client_id}}, headers=sealed.user.headers
        )
        assert refused.json()["errors"][0]["message"] == INTERNAL[1]
        assert (await sealed.user.ask(CLIENT, id=client_id)).data["client"] == NUMBERS
    finally:
        await other.close()


def test_an_encrypted_column_is_neither_compared_nor_ordered() -> None:
    for wrong in (lambda: Client.ssn == "1", lambda: Client.ssn.in_(["1"]), Client.ssn.desc):
        with pytest.raises(
            TypeError, match=r"^An encrypted column cannot be compared or ordered: ask its blind index$"
        ):
            wrong()
    assert str(Client.ssn.is_(None)) == "clients.ssn IS NULL"


def test_encrypted_columns_name_their_own_place() -> None:
    columns = [column for table in Base.metadata.tables.values() for column in table.c]
    encrypted = [column for column in columns if isinstance(column.type, Encrypted)]

    assert {column.type.place for column in encrypted} == {
        "clients.ssn",
        "clients.phone",
        "raters.email",
        "episodes.phone",
        "item_responses.text",
    }
    assert [column for column in encrypted if column.type.place != f"{column.table.name}.{column.name}"] == []


@pytest.mark.parametrize(
    ("normal", "text", "expected"),
    [
        (number, "0101 90-1234", "0101901234"),
        (number, "\uff21\uff22\N{NON-BREAKING HYPHEN}1\N{NO-BREAK SPACE}2/3", "ab12/3"),
        (number, "Straße\N{EM DASH}1", "strasse1"),
        (telephone, "+45 (12) 34-56/78.9", "+45123456789"),
        (mailbox, " Robin-X@Example.COM ", "robin-x@example.com"),
    ],
)
def test_what_counts_as_equal(normal: Any, text: str, expected: str) -> None:
    assert normal(text) == expected


def test_a_column_is_part_of_what_is_sealed() -> None:
    ring, other = Keyring(FIRST), Keyring(IMPOSTOR)
    sealed = ring.seal("1", "a.b")

    assert ring.open(sealed, "a.b") == "1"
    for keys, place in ((ring, "a.c"), (other, "a.b"), (Keyring(""), "a.b")):
        with pytest.raises(UnreadableValueError):
            keys.open(sealed, place)


@pytest.mark.parametrize(
    "keys", ["first", "first:", "first:AAAA", f"{FIRST},{FIRST}", "fi rst:x", f"{FIRST},none", "none:AAAA", f"{FIRST},"]
)
def test_a_setting_that_is_no_keys_is_refused(keys: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        settings_for("sqlite+aiosqlite:///x", encryption_keys=keys)

    assert str(caught.value) == (
        "CAREGRAPH_ENCRYPTION_KEYS must be name:key, several with commas between: names of letters, digits, - and _,"
        " each once, keys of 32 bytes as base64; none may stand first"
    )


def test_settings_do_not_print_their_secrets() -> None:
    settings = settings_for("sqlite+aiosqlite:///x", encryption_keys=FIRST, secret_key="s3cret", metrics_token="t0ken")

    assert not [one for one in ("first:", "s3cret", "t0ken") if one in repr(settings)]
