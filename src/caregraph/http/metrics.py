"""`/metrics` for Prometheus: counts, errors, durations, cost, statements and batches by operation, and the pools."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cache

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from caregraph.db.counters import Counters
from caregraph.db.pools import CountingPool
from caregraph.db.session import Database

from .gate import UNAVAILABLE, Gate
from .observe import Observation

LAG = "caregraph_event_loop_lag_seconds"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ANONYMOUS = "anonymous"
_SIZES = (1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000)


class Metrics:
    """An observer that counts. Labels are bounded: operations are named only when their name is `known`."""

    def __init__(self, known: Iterable[str]) -> None:
        """`known` are the names of the operation documents."""
        self._known = frozenset(known)
        self.registry = registry = CollectorRegistry()
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        prometheus_client.ProcessCollector(registry=registry)
        self._operations = Counter(
            "caregraph_operations", "Operations that ended.", ("operation", "kind"), registry=registry
        )
        self._errors = Counter(
            "caregraph_operation_errors", "Errors of operations by code.", ("operation", "code"), registry=registry
        )
        self._seconds = Histogram(
            "caregraph_operation_seconds", "Duration.", ("operation",), buckets=_SECONDS, registry=registry
        )
        self._statements = Summary(
            "caregraph_operation_statements", "SQL statements.", ("operation",), registry=registry
        )
        self._cost = Summary("caregraph_operation_cost", "Calculated cost.", ("operation",), registry=registry)
        self._of_every = cache(self._labelled)
        self._batches = Histogram(
            "caregraph_loader_batch_size", "Keys per batch.", ("loader",), buckets=_SIZES, registry=registry
        )
        self._of_loader = cache(self._batches.labels)
        self._refused = self._operations.labels(_ANONYMOUS, "none")
        self._refused_busy = self._errors.labels(_ANONYMOUS, UNAVAILABLE)
        self._late = Gauge(LAG, "How late the event loop is when asked.", registry=registry)
        self.together: Callable[[], Awaitable[Collector]] = self.now
        """What `/metrics` shows. A process that serves together with others shows what all of them count."""

    def begin(self, seen: Observation) -> None:
        """Nothing is counted before the end."""

    def end(self, seen: Observation, _begun: None) -> None:
        """Count one operation."""
        name = self._label(seen.name)
        ended, seconds, statements = self._of_every(name, seen.kind)
        ended.inc()
        seconds.observe(seen.seconds)
        statements.observe(seen.tally.statements)
        for code in seen.codes:
            self._errors.labels(name, code).inc()
        for loader, size in seen.tally.batches:
            self._of_loader(loader).observe(size)
        if seen.cost is not None:
            self._cost.labels(name).observe(seen.cost)

    def count_refused(self) -> None:
        """Count an operation that was refused before anything was known of it."""
        self._refused.inc()
        self._refused_busy.inc()

    def _labelled(self, name: str, kind: str) -> tuple[Counter, Histogram, Summary]:
        """What is counted for every operation: looked up once, since names are few."""
        return self._operations.labels(name, kind), self._seconds.labels(name), self._statements.labels(name)

    def _label(self, name: str) -> str:
        if not name:
            return _ANONYMOUS
        return name if name in self._known else "other"

    def watch_process(self, database: Database, gate: Gate) -> None:
        """Also show what the process holds at the moment it is asked."""
        running = Gauge("caregraph_operations_running", "Operations that run now.", registry=self.registry)
        running.set_function(lambda: gate.running)
        waiting = Gauge("caregraph_operations_waiting", "Operations that wait for their turn.", registry=self.registry)
        waiting.set_function(lambda: gate.waiting)
        self.registry.register(_Pools(database))

    def watch_limits(self, counters: Counters) -> None:
        """Also show what was refused because it was too much."""
        self.registry.register(_Refusals(counters))

    async def now(self) -> CollectorRegistry:
        """What this process counts and holds at this moment."""
        self._late.set(await _lag())
        return self.registry

    def route(self, *, token: str) -> BaseRoute:
        """`/metrics`, for whoever sends `token` as bearer; for anyone without one."""

        async def show(request: Request) -> Response:
            if token and not hmac.compare_digest(_bearer(request).encode(), token.encode()):
                return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Bearer"})
            text = prometheus_client.generate_latest(await self.together())
            return Response(
                text, headers={"Cache-Control": "no-store"}, media_type=prometheus_client.CONTENT_TYPE_LATEST
            )

        return Route("/metrics", show)


class _Pools(Collector):
    """The connection pools, read when asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family, by pool and state."""
        family = GaugeMetricFamily(
            "caregraph_pool_connections",
            "Database connections: the most there may be, in use, beyond the pool's size, and waited for.",
            labels=("pool", "state"),
        )
        names = ("reader", "writer") if self._database.is_sqlite else ("all",)
        for name, engine in zip(names, self._database.engines, strict=True):
            pool = engine.sync_engine.pool
            if isinstance(pool, CountingPool):
                family.add_metric((name, "size"), pool.size())
                family.add_metric((name, "checked_out"), pool.checkedout())
                family.add_metric((name, "overflow"), max(0, pool.overflow()))
                family.add_metric((name, "waiting"), pool.waiting)
        yield family


class _Refusals(Collector):
    """What rate limits refused, read when asked."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Refusals by what was tried, and how often the shared store was found away."""
        refused = CounterMetricFamily(
            "caregraph_rate_limit_refusals", "Requests refused by rate limits.", labels=("route",)
        )
        for route, count in sorted(self._counters.refusals.items()):
            refused.add_metric((route,), count)
        yield refused
        yield CounterMetricFamily(
            "caregraph_rate_limit_store_failures",
            "Times that the store of rate limits was found away.",
            value=self._counters.failures,
        )


async def _lag() -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(0)
    return loop.time() - before


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
