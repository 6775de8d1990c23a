"""Nobody hears of what they do not see."""

from kit import World
from matrix.cast import make_cast
from matrix.listening import ASKED, FIELDS, wrong_events


def test_every_subscription_is_listened_to() -> None:
    assert ASKED.keys() == FIELDS.keys()


async def test_everybody_hears_of_what_they_see_and_of_nothing_else(world: World) -> None:
    assert await wrong_events(await make_cast(world)) == []
