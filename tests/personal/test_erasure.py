"""`eraseClient`: what identifies goes, every number stays, and nothing comes back."""

import asyncio
import json
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Date, Text

from caregraph.db.base import table_of
from caregraph.db.dependents import reach
from caregraph.db.encryption import Encrypted
from caregraph.db.garbage import sweep
from caregraph.db.keys import model_of, referred
from caregraph.db.personal import Erasable, Personal
from caregraph.graph.node import global_id
from caregraph.people.enums import Gender
from caregraph.people.models import Client, ClientOwner
from contract.test_fit_statistics import golden_agency
from factories.people import make_client, make_consent, make_file
from factories.treatment import make_episode, make_ors, make_rater, make_session
from kit import Answer, Principal, World
from people.test_files import fetch, upload
from personal.keys import FIRST, in_files, stored
from tenancy.two_towns import Town, make_harbor, make_northfield

ERASE = """mutation($id: ID!) { eraseClient(id: $id) {
    node { fullName alias ssn birthDate gender phone comment gdprApproval erasedAt }
    errors { code message path }
} }"""
BLANK = {
    "fullName": "Erased",
    "alias": None,
    "ssn": None,
    "birthDate": None,
    "gender": "MALE",
    "phone": None,
    "comment": None,
    "gdprApproval": False,
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
SECRETS = {"full_name": "Zebulon", "alias": "Zeb", "ssn": "666-13", "phone": "+45 66613666", "comment": "Zeb's words"}


async def erase(principal: Principal, client_id: str) -> Answer:
    return await principal.ask(ERASE, id=client_id)


async def erased(world: World, client: Any) -> str:
    """Erase by the superuser; the client's id."""
    client_id = global_id("Client", client.id)
    assert (await erase(world.superuser, client_id)).data["eraseClient"]["errors"] == []
    return client_id


async def whole_database(world: World) -> str:
    """Everything but instants in the tables of people, past every rule."""
    names = sorted(
        (await world.counts()).keys() - {"users", "organizations", "api_tokens", "calculator_plans", "encryption_keys"}
    )
    rows = [(name, row) for name in names for row in await stored(world, f"SELECT * FROM {name}")]
    return str(sorted((name, [str(one) for one in row if not INSTANT.match(str(one))]) for name, row in rows))


@pytest.mark.parametrize("keys", ["", FIRST])
async def test_nothing_that_identifies_is_left(world: World, keys: str) -> None:
    await world.restart(encryption_keys=keys)
    client = await make_client(world.user, **SECRETS, birth_date=date(1966, 6, 13), gender=Gender.MALE)
    episode = await make_episode(
        world.user, client, title="Zeb's marriage", phone="66613667", comment="Zeb cries", start_date=date(2026, 1, 5)
    )
    rater = await make_rater(
        world.user, episode, client, full_name="Mother of Zeb", email="zeb@x.example", comment="Zeb"
    )
    session = await make_session(world.user, episode)
    await make_ors(world.user, session, client, 1, 2, 3, 4)
    await make_ors(world.user, session, client, 5, 5, 5, 5, rater=rater)
    await make_file(world.user, client, name="Zeb.pdf")
    await make_consent(world.user, client)
    before = await world.counts()
    secrets = ("eb", "1966", *(("sealed:", "#") if keys else ("666", "x.example")))
    text = await whole_database(world)
    assert [secret for secret in secrets if secret not in text] == []

    node = (await erase(world.superuser, global_id("Client", client.id))).data["eraseClient"]["node"]

    assert node.pop("erasedAt") is not None
    assert node == BLANK
    text = await whole_database(world)
    assert [secret for secret in secrets if secret in text] == []
    assert not await in_files(world, "Zeb")
    assert await world.counts() == {**before, "files": 0, "file_garbage": 1}
    assert await stored(world, "SELECT search_text, ssn_index, phone_index FROM clients") == [("", None, None)]
    assert await stored(world, "SELECT full_name, email, email_index, comment FROM raters") == [
        ("Erased", None, None, None)
    ]
    assert await stored(world, "SELECT title, phone, comment, search_text FROM episodes") == [
        ("Erased", None, None, "")
    ]
    assert await stored(world, "SELECT age_at_start FROM episode_clients") == [(59,)]
    assert await stored(world, "SELECT recorded_by, application_id FROM consents") == [(None, None)]


CHARTS = """{ clients(orderBy: CREATED_AT_ASC) { nodes { id scoresBySession {
    episode { id startDate endDate status }
    series { client { id } rater { id } intake latest cutoff change
        points { session { id sessionDate } zone alerts ors { id total alerts explain { rule value } } srs { id total } }
        trajectory { model expected successful unsuccessful serviceTarget intakeAboveRange } }
} } } }"""
DIMENSIONS = (
    *("CLIENT_LABEL", "EPISODE_LABEL", "USER", "MONTH"),
    *("AGE_BAND", "INTAKE_BAND", "RATER_KIND", "EPISODE_STATUS"),
)


async def _numbers(world: World) -> str:
    """All statistics that the golden agency's tests ask for, in every grouping, and all charts: as text."""
    answers = [
        (await world.superuser.ask(CHARTS)).data,
        (await world.superuser.run("fit.statistics.agency")).result,
        (await world.superuser.run("fit.statistics.user", id=world.user.id)).result,
        (await world.user.run("fit.statistics.current_user")).result,
    ]
    indices = list(answers[1]["total"])
    group = f"groups {{ keys {{ dimension value label }} indices {{ {' '.join(indices)} }} }}"
    for dimension in DIMENSIONS:
        for field in ("organizationStatistics", "userStatistics"):
            query = f"{{ {field}(groupBy: [{dimension}]) {{ {group} }} }}"
            answers.append((await world.superuser.ask(query)).data)
    return json.dumps(answers)


async def test_statistics_and_charts_are_the_same_to_the_byte(world: World) -> None:
    await golden_agency(world)
    await make_northfield(world)
    before = await _numbers(world)
    rows = await world.counts()
    listed = (await world.superuser.ask("{ clients { nodes { id } } }")).data["clients"]["nodes"]

    for one in listed:
        assert (await erase(world.superuser, one["id"])).data["eraseClient"]["errors"] == []

    assert len(listed) == 11
    assert await _numbers(world) == before
    assert await world.counts() == {**rows, "files": 0, "file_garbage": 2}


async def test_a_corrected_start_date_leaves_an_erased_client_s_age(world: World) -> None:
    town = await make_northfield(world)
    await erased(world, town.ann)

    answer = await world.superuser.ask(
        'mutation($id: ID!) { updateEpisode(id: $id, input: {startDate: "2025-12-01"}) { errors { message } } }',
        id=town.ids["shared"],
    )

    assert answer.data["updateEpisode"]["errors"] == []
    rows = await stored(world, "SELECT age_at_start FROM episode_clients WHERE client_id = :id", id=town.ann.id)
    assert rows == [(36,), (36,)]


SHARED = "query($id: ID!) { episode(id: $id) { title comment clients { fullName } raters { fullName } } }"


async def _shared(world: World, town: Town) -> Any:
    return (await world.superuser.ask(SHARED, id=town.ids["shared"])).data["episode"]


async def test_of_a_shared_episode_only_what_is_the_client_s_own_goes(world: World) -> None:
    town = await make_northfield(world)
    await make_harbor(world)

    await erased(world, town.ann)
    first = await _shared(world, town)
    alone = await world.superuser.ask("query($id: ID!) { episode(id: $id) { title } }", id=town.ids["alone"])
    await erased(world, town.bo)
    both = await _shared(world, town)

    assert first == {
        "title": "Shared",
        "comment": None,
        "clients": [{"fullName": "Erased"}, {"fullName": "HIDDEN Bo"}],
        "raters": [{"fullName": "Erased"}, {"fullName": "HIDDEN father"}],
    }
    assert alone.data["episode"] == {"title": "Erased"}
    assert both == {
        "title": "Erased",
        "comment": None,
        "clients": [{"fullName": "Erased"}] * 2,
        "raters": [{"fullName": "Erased"}] * 2,
    }
    assert await stored(
        world,
        "SELECT full_name, title FROM clients, episodes WHERE clients.organization_id = 2"
        " AND episodes.organization_id = 2",
    ) == [("HIDDEN Kay", "HIDDEN harbor")]


@pytest.mark.parametrize(
    "leaving",
    [
        "removeClientFromEpisode(id: $shared, clientId: $bo, force: true) { errors { message } }",
        "deleteClient(id: $bo, force: true) { errors { message } }",
    ],
)
async def test_an_episode_is_erased_when_its_last_client_who_is_not_leaves(world: World, leaving: str) -> None:
    town = await make_northfield(world)
    await erased(world, town.ann)
    names = [name for name in ("shared", "bo") if f"${name}" in leaving]
    head = ", ".join(f"${name}: ID!" for name in names)

    answer = await world.superuser.ask(f"mutation({head}) {{ done: {leaving} }}", **{n: town.ids[n] for n in names})

    assert answer.data["done"]["errors"] == []
    assert (await _shared(world, town)) == {
        "title": "Erased",
        "comment": None,
        "clients": [{"fullName": "Erased"}],
        "raters": [{"fullName": "Erased"}],
    }


async def test_an_erased_client_is_not_found_by_text(world: World) -> None:
    client = await make_client(world.user, **SECRETS)
    await make_episode(world.user, client, title="Zeb alone")
    await erased(world, client)
    query = """query($text: String!) {
        clients(search: $text) { totalCount } episodes(search: $text) { totalCount } all: clients { totalCount }
    }"""

    for text in ("Zebulon", "666-13", "Erased", "erased", "e"):
        found = (await world.superuser.ask(query, text=text)).data
        assert found == {"clients": {"totalCount": 0}, "episodes": {"totalCount": 0}, "all": {"totalCount": 1}}


LINES = "input: {individually: 1, interpersonally: 1, socially: 1, overall: 1}"
# Each with what it answers about an erased client's rows: which was erased, by which argument.
REFUSED = {
    'updateClient(id: $client, input: {fullName: "Z"})': ("Client", "id"),
    "eraseClient(id: $client)": ("Client", "id"),
    "setClientOwners(id: $client, userIds: [$user])": ("Client", "id"),
    "setClientLabels(id: $client, labelIds: [])": ("Client", "id"),
    "recordConsent(clientId: $client, kind: SMS, given: true)": ("Client", "clientId"),
    'createEpisode(clientId: $client, input: {title: "Z", startDate: "2026-01-01"})': ("Client", "clientId"),
    "addClientToEpisode(id: $other, clientId: $client)": ("Client", "clientId"),
    "addClientToEpisode(id: $episode, clientId: $client)": ("Episode", "id"),
    'createRater(episodeId: $episode, clientId: $client, input: {fullName: "Z"})': ("Episode", "episodeId"),
    'updateRater(id: $rater, input: {email: "z@x.example"})': ("Rater", "id"),
    'updateEpisode(id: $episode, input: {title: "Z"})': ("Episode", "id"),
    "setEpisodeLabels(id: $episode, labelIds: [])": ("Episode", "id"),
    'createSession(episodeId: $episode, input: {sessionDate: "2026-02-02"})': ("Episode", "episodeId"),
    f"createClientOrsScore(sessionId: $session, clientId: $client, {LINES})": ("Client", "clientId"),
    f"createRaterOrsScore(sessionId: $session, raterId: $rater, {LINES})": ("Rater", "raterId"),
}


async def test_nothing_is_written_into_erased_rows(world: World) -> None:
    client = await make_client(world.user, **SECRETS)
    episode = await make_episode(world.user, client)
    rows = {
        "client": client,
        "episode": episode,
        "rater": await make_rater(world.user, episode, client),
        "session": await make_session(world.user, episode),
        "other": await make_episode(world.user, await make_client(world.user)),
    }
    ids = {name: global_id(type(row).__name__, row.id) for name, row in rows.items()} | {"user": world.user.id}
    await erased(world, client)
    before = await whole_database(world)

    for field, (kind, argument) in REFUSED.items():
        names = [name for name in ids if f"${name}" in field]
        head = ", ".join(f"${name}: ID!" for name in names)
        answer = await world.superuser.ask(
            f"mutation({head}) {{ done: {field} {{ node {{ id }} errors {{ code message path }} }} }}",
            **{name: ids[name] for name in names},
        )
        assert answer.data["done"] == {
            "node": None,
            "errors": [{"code": "CONFLICT", "message": f"{kind} was erased", "path": [argument]}],
        }
    uploaded = (await upload(world.user, ids["client"])).data["uploadFile"]
    assert uploaded["errors"] == [{"code": "CONFLICT", "message": "Client was erased", "path": ["clientId"]}]
    assert await whole_database(world) == before


async def test_an_erased_client_can_be_deleted(world: World) -> None:
    client = await make_client(world.user)
    await make_episode(world.user, client)
    client_id = await erased(world, client)

    answer = await world.superuser.ask(
        "mutation($id: ID!) { deleteClient(id: $id, force: true) { deletedId errors { message } } }", id=client_id
    )

    assert answer.data["deleteClient"] == {"deletedId": client_id, "errors": []}
    assert (await world.counts())["clients"] == 0


async def test_links_given_before_end_and_the_bytes_go(world: World) -> None:
    client = await make_client(world.user)
    url = (await upload(world.user, global_id("Client", client.id))).data["uploadFile"]["node"]["url"]
    assert (await fetch(world, url))[0] == 200

    await erased(world, client)

    assert (await fetch(world, url))[:2] == (404, b"Not found")
    assert await sweep(world.database, world.app.state.storage) == 1


async def test_only_superusers_erase_and_only_in_their_organization(world: World) -> None:
    client = await make_client(world.user, **SECRETS)
    client_id = global_id("Client", client.id)
    before = await whole_database(world)

    for principal in (world.user, world.colleague, world.other_user, world.calculator):
        assert (await erase(principal, client_id)).error == ("FORBIDDEN", "Access denied")
    assert (await erase(world.nobody, client_id)).error == ("UNAUTHENTICATED", "Authentication failed")
    assert (await erase(world.other_superuser, client_id)).data["eraseClient"] == {
        "node": None,
        "errors": [{"code": "NOT_FOUND", "message": "Client not found", "path": ["id"]}],
    }
    assert await whole_database(world) == before


async def test_an_erasure_that_fails_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await make_client(world.user, **SECRETS)
    await make_file(world.user, client)
    before = await whole_database(world)

    async def fail(*_: object) -> None:
        raise RuntimeError("at the very end")

    monkeypatch.setattr("caregraph.graph.actions.refuse_erased_meanwhile", fail)
    answer = await erase(world.superuser, global_id("Client", client.id))

    assert answer.error[0] == "INTERNAL_SERVER_ERROR"
    assert await whole_database(world) == before


HEADS = {"c": "$c: ID!", "r": "$r: ID!", "e": "$e: ID!", "ec": "$e: ID!, $c: ID!"}
WRITES = [
    ('updateClient(id: $c, input: {fullName: "Zeb", ssn: "666"})', "c"),
    ('updateRater(id: $r, input: {fullName: "Zeb"})', "r"),
    ('updateEpisode(id: $e, input: {title: "Zeb"})', "e"),
    ('createRater(episodeId: $e, clientId: $c, input: {fullName: "Zeb"})', "ec"),
    ('createEpisode(clientId: $c, input: {title: "Zeb", startDate: "2026-01-01"})', "c"),
]


async def test_what_is_written_during_an_erasure_is_refused_or_erased(world: World) -> None:
    """Whichever comes first, nothing personal is there in the end."""
    clients = [await make_client(world.user, **SECRETS) for _ in range(6)]
    for client in clients:
        episode = await make_episode(world.user, client, title="Zeb")
        rater = await make_rater(world.user, episode, client, full_name="Zeb")
        ids = {
            "c": global_id("Client", client.id),
            "e": global_id("Episode", episode.id),
            "r": global_id("Rater", rater.id),
        }
        changes = [
            (f"mutation({HEADS[names]}) {{ x: {field} {{ errors {{ code }} }} }}", names) for field, names in WRITES
        ]
        asked = [world.user.ask(query, **{name: ids[name] for name in names}) for query, names in changes]
        answers = await asyncio.gather(*asked[:3], erase(world.superuser, ids["c"]), *asked[3:])
        assert answers[3].data["eraseClient"]["errors"] == []
        for answer in (*answers[:3], *answers[4:]):
            assert answer.data["x"]["errors"] in ([], [{"code": "CONFLICT"}])

    text = await whole_database(world)
    assert "Zeb" not in text
    assert "zeb" not in text
    assert "666" not in text


# Texts of rows about clients that an erasure leaves, each with why it says nothing about the person.
HARMLESS: set[tuple[str, str]] = set()


def test_every_text_about_a_client_is_declared() -> None:
    """A new column of a table that goes with a client says in `personal` what an erasure makes of it."""
    client = Client(id=1)
    reached = [one.table for one in reach(table_of(Client), client)]
    undeclared = set()
    for table in (table_of(Client), *reached):
        personal: Personal = getattr(model_of(table), "personal", Personal())
        for column in table.c:
            is_text = isinstance(column.type, Text | Encrypted) and not column.info.get("internal")
            says_when_born = isinstance(column.type, Date) and "birth" in column.name
            is_declared = personal.goes or column.name in {*personal.becomes, *personal.stays}
            if (is_text or says_when_born) and not is_declared:
                undeclared.add((table.name, column.name))

    assert undeclared == HARMLESS, "declare it in the model's `personal`, or argue it here"


def test_declarations_name_columns_that_can_take_them() -> None:
    client = Client(id=1)
    tables = [table_of(Client), *(one.table for one in reach(table_of(Client), client))]
    declared = {table.name: model_of(table).personal for table in tables if hasattr(model_of(table), "personal")}

    assert declared.keys() == {"clients", "files", "consents", "episodes", "raters", "answer_sets", "item_responses"}
    for name, personal in declared.items():
        table = next(one for one in tables if one.name == name)
        for column, value in personal.becomes.items():
            assert value is not None or table.c[column].nullable, (name, column)
        assert {*personal.stays} <= {*table.c.keys()}


def test_what_is_erased_with_a_client_is_the_client_s_own() -> None:
    """By a key of its own to the client, or shared by links that are counted; never by way of what others share."""
    client = Client(id=1)
    for one in reach(table_of(Client), client):
        if hasattr(model_of(one.table), "personal") and one.carried_by is None:
            ways = [
                column for column in one.table.c if column.foreign_keys and referred(column).table is table_of(Client)
            ]
            assert ways, f"{one.table.name} is reached by what several clients may share"
    assert issubclass(Client, Erasable)
    assert not issubclass(ClientOwner, Erasable)
