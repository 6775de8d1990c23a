"""`caregraph serve` as a process of its own, over a database that the test shares with it."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import httpx
from sqlalchemy import text

from kit import World


class Process:
    """A server process."""

    def __init__(self, world: World, folder: Path, **settings: object) -> None:
        self._log = folder / "server.log"
        values = {"database_url": world.settings.database_url, "password_memory": 8, "password_passes": 1, **settings}
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONUNBUFFERED": "1",
            **{f"CAREGRAPH_{name.upper()}": str(value) for name, value in values.items()},
        }
        self.http = httpx.AsyncClient()

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        command = [sys.executable, "-m", "caregraph.cli", "serve", "--port", "0"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self._environment)

    async def __aenter__(self) -> Self:
        self.begin()
        while not (found := re.search(r"serves at (http://\S+)", self.said)):
            assert self._process.poll() is None, self.said
            await asyncio.sleep(0.05)
        transport = httpx.AsyncHTTPTransport(retries=8)
        self.http = httpx.AsyncClient(base_url=found[1], transport=transport, timeout=60)
        while (await self.http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        self._process.kill()
        self._process.wait()

    @property
    def said(self) -> str:
        """Everything on standard output and standard error so far."""
        return self._log.read_text()

    @property
    def children(self) -> list[int]:
        """The processes that it has begun."""
        pid = self._process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        return await asyncio.to_thread(self._process.wait, 60)

    async def running(self) -> int:
        """Operations that it runs now."""
        text = (await self.http.get("/metrics")).text
        found = re.search(r"^caregraph_operations_running (\d+)", text, re.MULTILINE)
        assert found is not None
        return int(found[1])

    async def until_running(self) -> None:
        """An operation has begun."""
        while await self.running() == 0:
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def writes_blocked(world: World) -> AsyncIterator[None]:
    """No other process can write clients while the block runs."""
    async with world._admin.connect() as connection:
        if world.database.is_sqlite:
            await connection.execute(text("CREATE TEMP TABLE begins_a_transaction (x)"))
            await connection.execute(text("UPDATE organizations SET name = name"))
        else:
            await connection.execute(text("LOCK TABLE clients IN ACCESS EXCLUSIVE MODE"))
        yield
        await connection.rollback()
