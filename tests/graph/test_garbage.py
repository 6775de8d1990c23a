"""What an operation made goes when it ends: were it left to the garbage collector, everybody would wait for it."""

import gc

import pytest
from graphql.execution.executor import Executor

from caregraph.graph.compiled.running import Run
from caregraph.graph.context import Context
from factories.people import make_client
from factories.treatment import make_episode
from kit import World

CLIENTS = "{ clients { nodes { fullName owners { id } episodes { nodes { title } } } } }"
BY_FIELDS = "{ clients { nodes { episodes { nodes { scoresBySession { series { intake } } } } } } }"
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
