"""Nobody changes what is not declared to be theirs to change."""

from kit import World
from matrix.cast import make_cast
from matrix.declared import HOLDS, REFUSALS
from matrix.writing import CALLS, MUTATION, wrong_refusals
from tenancy.test_root_fields import ELSEWHERE

EVERYBODY = sorted({*HOLDS, *REFUSALS})


def test_every_mutation_is_sent() -> None:
    assert CALLS.keys() | ELSEWHERE == MUTATION.keys()


async def test_everybody_is_refused_what_is_declared(world: World) -> None:
    cast = await make_cast(world)
    wrong: list[str] = []

    for who in EVERYBODY:
        wrong += await wrong_refusals(cast, who)

    assert wrong == []
