"""What an operation made goes when it ends: were it left to the garbage collector, everybody would wait for it."""

import gc
from types import FunctionType

import pytest
from graphql import DocumentNode, Token
from graphql.execution.executor import Executor

from caregraph.graph import execution
from caregraph.graph.compiled import executor
from caregraph.graph.compiled.running import Run
from caregraph.graph.context import Context
from factories.people import make_client
from factories.treatment import make_episode
from kit import World

CLIENTS = "{ clients { nodes { fullName owners { id } episodes { nodes { title } } } } }"
BY_FIELDS = "{ clients { nodes { episodes { nodes { scoresBySession { series { intake } } } } } } }"
LEVELS = 3
"""Of that query, each with a function of its own."""
UPDATE = 'mutation { updateClient(id: "%s", input: {fullName: "Ada"}) { node { fullName } } }'


@pytest.mark.parametrize("execution", ["compiled", "loaders"])
async def test_an_operation_leaves_nothing_to_be_collected(world: World, execution: str) -> None:
    await world.restart(execution=execution)
    client = await make_client(world.user)
    await make_episode(world.user, client)
    operations = [CLIENTS, BY_FIELDS, UPDATE % client, "{ __schema { types { name } } }"]
    for text in operations:
        await world.user.ask(text)

    gc.collect()
    gc.disable()
    try:
        answers = [await world.user.ask(text) for text in operations for _ in range(3)]
        left = [type(one) for one in gc.get_objects() if isinstance(one, (Context, Executor, Run))]
    finally:
        gc.enable()

    assert [answer.status for answer in answers] == [200] * 12
    assert [answer.body.get("errors") for answer in answers] == [None] * 12
    assert left == []


async def test_a_document_goes_when_it_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so do its plans, with the functions that were written for them."""
    monkeypatch.setattr(execution, "_KNOWN_TEXTS", 2)
    monkeypatch.setattr(executor, "MOST_PLANS", 2)
    await world.restart()
    texts = [f"query forgotten_{number} {CLIENTS}" for number in range(6)]
    for text in texts[:3]:
        await world.user.ask(text)
    gc.collect()  # what validation leaves behind

    gc.disable()
    before = _chained()
    try:
        for text in texts[3:]:
            await world.user.ask(text)
        chained = _chained()
        known = {one.definitions[0].name.value for one in gc.get_objects() if isinstance(one, DocumentNode)}
        functions = [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__name__ == "build"]
    finally:
        gc.enable()

    assert {name for name in known if name.startswith("forgotten")} <= {f"forgotten_{number}" for number in (3, 4, 5)}
    assert len(functions) == 2 * LEVELS
    assert chained == before


def _chained() -> int:
    """Tokens that hold each other."""
    return sum(isinstance(one, Token) and one.next is not None for one in gc.get_objects())
