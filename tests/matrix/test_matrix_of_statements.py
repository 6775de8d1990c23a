"""Whether a foreign row exists cannot be told from what is asked of the database."""

import pytest

from caregraph.graph.node import global_id, parse_id
from kit import World
from matrix.cast import Cast, make_cast
from matrix.declared import SEEN, sees
from matrix.reading import gets, pages
from matrix.writing import CALLS, IN_NORTHFIELD, rows_of, send

STRANGERS = ("cleo", "olga", "otto")


async def _statements(cast: Cast, who: str, field: str, row_id: str) -> list[str]:
    with cast.world.statements() as sent:
        await cast.people[who].ask(f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=row_id)
    return sent


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_hidden_row_costs_what_a_missing_one_does(world: World, who: str) -> None:
    cast = await make_cast(world)

    for field, kind in (gets() | dict.fromkeys(("node",), "Client")).items():
        for row in SEEN[kind]:
            if not sees(who, row):
                hidden = await _statements(cast, who, field, cast.ids[row])
                missing = await _statements(cast, who, field, global_id(kind, 999_999))
                assert hidden == missing, (field, row)


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_refused_change_of_a_hidden_row_costs_what_one_of_a_missing_row_does(world: World, who: str) -> None:
    cast = await make_cast(world)
    hidden = {name: row_id for name, row_id in cast.ids.items() if not sees(who, name)}
    nowhere = {name: global_id((parse_id(row_id) or ("", 0))[0], 999_999) for name, row_id in hidden.items()}

    for call in CALLS.values():
        names = rows_of(call, IN_NORTHFIELD)
        if hidden.keys() & set(names.values()):
            with cast.world.statements() as of_hidden:
                first = await send(cast, who, call, names)
            with cast.world.statements() as of_missing:
                second = await send(Cast(cast.world, cast.people, cast.ids | nowhere), who, call, names)
            assert (first, of_hidden) == (second, of_missing), call


async def test_a_list_costs_the_same_whoever_else_has_rows(world: World) -> None:
    """The first time nobody has any; the second time both towns are full, and the caller sees none of it."""
    texts = [f"{name}(first: 5) {{ totalCount nodes {{ id }} }}" for name in pages()]

    async def statements() -> list[list[str]]:
        found = []
        for text in texts:
            with world.statements() as sent:
                await world.colleague.ask(f"{{ {text} }}")
            found.append(sent)
        return found

    without = await statements()
    cast = await make_cast(world)
    assert len(cast.ids) > len(SEEN)
    assert await statements() == without
