"""Several processes behind one address: begun by one command, replaced when they die, and drained together.

The application is made once, and every worker is a fork of it: they share the memory that it takes, and one that takes
the place of another serves within milliseconds. uvicorn's own supervisor begins each from nothing, takes an interrupt
for a termination, knows no second signal, and begins one that dies at once again and again.
"""

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import socket, socketpair
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from starlette.applications import Starlette

from caregraph import logs
from caregraph.db.counters import MEMORY
from caregraph.http.siblings import Siblings
from caregraph.settings import PREFIX

from . import server, working
from .door import Crowds, Door

if TYPE_CHECKING:
    from caregraph.http.metrics import Metrics
    from caregraph.settings import Settings

LOG = logging.getLogger("caregraph.server")

_STOPS = (signal.SIGINT, signal.SIGTERM)
_SHORT_LIFE = 10.0
_PAUSES = (0.0, 0.1, 0.5, 2.0, 10.0)
"""Before a place is taken again, by how many in a row have had a short life there."""
_SECONDS_TO_CLOSE = 10.0
"""How much longer than draining may take a worker gets to end by itself."""
_SECONDS_AT_ONCE = 3.0
_MOST_AT_THE_DOOR = 2048
"""Connections that wait to be let in; as uvicorn has it."""


def obstacle(settings: "Settings") -> str | None:
    """Why several workers cannot serve by these settings."""
    if not hasattr(os, "fork"):
        return "Several workers are forks, which this system does not have: start one"
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        return "Several workers need PostgreSQL: on SQLite subscribers hear only of changes made by their own process"
    if settings.rate_limit_url == MEMORY:
        return (
            "Several workers need a store in which they count rate limits together, or each would grant all of them:"
            f" set {PREFIX}RATE_LIMIT_URL to a Redis or Valkey"
        )
    return None


def serve(app: Starlette, taken: socket) -> None:
    """Serve by as many workers as the settings say, until interrupted or terminated."""
    settings: Settings = app.state.settings
    logs.configure(level=settings.log_level, style=settings.log_format)
    with tempfile.TemporaryDirectory(prefix="caregraph-", ignore_cleanup_errors=True) as folder:
        status = _Supervisor(app, taken, Path(folder)).run()
    sys.exit(status)


@dataclass(eq=False)
class _Worker:
    """A process as its parent knows it."""

    process: BaseProcess
    line: socket
    """Orders go one way, the word that it serves the other. When it breaks, the other side has gone."""
    since: float = field(default_factory=monotonic)
    serves: bool = False

    def begins_to_serve(self) -> bool:
        """Whether it has said so, of a line on which something happens."""
        try:
            self.serves = bool(self.line.recv(1))
        except ConnectionResetError:  # it died with orders unread
            self.serves = False
        return self.serves

    def order(self, stop: int) -> None:
        """Pass a signal on. Not as one: a terminal or a service manager may have sent the same to the worker too."""
        with suppress(OSError):
            self.line.send(bytes([stop]))


@dataclass(eq=False)
class _Place:
    """Where one worker serves, and after it the next."""

    number: int
    worker: _Worker | None = None
    due: float | None = 0.0
    """When a worker is to be begun here."""
    has_served: bool = False
    short_lives: int = 0
    """How many have ended here one soon after the other."""

    def vacate(self, told: dict[str, object]) -> bool:
        """Have the next one begun; whether that makes sense."""
        lived = monotonic() - self.worker.since if self.worker is not None else 0.0
        served = self.worker is not None and self.worker.serves
        self.worker = None
        self.short_lives = 0 if lived > _SHORT_LIFE else self.short_lives + 1
        if not served and (not self.has_served or self.short_lives >= len(_PAUSES)):
            LOG.error("a worker could not begin to serve", extra={"fields": told})
            return False
        LOG.error("a worker has ended, another takes its place", extra={"fields": told})
        self.due = monotonic() + _PAUSES[min(self.short_lives, len(_PAUSES) - 1)]
        return True


