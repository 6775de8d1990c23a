"""How cost grows with the rows of an answer, and that it does not with the data around them."""

import time
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

import orjson
from bench_contenders import Loaded
from bench_inside import WARM_UP
from bench_served import ask
from bench_workload import counted, tree
from rich import box
from rich.console import Console
from rich.table import Table

from caregraph.app import create_app
from caregraph.auth.viewer import today
from caregraph.cli.demo import credentials
from caregraph.cli.demo.care import dataset
from caregraph.cli.demo.load import analyze, load
from caregraph.cli.demo.plan import NORTHFIELD_LARGE, OrganizationPlan
from caregraph.cli.serving.server import settle
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.settings import Settings

_COUNTS = (50, 100, 500, 1_000, 5_000)
_TIMES_LARGE = 2.5
_UNLIMITED = 10_000_000
_FEWEST_ROUNDS = 3


async def growth(console: Console, demo: Loaded, rounds: int) -> None:
    """Ask for more and more clients of one organization, and for 50 of a smaller one in the same database."""
    fewer, more = await _asking(demo)
    limits = {"maximum_rows": _UNLIMITED, "maximum_cost": _UNLIMITED, "rate_limit": 0, "rate_limit_cost": 0}
    app = create_app(Settings(database_url=demo.url, **limits))
    settle()
    table = Table(title="Clients with all that is below them, in process", title_justify="left", box=box.MARKDOWN)
    for column in ("clients", "of", "objects", "p50 ms", "µs an object"):
        table.add_column(column, justify="right")
    asked = [(50, f"{NORTHFIELD_LARGE.clients:,}", fewer)]
    asked += [(count, f"{_plan().clients:,}", more) for count in _COUNTS]
    for count, of, asking in asked:
        times = []
        for _ in range(max(_FEWEST_ROUNDS, rounds * _COUNTS[0] // count) + WARM_UP):
            started = time.perf_counter()
            body = await ask(app, tree(count), dict(asking))
            times.append(time.perf_counter() - started)
        objects, _ = counted(orjson.loads(body)["data"])
        spent = median(times[WARM_UP:])
        table.add_row(f"{count:,}", of, f"{objects:,}", f"{1000 * spent:,.1f}", f"{1e6 * spent / objects:.1f}")
    await app.state.database.close()
    console.print(table)


def _plan() -> OrganizationPlan:
    """The large organization and as much again and a half, elsewhere."""
    large, domain = NORTHFIELD_LARGE, "westfield.example"
    counts = ("clients", "episodes", "shared_episodes", "raters", "sessions", "scores")
    return replace(
        large,
        name="Westfield Family Services",
        domain=domain,
        staff=tuple(replace(one, domain=domain) for one in large.staff),
        **{name: int(getattr(large, name) * _TIMES_LARGE) for name in counts},
    )


async def _asking(demo: Loaded) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Load the larger organization where it is not yet; the headers of both superusers, which are new ones."""
    database, plan = Database(Settings(database_url=demo.url)), _plan()
    account = await SignInLookups(database).account(plan.superuser.email)
    if account is None:
        organization_id = await load(database, dataset(plan, today(), ""), lambda _count: None)
        await analyze(database)
    else:
        organization_id = account.organization_id
    both = [(demo.organization_id, NORTHFIELD_LARGE), (organization_id, plan)]
    headers = {one.name: one.headers for one in await credentials.issue(database, both, "")}
    await database.close()
    return headers["superuser"], headers["other_superuser"]
