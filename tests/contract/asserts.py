"""What the tests of the operation documents say again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import ANY

from caregraph.graph.node import global_id
from kit import World


@asynccontextmanager
async def changes(world: World) -> AsyncIterator[dict[str, int]]:
    """Rows gained and lost by the block, per table, once it is over; empty when nothing was."""
    before = await world.counts()
    found: dict[str, int] = {}
    yield found
    after = await world.counts()
    found.update({table: after[table] - count for table, count in before.items() if after[table] != count})


def refused(code: str, message: str, *path: str, of: str = "node") -> dict[str, Any]:
    """A payload that says no for one reason."""
    return {of: None, "errors": [{"code": code, "message": message, "path": list(path) or None}]}


def changed(node: dict[str, Any] | None) -> dict[str, Any]:
    """A payload that says yes."""
    return {"node": node, "errors": []}


def deleted(name: str, row: Any) -> dict[str, Any]:
    """A payload that says the row is gone."""
    return {"deletedId": global_id(name, row.id), "errors": []}


def page(*nodes: dict[str, Any], total: int | None = None, more: bool = False) -> dict[str, Any]:
    """A page of a list of which `total` rows exist, by default those shown."""
    return {
        "totalCount": len(nodes) if total is None else total,
        "pageInfo": {"hasNextPage": more, "endCursor": ANY if nodes else None},
        "nodes": list(nodes),
    }


def included(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A list that came along with its parent, whole."""
    return {"pageInfo": {"hasNextPage": False, "endCursor": ANY if nodes else None}, "nodes": list(nodes)}


def strange_ids(name: str, foreign: Any) -> list[str]:
    """Ids of no row that the caller could see: `foreign`'s, nobody's, of another type, and no id at all."""
    return [
        global_id(name, foreign.id),
        global_id(name, 999_999),
        global_id("Organization" if name != "Organization" else "Label", foreign.id),
        f"{name}:1",
        "nonsense",
        "",
    ]


async def assert_nobody_is_refused(world: World, contract_id: str, **variables: Any) -> None:
    """Without credentials a document answers with a top-level error, and writes nothing."""
    async with changes(world) as found:
        answer = await world.nobody.run(contract_id, **variables)

    assert answer.error == ("UNAUTHENTICATED", "Authentication failed")
    assert answer.body["data"] == {"result": None}
    assert found == {}


async def assert_bad_variable(world: World, contract_id: str, message: str, **variables: Any) -> None:
    """A value that is not of its GraphQL type never reaches the operation."""
    async with changes(world) as found:
        answer = await world.user.run(contract_id, **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
    assert "data" not in answer.body
    assert found == {}
