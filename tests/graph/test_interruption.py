"""Operations that end before all of their fields have begun: what never begins leaves nothing to be complained of."""

import asyncio
import gc
import warnings

from factories.people import make_client
from factories.treatment import make_episode
from kit import World

QUERY = "{ clients { nodes { episodes { nodes { title scoresBySession { series { intake } } } } } } }"
MOST_STEPS = 2_000


async def test_fields_of_an_interrupted_operation_never_begin(world: World) -> None:
    client = await make_client(world.user)
    for _ in range(3):
        await make_episode(world.user, client)
    await world.user.ask(QUERY)

    ended = 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for steps in range(MOST_STEPS):
            asking = asyncio.create_task(world.user.ask(QUERY))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            answered, *_ = await asyncio.gather(asking, return_exceptions=True)
            ended += not isinstance(answered, asyncio.CancelledError)
            if ended:
                break
        gc.collect()

    assert (ended, [str(one.message) for one in told]) == (1, [])
