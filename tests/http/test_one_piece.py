"""What a server process puts on the wire."""

import asyncio
import json
from pathlib import Path

import pytest
from process import Process

from kit import World


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_head_and_body_of_an_answer_come_together(world: World, tmp_path: Path) -> None:
    body = json.dumps({"query": "{ hello { helloFrom } }"})
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    async with Process(world, tmp_path) as process:
        address = process.http.base_url
        reader, writer = await asyncio.open_connection(address.host, address.port)
        for _ in range(2):  # the connection stays
            writer.write((head + body).encode())
            answer = await reader.read(65_536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b'\r\n\r\n{"data":{"hello":{"helloFrom":"Caregraph"}}}')
        writer.close()
