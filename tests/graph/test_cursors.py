"""Cursors and sizes that cannot be used: refused, with the argument named."""

import base64
import json
from datetime import date
from typing import Any

import orjson
import pytest

from caregraph.graph.node import global_id
from graph.rows import make_clients, make_episodes
from kit import Answer, World

CLIENTS = """
query($first: Int, $after: String, $last: Int, $before: String, $offset: Int, $orderBy: [ClientOrder!]) {
  clients(first: $first, after: $after, last: $last, before: $before, offset: $offset, orderBy: $orderBy) {
    nodes { fullName } pageInfo { startCursor endCursor }
  }
}
"""
NESTED = """
query($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $offset: Int, $orderBy: [EpisodeOrder!]) {
  client(id: $id) {
    episodes(first: $first, after: $after, last: $last, before: $before, offset: $offset, orderBy: $orderBy) {
      nodes { title } pageInfo { startCursor endCursor }
    }
  }
}
"""


def _assert_bad(answer: Answer, argument: str, message: str) -> None:
    """The only error names the argument; the rest of the data is null, not missing."""
    (error,) = answer.body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert error["message"] == message
    assert list(answer.body["data"].values()) == [None]


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else orjson.dumps(value)).decode()


def _decoded(cursor: str) -> list[Any]:
    return orjson.loads(base64.urlsafe_b64decode(cursor))


async def _cursor(world: World, **arguments: Any) -> str:
    return (await world.user.ask(CLIENTS, **arguments)).data["clients"]["pageInfo"]["endCursor"]


NO_CURSOR = ("BAD_USER_INPUT", "after is not a cursor of this list in this order")


async def test_garbage_is_no_cursor(world: World) -> None:
    for argument in ("after", "before"):
        for text in ("", "x", "====", "é", "null", "[]", "A" * 10_000, "\u0000"):
            answer = await world.user.ask(CLIENTS, **{argument: text})
            _assert_bad(answer, argument, f"{argument} is not a cursor of this list in this order")


async def test_what_merely_decodes_is_no_cursor(world: World) -> None:
    bodies = [b"", b"[", b"null", b"5", b'"x"', b"{}", b"[]", b"[5]", b'["x",1]', b"\xff", b"[" * 3000]

    answers = [(await world.user.ask(CLIENTS, after=_encoded(body))).error for body in bodies]

    assert answers == [NO_CURSOR] * len(bodies)


async def test_a_truncated_cursor_is_no_cursor(world: World) -> None:
    await make_clients(world.user, "A")
    cursor = await _cursor(world)

    answers = [(await world.user.ask(CLIENTS, after=cursor[:length])).error for length in range(0, len(cursor), 5)]

    assert answers == [NO_CURSOR] * len(answers)


async def test_a_cursor_with_an_impossible_id_is_no_cursor(world: World) -> None:
    await make_clients(world.user, "A")
    signature, name, _ = _decoded(await _cursor(world))
    start = orjson.dumps([signature, name]).decode()[:-1]
    ids = [str(2**63), str(2**64 - 1), str(2**70), str(-(2**63) - 1), "-1", "0", "1" * 5000, "1e300", "0.5", "1.0"]
    ids += ["null", '"1"', "[]", "[1]", "{}", "true", '"½"']

    answers = {text: (await world.user.ask(CLIENTS, after=_encoded(f"{start},{text}]".encode()))).error for text in ids}

    assert answers == dict.fromkeys(ids, NO_CURSOR)


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("FULL_NAME_ASC", [5, True, 1.5, [], {}, ["A"], {"x": 1}, 2**70]),
        ("BIRTH_DATE_ASC", ["x", "2026-02-30", "2026", "", 5, 20260101, True, [], 1e300]),
        ("CREATED_AT_ASC", ["x", "2026-01-01", "2026-01-01T10:00:00", "0001-01-01T00:00:00+14:00", 5, 2**63, []]),
    ],
)
async def test_a_cursor_with_a_value_of_another_type_is_no_cursor(world: World, order: str, values: list[Any]) -> None:
    await make_clients(world.user, "A", birth_dates={"A": date(2000, 1, 1)})
    signature, _, row_id = _decoded(await _cursor(world, orderBy=[order]))
    forged = [json.dumps([signature, value, row_id]).encode() for value in values]

    answers = [(await world.user.ask(CLIENTS, after=_encoded(one), orderBy=[order])).error for one in forged]

    assert answers == [NO_CURSOR] * len(values)


async def test_a_cursor_with_the_character_that_no_text_has_is_refused(world: World) -> None:
    await make_clients(world.user, "A")
    signature, _, row_id = _decoded(await _cursor(world))

    answer = await world.user.ask(CLIENTS, after=_encoded([signature, "a\x00", row_id]))

    _assert_bad(answer, "after", "after must not contain the character U+0000")


