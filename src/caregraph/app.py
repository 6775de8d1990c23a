"""The application: the only place that wires settings, database, schema and routes together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from caregraph import schema
from caregraph.auth.secrets import Passwords
from caregraph.db.attempts import Attempts
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.graph.execution import Engine
from caregraph.http import cross_site, playground
from caregraph.http.documents import Documents
from caregraph.http.runner import Runner
from caregraph.http.view import GraphQLEndpoint
from caregraph.operations import operations
from caregraph.settings import Settings

built_schema = cache(schema.build)


def create_app(settings: Settings, *, principals: Sequence[playground.Principal] = ()) -> Starlette:
    """The whole server as an ASGI application. `principals` are demo credentials for the playground, or none."""
    database = Database(settings)
    lookups = SignInLookups(database)
    provided = {
        Attempts: Attempts(database, window=settings.sign_in_window),
        SignInLookups: lookups,
        Passwords: Passwords(memory=settings.password_memory, passes=settings.password_passes),
    }
    engine = Engine(built_schema(), settings)
    documents = Documents(settings, (one.text for one in operations()))
    runner = Runner(engine, database, settings, provided, documents)
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(runner, lookups)),
        *playground.routes(principals=principals, examples=_examples(), default_query=_FIRST_QUERY),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await database.close()

    app = Starlette(routes=routes, lifespan=lifespan, middleware=cross_site.middleware(settings))
    app.state.database = database
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
