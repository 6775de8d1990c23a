"""Pages of a list: walked in both directions, while rows come and go, past rows without a value, for many parents."""

from datetime import date
from functools import partial
from itertools import chain
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.people.models import Client
from graph.rows import make_clients, make_episodes, walk_backwards, walk_forwards
from kit import World

PAGE = """
  totalCount
  nodes { name: fullName }
  edges { cursor node { name: fullName } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
"""
CLIENTS = f"""
query($first: Int, $after: String, $last: Int, $before: String, $offset: Int, $orderBy: [ClientOrder!]) {{
  clients(first: $first, after: $after, last: $last, before: $before, offset: $offset, orderBy: $orderBy) {{ {PAGE} }}
}}
"""
EPISODES = """
query($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $offset: Int, $orderBy: [EpisodeOrder!]) {
  client(id: $id) {
    episodes(first: $first, after: $after, last: $last, before: $before, offset: $offset, orderBy: $orderBy) {
      totalCount nodes { name: title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
NAMES = [f"Client {number:02}" for number in range(25)]


async def _clients(world: World, **arguments: Any) -> dict[str, Any]:
    return (await world.user.ask(CLIENTS, **arguments)).data["clients"]


async def _episodes(world: World, client: Client, **arguments: Any) -> dict[str, Any]:
    answer = await world.user.ask(EPISODES, id=global_id("Client", client.id), **arguments)
    return answer.data["client"]["episodes"]


def _names(page: dict[str, Any]) -> list[str]:
    return [node["name"] for node in page["nodes"]]


def _where(page: dict[str, Any]) -> tuple[bool, bool]:
    """Whether rows precede and follow."""
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


async def test_a_list_walked_in_pages_gives_each_row_once(world: World) -> None:
    await make_clients(world.user, *reversed(NAMES))

    forwards = await walk_forwards(partial(_clients, world), 7)
    backwards = await walk_backwards(partial(_clients, world), 7)

    assert forwards == [NAMES[:7], NAMES[7:14], NAMES[14:21], NAMES[21:]]
    assert backwards == [NAMES[18:], NAMES[11:18], NAMES[4:11], NAMES[:4]]


async def test_rows_of_the_same_name_are_walked_by_id(world: World) -> None:
    made = await make_clients(world.user, *["Kim"] * 5)
    query = CLIENTS.replace("name: fullName", "name: id")

    async def fetch(**arguments: Any) -> dict[str, Any]:
        return (await world.user.ask(query, **arguments)).data["clients"]

    ids = [global_id("Client", one.id) for one in made]
    assert await walk_forwards(fetch, 2) == [ids[:2], ids[2:4], ids[4:]]
    assert await walk_backwards(fetch, 2) == [ids[3:], ids[1:3], ids[:1]]


async def test_rows_that_come_and_go_between_pages_neither_hide_nor_repeat_others(world: World) -> None:
    made = await make_clients(world.user, *NAMES)
    fetched = 0

    async def fetch(**arguments: Any) -> dict[str, Any]:
        nonlocal fetched
        page = await _clients(world, **arguments)
        fetched += 1
        if fetched == 1:  # behind the reader and ahead of them
            async with world.writing(world.user) as tx:
                await tx.delete(made[6])  # the row of the cursor itself
                await tx.delete(made[20])
            await make_clients(world.user, "Client 00 and a half", "Client 15 and a half")
        return page

    seen = list(chain(*await walk_forwards(fetch, 7)))

    assert seen == [*NAMES[:16], "Client 15 and a half", *NAMES[16:20], *NAMES[21:]]


async def test_a_page_says_where_it_lies(world: World) -> None:
    await make_clients(world.user, "A", "B", "C", "D")

    first = await _clients(world, first=2)
    second = await _clients(world, first=2, after=first["pageInfo"]["endCursor"])
    whole = await _clients(world)

    assert (_names(first), _where(first)) == (["A", "B"], (False, True))
    assert (_names(second), _where(second)) == (["C", "D"], (True, False))
    assert (_names(whole), _where(whole)) == (["A", "B", "C", "D"], (False, False))
    cursors = [edge["cursor"] for edge in whole["edges"]]
    assert [edge["node"]["name"] for edge in whole["edges"]] == ["A", "B", "C", "D"]
    assert (whole["pageInfo"]["startCursor"], whole["pageInfo"]["endCursor"]) == (cursors[0], cursors[3])
    assert len(set(cursors)) == 4
    last = await _clients(world, last=2)
    assert (_names(last), _where(last)) == (["C", "D"], (True, False))
    before = await _clients(world, last=2, before=cursors[2])
    assert (_names(before), _where(before)) == (["A", "B"], (False, True))
    between = await _clients(world, first=5, after=cursors[0], before=cursors[3])
    assert _names(between) == ["B", "C"]
    reversed_between = await _clients(world, last=1, after=cursors[0], before=cursors[3])
    assert (_names(reversed_between), _where(reversed_between)) == (["C"], (True, True))


async def test_an_offset_skips_rows(world: World) -> None:
    await make_clients(world.user, "A", "B", "C", "D")

    page = await _clients(world, first=2, offset=1)

    assert (_names(page), _where(page), page["totalCount"]) == (["B", "C"], (True, True), 4)
    after = await _clients(world, first=2, offset=1, after=page["edges"][0]["cursor"])
    assert (_names(after), _where(after)) == (["D"], (True, False))


async def test_the_count_is_of_the_whole_list_whatever_the_page(world: World) -> None:
    await make_clients(world.user, "A", "B", "C")
    end = (await _clients(world))["pageInfo"]["endCursor"]
    empty = {"nodes": [], "edges": [], "totalCount": 3}

    for arguments in ({"first": 0}, {"last": 0}, {"first": 2, "after": end}, {"first": 2, "offset": 3}):
        page = await _clients(world, **arguments)
        assert {key: page[key] for key in empty} == empty
        assert (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]) == (None, None)
        assert page["pageInfo"]["hasNextPage"] is False


async def test_a_page_of_no_rows_reads_no_rows(world: World) -> None:
    await make_clients(world.user, "A", "B")

    with world.statements() as counted:
        answer = await world.user.ask("{ clients(first: 0) { totalCount nodes { id } } }")
    with world.statements() as uncounted:
        await world.user.ask("{ clients(first: 0) { nodes { id } } }")

    assert answer.data["clients"] == {"totalCount": 2, "nodes": []}
    (statement,) = counted
    assert statement.startswith("SELECT count(*)")
    assert uncounted == []


async def test_a_nested_page_of_no_rows_reads_no_rows(world: World) -> None:
    (client,) = await make_clients(world.user, "A")
    await make_episodes(world.user, client, One={}, Two={})

    with world.statements() as statements:
        page = await _episodes(world, client, first=0)

    assert (page["totalCount"], page["nodes"]) == (2, [])
    of_client, count = statements
    assert of_client.startswith("SELECT clients.")
    assert "count(*)" in count


async def test_rows_are_counted_only_when_asked_for(world: World) -> None:
    await make_clients(world.user, "A", "B")

    with world.statements() as statements:
        await world.user.ask("{ clients { nodes { id } } }")

    assert len(statements) == 1
    assert "count(" not in statements[0]


BORN = {
    "Late": date(2010, 1, 1),
    "Early": date(1980, 6, 1),
    "Middle": date(1990, 3, 3),
    "Also middle": date(1990, 3, 3),
}
UNBORN = ["Unknown 1", "Unknown 2", "Unknown 3"]
BY_BIRTH = {
    "BIRTH_DATE_ASC": ["Early", "Middle", "Also middle", "Late", *UNBORN],
    "BIRTH_DATE_DESC": ["Late", "Middle", "Also middle", "Early", *UNBORN],
}


@pytest.mark.parametrize("order", BY_BIRTH)
async def test_rows_without_a_value_come_last_either_way(world: World, order: str) -> None:
    await make_clients(
        world.user, "Unknown 1", "Late", "Early", "Unknown 2", "Middle", "Also middle", "Unknown 3", birth_dates=BORN
    )
    fetch = partial(_clients, world)
    expected = BY_BIRTH[order]

    for size in (1, 2, 3, 5):
        forwards = await walk_forwards(fetch, size, orderBy=[order])
        assert list(chain(*forwards)) == expected
        backwards = await walk_backwards(fetch, size, orderBy=[order])
        assert list(chain(*reversed(backwards))) == expected


@pytest.mark.parametrize("order", BY_BIRTH)
async def test_every_cursor_cuts_the_list_in_two(world: World, order: str) -> None:
    await make_clients(world.user, *BORN, *UNBORN, birth_dates=BORN)
    whole = await _clients(world, orderBy=[order])
    names = _names(whole)

    for place, edge in enumerate(whole["edges"]):
        after = await _clients(world, after=edge["cursor"], orderBy=[order])
        before = await _clients(world, before=edge["cursor"], orderBy=[order])
        assert (_names(after), _names(before)) == (names[place + 1 :], names[:place])
        assert (after["totalCount"], before["totalCount"]) == (7, 7)


async def test_several_orders_apply_one_after_the_other(world: World) -> None:
    await make_clients(world.user, "Unknown 2", *BORN, "Unknown 1", birth_dates=BORN)
    expected = ["Late", "Also middle", "Middle", "Early", "Unknown 1", "Unknown 2"]
    order = ["BIRTH_DATE_DESC", "FULL_NAME_ASC"]
    fetch = partial(_clients, world)

    assert _names(await _clients(world, orderBy=order)) == expected
    assert await walk_forwards(fetch, 2, orderBy=order) == [expected[:2], expected[2:4], expected[4:]]
    assert await walk_backwards(fetch, 4, orderBy=order) == [expected[2:], expected[:2]]


async def test_an_instant_orders_and_pages(world: World) -> None:
    await make_clients(world.user, "A", "B", "C")
    fetch = partial(_clients, world)

    assert await walk_forwards(fetch, 1, orderBy=["CREATED_AT_ASC", "FULL_NAME_DESC"]) == [["A"], ["B"], ["C"]]
    assert await walk_backwards(fetch, 1, orderBy=["CREATED_AT_ASC"]) == [["C"], ["B"], ["A"]]


async def test_an_empty_order_is_the_default_one(world: World) -> None:
    await make_clients(world.user, "B", "A")

    assert _names(await _clients(world, orderBy=[])) == ["A", "B"]


async def test_nested_rows_without_a_value_come_last_either_way(world: World) -> None:
    (client, other) = await make_clients(world.user, "A", "B")
    await make_episodes(
        world.user,
        client,
        Open={},
        Long={"end_date": date(2026, 9, 1)},
        Short={"end_date": date(2026, 2, 1)},
        Running={},
    )
    await make_episodes(world.user, other, Elsewhere={"end_date": date(2026, 3, 1)})
    fetch = partial(_episodes, world, client)
    upwards, downwards = ["Short", "Long", "Open", "Running"], ["Long", "Short", "Open", "Running"]

    for order, expected in (("END_DATE_ASC", upwards), ("END_DATE_DESC", downwards)):
        for size in (1, 2, 3):
            assert list(chain(*await walk_forwards(fetch, size, orderBy=[order]))) == expected
            backwards = await walk_backwards(fetch, size, orderBy=[order])
            assert list(chain(*reversed(backwards))) == expected


async def test_a_nested_list_walked_in_pages_gives_each_row_once(world: World) -> None:
    (client,) = await make_clients(world.user, "A")
    titles = [f"Episode {number:02}" for number in range(25)]
    await make_episodes(world.user, client, **{title: {} for title in titles})
    fetch = partial(_episodes, world, client)

    assert await walk_forwards(fetch, 7) == [titles[:7], titles[7:14], titles[14:21], titles[21:]]
    assert await walk_backwards(fetch, 7) == [titles[18:], titles[11:18], titles[4:11], titles[:4]]


async def test_windows_differ_within_one_query_and_hold_for_every_parent(world: World) -> None:
    _, three, five = await make_clients(world.user, "None", "Three", "Five")
    days = [{"start_date": date(2026, month, 1)} for month in range(1, 6)]
    await make_episodes(world.user, three, **dict(zip("abc", days, strict=False)))
    await make_episodes(world.user, five, **dict(zip("vwxyz", days, strict=False)))
    fields = "totalCount nodes { title } pageInfo { hasNextPage hasPreviousPage }"
    query = f"""{{ clients(orderBy: CREATED_AT_ASC) {{ nodes {{
        fullName
        start: episodes(first: 2) {{ {fields} }}
        end: episodes(last: 2) {{ {fields} }}
        middle: episodes(first: 2, offset: 2) {{ {fields} }}
        down: episodes(first: 1, orderBy: START_DATE_DESC) {{ {fields} }}
        late: episodes(where: {{startDate: {{gt: "2026-02-15"}}}}) {{ {fields} }}
    }} }} }}"""

    with world.statements() as statements:
        answer = await world.user.ask(query)

    def window(total: int, titles: str, before: bool, after: bool) -> dict[str, Any]:
        return {
            "totalCount": total,
            "nodes": [{"title": title} for title in titles],
            "pageInfo": {"hasNextPage": after, "hasPreviousPage": before},
        }

    assert answer.data["clients"]["nodes"] == [
        {
            "fullName": "None",
            "start": window(0, "", False, False),
            "end": window(0, "", False, False),
            "middle": window(0, "", True, False),
            "down": window(0, "", False, False),
            "late": window(0, "", False, False),
        },
        {
            "fullName": "Three",
            "start": window(3, "ab", False, True),
            "end": window(3, "bc", True, False),
            "middle": window(3, "c", True, False),
            "down": window(3, "c", False, True),
            "late": window(1, "c", False, False),
        },
        {
            "fullName": "Five",
            "start": window(5, "vw", False, True),
            "end": window(5, "yz", True, False),
            "middle": window(5, "xy", True, True),
            "down": window(5, "z", False, True),
            "late": window(3, "xyz", False, False),
        },
    ]
    assert len(statements) == 11


async def test_a_list_without_a_size_has_a_hundred_rows(world: World) -> None:
    await make_clients(world.user, *(f"Client {number:03}" for number in range(101)))

    page = await _clients(world)

    assert (len(page["nodes"]), page["totalCount"], _where(page)) == (100, 101, (False, True))
    assert len((await _clients(world, first=5000))["nodes"]) == 101
