"""The one way of every mutation: inputs, transaction, service, commit, a fresh look, and what is said when it fails."""

import functools
import json
import logging
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from caregraph.app import built_schema
from caregraph.db.constraints import Violation, violated
from caregraph.graph.actions import Action
from caregraph.graph.build import kit_fields
from caregraph.graph.errors import Code, Refused
from caregraph.graph.node import global_id
from caregraph.organizations.models import Membership
from caregraph.people.models import Client, Label
from caregraph.treatment.models import Session
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session
from kit import World

NOTHING = {"node": None, "errors": []}
INTERNAL = "Internal server error. Support staff has been notified."


def _action(name: str) -> Action:
    (found,) = [made.action for made in kit_fields(built_schema()) if made.action and made.python_name == name]
    return found


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """`createLabel` writes its row, then fails in a way that nobody foresaw, with personal data in the message."""
    action = _action("create_label")
    create = action.service

    @functools.wraps(create)
    async def fail(**arguments: Any) -> Any:
        await create(**arguments)
        raise RuntimeError("Kim Secret 010190-1234")

    monkeypatch.setattr(action, "service", fail)


def _create(alias: str, name: str) -> str:
    return f"{alias}: createClient(input: {{fullName: {json.dumps(name)}}}) {{ node {{ fullName }} errors {{ code message path }} }}"


async def test_a_refused_mutation_leaves_those_beside_it_alone(world: World) -> None:
    before = await world.counts()

    answer = await world.user.ask(f"mutation {{ {_create('a', 'Ann')} {_create('b', ' ')} {_create('c', 'Cy')} }}")

    assert answer.data == {
        "a": {"node": {"fullName": "Ann"}, "errors": []},
        "b": {
            "node": None,
            "errors": [{"code": "INVALID", "message": "must not be empty", "path": ["input", "fullName"]}],
        },
        "c": {"node": {"fullName": "Cy"}, "errors": []},
    }
    after = await world.counts()
    assert after == {**before, "clients": before["clients"] + 2, "client_owners": before["client_owners"] + 2}


async def test_a_forbidden_mutation_leaves_those_beside_it_alone(world: World) -> None:
    label = 'b: createLabel(input: {name: "Winter"}) { node { name } }'

    answer = await world.user.ask(f"mutation {{ {_create('a', 'Ann')} {label} {_create('c', 'Cy')} }}")

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["errors"][0]["path"] == ["b"]
    assert answer.body["data"] == {
        "a": {"node": {"fullName": "Ann"}, "errors": []},
        "b": None,
        "c": {"node": {"fullName": "Cy"}, "errors": []},
    }
    assert (await world.counts())["clients"] == 2


@pytest.mark.usefixtures("broken")
async def test_a_bug_is_masked_logged_by_reference_and_undone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    before = await world.counts()
    label = 'b: createLabel(input: {name: "Top secret"}) { node { name } errors { code } }'

    with caplog.at_level(logging.DEBUG, "caregraph"):
        answer = await world.superuser.ask(f"mutation {{ {_create('a', 'Ann')} {label} {_create('c', 'Cy')} }}")

    (error,) = answer.body["errors"]
    reference = error["extensions"]["reference"]
    assert answer.status == 200
    assert error == {
        "message": INTERNAL,
        "path": ["b"],
        "locations": error["locations"],
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "reference": reference},
    }
    assert answer.body["data"]["b"] is None
    assert [answer.body["data"][name]["node"] for name in "ac"] == [{"fullName": "Ann"}, {"fullName": "Cy"}]
    after = await world.counts()
    assert after == {**before, "clients": before["clients"] + 2, "client_owners": before["client_owners"] + 2}
    (record,) = [one for one in caplog.records if one.name == "caregraph.errors"]
    assert record.getMessage() == f"error {reference} at createLabel: RuntimeError"
    assert record.exc_info is None
    for text in ("Secret", "010190", "Top secret"):
        assert text not in json.dumps(answer.body)
        assert text not in caplog.text


