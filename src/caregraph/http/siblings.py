"""What the workers of one command count, told as one: whichever of them is asked asks the others.

Counts outlive a worker. What it tells it also notes in a file, and whoever takes its place goes on from there, so no
count that was told once ever goes down. A worker that does not answer in time is told by its note.
"""

import asyncio
import operator
import shutil
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from .metrics import LAG

_SECONDS_TO_ANSWER = 1.0
_LASTING = {"counter", "histogram", "summary"}
"""Kinds of what only ever grows. Everything else is of the moment, and ends with its process."""
_GREATEST = {LAG}
"""What is no more for being there several times."""
_OF_ONE = "process_"
"""Begins the names of what is told by worker: a sum would hide the one that grows."""


@dataclass(frozen=True)
class _Family:
    """A metric as it goes from one process to another."""

    name: str
    documentation: str
    kind: str
    samples: list[tuple[str, list[tuple[str, str]], float]]


class Siblings:
    """One of several workers, and what it knows of the others."""

    def __init__(
        self, own: Callable[[], Awaitable[CollectorRegistry]], folder: Path, *, number: int, workers: int
    ) -> None:
        """Worker `number` of `workers`, counted from 1, whose `folder` is nobody else's; `own` is what it counts."""
        self._own = own
        self._folder = folder
        self._number = number
        self._others = [other for other in range(1, workers + 1) if other != number]
        self._is_later = self._note(number).exists()
        self._inherited = self._noted(number)

    async def open(self) -> None:
        """Answer the others from now on."""
        place = self._place(self._number)
        place.unlink(missing_ok=True)  # of one that was killed
        self._server = await asyncio.start_unix_server(self._answer, place)
        await self._tell()

    async def close(self) -> None:
        """Answer nobody any more, and leave what was counted to whoever takes this place."""
        self._server.close()
        await self._tell()

    def remove(self) -> None:
        """Leave nothing behind, since nobody takes this place any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def together(self) -> Collector:
        """What all of them count."""
        tellings = await asyncio.gather(self._tell(), *map(self._ask, self._others))
        return _Sum(_merged(tellings))

    async def _tell(self) -> list[_Family]:
        """What this one counts, with what was counted in its place before. What is told is noted first."""
        registry = await self._own()
        told = _merged([self._inherited, [self._family(one) for one in registry.collect()], self._about_workers()])
        note = self._note(self._number)
        with suppress(OSError):  # a full disk keeps nobody from being told, nor does a folder that is gone
            note.with_suffix(".new").write_bytes(orjson.dumps([one for one in told if one.kind in _LASTING]))
            note.with_suffix(".new").replace(note)
        return told

    def _about_workers(self) -> list[_Family]:
        replacements = "caregraph_worker_replacements"
        return [
            _Family("caregraph_workers", "Workers that answer.", "gauge", [("caregraph_workers", [], 1.0)]),
            _Family(
                replacements,
                "Workers that took the place of one that had ended.",
                "counter",
                [(f"{replacements}_total", [], float(self._is_later))],
            ),
        ]

    def _family(self, metric: Metric) -> _Family:
        worker = [("worker", str(self._number))] if metric.name.startswith(_OF_ONE) else []
        samples = [(one.name, [*one.labels.items(), *worker], one.value) for one in metric.samples]
        return _Family(metric.name, metric.documentation, metric.type, samples)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # whoever asked has left
            writer.write(orjson.dumps(await self._tell()))
            await writer.drain()
        writer.close()

    async def _ask(self, other: int) -> list[_Family]:
        try:
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                reader, writer = await asyncio.open_unix_connection(self._place(other))
                try:
                    return _read(await reader.read())
                finally:
                    writer.close()
        except (OSError, ValueError):  # it is being replaced, is too busy, or died while it spoke
            return self._noted(other)

    def _noted(self, number: int) -> list[_Family]:
        try:
            return _read(self._note(number).read_bytes())
        except FileNotFoundError:
            return []

    def _note(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _place(self, number: int) -> Path:
        return self._folder / f"{number}.sock"


class _Sum(Collector):
    """Families that were added up, as the writer of the text format wants them."""

    def __init__(self, families: Iterable[_Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """One metric of each family."""
        for family in self._families:
            metric = Metric(family.name, family.documentation, family.kind)
            for name, labels, value in family.samples:
                metric.add_sample(name, dict(labels), value)
            yield metric


def _read(text: bytes) -> list[_Family]:
    return [_Family(**one) for one in orjson.loads(text)]


def _merged(tellings: Iterable[Iterable[_Family]]) -> list[_Family]:
    """One family of each name, with each of its samples once."""
    families: dict[str, _Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in (one for telling in tellings for one in telling):
        families.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        combined: Callable[[float, float], float] = max if family.name in _GREATEST else operator.add
        for name, labels, value in family.samples:
            key = name, tuple((label, text) for label, text in labels)
            known[key] = combined(known.get(key, 0.0), value)
    return [
        replace(one, samples=[(name, list(labels), value) for (name, labels), value in values[one.name].items()])
        for one in families.values()
    ]
