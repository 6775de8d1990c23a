"""Who is measured: our server from one source tree or several, the limit, and PostGraphile, each as one process."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import orjson
import typer
from bench_wire import Wire, request
from bench_workload import COMPARED, QUESTIONS, text_of, their_text_of
from sqlalchemy import make_url

from caregraph.cli.demo.plan import NORTHFIELD_LARGE, Scale
from caregraph.cli.demo.run import prepare
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.graph.node import row_id_of
from caregraph.settings import Settings

_HERE = Path(__file__).parent
_LONGEST_START, _LONGEST_INSTALL = 120, 500
_FIRST_CLIENT = "{ clients(first: 1) { nodes { id } } }"
HIGH_LIMITS = {"CAREGRAPH_RATE_LIMIT": "2000000000", "CAREGRAPH_RATE_LIMIT_COST": "2000000000"}
"""Counted as ever, but a benchmark is not to reach them."""

_VARIANTS = (
    ("unaudited", {"CAREGRAPH_AUDIT_READS": "false"}, 1),
    ("loaders", {"CAREGRAPH_EXECUTION": "loaders"}, 10),
)
"""Ours with other settings, and the rounds from one to the next in which they take part: slow ones are known soon."""


@dataclass(frozen=True)
class Loaded:
    """The demo in a database, and who asks."""

    url: str
    organization_id: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Contender:
    """A serving process, and the bytes of each question to it."""

    name: str
    url: str
    process_id: int
    requests: dict[str, bytes] = field(default_factory=dict)
    every: int = 1
    """Rounds from one to the next in which it takes part; slow ones are not warmed up either."""


async def loaded(url: str) -> Loaded:
    """The large demo, loaded where it is not yet, asked by the organization's superuser."""
    settings = Settings(database_url=url)
    demo = await prepare(settings, Scale.LARGE, lambda _name, _count, _total: None)
    database = Database(settings)
    account = await SignInLookups(database).account(NORTHFIELD_LARGE.superuser.email)
    await database.close()
    assert account is not None
    return Loaded(url, account.organization_id, demo.principals[0].headers)


@contextmanager
def contenders(demo: Loaded, beside: Path | None = None) -> Iterator[list[Contender]]:
    """All of them; `beside` is another source tree of ours to serve too."""
    with ExitStack() as stack:
        compiled = stack.enter_context(ours(demo))
        found = [stack.enter_context(limit(demo)), compiled]
        if beside is not None:
            found.append(stack.enter_context(ours(demo, "caregraph, beside", {"PYTHONPATH": str(beside)})))
        for name, settings, every in _VARIANTS:
            found.append(stack.enter_context(ours(demo, f"caregraph, {name}", settings, every=every)))
        modules = node_modules()
        if modules is not None:
            peer = stack.enter_context(_postgraphile(demo, modules))
            client_id = row_id_of("Client")(_first_client(compiled, demo))
            assert client_id is not None
            for question in COMPARED:
                text = their_text_of(question, client_id, demo.organization_id)
                peer.requests[question.name] = request(peer.url, text, {})
            found.insert(1, peer)
        yield found


@contextmanager
def ours(
    demo: Loaded, name: str = "caregraph", environment: Mapping[str, str] | None = None, *, every: int = 1
) -> Iterator[Contender]:
    """Our server as it is served, its settings the default ones but for limits that a benchmark would reach."""
    command = [sys.executable, "-m", "caregraph.cli", "serve", "--port", "0"]
    settings = {"CAREGRAPH_DATABASE_URL": demo.url, **HIGH_LIMITS, **(environment or {})}
    with _serving(command, settings) as (address, process_id):
        server = Contender(name, f"{address}/graphql", process_id, every=every)
        client_id = _first_client(server, demo)
        for question in QUESTIONS:
            server.requests[question.name] = request(server.url, text_of(question, client_id), demo.headers)
        yield server


def _first_client(server: Contender, demo: Loaded) -> str:
    with Wire(server.url) as wire:
        answer = orjson.loads(wire.ask(request(server.url, _FIRST_CLIENT, demo.headers)))
    return answer["data"]["clients"]["nodes"][0]["id"]


@contextmanager
def limit(demo: Loaded) -> Iterator[Contender]:
    """One statement a request."""
    statements = {one.name: one.level.as_json(demo.organization_id) for one in COMPARED if one.level is not None}
    command = [sys.executable, str(_HERE / "bench_limit.py"), _for_drivers(demo.url), json.dumps(statements)]
    with _serving(command, {}) as (address, process_id):
        requests = {name: request(f"{address}/{name}", "", {}) for name in statements}
        yield Contender("limit", address, process_id, requests)


@contextmanager
def _postgraphile(demo: Loaded, modules: Path) -> Iterator[Contender]:
    shutil.copy(_HERE / "postgraphile.mjs", modules.parent)  # Node looks for imports beside the script
    command = [str(modules / "node" / "bin" / "node"), str(modules.parent / "postgraphile.mjs"), _for_drivers(demo.url)]
    production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with _serving(command, production) as (address, process_id):
        yield Contender("PostGraphile", address, process_id)


def _for_drivers(url: str) -> str:
    """As PostgreSQL's own programs write an address; asyncpg and node-postgres read it alike."""
    at = make_url(url)
    named = {"host": at.host, "port": at.port, "user": at.username, "password": at.password, **at.query}
    return f"postgresql:///{at.database}?" + urlencode({key: one for key, one in named.items() if one})


@contextmanager
def _serving(command: list[str], environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """A process that prints its address when it is about to serve; it ends with the block."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env={**os.environ, **environment}, **pipes) as process:
        end = threading.Timer(_LONGEST_START, process.kill)
        end.start()
        try:
            line = next((line for line in process.stdout if "http://" in line), None)
            if line is None:
                raise RuntimeError(f"{' '.join(command)} did not serve")
            address = line[line.index("http://") :].strip()
            while not _answers(address):
                time.sleep(0.05)
            end.cancel()
            yield address, process.pid
        finally:
            end.cancel()
            process.terminate()


def _answers(address: str) -> bool:
    """Whether requests are let in: the address is told before."""
    try:
        with Wire(address) as wire:
            wire.ask(request(address, "{ __typename }", {}))
    except ConnectionError:
        return False
    except RuntimeError:  # a refusal is an answer
        return True
    return True


def node_modules() -> Path | None:
    """The installed packages of `package.json`, outside the project; says why where there are none."""
    manifest = _HERE / "package.json"
    place = os.environ.get("CAREGRAPH_NODE_CACHE") or Path.home() / ".cache" / "caregraph-node"
    folder = Path(place) / hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    if shutil.which("npm") is None:
        typer.echo("PostGraphile is left out: npm is missing", err=True)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "installed").exists():
            return folder / "node_modules"
        shutil.copy(manifest, folder / "package.json")
        # Of all packages only Node's own may run its script: it fetches the program.
        for command in (["install", "--no-audit", "--no-fund", "--ignore-scripts"], ["rebuild", "node"]):
            done = subprocess.run(
                ["npm", *command, "--loglevel=error"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=_LONGEST_INSTALL,
            )
            if done.returncode:
                typer.echo(f"PostGraphile is left out: {done.stderr.strip()[-500:]}", err=True)
                return None
        (folder / "installed").touch()
    return folder / "node_modules"
