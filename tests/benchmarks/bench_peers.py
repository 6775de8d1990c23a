"""The comparison: everybody on the same PostgreSQL and the same data, over HTTP, as multiples of limit and peer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from bench_contenders import Contender, Loaded, contenders
from bench_rounds import CONNECTIONS, Load, Rounds, latencies, throughput
from bench_wire import Wire
from bench_workload import COMPARED, counted
from rich import box
from rich.console import Console
from rich.table import Table

_NAMES = [one.name for one in COMPARED]


@dataclass(frozen=True)
class Target:
    """What our server is to reach in one comparison, by question: enough, and more than enough."""

    what: str
    base: str
    is_rate: bool
    reach: Sequence[float]
    stretch: Sequence[float]


TARGETS = (
    Target("p50 / PostGraphile", "PostGraphile", False, (0.50, 0.40, 0.60, 0.90, 0.45), (0.40, 0.33, 0.50, 0.75, 0.30)),
    Target("p50 / limit", "limit", False, (1.4, 1.15, 1.5, 2.0, 1.5), (1.1, 1.0, 1.15, 1.3, 1.1)),
    Target("requests/s / PostGraphile", "PostGraphile", True, (2, 3, 1.8, 1.2, 3), (4, 5, 2.5, 1.6, 6)),
)


def compare(console: Console, demo: Loaded, rounds: int, beside: Path | None) -> None:
    """Measure and print."""
    with contenders(demo, beside) as entered:
        console.print(_sizes(entered))
        times = latencies(entered, _NAMES, rounds)
        console.print(_times(entered, times.p50))
        console.print(_fastest(entered, times.fastest))
        load = throughput(entered, _NAMES, max(1, rounds // 4))
    console.print(_rates(entered, load))
    for table in _reached(entered, times.p50, load):
        console.print(table)


def _sizes(entered: Sequence[Contender]) -> Table:
    """Fails where answers differ in how much they hold."""
    table = _table("objects / scalars / kB of an answer", "")
    for contender in entered:
        cells = []
        with Wire(contender.url) as wire:
            for question in COMPARED:
                body = bytes(wire.ask(contender.requests[question.name]))
                answer = orjson.loads(body)
                if "errors" in answer:
                    raise RuntimeError(f"{contender.name}, {question.name}: {body[:500]!r}")
                cells.append((*counted(answer["data"]), len(body)))
        if contender is entered[0]:
            expected = [one[:2] for one in cells]
        if [one[:2] for one in cells] != expected:
            raise RuntimeError(f"{contender.name} answers {cells}, {entered[0].name} {expected}")
        table.add_row(contender.name, *(f"{one} / {two} / {size // 1000}" for one, two, size in cells))
    return table


def _times(entered: Sequence[Contender], times: Rounds) -> Table:
    table = _table("p50 as a multiple of the limit (milliseconds), 1 connection", "")
    for contender in entered:
        cells = []
        for question in _NAMES:
            middle = times.middle(contender.name, question)
            cells.append(f"{_short(times.ratio(contender.name, 'limit', question))} ({1000 * (middle or 0):.1f})")
        table.add_row(contender.name, *cells)
    return table


def _fastest(entered: Sequence[Contender], times: Rounds) -> Table:
    """What a busy machine disturbs least: it delays whoever changes between processes often more than the others."""
    table = _table("the fastest request of all as a multiple of the limit's (milliseconds)", "")
    for contender in entered:
        cells = []
        for question in _NAMES:
            best, limit = times.best(contender.name, question), times.best("limit", question)
            cells.append("" if best is None or limit is None else f"{best / limit:.2f} ({1000 * best:.1f})")
        table.add_row(contender.name, *cells)
    return table


def _rates(entered: Sequence[Contender], load: Load) -> Table:
    table = _table(f"requests a second, {CONNECTIONS} connections, one process (CPU milliseconds of it a request)", "")
    for contender in entered:
        cells = []
        for question in _NAMES:
            rate, cpu = load.rates.middle(contender.name, question), load.cpu.middle(contender.name, question)
            cells.append(f"{rate or 0:,.0f} ({1000 * (cpu or 0):.2f})")
        table.add_row(contender.name, *cells)
    return table


def _reached(entered: Sequence[Contender], times: Rounds, load: Load) -> list[Table]:
    """For each of our servers, what is reached: in bold the stretch, in red a miss."""
    tables, names = [], {one.name for one in entered}
    for target in TARGETS:
        if target.base not in names:
            continue
        found = load.rates if target.is_rate else times
        table = _table(f"{target.what}: reach (stretch)", "")
        table.add_row(
            "to reach", *(f"{one:g} ({two:g})" for one, two in zip(target.reach, target.stretch, strict=True))
        )
        for contender in entered:
            if contender.name.startswith("caregraph"):
                ratios = [found.ratio(contender.name, target.base, question) for question in _NAMES]
                table.add_row(contender.name, *map(_judged, [target] * len(_NAMES), range(len(_NAMES)), ratios))
        tables.append(table)
    return tables


def _judged(target: Target, place: int, ratio: float | None) -> str:
    if ratio is None:
        return ""
    sign = -1 if target.is_rate else 1
    reach, stretch = target.reach[place], target.stretch[place]
    verdict = "stretch" if sign * ratio <= sign * stretch else "reached" if sign * ratio <= sign * reach else "missed"
    return f"{_short(ratio)} {verdict}"


def _short(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _table(title: str, first: str) -> Table:
    table = Table(first, title=title, title_justify="left", box=box.MARKDOWN)
    for name in _NAMES:
        table.add_column(name, justify="right")
    return table