async def test_a_cursor_holds_for_its_order_only(world: World) -> None:
    await make_clients(world.user, "A", "B")
    cursor = await _cursor(world, first=1)

    for order in (["FULL_NAME_DESC"], ["BIRTH_DATE_ASC"], ["FULL_NAME_ASC", "CREATED_AT_ASC"]):
        answer = await world.user.ask(CLIENTS, after=cursor, orderBy=order)
        _assert_bad(answer, "after", "after is not a cursor of this list in this order")
    assert (await world.user.ask(CLIENTS, after=cursor)).data["clients"]["nodes"] == [{"fullName": "B"}]


async def test_a_cursor_holds_for_its_list_only(world: World) -> None:
    (client,) = await make_clients(world.user, "A")
    await make_episodes(world.user, client, A={})
    client_id = global_id("Client", client.id)
    lists = """query($id: ID!) {
        episodes { pageInfo { endCursor } }
        sessions { pageInfo { endCursor } }
        client(id: $id) { episodes { pageInfo { endCursor } } }
        me { clients { pageInfo { endCursor } } }
    }"""
    found = (await world.user.ask(lists, id=client_id)).data
    wrong = {
        CLIENTS: [found["episodes"], found["me"]["clients"], found["client"]["episodes"]],
        NESTED: [found["episodes"], found["me"]["clients"], {"pageInfo": {"endCursor": await _cursor(world)}}],
    }

    for query, pages in wrong.items():
        for page in pages:
            answer = await world.user.ask(query, id=client_id, before=page["pageInfo"]["endCursor"])
            (error,) = answer.body["errors"]
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "before"}
            assert error["message"] == "before is not a cursor of this list in this order"


async def test_two_lists_of_one_type_have_cursors_of_their_own(world: World) -> None:
    """ORS and SRS scores are rows of one table."""
    query = "query($after: String) { srsScores(after: $after) { nodes { id } } }"

    answer = await world.user.ask(query, after=_encoded(["Query.ors_scores()", 1]))

    _assert_bad(answer, "after", "after is not a cursor of this list in this order")


async def test_a_cursor_of_a_row_that_is_not_there_still_cuts_the_list(world: World) -> None:
    await make_clients(world.user, "A", "C")
    signature, _, _ = _decoded(await _cursor(world))

    answer = await world.user.ask(CLIENTS, after=_encoded([signature, "B", 1]))

    assert answer.data["clients"]["nodes"] == [{"fullName": "C"}]


SIZES = [
    ({"first": -1}, "first", "first must be between 0 and 5000"),
    ({"first": 5001}, "first", "first must be between 0 and 5000"),
    ({"last": -1}, "last", "last must be between 0 and 5000"),
    ({"last": 5001}, "last", "last must be between 0 and 5000"),
    ({"first": 1, "last": 1}, "last", "first and last exclude each other"),
    ({"first": 0, "last": 0}, "last", "first and last exclude each other"),
    ({"offset": -1}, "offset", "offset must be between 0 and 1000000, and goes with first only"),
    ({"offset": 1_000_001}, "offset", "offset must be between 0 and 1000000, and goes with first only"),
    ({"offset": 1, "last": 1}, "offset", "offset must be between 0 and 1000000, and goes with first only"),
    ({"orderBy": ["CREATED_AT_ASC"] * 101}, "orderBy", "orderBy takes at most 100 orders"),
]


async def test_a_size_out_of_bounds_is_refused_without_asking_the_database(world: World) -> None:
    await make_clients(world.user, "A")

    for arguments, argument, message in SIZES:
        with world.statements() as statements:
            answer = await world.user.ask(CLIENTS, **arguments)
        _assert_bad(answer, argument, message)
        assert statements == []


async def test_a_nested_size_out_of_bounds_is_refused(world: World) -> None:
    (client,) = await make_clients(world.user, "A")

    for arguments, argument, message in SIZES:
        answer = await world.user.ask(NESTED, id=global_id("Client", client.id), **arguments)
        _assert_bad(answer, argument, message)


async def test_sizes_at_their_bounds_are_taken(world: World) -> None:
    await make_clients(world.user, "A")
    row = [{"fullName": "A"}]

    for arguments, nodes in (
        ({"first": 0}, []),
        ({"first": 5000}, row),
        ({"last": 5000}, row),
        ({"offset": 1_000_000}, []),
        ({"last": 1, "offset": 0}, row),
    ):
        assert (await world.user.ask(CLIENTS, **arguments)).data["clients"]["nodes"] == nodes


async def test_a_bad_page_leaves_its_siblings_alone(world: World) -> None:
    await make_clients(world.user, "A")

    answer = await world.user.ask("{ bad: clients(first: -1) { totalCount } good: clients { totalCount } }")

    assert answer.error == ("BAD_USER_INPUT", "first must be between 0 and 5000")
    assert answer.body["data"] == {"bad": None, "good": {"totalCount": 1}}
    assert answer.body["errors"][0]["path"] == ["bad"]
