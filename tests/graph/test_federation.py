"""What a gateway may ask: `_service`, and `_entities`, which believes nothing but a type name and an id."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from caregraph import schema
from caregraph.graph.federation import entity_types
from caregraph.graph.node import global_id, parse_id
from caregraph.graph.subgraph import subgraph_sdl
from factories.assessments import make_content
from factories.organizations import make_feature, make_invitation, make_location, make_permission
from factories.people import make_client, make_consent, make_file, make_group, make_label
from factories.programs import make_everything
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Answer, Principal, World

ENTITIES = """query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Node { id }
    ... on Client { fullName owners { fullName } }
    ... on Label { name }
    ... on Score { total }
  }
}"""


async def _entities(principal: Principal, *representations: Any, query: str = ENTITIES) -> Answer:
    return await principal.ask(query, representations=list(representations))


def _reference(type_name: str, row_id: int, **forged: Any) -> dict[str, Any]:
    return {"__typename": type_name, "id": global_id(type_name, row_id), **forged}


def _malformed(index: int, message: str) -> dict[str, Any]:
    return {
        "message": message,
        "locations": [{"line": 2, "column": 3}],
        "path": ["_entities", index],
        "extensions": {"code": "BAD_USER_INPUT", "argument": "representations"},
    }


async def test_the_service_tells_the_subgraph_to_anyone(world: World) -> None:
    answer = await world.nobody.ask("{ _service { sdl } }")

    assert answer.data == {"_service": {"sdl": subgraph_sdl(schema.build(), access=False)}}


async def test_the_service_tells_what_needs_signing_in_where_a_router_checks_it(url: str) -> None:
    telling = World(url, url, federation_access=True)

    answer = await telling.nobody.ask("{ _service { sdl } }")
    await telling.close()

    assert answer.data == {"_service": {"sdl": subgraph_sdl(schema.build(), access=True)}}


async def test_entities_come_in_the_order_of_their_representations(world: World) -> None:
    kim, lou = await make_client(world.user, full_name="Kim"), await make_client(world.user, full_name="Lou")
    label = await make_label(world.user, "urgent")
    session = await make_session(world.user, await make_episode(world.user, kim))
    ors = await make_ors(world.user, session, kim, 1, 2, 3, 4)

    answer = await _entities(
        world.user,
        _reference("Client", lou.id),
        _reference("OrsScore", ors.id),
        _reference("Label", label.id),
        _reference("Client", kim.id),
        _reference("Client", lou.id),
    )

    owners = [{"fullName": "Ben Borg"}]
    lou_found = {
        "__typename": "Client",
        "id": global_id("Client", lou.id),
        "fullName": "Lou",
        "owners": owners,
    }
    assert answer.data == {
        "_entities": [
            lou_found,
            {"__typename": "OrsScore", "id": global_id("OrsScore", ors.id), "total": 10.0},
            {"__typename": "Label", "id": global_id("Label", label.id), "name": "urgent"},
            {**lou_found, "id": global_id("Client", kim.id), "fullName": "Kim"},
            lou_found,
        ]
    }


async def test_every_entity_is_found(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    session = await make_session(world.user, episode)
    rater = await make_rater(world.user, episode, client)
    programs = await make_everything(world.superuser, "Program")
    group = await make_group(world.superuser, "North")
    content = await make_content(world.superuser, "Content", client)
    rows = {
        "AccessGrant": content["grant"].id,
        "AccessToken": (parse_id(programs["access_token"]) or ("", 0))[1],
        "AnswerScore": content["answer_score"].id,
        "AnswerSet": content["answers"].id,
        "ApiKey": (parse_id(programs["api_key"]) or ("", 0))[1],
        "ApiToken": world.superuser.row_id,  # each of the world's people has one, in their order
        "Application": (parse_id(programs["application"]) or ("", 0))[1],
        "Assessment": content["assessment"].id,
        "AssessmentDomain": content["domain_placed"].id,
        "AssessmentItem": content["placed"].id,
        "AssessmentScale": content["scale_placed"].id,
        "AuditEvent": 1,
        "CalculationVariable": content["variable"].id,
        "CalculatorPlan": (parse_id(programs["plan"]) or ("", 0))[1],
        "Client": client.id,
        "Consent": (await make_consent(world.user, client)).id,
        "CustomCalculation": content["calculation"].id,
        "Domain": content["domain"].id,
        "DomainScale": content["in_domain"].id,
        "Episode": episode.id,
        "FeatureFlag": (await make_feature(world.superuser, "assessments_web.x")).id,
        "File": (await make_file(world.user, client)).id,
        "GrantedPermission": (await make_permission(world.user)).id,
        "Group": group.id,
        "Invitation": (await make_invitation(world.superuser)).id,
        "Item": content["item"].id,
        "ItemOption": content["option"].id,
        "ItemResponse": content["response"].id,
        "ItemScale": content["weighed"].id,
        "Label": (await make_label(world.user, "urgent")).id,
        "Location": (await make_location(world.user)).id,
        "NetworkMember": content["network_member"].id,
        "Organization": 1,
        "OrsScore": (await make_ors(world.user, session, client)).id,
        "PercentileRankConfig": content["norm"].id,
        "Rater": rater.id,
        "ResultRange": content["range"].id,
        "Scale": content["scale"].id,
        "ScoreConfig": content["config"].id,
        "Session": session.id,
        "SrsScore": (await make_srs(world.user, session, client)).id,
        "Tag": content["tag"].id,
        "User": world.user.row_id,
        "VerticalAccessGrant": content["vertical_grant"].id,
    }
    references = [_reference(name, row_id) for name, row_id in rows.items()]

    answer = await _entities(
        world.superuser,
        *references,
        query="query ($representations: [_Any!]!) "
        "{ _entities(representations: $representations) { __typename ... on Node { id } } }",
    )

    assert [cls.__node__.name for cls in entity_types(schema.build())] == list(rows)
    assert answer.data == {"_entities": references}


@pytest.mark.parametrize("count", [2, 20])
async def test_one_statement_serves_all_representations_of_a_type(world: World, count: int) -> None:
    clients = [await make_client(world.user, full_name=f"Client {number}") for number in range(count)]
    labels = [await make_label(world.user, f"label {number}") for number in range(count)]
    references = [_reference("Client", one.id) for one in clients] + [_reference("Label", one.id) for one in labels]

    with world.statements() as statements:
        answer = await _entities(
            world.user,
            *references,
            query="query ($representations: [_Any!]!) { _entities(representations: $representations)"
            " { ... on Client { fullName } ... on Label { name } } }",
        )

    assert answer.data == {
        "_entities": [{"fullName": f"Client {number}"} for number in range(count)]
        + [{"name": f"label {number}"} for number in range(count)]
    }
    assert len(statements) == 2


async def test_aliases_share_a_statement(world: World) -> None:
    client = await make_client(world.user)
    query = """query ($representations: [_Any!]!) {
      a: _entities(representations: $representations) { ... on Client { fullName } }
      b: _entities(representations: $representations) { ... on Client { name: fullName } }
    }"""

    with world.statements() as statements:
        answer = await _entities(world.user, _reference("Client", client.id), query=query)

    assert answer.data == {"a": [{"fullName": "Kim Client"}], "b": [{"name": "Kim Client"}]}
    assert len(statements) == 1


async def test_rows_of_others_do_not_exist(world: World) -> None:
    mine = await make_client(world.user, full_name="Mine")
    colleagues = await make_client(world.colleague)
    foreign = await make_client(world.other_user)
    answer = await _entities(
        world.user,
        *(_reference("Client", one.id) for one in (colleagues, mine, foreign)),
        _reference("User", world.other_user.row_id),
        _reference("Organization", 2),
        _reference("Organization", 1),
    )

    assert answer.status == 200
    assert [one and one["fullName"] for one in answer.data["_entities"][:3]] == [None, "Mine", None]
    own = {"__typename": "Organization", "id": global_id("Organization", 1)}
    assert answer.data["_entities"][3:] == [None, None, own]
    theirs = await _entities(world.other_user, _reference("Client", foreign.id), _reference("Client", mine.id))
    assert [one and one["owners"] for one in theirs.data["_entities"]] == [[{"fullName": "Otto Orr"}], None]


async def test_forged_fields_are_ignored(world: World) -> None:
    client = await make_client(world.user)
    foreign = await make_client(world.other_user)
    forged = {"fullName": "Forged", "organization_id": 1, "organizationId": 1, "owners": [], "__class__": "x", "": None}

    answer = await _entities(
        world.user, _reference("Client", client.id, **forged), _reference("Client", foreign.id, **forged)
    )

    found = {"__typename": "Client", "id": global_id("Client", client.id), "fullName": "Kim Client"}
    assert answer.data == {"_entities": [{**found, "owners": [{"fullName": "Ben Borg"}]}, None]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "Client:1",
        "ø",
        global_id("Client", 2**70),
        global_id("Client", -1),
        global_id("Client", 99),
        "A" * 5000,
    ],
)
async def test_an_id_that_leads_nowhere_is_null(world: World, text: str) -> None:
    client = await make_client(world.user)

    answer = await _entities(world.user, {"__typename": "Client", "id": text}, _reference("Client", client.id))

    assert [one and one["fullName"] for one in answer.data["_entities"]] == [None, "Kim Client"]


async def test_an_id_of_another_type_is_null(world: World) -> None:
    client = await make_client(world.user)
    session = await make_session(world.user, await make_episode(world.user, client))
    ors = await make_ors(world.user, session, client)

    answer = await _entities(
        world.user,
        {"__typename": "Label", "id": global_id("Client", client.id)},
        {"__typename": "SrsScore", "id": global_id("OrsScore", ors.id)},
        _reference("SrsScore", ors.id),
    )

    assert answer.data == {"_entities": [None, None, None]}


_NO_OBJECT = "A representation must be an object"
_NO_ENTITY = "__typename must name an entity"
_NO_ID = "id must be a text"


@pytest.mark.parametrize(
    ("representation", "message"),
    [
        (5, _NO_OBJECT),
        ("Client", _NO_OBJECT),
        (True, _NO_OBJECT),
        ([], _NO_OBJECT),
        ([{"__typename": "Client", "id": "x"}], _NO_OBJECT),
        ({}, _NO_ENTITY),
        ({"id": "x"}, _NO_ENTITY),
        ({"__typename": None, "id": "x"}, _NO_ENTITY),
        ({"__typename": ["Client"], "id": "x"}, _NO_ENTITY),
        ({"__typename": {}, "id": "x"}, _NO_ENTITY),
        ({"__typename": "Query", "id": "x"}, _NO_ENTITY),
        ({"__typename": "PageInfo", "id": "x"}, _NO_ENTITY),
        ({"__typename": "Node", "id": "x"}, _NO_ENTITY),
        ({"__typename": "Score", "id": "x"}, _NO_ENTITY),
        ({"__typename": "client", "id": "x"}, _NO_ENTITY),
        ({"__typename": "__Type", "id": "x"}, _NO_ENTITY),
        ({"__typename": "Client"}, _NO_ID),
        ({"__typename": "Client", "id": None}, _NO_ID),
        ({"__typename": "Client", "id": 1}, _NO_ID),
        ({"__typename": "Client", "id": {"id": "x"}}, _NO_ID),
        ({"__typename": "Client", "ID": "x"}, _NO_ID),
    ],
)
async def test_what_is_no_reference_is_an_error_in_its_place(world: World, representation: Any, message: str) -> None:
    client = await make_client(world.user)
    good = _reference("Client", client.id)

    answer = await _entities(world.user, good, representation, good)

    found = {"__typename": "Client", "id": good["id"], "fullName": "Kim Client", "owners": [{"fullName": "Ben Borg"}]}
    assert answer.status == 200
    assert answer.body == {"data": {"_entities": [found, None, found]}, "errors": [_malformed(1, message)]}


async def test_several_wrong_references_are_told_one_by_one(world: World) -> None:
    answer = await _entities(world.user, 1, {"__typename": "Client", "id": "x"}, {})

    assert answer.body == {
        "data": {"_entities": [None, None, None]},
        "errors": [_malformed(0, _NO_OBJECT), _malformed(2, _NO_ENTITY)],
    }


async def test_null_is_no_representation(world: World) -> None:
    answer = await _entities(world.user, None)

    assert answer.error == (
        "BAD_USER_INPUT",
        "Variable '$representations' has invalid value at [0]: Expected value of non-null type '_Any!' not to be None.",
    )


async def test_a_representation_may_stand_in_the_query(world: World) -> None:
    client = await make_client(world.user)
    query = """query ($id: ID!) {
      _entities(representations: [{__typename: "Client", id: $id}, {__typename: "Client", id: "%s"}, {id: 5}]) {
        ... on Client { fullName }
      }
    }"""

    answer = await world.user.ask(query % global_id("Client", client.id), id=global_id("Client", client.id))

    assert answer.body["data"] == {"_entities": [{"fullName": "Kim Client"}, {"fullName": "Kim Client"}, None]}
    assert [(one["path"], one["message"]) for one in answer.body["errors"]] == [(["_entities", 2], _NO_ENTITY)]


async def test_entities_are_for_signed_in_users(world: World) -> None:
    client = await make_client(world.user)

    nobody = await _entities(world.nobody, _reference("Client", client.id))
    calculator = await _entities(world.calculator, _reference("Client", client.id))

    assert (nobody.error, nobody.body["data"]) == (("UNAUTHENTICATED", "Authentication failed"), None)
    assert (calculator.error, calculator.body["data"]) == (("FORBIDDEN", "Access denied"), None)


async def test_no_representations_are_no_statement(world: World) -> None:
    with world.statements() as statements:
        answer = await _entities(world.user)

    assert (answer.data, statements) == ({"_entities": []}, [])


@pytest.fixture
async def strict(world: World, url: str) -> AsyncIterator[World]:
    """A server beside `world` that takes two references at once."""
    strict = World(url, url, maximum_entities=2)
    yield strict
    await strict.close()


async def test_a_gateway_may_ask_for_so_many_at_once(world: World, strict: World) -> None:
    client = await make_client(world.user)
    asking = Principal(strict, "Ben", world.user.headers)

    two = await _entities(asking, *[_reference("Client", client.id)] * 2)
    with strict.statements() as statements:
        three = await _entities(asking, *[_reference("Client", client.id)] * 3)

    assert [one["fullName"] for one in two.data["_entities"]] == ["Kim Client", "Kim Client"]
    assert three.error == ("LIMIT_EXCEEDED", "representations takes at most 2 entities")
    assert statements == []


async def test_a_server_may_be_no_subgraph(url: str) -> None:
    plain = World(url, url, federation=False)

    answer = await plain.nobody.ask("{ _service { sdl } }")
    await plain.close()

    assert answer.error == ("GRAPHQL_VALIDATION_FAILED", "Cannot query field '_service' on type 'Query'.")
