"""The limit of a server in Python: a route for each question that runs one statement and sends the JSON it makes.

No GraphQL, nobody signed in, no tenant but in the statement. Run as a process by itself: the database, then the
statement of each route as JSON. Prints its address.
"""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from caregraph.cli.serving.server import address, bound, settle

_CONNECTIONS = 10


def application(database: str, statements: dict[str, str]) -> Starlette:
    """The routes, on connections of its own."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database, min_size=1, max_size=_CONNECTIONS, reset=_as_it_is) as pool:
            app.state.pool = pool
            settle()
            yield

    async def answer(request: Request) -> Response:
        statement = statements[request.path_params["name"]]
        async with request.app.state.pool.acquire() as connection:
            return Response(await connection.fetchval(statement), media_type="application/json")

    return Starlette(routes=[Route("/{name}", answer, methods=["POST"])], lifespan=lifespan)


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """Nothing is left on a connection, so that cleaning it would only be a round trip more."""


if __name__ == "__main__":
    taken = bound("127.0.0.1", 0)
    sys.stdout.write(f"{address(taken)}\n")
    sys.stdout.flush()
    served = application(sys.argv[1], json.loads(sys.argv[2]))
    uvicorn.Server(uvicorn.Config(served, access_log=False, log_config=None)).run([taken])
