"""Places in an order: whoever comes to a place that is taken pushes down those who are there."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

HIGHEST = 1_000_000


def arranged(standing: Mapping[K, int], coming: Mapping[K, int | None], *, first: int = 1) -> dict[K, int]:
    """The places of all, once some have come to an order: each to the place that it wants, null to the end.

    `standing` are the places before, in their order. Whoever does not come stays, or moves down as far as it must. An
    order in which nobody stands begins at `first`.
    """
    places = {key: place for key, place in coming.items() if place is not None}
    taken, pushed_to = set(places.values()), -1
    for key, before in standing.items():
        if key in coming:
            continue
        place = max(before, pushed_to + 1)
        while place in taken:
            place += 1
        if place != before:
            pushed_to = place
        places[key] = place
    end = max(places.values(), default=first - 1)
    for key, wanted in coming.items():
        if wanted is None:
            places[key] = end = end + 1
    return places