class _Supervisor:
    """The parent of the workers. It serves nobody itself."""

    def __init__(self, app: Starlette, taken: socket, folder: Path) -> None:
        self._app, self._taken, self._folder = app, taken, folder
        self._settings: Settings = app.state.settings
        self._places = [_Place(number) for number in range(1, self._settings.workers + 1)]
        self._crowds = Crowds(self._settings.workers)
        self._ends_by: float | None = None
        """Once it stops: when those that are left are killed."""
        self._status = 0

    def run(self) -> int:
        """Return when all have ended, with the status of the command."""
        self._signals, woken = socketpair()
        woken.setblocking(False)
        signal.set_wakeup_fd(woken.fileno())
        for stop in _STOPS:
            signal.signal(stop, lambda *_: None)  # it is read from the socket
        self._taken.listen(_MOST_AT_THE_DOOR)
        self._taken.setblocking(False)
        server.settle()
        try:
            while any(place.worker or place.due is not None for place in self._places):
                self._begin_due()
                self._look()
        finally:
            for worker in self._workers().values():
                worker.line.close()
                worker.process.join()
        return self._status

    def _workers(self) -> dict[int, _Worker]:
        return {place.number: place.worker for place in self._places if place.worker is not None}

    def _begin_due(self) -> None:
        for place in self._places:
            if place.due is not None and place.due <= monotonic():
                place.due = None
                try:
                    place.worker = self._begun(place.number)
                except OSError as error:  # no memory or no processes are left
                    self._vacate(place, logs.failure(type(error), error.__traceback__))

    def _begun(self, number: int) -> _Worker:
        ours, theirs = socketpair()
        process = multiprocessing.get_context("fork").Process(target=self._work, args=(number, ours, theirs))
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # until the child has its own way with them
        try:
            process.start()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        return _Worker(process, ours)

    def _work(self, number: int, ours: socket, theirs: socket) -> None:
        """Be a worker."""
        signal.set_wakeup_fd(-1)
        for line in (ours, self._signals, *(one.line for one in self._workers().values())):
            line.close()  # or nobody would notice when the parent has gone
        server.end_on_terminate()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        metrics: Metrics = self._app.state.metrics
        siblings = Siblings(metrics.now, self._folder, number=number, workers=self._settings.workers)
        metrics.together = siblings.together
        working.work(
            self._app, self._taken, siblings=siblings, door=Door(self._taken, self._crowds, number), line=theirs
        )

    def _look(self) -> None:
        """Wait until something happens, and see to it."""
        begin = {worker.line for worker in self._workers().values() if not worker.serves}
        ends = {worker.process.sentinel for worker in self._workers().values()}
        happened = wait([self._signals, *begin, *ends], self._patience())
        if self._signals in happened:
            for stop in self._signals.recv(64):
                self._stop(stop)
        for place in self._places:
            worker = place.worker
            if worker is not None and worker.line in happened and worker.begins_to_serve():
                place.has_served = True
                LOG.info("a worker serves", extra={"fields": _told(place, worker)})
            if worker is not None and worker.process.sentinel in happened:
                self._ended(place, worker)
        if self._ends_by is not None and monotonic() >= self._ends_by:
            self._kill()

    def _patience(self) -> float | None:
        times = [place.due for place in self._places if place.due is not None]
        if self._ends_by is not None:
            times.append(self._ends_by)
        return max(0.0, min(times) - monotonic()) if times else None

    def _ended(self, place: _Place, worker: _Worker) -> None:
        worker.process.join()
        worker.line.close()
        self._crowds.leave(place.number)
        if self._ends_by is None:
            self._vacate(place, _told(place, worker) | {"status": worker.process.exitcode})
        else:
            place.worker = None

    def _vacate(self, place: _Place, told: dict[str, object]) -> None:
        if not place.vacate(told):
            self._status = 1
            self._stop(signal.SIGTERM)

    def _stop(self, stop: int) -> None:
        """Take all out of service; asked again, end them at once."""
        seconds = _SECONDS_AT_ONCE
        if self._ends_by is None:
            self._taken.close()  # or whoever comes late would wait for nobody
            seconds = self._settings.shutdown_timeout + _SECONDS_TO_CLOSE
        self._ends_by = monotonic() + seconds
        for place in self._places:
            place.due = None
        for worker in self._workers().values():
            worker.order(stop)

    def _kill(self) -> None:
        for place in self._places:
            if place.worker is not None:
                LOG.error("a worker did not end and is killed", extra={"fields": _told(place, place.worker)})
                place.worker.process.kill()
        self._ends_by = monotonic() + _SECONDS_AT_ONCE


def _told(place: _Place, worker: _Worker) -> dict[str, object]:
    return {"worker": place.number, "pid": worker.process.pid}
