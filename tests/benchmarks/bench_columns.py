"""The same scores as objects and as columns: the last 3,000 rows of the large organization, 24,000 values.

`over objects` is the median over the rounds of the time as objects by plans through the time of each way.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any

import httpx
from bench_contenders import Loaded
from rich.console import Console
from rich.table import Table

from caregraph.app import create_app
from caregraph.settings import Settings

ROWS = 3_000
COLUMNS = "sessionId sessionDate episodeId clientId ors srs orsOverall srsOverall"
_WARM_UP = 2
_OBJECTS = """{
  sessions(first: 5000, where: {sessionDate: {gte: "DAY"}}) { nodes {
    id sessionDate
    episode { id }
    scores { total client { id } ... on OrsScore { overall } ... on SrsScore { overall } }
  } }
}"""
_TABLE = f'{{ scoresTable(from: "DAY") {{ {COLUMNS} }} }}'
_EXPORT = f"/exports/scores?from=DAY&columns={COLUMNS.replace(' ', ',')}"
_DAYS = "{ scoresTable { sessionDate } }"
_OBJECTS_BY_PLANS = "objects, by plans"


async def columns(console: Console, demo: Loaded, rounds: int) -> None:
    """Measure every way of asking, and print it."""
    _show(console, await measure(demo.url, demo.headers, rounds))


async def measure(url: str, headers: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, by way of asking."""
    unlimited = {"database_url": url, "rate_limit": 0, "rate_limit_cost": 0}
    compiled, loaders = (create_app(Settings(**unlimited, execution=way)) for way in ("compiled", "loaders"))
    seconds: dict[str, list[float]] = defaultdict(list)
    async with _client(compiled, headers) as http, _client(loaders, headers) as by_fields:
        days = sorted((await http.post("/graphql", json={"query": _DAYS})).json()["data"]["scoresTable"]["sessionDate"])
        day = days[-min(ROWS, len(days))]
        ways = {
            "objects, field by field": (by_fields, "/graphql", _OBJECTS),
            _OBJECTS_BY_PLANS: (http, "/graphql", _OBJECTS),
            "columns as JSON": (http, "/graphql", _TABLE),
            "columns as Arrow": (http, _EXPORT, None),
            "columns as CSV": (http, _EXPORT.replace("?", ".csv?"), None),
        }
        for _ in range(rounds + _WARM_UP):
            for name, (client, path, query) in ways.items():
                started = time.perf_counter()
                answer = await _asked(client, path.replace("DAY", day), query and query.replace("DAY", day))
                seconds[name].append(time.perf_counter() - started)
                if answer.status_code != httpx.codes.OK or b'"errors"' in answer.content[:200]:
                    raise RuntimeError(f"{name}: {answer.text[:500]}")
    for app in (compiled, loaders):
        await app.state.database.close()
    return {name: found[_WARM_UP:] for name, found in seconds.items()}


def _client(app: Any, headers: Mapping[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://caregraph", headers=headers)


async def _asked(client: httpx.AsyncClient, path: str, query: str | None) -> httpx.Response:
    return await (client.get(path) if query is None else client.post(path, json={"query": query}))


def _show(console: Console, seconds: dict[str, list[float]]) -> None:
    """Print medians, and how many times as fast each way is."""
    table = Table("24,000 values in process", title_justify="left")
    for column in ("ms", "over objects"):
        table.add_column(column, justify="right")
    for name, own in seconds.items():
        ratio = median(objects / one for objects, one in zip(seconds[_OBJECTS_BY_PLANS], own, strict=True))
        table.add_row(name, f"{1000 * median(own):,.1f}", f"{ratio:.1f}")
    console.print(table)