async def test_a_bug_in_a_query_is_masked_too(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> Any:
        raise KeyError("Kim Secret")

    await make_client(world.user)
    monkeypatch.setattr("caregraph.graph.loaders.CountByParent.load_many", fail)
    monkeypatch.setattr("caregraph.graph.compiled.below.ToPage._counts", fail)

    answer = await world.user.ask("{ clients { nodes { episodes { totalCount } } } hello { helloFrom } }")

    assert answer.error == ("INTERNAL_SERVER_ERROR", INTERNAL)
    assert answer.body["errors"][0]["path"] == ["clients", "nodes", 0, "episodes", "totalCount"]
    assert answer.body["data"] == {"clients": None, "hello": {"helloFrom": "Caregraph"}}
    assert "Secret" not in json.dumps(answer.body) + caplog.text


async def test_a_failure_of_the_database_is_masked_with_its_values(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Drivers put statement and parameters into their messages."""
    action = _action("create_label")

    @functools.wraps(action.service)
    async def fail(tx: Any, **_: Any) -> Any:
        tx.add(Membership(user_id=world.superuser.row_id))  # a second one: a constraint without a message of its own
        tx.add(Client(full_name="Kim Secret"))
        await tx.flush()

    monkeypatch.setattr(action, "service", fail)
    before = await world.counts()

    answer = await world.superuser.ask('mutation { createLabel(input: {name: "Winter"}) { node { name } } }')

    assert answer.error == ("INTERNAL_SERVER_ERROR", INTERNAL)
    assert await world.counts() == before
    said = json.dumps(answer.body) + caplog.text
    assert [word for word in ("Secret", "INSERT", "memberships", "uq_") if word in said] == []


async def test_a_refusal_inside_the_service_undoes_what_it_wrote(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    action = _action("create_label")
    create = action.service

    @functools.wraps(create)
    async def refuse(**arguments: Any) -> Any:
        await create(**arguments)
        raise Refused(Code.LIMIT, "Enough labels", "input", "name")

    monkeypatch.setattr(action, "service", refuse)
    before = await world.counts()

    answer = await world.superuser.ask(
        'mutation { createLabel(input: {name: "Winter"}) { node { name } errors { code message path } } }'
    )

    refusal = {"code": "LIMIT", "message": "Enough labels", "path": ["input", "name"]}
    assert answer.data["createLabel"] == {"node": None, "errors": [refusal]}
    assert await world.counts() == before


async def test_what_is_wrong_with_an_input_is_said_all_at_once(world: World) -> None:
    before = await world.counts()
    mutation = """mutation { createUser(input: {
        email: "new@northfield.example", fullName: "", password: "short", screenLockTimeout: 86401, locale: null
        timeZone: "%s"
    }) { node { id } errors { code message path } } }"""

    answer = await world.superuser.ask(mutation % ("x" * 65))

    assert answer.data["createUser"] == {
        "node": None,
        "errors": [
            {"code": "INVALID", "message": "must not be empty", "path": ["input", "fullName"]},
            {"code": "INVALID", "message": "must have at least 8 characters", "path": ["input", "password"]},
            {"code": "INVALID", "message": "must have at most 64 characters", "path": ["input", "timeZone"]},
            {"code": "INVALID", "message": "must be between 0 and 86400", "path": ["input", "screenLockTimeout"]},
        ],
    }
    assert await world.counts() == before


async def test_a_wrong_input_opens_no_transaction(world: World) -> None:
    with world.statements() as statements:
        await world.user.ask(f"mutation {{ {_create('a', '')} }}")

    assert statements == []


async def test_a_list_of_ids_has_at_most_a_hundred(world: World) -> None:
    client = await make_client(world.user)
    label = await make_label(world.superuser, "Winter")
    query = """mutation($id: ID!, $labelIds: [ID!]!) {
        setClientLabels(id: $id, labelIds: $labelIds) { node { labels { name } } errors { code message path } }
    }"""

    def ask(count: int) -> Any:
        return world.user.ask(query, id=global_id("Client", client.id), labelIds=[global_id("Label", label.id)] * count)

    assert (await ask(101)).data["setClientLabels"] == {
        "node": None,
        "errors": [{"code": "INVALID", "message": "must have at most 100 items", "path": ["labelIds"]}],
    }
    assert (await ask(100)).data["setClientLabels"] == {"node": {"labels": [{"name": "Winter"}]}, "errors": []}


async def test_a_node_that_is_no_longer_seen_is_null_without_errors(world: World) -> None:
    client = await make_client(world.user)
    query = """mutation($id: ID!, $userIds: [ID!]!) {
        setClientOwners(id: $id, userIds: $userIds) { node { id } errors { code } }
    }"""

    answer = await world.user.ask(query, id=global_id("Client", client.id), userIds=[world.colleague.id])

    assert answer.data["setClientOwners"] == NOTHING
    seen = await world.colleague.ask("{ clients { nodes { id } } }")
    assert seen.data["clients"]["nodes"] == [{"id": global_id("Client", client.id)}]


async def test_each_payload_shows_the_state_after_its_own_mutation(world: World) -> None:
    client = await make_client(world.user, full_name="Before")
    query = """mutation($id: ID!) {
        a: updateClient(id: $id, input: {fullName: "A"}) { node { fullName alias } }
        b: updateClient(id: $id, input: {alias: "B"}) { node { fullName alias } }
        c: deleteClient(id: $id) { deletedId errors { code } }
        d: updateClient(id: $id, input: {alias: "D"}) { node { alias } errors { code message path } }
    }"""

    answer = await world.user.ask(query, id=global_id("Client", client.id))

    assert answer.data == {
        "a": {"node": {"fullName": "A", "alias": None}},
        "b": {"node": {"fullName": "A", "alias": "B"}},
        "c": {"deletedId": global_id("Client", client.id), "errors": []},
        "d": {"node": None, "errors": [{"code": "NOT_FOUND", "message": "Client not found", "path": ["id"]}]},
    }


async def test_a_patch_changes_only_the_fields_sent(world: World) -> None:
    client = await make_client(world.user, full_name="Kim", alias="K", comment="Kept", birth_date=date(1990, 1, 1))
    query = """mutation($id: ID!, $input: ClientPatch!) {
        updateClient(id: $id, input: $input) { node { fullName alias comment birthDate } errors { message path } }
    }"""

    async def patch(**values: Any) -> Any:
        answer = await world.user.ask(query, id=global_id("Client", client.id), input=values)
        return answer.data["updateClient"]

    kept = {"fullName": "Kim", "alias": "K", "comment": "Kept", "birthDate": "1990-01-01"}
    assert await patch() == {"node": kept, "errors": []}
    assert await patch(alias=None) == {"node": {**kept, "alias": None}, "errors": []}
    refused = [{"message": "must not be null", "path": ["input", "fullName"]}]
    assert await patch(fullName=None, alias="L") == {"node": None, "errors": refused}
    assert await patch(comment="") == {"node": {**kept, "alias": None, "comment": ""}, "errors": []}


async def test_constraints_speak_in_the_words_of_their_declaration(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    rater = await make_rater(world.user, episode, client)
    session = await make_session(world.user, episode)
    await make_ors(world.user, session, client)
    await make_ors(world.user, session, client, rater=rater)
    await make_label(world.superuser, "Winter")
    ids = {"c": client, "e": episode, "r": rater, "s": session}
    variables = {
        name: global_id(kind, ids[name].id)
        for name, kind in (("c", "Client"), ("e", "Episode"), ("r", "Rater"), ("s", "Session"))
    }
    errors = "errors { code message path }"
    lines = "input: {individually: 1, interpersonally: 1, socially: 1, overall: 1}"
    before = await world.counts()

    answer = await world.superuser.ask(
        f"""mutation($c: ID!, $e: ID!, $r: ID!, $s: ID!) {{
            label: createLabel(input: {{name: "Winter"}}) {{ {errors} }}
            user: createUser(input: {{email: "BEN@northfield.example", fullName: "B", password: "long enough"}}) {{ {errors} }}
            dates: updateEpisode(id: $e, input: {{endDate: "2025-12-31"}}) {{ {errors} }}
            own: createClientOrsScore(sessionId: $s, clientId: $c, {lines}) {{ {errors} }}
            rated: createRaterOrsScore(sessionId: $s, raterId: $r, {lines}) {{ {errors} }}
        }}""",
        **variables,
    )

    twice = {"code": "CONFLICT", "message": "This informant already has such a score on this session", "path": None}
    assert {name: found["errors"] for name, found in answer.data.items()} == {
        "label": [{"code": "CONFLICT", "message": "A label with this name already exists", "path": ["input", "name"]}],
        "user": [{"code": "CONFLICT", "message": "E-mail is already taken", "path": ["input", "email"]}],
        "dates": [
            {
                "code": "INVALID",
                "message": "End date must not be before the start date",
                "path": ["input", "endDate"],
            }
        ],
        "own": [twice],
        "rated": [twice],
    }
    assert await world.counts() == before


async def test_a_reference_to_a_row_that_is_gone_is_a_conflict(world: World) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with world.writing(world.user) as tx:
            tx.add(Session(episode_id=999, session_date=date(2026, 1, 1)))

    assert violated(caught.value) == Violation("A row that this refers to is no longer there", None, is_conflict=True)


async def test_a_constraint_without_a_message_is_a_bug(world: World) -> None:
    with pytest.raises(IntegrityError) as doubled:
        async with world.writing(world.user) as tx:
            tx.add(Membership(user_id=world.user.row_id))
    with pytest.raises(IntegrityError) as missing:
        async with world.writing(world.user) as tx:
            tx.add(Label(name=None))

    assert violated(doubled.value) is None
    assert violated(missing.value) is None
