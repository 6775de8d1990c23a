"""The comparison of columns with objects asks what it says, in every way."""

import bench_columns

from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import prepare
from kit import settings_for


async def test_every_way_answers(url: str) -> None:
    demo = await prepare(settings_for(url), Scale.SMALL, lambda _name, _count, _total: None)

    seconds = await bench_columns.measure(url, demo.principals[0].headers, 1)

    assert {name: len(found) for name, found in seconds.items()} == {
        "objects, field by field": 1,
        "objects, by plans": 1,
        "columns as JSON": 1,
        "columns as Arrow": 1,
        "columns as CSV": 1,
    }
