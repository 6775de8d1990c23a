"""From the database to scores: answers of 20,000 sets to 20 items, read from SQLite and scored, over reading them alone.

Run it by itself: `PYTHONPATH=tests python tests/benchmarks/bench_scored.py`. Each round reads, makes the table of
answers and scores it; what is printed are medians of the parts, and of the whole over the reading of the same round.
"""

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from caregraph.assessments.enums import PublicationStatus, ScoreType
from caregraph.assessments.scored import rules_of
from caregraph.assessments.tables import answer_table, responses
from caregraph.auth.viewer import Viewer
from caregraph.db import migrate
from caregraph.db.session import Database
from caregraph.scoring.engine import score
from factories.assessments import make_assessment, make_config, make_item, make_scale, put_on
from kit import World, settings_for

SETS, ITEMS, EACH = 20_000, 20, 4
ROUNDS = 7
_SET = """INSERT INTO answer_sets
    (id, organization_id, assessment_id, assessment_version, source, created_at, updated_at)
    VALUES (?, ?, ?, 1, 0, '2026-01-01', '2026-01-01')"""
_RESPONSE = """INSERT INTO item_responses
    (organization_id, answer_set_id, item_id, value, source_type, created_at, updated_at)
    VALUES (?, ?, ?, ?, 0, '2026-01-01', '2026-01-01')"""


async def authored(world: World) -> tuple[int, list[int]]:
    """An assessment of 20 items on five scales, each with a prorated sum; its id and those of the items."""
    author = world.superuser
    items = [await make_item(author, f"Item {number}", values=(0, 1, 2, 3)) for number in range(ITEMS)]
    assessment = await make_assessment(author, status=PublicationStatus.PUBLISHED)
    await put_on(author, assessment, *items)
    for start in range(0, ITEMS, EACH):
        scale = await make_scale(author, f"Scale {start}", *items[start : start + EACH])
        await put_on(author, assessment, scale)
        published = PublicationStatus.PUBLISHED
        await make_config(author, scale, ScoreType.SCALE_SUM, minimum_answered_share=0.5, status=published)
    return assessment.id, [item.id for item in items]


def answer(file: Path, organization_id: int, assessment_id: int, item_ids: list[int]) -> None:
    """Write the answers past the server, which would score each set as it comes."""
    drawn = np.random.default_rng(1).integers(4, size=(SETS, ITEMS)).astype(float)
    connection = sqlite3.connect(file)
    connection.executemany(_SET, ((one, organization_id, assessment_id) for one in range(1, SETS + 1)))
    connection.executemany(
        _RESPONSE,
        (
            (organization_id, one, item_id, value)
            for one, row in enumerate(drawn.tolist(), 1)
            for item_id, value in zip(item_ids, row, strict=True)
        ),
    )
    connection.commit()
    connection.close()


async def measure(world: World, organization_id: int, assessment_id: int) -> list[tuple[float, float, float]]:
    """Seconds of reading, of the table and of scoring, by round."""
    found = []
    async with world.database.read_session(Viewer.system(organization_id)) as session:
        for _ in range(ROUNDS):
            started = time.perf_counter()
            given = (await session.execute(responses())).all()
            read = time.perf_counter()
            rules = await rules_of(session.execute, assessment_id)
            table = answer_table(rules.spec, given, range(1, SETS + 1))
            made = time.perf_counter()
            columns = score(rules.spec, table)
            found.append((read - started, made - read, time.perf_counter() - made))
            assert len(given) == SETS * ITEMS
            assert len(columns) == ITEMS // EACH
    return found


async def main() -> None:
    """Make the data, measure, print."""
    with tempfile.TemporaryDirectory(prefix="cg-") as folder:
        file = Path(folder) / "benchmark.sqlite"
        url = f"sqlite+aiosqlite:///{file}"
        database = Database(settings_for(url))
        await migrate.upgrade(database)
        await database.close()
        world = World(url, url)
        await world.populate()
        organization_id = world.superuser.viewer.organization_id
        assert organization_id is not None
        assessment_id, item_ids = await authored(world)
        answer(file, organization_id, assessment_id, item_ids)
        found = await measure(world, organization_id, assessment_id)
        await world.close()
    for name, seconds in zip(("reading", "table of answers", "scores"), zip(*found, strict=True), strict=True):
        print(f"{name:>16} {1000 * median(seconds):8,.1f} ms")  # noqa: T201 what it is for
    print(f"whole over reading {median(sum(one) / one[0] for one in found):.2f}")  # noqa: T201 what it is for


if __name__ == "__main__":
    asyncio.run(main())
