"""Measures the server on the demo's large organization and prints medians. Nothing here fails for being slow.

    python tests/benchmarks/run.py                      # in process, on embedded SQLite
    python tests/benchmarks/run.py --postgres           # the same on a PostgreSQL server of its own, gone afterwards
    python tests/benchmarks/run.py --postgres --peers   # over HTTP, beside PostGraphile and the limit
    python tests/benchmarks/run.py --growth --memory    # what many rows cost, what a process holds
    python tests/benchmarks/run.py --postgres --profile FOLDER   # where the time goes: needs py-spy
    python tests/benchmarks/run.py --database URL …     # yours; the demo is loaded into it if it is not there

The data: 20 users, 2,000 clients, 2,624 episodes, 882 raters, 21,132 sessions, 42,264 scores. Every query is asked as
the organization's superuser, with everything on that is on by default: signing in, tenancy, limits (too high to be
reached), audit, request log. Ratios travel between machines, times do not: each is the median over rounds in which all
are asked in turn, so that a busy machine disturbs it little. Give it some 40 rounds.

In process: no network; `driver` reads the same rows with the bare driver and dumps them as JSON, `ratio` is our time
over its; `audit` is our time over that of a server that leaves reads out of the audit. `SQL` is the number of statements
without signing in and opening the snapshot.

Peers: each is one process. The *limit* is a route that has PostgreSQL make the JSON in one statement (`bench_limit.py`).
PostGraphile 5 runs as its manual sets it up on a Node from npm (`postgraphile.mjs`, `package.json`; installed once into
`CAREGRAPH_NODE_CACHE` or `~/.cache/caregraph-node`; left out with a message where npm is missing); nobody signs in there
and it sees every row, so its queries name the organization. Its answers, and the limit's, must hold as many objects and
values as ours. The client is a blocking socket that sends bytes made beforehand (`bench_wire.py`): one for latency, four
threads of them for requests a second. `--beside FOLDER` also serves ours from another source tree in the same rounds.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from bench_columns import columns
from bench_contenders import loaded
from bench_growth import growth
from bench_inside import inside
from bench_memory import memory
from bench_peers import compare
from bench_profile import profile
from bench_served import database_of
from rich.console import Console

_NARROWEST = 120

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    rounds: Annotated[int, typer.Option(help="Rounds to measure, after a few to warm up.", min=1)] = 15,
    database: Annotated[str | None, typer.Option(help="URL of a database to use.")] = None,
    postgres: Annotated[bool, typer.Option("--postgres", help="Start a PostgreSQL server for the run.")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="Over HTTP beside others; needs PostgreSQL.")] = False,
    beside: Annotated[Path | None, typer.Option(help="With --peers: another `src` to serve too.")] = None,
    with_growth: Annotated[bool, typer.Option("--growth", help="From 50 to 5,000 clients.")] = False,
    with_memory: Annotated[bool, typer.Option("--memory", help="Of a process over 10,000 requests.")] = False,
    profiles: Annotated[Path | None, typer.Option("--profile", help="Folder for recordings by py-spy.")] = None,
) -> None:
    """Measure what is asked for, or everything in process."""
    console = Console()
    console.width = max(console.width, _NARROWEST)
    with (
        tempfile.TemporaryDirectory(prefix="cg-", dir="/tmp" if postgres else None) as folder,
        database_of(Path(folder), database, postgres=postgres) as url,
    ):
        if peers and not url.startswith("postgresql"):
            raise typer.BadParameter("--peers needs PostgreSQL")
        demo = asyncio.run(loaded(url))
        if peers:
            compare(console, demo, rounds, beside)
        if with_memory:
            memory(console, demo)
        if profiles is not None:
            profile(console, demo, profiles)
        if with_growth:  # the last: it ends the credentials of the others
            asyncio.run(growth(console, demo, rounds))
        if not (peers or with_memory or with_growth or profiles):
            asyncio.run(inside(console, demo, rounds))
            asyncio.run(columns(console, demo, rounds))


if __name__ == "__main__":
    app()
