"""A Redis or Valkey server of the test's own; skipped where none is installed."""

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest


class RedisServer:
    """A server process on a free port, without persistence."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            message = "Redis is missing: install redis-server or valkey-server"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        self._program, self._folder = found, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        command = [self._program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL)
        while True:
            assert self._process.poll() is None
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, 20)
            self._process = None

    async def keys(self) -> list[str]:
        """Every key that it holds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n")
        count = int((await reader.readline())[1:])
        found = []
        for _ in range(count):
            size = int((await reader.readline())[1:])
            found.append((await reader.readexactly(size + 2))[:-2].decode())
        writer.close()
        await writer.wait_closed()
        return sorted(found)
