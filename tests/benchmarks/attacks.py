"""Sends requests that want to exhaust the server and prints how long each takes to be refused.

python tests/benchmarks/attacks.py
"""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
from bench_attacks import ATTACKS, Attack
from rich.console import Console
from rich.table import Table

from caregraph.app import create_app
from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import prepare
from caregraph.settings import Settings

_ROUNDS = 15


async def main() -> None:
    """In process, over HTTP without a network, as a superuser of the small demo."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{Path(folder) / 'attacks.sqlite'}", rate_limit=0, rate_limit_cost=0
        )
        demo = await prepare(settings, Scale.SMALL, lambda _name, _count, _total: None)
        app = create_app(settings)
        headers = {"content-type": "application/json", **demo.principals[0].headers}
        table = Table("attack", "bytes", "refused with", "ms")
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://attacked", headers=headers
        ) as http:
            for attack in ATTACKS:
                code, spent = await _measure(http, attack)
                table.add_row(attack.name, f"{len(attack.body):,}", code, f"{spent * 1000:.1f}")
        await app.state.database.close()
    Console().print(table)


async def _measure(http: httpx.AsyncClient, attack: Attack) -> tuple[str, float]:
    body, spent, code = attack.body, [], ""
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        response = await http.post("/graphql", content=body)
        spent.append(time.perf_counter() - began)
        code = response.json()["errors"][0]["extensions"]["code"]
    return code, median(spent)


if __name__ == "__main__":
    asyncio.run(main())
