"""What keeping an audit of reads costs: one operation alone, and many at the same time."""

import asyncio
import time

from bench_served import ask
from starlette.types import ASGIApp

AT_ONCE = 32
_ROUNDS = 10


async def per_second(app: ASGIApp, text: str, headers: dict[str, str]) -> float:
    """How many operations a second `app` answers when so many are under way at once."""
    started = time.perf_counter()
    for _ in range(_ROUNDS):
        await asyncio.gather(*(ask(app, text, headers) for _ in range(AT_ONCE)))
    return AT_ONCE * _ROUNDS / (time.perf_counter() - started)
