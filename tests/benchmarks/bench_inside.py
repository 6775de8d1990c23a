"""In this process without a network, beside the same rows read with the bare driver and dumped as JSON."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import orjson
from bench_audit import AT_ONCE, per_second
from bench_contenders import Loaded
from bench_driver import Limit
from bench_engine import Sample, trajectories
from bench_served import ask, statements
from bench_workload import QUESTIONS, Question, text_of
from rich import box
from rich.console import Console
from rich.table import Table

from caregraph.app import create_app
from caregraph.auth.viewer import today
from caregraph.cli.serving.server import settle
from caregraph.settings import Settings

WARM_UP = 2
FIRST_CLIENT = "{ clients(first: 1) { nodes { id } } }"
_HIGH = 2_000_000_000


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
        kept = self.seconds[way][WARM_UP:]
        return 1000 * median(kept) if kept else None

    def over(self, way: str) -> float | None:
        """Median over the rounds of in process by another way: both of a round feel what else the machine does."""
        pairs = zip(self.seconds["process"][WARM_UP:], self.seconds[way][WARM_UP:], strict=False)
        return median([own / other for own, other in pairs] or [0.0]) or None


async def inside(console: Console, demo: Loaded, rounds: int) -> None:
    """Measure and print."""
    _show(console, await _measured(demo, rounds + WARM_UP), demo.url.partition("+")[0])
    _show_engine(console, rounds)


async def _measured(demo: Loaded, rounds: int) -> dict[Question, Measured]:
    settings = {"database_url": demo.url, "rate_limit": _HIGH, "rate_limit_cost": _HIGH}
    server, headers = create_app(Settings(**settings)), dict(demo.headers)
    unaudited = create_app(Settings(**settings, audit_reads=False))
    settle()
    found = {question: Measured() for question in QUESTIONS}
    async with Limit(demo.url, demo.organization_id) as limit:
        client_id = orjson.loads(await ask(server, FIRST_CLIENT, headers))["data"]["clients"]["nodes"][0]["id"]
        for _ in range(rounds):
            for question, result in found.items():
                text = text_of(question, client_id)
                with statements(server.state.database) as sent:
                    own = await _timed(result, "process", lambda text=text: ask(server, text, headers))
                await _timed(result, "unaudited", lambda text=text: ask(unaudited, text, headers))
                if b'"errors"' in own[:200]:
                    raise RuntimeError(f"{question.name}: {own[:500]!r}")
                result.size, result.statement_count = len(own), len(sent)
                if question.level is not None:
                    await _timed(result, "limit", lambda level=question.level: limit.read(level))
        short = next(one for one in found if one.name == "Q3")
        for _ in range(2):  # how many of a short question both answer, the one after the other, twice
            for name, app in {"audit": server, "no audit of reads": unaudited}.items():
                found[short].rates[name] = await per_second(app, text_of(short, client_id), headers)
    await server.state.database.close()
    await unaudited.state.database.close()
    return found


async def _timed(result: Measured, way: str, work: Callable[[], Awaitable[Any]]) -> Any:
    started = time.perf_counter()
    answer = await work()
    result.seconds[way].append(time.perf_counter() - started)
    return answer


def _show(console: Console, measured: dict[Question, Measured], database: str) -> None:
    table = Table("", "query", title=f"In process on {database}", title_justify="left", box=box.MARKDOWN)
    for column in ("ms", "driver ms", "ratio", "audit", "bytes", "SQL", "at most"):
        table.add_column(column, justify="right")
    for question, result in measured.items():
        table.add_row(
            question.name,
            question.what,
            *(_number(result.p50(way)) for way in ("process", "limit")),
            *(_number(result.over(way), ".2f") for way in ("limit", "unaudited")),
            f"{result.size:,}",
            str(result.statement_count),
            str(question.most_statements),
        )
    console.print(table)
    for question, result in measured.items():
        if result.rates:
            rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in result.rates.items())
            console.print(f"{question.name}, {AT_ONCE} at once, operations a second: {rates}")


def _show_engine(console: Console, rounds: int) -> None:
    sample = Sample(today())
    table = Table("the engine alone", title_justify="left", box=box.MARKDOWN)
    table.add_column("ms", justify="right")
    for name, work in {
        "1,000 intakes x 1,000 sessions": trajectories,
        "statistics of 2,000 clients": sample.statistics,
    }.items():
        seconds = []
        for _ in range(rounds + WARM_UP):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        table.add_row(name, _number(1000 * median(seconds[WARM_UP:])))
    console.print(table)


def _number(value: float | None, form: str = ",.1f") -> str:
    return "" if value is None else format(value, form)
