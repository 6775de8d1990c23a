"""Measures the server under more load than it can carry, and its memory over many requests. Nothing here fails.

    python tests/benchmarks/overload.py                       # embedded SQLite
    python tests/benchmarks/overload.py --postgres            # a PostgreSQL server of its own, gone afterwards
    python tests/benchmarks/overload.py --requests 100000     # requests over which memory is looked at; 0: not at all

The server is a process of its own with the demo's small data. Seven of ten requests ask for one client with owners,
a quarter for 100 clients, one of twenty for 10 clients with everything below them. First they come one at a time:
that is the unloaded time. Then as many as four clients get answered: that is what it can carry. Then at 80 % of
that, then at twice that, at random times and however many are under way.
"""

import random
import tempfile
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvloop
from bench_load import Answers, Load
from bench_served import database_of, demo
from bench_workload import QUESTIONS, text_of
from rich.console import Console
from rich.table import Table

_ALONE = 400
_CARRIED = 3_000
_CLIENTS = 4
_IDS = "{ clients(first: 100) { nodes { id } } }"

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    seconds: Annotated[float, typer.Option(help="Seconds under twice the load; 0: not at all.")] = 25.0,
    requests: Annotated[int, typer.Option(help="Requests over which memory is looked at.")] = 20_000,
    database: Annotated[str | None, typer.Option(help="URL of a database to use.")] = None,
    postgres: Annotated[bool, typer.Option("--postgres", help="Start a PostgreSQL server for the run.")] = False,
) -> None:
    """Measure what is accepted, what is refused, and memory."""
    with tempfile.TemporaryDirectory(prefix="cg-", dir="/tmp" if postgres else None) as folder:
        where = Path(folder)
        with database_of(where, database, postgres=postgres) as url, demo(url, where, scale="small") as credentials:
            uvloop.run(_measure(credentials, seconds, requests))


async def _measure(credentials: dict[str, Any], seconds: float, requests: int) -> None:
    headers = next(one["headers"] for one in credentials["principals"] if one["name"] == "superuser")
    async with httpx.AsyncClient(headers=headers) as http:
        answer = (await http.post(credentials["url"], json={"query": _IDS})).json()
    texts = _Texts([one["id"] for one in answer["data"]["clients"]["nodes"]])
    if seconds:
        await _compare(Load(credentials["url"], headers, texts.any), seconds)
    if requests:
        many = Load(credentials["url"], headers, texts.any_or_new)
        await _remembered(many, credentials["process"], requests)
        await many.close()


async def _compare(load: Load, seconds: float) -> None:
    """Print how it fares alone, with what it can carry, and with twice that."""
    await load.together(_CARRIED // 4, clients=_CLIENTS)  # to warm up
    found = {"one at a time": await load.alone(_ALONE)}
    carried = await load.together(_CARRIED, clients=_CLIENTS)
    found[f"{_CLIENTS} clients"] = carried
    found["80 %"] = await load.at(0.8 * carried.per_second, seconds=seconds / 2)
    found["twice"] = await load.at(2 * carried.per_second, seconds=seconds)
    found["one at a time afterwards"] = await load.alone(_ALONE)
    await load.close()
    _show(found)


class _Texts:
    """The queries that are asked."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self._numbers = iter(range(10**9))
        self._by_name = {one.name: one for one in QUESTIONS}

    def any(self, chance: random.Random) -> str:
        name = chance.choices(("Q3", "Q2", "Q1"), (70, 25, 5))[0]
        return text_of(self._by_name[name], chance.choice(self._ids)).replace("first: 50", "first: 10")

    def any_or_new(self, chance: random.Random) -> str:
        """Mostly one client with owners; every tenth is a document that was never sent before."""
        number = next(self._numbers)
        if number % 100 == 1:
            return self.any(chance)
        if number % 10:
            return text_of(self._by_name["Q3"], chance.choice(self._ids))
        return f"{{ me{number}: me {{ id email }} clients(first: 3) {{ nodes {{ id name{number}: fullName }} }} }}"


async def _remembered(load: Load, process: int, requests: int) -> None:
    """Print the memory of the server after each tenth of the requests."""
    console = Console()
    console.print(f"resident memory at first: {_resident(process):,} KiB")
    for tenth in range(1, 11):
        found = await load.together(requests // 10, clients=4)
        console.print(
            f"after {tenth * requests // 10:,} requests: {_resident(process):,} KiB;"
            f" {found.per_second:.0f} a second, {found.count(503)} refused, {len(found.wrong)} wrong {found.wrong[:1]}"
        )


def _resident(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _show(found: dict[str, Answers]) -> None:
    table = Table("", title="milliseconds", title_justify="left")
    for column in (
        "asked",
        "answered",
        "a second",
        "p50",
        "p99",
        "longest",
        "503",
        "p50 of 503",
        "p99 of 503",
        "wrong",
    ):
        table.add_column(column, justify="right")
    for name, one in found.items():
        asked = sum(map(len, one.seconds.values())) + len(one.wrong)
        times = [f"{one.quantile(200, part):.1f}" for part in (0.5, 0.99, 1)]
        table.add_row(
            name,
            f"{asked:,}",
            f"{one.count(200):,}",
            f"{one.per_second:.0f}",
            *times,
            f"{one.count(503):,}",
            f"{one.quantile(503, 0.5):.1f}",
            f"{one.quantile(503, 0.99):.1f}",
            f"{len(one.wrong)} {' '.join(one.wrong[:1])}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    app()
