"""`node` and `nodes`: any row by its global id."""

import base64
from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id, parse_id
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import World

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
TYPES = ["Client", "Episode", "Label", "Organization", "OrsScore", "Rater", "Session", "SrsScore", "User"]
SINGLE = {
    "Client": "client",
    "Episode": "episode",
    "Label": "label",
    "OrsScore": "orsScore",
    "Rater": "rater",
    "Session": "session",
    "SrsScore": "srsScore",
    "User": "user",
}


async def make_one_of_each(world: World, other: bool = False) -> dict[str, str]:
    """Ids of a row per type, in Northfield or in Harbor."""
    owner, superuser = (world.other_user, world.other_superuser) if other else (world.user, world.superuser)
    client = await make_client(owner)
    label = await make_label(superuser, "Winter", client)
    episode = await make_episode(owner, client)
    rater = await make_rater(owner, episode, client)
    session = await make_session(owner, episode, date(2026, 1, 12))
    ors = await make_ors(owner, session, client)
    srs = await make_srs(owner, session, client)
    rows = {"Client": client, "Label": label, "Episode": episode, "Rater": rater, "Session": session}
    rows |= {"OrsScore": ors, "SrsScore": srs}
    ids = {name: global_id(name, row.id) for name, row in rows.items()}
    return {**ids, "User": owner.id, "Organization": global_id("Organization", owner.organization_id)}


def _malformed(real: str) -> list[str]:
    name, row_id = parse_id(real) or ("", 0)
    texts = [
        "",
        "x",
        "é",
        real[:-1],
        real + "=",
        real + "A",
        f"{name}:{row_id}",
        f" {real}",
        real.lower(),
        "=" * 50,
        "A" * 5000,
    ]
    encoded = [f"{name}:", f":{row_id}", name, f"{name}:0", f"{name}:-1", f"{name}:0{row_id}", f"{name}:+{row_id}"]
    encoded += [f"{name}:{row_id} ", f"{name}:{row_id}.0", f"{name}:{2**63}", f"{name}:{'9' * 5000}", f"{name}:\u0661"]
    encoded += [f"Nonsense:{row_id}", f"Node:{row_id}", f"Query:{row_id}", f"Score:{row_id}", f"Gender:{row_id}"]
    encoded += [f"{name}Connection:{row_id}", f"{name}Payload:{row_id}", f"Membership:{row_id}"]
    return texts + [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in encoded]


async def test_every_type_is_found_by_id(world: World) -> None:
    ids = await make_one_of_each(world)

    assert sorted(ids) == TYPES
    for name, row_id in ids.items():
        answer = await world.superuser.ask(NODE, id=row_id)
        assert answer.data["node"] == {"__typename": name, "id": row_id}
    listed = await world.superuser.ask(NODES, ids=list(ids.values()))
    assert listed.data["nodes"] == [{"__typename": name, "id": row_id} for name, row_id in ids.items()]


async def test_a_row_of_another_organization_is_not_there(world: World) -> None:
    await make_one_of_each(world)
    foreign = await make_one_of_each(world, other=True)

    answer = await world.superuser.ask(NODES, ids=list(foreign.values()))

    assert answer.data["nodes"] == [None] * len(TYPES)


async def test_a_row_of_a_client_one_does_not_own_is_not_there(world: World) -> None:
    ids = await make_one_of_each(world)

    answer = await world.colleague.ask(NODES, ids=[ids[name] for name in TYPES])

    found = [node and node["__typename"] for node in answer.data["nodes"]]
    assert found == [None, None, "Label", "Organization", None, None, None, None, "User"]


async def test_an_id_that_is_none_finds_nothing(world: World) -> None:
    ids = await make_one_of_each(world)

    for real in (ids["Client"], ids["OrsScore"]):
        malformed = _malformed(real)
        answer = await world.superuser.ask(NODES, ids=malformed)
        assert dict(zip(malformed, answer.data["nodes"], strict=True)) == dict.fromkeys(malformed)


@pytest.mark.parametrize("name", SINGLE)
async def test_a_field_of_one_type_finds_no_other(world: World, name: str) -> None:
    ids = await make_one_of_each(world)
    query = f"query($id: ID!) {{ found: {SINGLE[name]}(id: $id) {{ id }} }}"

    found = {other: (await world.superuser.ask(query, id=row_id)).data["found"] for other, row_id in ids.items()}

    assert found == {other: {"id": row_id} if other == name else None for other, row_id in ids.items()}


async def test_scores_of_two_measures_have_ids_of_their_own(world: World) -> None:
    ids = await make_one_of_each(world)
    _, ors = parse_id(ids["OrsScore"]) or ("", 0)

    answer = await world.superuser.ask(NODES, ids=[global_id("SrsScore", ors), ids["OrsScore"]])

    assert answer.data["nodes"] == [None, {"__typename": "OrsScore", "id": ids["OrsScore"]}]


async def test_nodes_come_in_the_order_asked_for_as_often_as_asked_for(world: World) -> None:
    ids = await make_one_of_each(world)
    wanted = [ids["Session"], ids["Client"], "nonsense", ids["Session"]]

    answer = await world.superuser.ask(NODES, ids=wanted)

    assert [node and node["id"] for node in answer.data["nodes"]] == [wanted[0], wanted[1], None, wanted[0]]


async def test_nodes_takes_at_most_a_hundred_ids(world: World) -> None:
    client = await make_client(world.user)
    row_id = global_id("Client", client.id)

    answer = await world.user.ask(NODES, ids=[row_id] * 100)
    with world.statements() as statements:
        refused = await world.user.ask(NODES, ids=[row_id] * 101)

    assert len(answer.data["nodes"]) == 100
    (error,) = refused.body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "ids"}
    assert error["message"] == "ids takes at most 100 ids"
    assert refused.body["data"] == {"nodes": None}
    assert statements == []


async def test_nodes_of_one_type_are_one_statement(world: World) -> None:
    clients = [await make_client(world.user) for _ in range(5)]

    with world.statements() as statements:
        await world.user.ask(NODES, ids=[global_id("Client", client.id) for client in clients])

    assert len(statements) == 1


async def test_a_fragment_reads_the_type_behind_a_node(world: World) -> None:
    ids = await make_one_of_each(world)
    query = """query($id: ID!) { node(id: $id) {
        ... on Client { fullName } ... on OrsScore { total individually } ... on Score { measure }
    } }"""

    async def fields(name: str) -> Any:
        return (await world.user.ask(query, id=ids[name])).data["node"]

    assert await fields("Client") == {"fullName": "Kim Client"}
    assert await fields("OrsScore") == {"total": 20.0, "individually": 5.0, "measure": "ORS"}
    assert await fields("SrsScore") == {"measure": "SRS"}
    assert await fields("Rater") == {}


async def test_ids_are_stable_and_safe_in_addresses() -> None:
    assert global_id("Client", 7) == "Q2xpZW50Ojc"
    assert parse_id("Q2xpZW50Ojc") == ("Client", 7)
    assert global_id("Client", 2**63 - 1).isascii()
    assert parse_id(global_id("OrsScore", 2**63 - 1)) == ("OrsScore", 2**63 - 1)
