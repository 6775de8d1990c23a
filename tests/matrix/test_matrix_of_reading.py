"""Nobody reads what is not declared to be theirs, whichever way they ask."""

from kit import World
from matrix.cast import make_cast
from matrix.declared import HOLDS, NEEDS, REFUSALS, SEEN
from matrix.reading import (
    CORE,
    gets,
    needs,
    unnamed_types,
    unread_rules,
    wrong_edges,
    wrong_gets,
    wrong_pages,
    wrong_private_fields,
)

EVERYBODY = sorted({*HOLDS, *REFUSALS})


def test_every_type_of_rows_is_declared() -> None:
    assert unnamed_types() == set(), "say in matrix/declared.py who sees which rows of the new type"
    assert set(gets().values()) == SEEN.keys()
    assert unread_rules() == set(), "say in matrix/reading.py who is to read fields with the new rule"


def test_what_root_fields_ask_for_is_declared() -> None:
    roots = [CORE.type_map[root].fields for root in ("Query", "Mutation", "Subscription")]
    asked = {name: needs(field) for fields in roots for name, field in fields.items()}

    assert asked == {name: NEEDS.get(name, "CARE") for name in asked}
    assert NEEDS.keys() <= asked.keys()


async def test_everybody_reads_what_is_declared_and_nothing_else(world: World) -> None:
    cast = await make_cast(world)
    wrong: list[str] = []

    for who in EVERYBODY:
        for check in (wrong_gets, wrong_pages, wrong_edges, wrong_private_fields):
            wrong += await check(cast, who)

    assert wrong == []
