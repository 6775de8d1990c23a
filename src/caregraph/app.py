"""The application: the only place that wires settings, database, schema and routes together."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from opentelemetry.trace import TracerProvider
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from caregraph import schema
from caregraph.auth.jwks import Timing
from caregraph.auth.links import Links
from caregraph.auth.oidc import IdTokens, Trust
from caregraph.auth.sealing import Seal
from caregraph.auth.secrets import Passwords
from caregraph.auth.tokens import SignIn
from caregraph.db.attempts import Attempts
from caregraph.db.clients import Clients
from caregraph.db.counters import Counters
from caregraph.db.garbage import sweep
from caregraph.db.lookups import SignInLookups
from caregraph.db.outbox import Outbox
from caregraph.db.session import Database
from caregraph.db.storage import Storage, StorageError
from caregraph.db.trail import Trail
from caregraph.graph.execution import Engine
from caregraph.graph.node import row_id_of
from caregraph.graph.rates import OperationLimits, SignInLimits
from caregraph.graph.tables import ColumnReads
from caregraph.http import cross_site, playground
from caregraph.http.callers import Callers
from caregraph.http.documents import Documents
from caregraph.http.downloads import Downloads
from caregraph.http.draining import Draining
from caregraph.http.exports import RESOURCES, TABLE, Exports
from caregraph.http.guard import Guard
from caregraph.http.health import Health
from caregraph.http.metrics import Metrics
from caregraph.http.oauth import OAuth
from caregraph.http.requestlog import OperationLog, RequestLog
from caregraph.http.runner import Runner
from caregraph.http.shedding import LoadShedding
from caregraph.http.sockets import SocketEndpoint
from caregraph.http.streams import Streams
from caregraph.http.tracing import Tracing
from caregraph.http.view import GraphQLEndpoint
from caregraph.mail import sender_of
from caregraph.operations import operations
from caregraph.organizations.granting import Grants
from caregraph.organizations.letters import InvitationLetter
from caregraph.people import files
from caregraph.settings import Settings

LOG = logging.getLogger("caregraph")
_GRAPHQL = "/graphql"
_SWEEP_INTERVAL = 30

built_schema = cache(schema.build)
built_subgraph = cache(schema.build_subgraph)


def create_app(
    settings: Settings,
    *,
    principals: Sequence[playground.Principal] = (),
    spans: TracerProvider | None = None,
) -> Starlette:
    """The whole server as an ASGI application.

    `principals` are demo credentials for the playground, or none; `spans` is where spans go, by default what the
    process has set up.
    """
    database = Database(settings)
    lookups = SignInLookups(database)
    attempts = Attempts(database, window=settings.sign_in_window)
    clients, seal = Clients(lookups, attempts, settings), Seal(settings.secret_key)
    sign_in = SignIn(
        lookups, organization_of=row_id_of("Organization"), id_tokens=_id_tokens(settings), clients=clients
    )
    letters = {InvitationLetter.kind: InvitationLetter(public_url=settings.public_url)}
    outbox = Outbox(database, sender_of(settings), letters)
    counters = Counters(settings.rate_limit_url)
    sign_in_limits = SignInLimits(counters, settings)
    provided: dict[type[Any], Any] = {
        Attempts: attempts,
        ColumnReads: ColumnReads(database),
        Seal: seal,
        SignInLimits: sign_in_limits,
        SignInLookups: lookups,
        Outbox: outbox,
        Trail: Trail(database),
        Storage: Storage(settings.files_url),
        Links: Links(settings.secret_key or secrets.token_hex(32), lifetime=settings.link_lifetime),
        Passwords: Passwords(memory=settings.password_memory, passes=settings.password_passes),
    }
    graph = built_subgraph(access=settings.federation_access) if settings.federation else built_schema()
    engine = Engine(graph, settings)
    documents = Documents(settings, (one.text for one in operations()))
    draining = Draining()
    metrics = Metrics(one.name for one in operations())
    guard = Guard(settings, draining, [Tracing(spans), metrics, OperationLog()])
    metrics.watch_process(database, guard.gate)
    metrics.watch_limits(counters)
    limits = OperationLimits(counters, settings)
    runner = Runner(engine, database, settings, provided=provided, documents=documents, guard=guard, limits=limits)
    callers = Callers(sign_in, sign_in_limits)
    streams = Streams(runner, callers, database.bus)
    draining.callbacks.append(streams.end)
    found = partial(files.fetched, database, provided[Trail])
    endpoint = GraphQLEndpoint(runner, callers, streams)
    shedding = partial(LoadShedding, gate=guard.gate, draining=draining, count=metrics.count_refused)
    routes: list[BaseRoute] = [
        Route(_GRAPHQL, shedding(endpoint)),
        WebSocketRoute(_GRAPHQL, SocketEndpoint(streams)),
        Route("/files/{token}", Downloads(found, provided[Storage], provided[Links]).answer),
        *OAuth(Grants(database, clients, seal, settings), sign_in_limits, settings).routes(),
        *Exports(runner, callers, {"scores": ("scoresTable", TABLE), "fhir": ("fhirBundle", RESOURCES)}).routes(),
        *Health(database, draining).routes(),
        *([metrics.route(token=settings.metrics_token)] if settings.metrics else []),
        *playground.routes(principals=principals, examples=_examples(), default_query=_FIRST_QUERY),
    ]

    paths = {getattr(route, "path", "").split("/")[1] for route in routes}
    others = cross_site.middleware(settings)
    app = _Application(
        routes=routes, lifespan=_lifespan, middleware=[Middleware(RequestLog, draining=draining, paths=paths), *others]
    )
    app.direct = None if others else shedding(RequestLog(endpoint, draining=draining, paths=paths))
    app.state.settings = settings
    app.state.database = database
    app.state.storage, app.state.links = provided[Storage], provided[Links]
    app.state.guard, app.state.outbox = guard, outbox
    app.state.metrics = metrics
    app.state.counters = counters
    app.state.streams = streams
    return app


class _Application(Starlette):
    """Starlette, but requests to the endpoint do not go through layers that have nothing to do for them."""

    direct: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request, connection or life."""
        is_direct = scope["type"] == "http" and scope["path"] == _GRAPHQL and not scope.get("root_path")
        if self.direct is None or not is_direct:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self  # as for all others
            await self.direct(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """What works beside requests, and what is closed after the last of them."""
    state = app.state
    sweeping = asyncio.create_task(_sweep_regularly(state.database, state.storage))
    sending = asyncio.create_task(state.outbox.run())
    yield
    sweeping.cancel()
    sending.cancel()
    await asyncio.wait({sending})
    state.streams.close()
    await state.counters.close()
    await state.database.close()


def _id_tokens(settings: Settings) -> IdTokens:
    timing = Timing(
        lifetime=settings.oidc_keys_lifetime,
        grace=settings.oidc_keys_grace,
        interval=settings.oidc_keys_interval,
        timeout=settings.oidc_timeout,
    )
    trusted = (Trust(issuer=issuer, audience=audience, jwks_url=url) for issuer, audience, url in settings.oidc_trusts)
    return IdTokens(trusted, timing=timing, leeway=settings.oidc_leeway)


async def _sweep_regularly(database: Database, storage: Storage) -> None:
    """Remove objects of deleted files, also of those that went with their client."""
    while True:
        try:
            removed = await sweep(database, storage)
        except (SQLAlchemyError, OSError, StorageError):
            LOG.warning("files of deleted rows could not be removed; trying again")
            removed = 0
        if not removed:
            await asyncio.sleep(_SWEEP_INTERVAL)


def _examples() -> list[playground.Example]:
    return [playground.Example(one.name, one.group, one.text, one.variables) for one in operations()]


_FIRST_QUERY = """# Your clients, how their care
# goes, what they scored last.
{
  clients(first: 5) {
    totalCount
    nodes {
      fullName
      episodes(first: 2) {
        nodes {
          title
          status
          sessions(last: 3) {
            nodes {
              sessionDate
              orsScores { total }
            }
          }
        }
      }
    }
  }
}
"""
