"""Alternating rounds: everybody is asked the same in each, so that all feel what else the machine does."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench_contenders import Contender
from bench_wire import Wire

CONNECTIONS = 4
_WARM_UP = 3
_SLICE = 0.12
"""Seconds of one contender with one question in one round, or one request where that takes longer."""
_LOAD = 0.5
_LIGHT = "Q3"
"""What opens a connection before it is measured."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Rounds:
    """Values by contender and question, by round."""

    values: dict[tuple[str, str], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def middle(self, name: str, question: str) -> float | None:
        """The median over the rounds."""
        found = self.values.get((name, question))
        return median(found.values()) if found else None

    def ratio(self, name: str, base: str, question: str) -> float | None:
        """The median over the rounds of one by the other in the same round."""
        own, other = self.values.get((name, question), {}), self.values.get((base, question), {})
        found = [own[one] / other[one] for one in own.keys() & other.keys()]
        return median(found) if found else None

    def best(self, name: str, question: str) -> float | None:
        """The lowest of all rounds."""
        found = self.values.get((name, question))
        return min(found.values()) if found else None


@dataclass
class Latency:
    """Seconds of one request on one connection: the median of each round, and the fastest."""

    p50: Rounds = field(default_factory=Rounds)
    fastest: Rounds = field(default_factory=Rounds)


@dataclass
class Load:
    """What many connections get out of each contender, and what it costs: CPU seconds of its process a request."""

    rates: Rounds = field(default_factory=Rounds)
    cpu: Rounds = field(default_factory=Rounds)


def latencies(entered: Sequence[Contender], questions: Sequence[str], rounds: int) -> Latency:
    """How long one request takes while nothing else is asked."""
    found = Latency()

    def note(contender: Contender, question: str, place: int) -> None:
        spent: list[float] = []
        with Wire(contender.url) as wire:  # a new one, since servers close what is quiet while others have their turn
            wire.ask(contender.requests[_LIGHT])
            began = time.perf_counter()
            while not spent or time.perf_counter() - began < _SLICE:
                started = time.perf_counter()
                wire.ask(contender.requests[question])
                spent.append(time.perf_counter() - started)
        if place >= 0:
            found.p50.values[contender.name, question][place] = median(spent)
            found.fastest.values[contender.name, question][place] = min(spent)

    _each(entered, questions, range(-_WARM_UP, rounds), note)
    return found


def throughput(entered: Sequence[Contender], questions: Sequence[str], rounds: int) -> Load:
    """Requests a second of several connections at once."""
    found = Load()

    def note(contender: Contender, question: str, place: int) -> None:
        before = cpu_seconds(contender.process_id)
        count, seconds = _pressed(contender, question)
        if place >= 0:
            found.rates.values[contender.name, question][place] = count / seconds
            spent = cpu_seconds(contender.process_id) - before
            found.cpu.values[contender.name, question][place] = spent / count

    _each(entered, questions, range(-1, rounds), note)
    return found


def _each(
    entered: Sequence[Contender],
    questions: Sequence[str],
    places: range,
    note: Callable[[Contender, str, int], None],
) -> None:
    for place in places:
        for question in questions:
            for contender in entered if place % 2 else reversed(entered):
                if place % contender.every == 0:
                    note(contender, question, place)


def _pressed(contender: Contender, question: str) -> tuple[int, float]:
    """Requests answered, and the seconds until the last of them."""
    counts = [0] * CONNECTIONS
    began = time.perf_counter()

    def ask(number: int) -> None:
        with Wire(contender.url) as wire:
            while not counts[number] or time.perf_counter() - began < _LOAD:
                wire.ask(contender.requests[question])
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.perf_counter() - began


def cpu_seconds(process_id: int) -> float:
    """What a process has used until now; 0 where that is not to be seen."""
    try:
        told = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS
