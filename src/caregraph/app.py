"""The application: the only place that wires settings, database, schema and routes together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache

from opentelemetry.trace import TracerProvider
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from caregraph import schema
from caregraph.auth.secrets import Passwords
from caregraph.db.attempts import Attempts
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.graph.execution import Engine
from caregraph.http import playground
from caregraph.http.draining import Draining
from caregraph.http.guard import Guard
from caregraph.http.health import Health
from caregraph.http.metrics import Metrics
from caregraph.http.requestlog import OperationLog, RequestLog
from caregraph.http.runner import Runner
from caregraph.http.tracing import Tracing
from caregraph.http.view import GraphQLEndpoint
from caregraph.operations import operations
from caregraph.settings import Settings

built_schema = cache(schema.build)


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
    provided = {
        Attempts: Attempts(database, window=settings.sign_in_window),
        SignInLookups: lookups,
        Passwords: Passwords(memory=settings.password_memory, passes=settings.password_passes),
    }
    engine = Engine(built_schema(), hide_suggestions=not settings.development)
    draining = Draining()
    metrics = Metrics(one.name for one in operations())
    guard = Guard(settings, draining, [Tracing(spans), metrics, OperationLog()])
    metrics.watch_process(database, guard.gate)
    runner = Runner(engine, database, settings, provided, guard)
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(runner, lookups)),
        *Health(database, draining).routes(),
        *([metrics.route(token=settings.metrics_token)] if settings.metrics else []),
        *playground.routes(principals=principals, examples=_examples(), default_query=_FIRST_QUERY),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await database.close()

    paths = {getattr(route, "path", "").split("/")[1] for route in routes}
    app = Starlette(
        routes=routes, lifespan=lifespan, middleware=[Middleware(RequestLog, draining=draining, paths=paths)]
    )
    app.state.settings = settings
    app.state.database = database
    app.state.guard = guard
    app.state.shutdown_callbacks = draining.callbacks
    return app


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
