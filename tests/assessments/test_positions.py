"""Places in an order, as a function of nothing else."""

import random

import pytest

from caregraph.assessments.positions import arranged

CASES: list[tuple[str, dict[str, int], dict[str, int | None], dict[str, int]]] = [
    ("the first", {}, {"x": None}, {"x": 1}),
    ("at the end", {"a": 1, "b": 5}, {"x": None, "y": None}, {"a": 1, "b": 5, "x": 6, "y": 7}),
    ("beyond the end", {"a": 1}, {"x": 9, "y": None}, {"a": 1, "x": 9, "y": 10}),
    ("in a gap", {"a": 1, "b": 3}, {"x": 2}, {"a": 1, "x": 2, "b": 3}),
    ("pushing all", {"a": 1, "b": 2}, {"x": 1}, {"x": 1, "a": 2, "b": 3}),
    ("pushing up to a gap", {"a": 1, "b": 2, "c": 4}, {"x": 1}, {"x": 1, "a": 2, "b": 3, "c": 4}),
    ("moving up", {"a": 1, "b": 2, "c": 3}, {"c": 1}, {"c": 1, "a": 2, "b": 3}),
    ("moving down", {"a": 1, "b": 2, "c": 3}, {"a": 2}, {"a": 2, "b": 3, "c": 4}),
    ("changing places", {"a": 1, "b": 2, "c": 3}, {"a": 3, "c": 1}, {"c": 1, "b": 2, "a": 3}),
    ("staying", {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 2}),
    ("equals that nobody pushes", {"a": 1, "b": 1}, {"x": 5}, {"a": 1, "b": 1, "x": 5}),
]


@pytest.mark.parametrize(("standing", "coming", "places"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_who_comes_pushes_down(standing: dict[str, int], coming: dict[str, int | None], places: dict[str, int]) -> None:
    assert arranged(standing, coming) == places


def test_an_order_may_begin_at_zero() -> None:
    assert arranged({}, {"x": None, "y": None}, first=0) == {"x": 0, "y": 1}


def test_whatever_comes_the_rest_keeps_its_order() -> None:
    draw = random.Random(7)
    for _ in range(2_000):
        standing = dict(enumerate(sorted(draw.sample(range(20), draw.randint(0, 10)))))
        coming: dict[int, int | None] = dict(zip(draw.sample(range(12), 3), draw.sample(range(20), 3), strict=True)) | {
            99: None
        }

        places = arranged(standing, coming)

        rest = [key for key in standing if key not in coming]
        assert len(set(places.values())) == len(places) == len({*standing, *coming})
        assert {key: places[key] for key in coming if key != 99} == {k: v for k, v in coming.items() if k != 99}
        assert sorted(rest, key=places.__getitem__) == rest
        assert all(places[key] >= standing[key] for key in rest)
        assert places[99] == max(places.values())
