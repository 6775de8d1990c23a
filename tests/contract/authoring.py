"""What the tests of authored content say again and again."""

from collections.abc import Sequence
from typing import Any

from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changes
from kit import World

NORTHFIELD = global_id("Organization", 1)
FORBIDDEN = ("FORBIDDEN", "Access denied")
Calls = Sequence[tuple[str, dict[str, Any]]]


async def assert_for_authors(world: World, calls: Calls) -> None:
    """Only who holds CREATE_ASSESSMENT may; others are told so and change nothing."""
    for call, variables in calls:
        await assert_nobody_is_refused(world, call, **variables)
        async with changes(world) as found:
            answer = await world.user.run(call, **variables)
        assert (call, answer.error, answer.body["data"]) == (call, FORBIDDEN, {"result": None})
        assert found == {}


async def assert_for_readers(world: World, calls: Calls) -> None:
    """Whoever is signed in reads."""
    for call, variables in calls:
        await assert_nobody_is_refused(world, call, **variables)
        assert (await world.calculator.run(call, **variables)).error == FORBIDDEN
        assert (await world.user.run(call, **variables)).result is not None
