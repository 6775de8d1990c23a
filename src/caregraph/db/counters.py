"""Counting against limits over time: in this process, or in a Redis or Valkey that several processes share.

A limit holds over a sliding window, approximated from the counts of the current and the previous one, so that a key
costs two numbers however high its limit is. The windows in memory behave as those that `limits` keeps in Redis; its own
memory storage looks through all keys at every count.
"""

import asyncio
import logging
import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from valkey.exceptions import ValkeyError

from caregraph.auth.secrets import token_hash
from caregraph.settings import InvalidSettingError

LOG = logging.getLogger("caregraph.limits")

T = TypeVar("T")
Windows = tuple[int, float, int, float]
"""Previous count and the seconds it still matters, current count and the seconds until it has faded too."""

MEMORY = "memory://"
_MOST_KEYS = 100_000
_CONNECTIONS = 20
_SECONDS_TO_ANSWER = 0.5
_SECONDS_AWAY = 5.0


@dataclass(frozen=True)
class Limit:
    """So much within so many seconds, for each key that is counted."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True)
class Budget:
    """What a key has left of a limit."""

    limit: Limit
    remaining: int
    full_in: float
    """Seconds until all of it is there again, if nothing is spent."""
    wait: float
    """Seconds until as much can be spent as was asked for; 0 when it can be now."""


class Store(Protocol):
    """Where counts are kept."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` unless that is above `limit`; whether it was counted."""

    async def get_sliding_window(self, key: str, expiry: int) -> Windows:
        """The counts of a key."""

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""


class Memory:
    """The counts of one process. What has faded is dropped as new keys come; the eldest go when there are too many."""

    def __init__(self) -> None:
        # By the windows' length, so that the key longest untouched is the first that fades.
        self._kept: defaultdict[int, OrderedDict[str, _Window]] = defaultdict(OrderedDict)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` unless that is above `limit`; whether it was counted."""
        window = self._window(key, expiry) or _Window(monotonic() + expiry)
        if math.floor(window.weighted(expiry)) + amount > limit:
            return False
        window.current += amount
        kept = self._kept[expiry]
        kept[key] = window
        kept.move_to_end(key)
        self._drop(kept, expiry)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> Windows:
        """The counts of a key."""
        window = self._window(key, expiry)
        if window is None:
            return 0, 0.0, 0, 0.0
        left = window.ends - monotonic()
        return window.previous, left, window.current, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""
        self._kept[expiry].pop(key, None)

    def _window(self, key: str, expiry: int) -> "_Window | None":
        window = self._kept[expiry].get(key)
        if window is None or window.ends + expiry <= monotonic():
            return None
        if window.ends <= monotonic():
            window.previous, window.current, window.ends = window.current, 0, window.ends + expiry
        return window

    @staticmethod
    def _drop(kept: "OrderedDict[str, _Window]", expiry: int) -> None:
        for _ in range(2):  # one more than came in: it only ever shrinks
            eldest = next(iter(kept))
            if kept[eldest].ends + expiry <= monotonic() or len(kept) > _MOST_KEYS:
                del kept[eldest]


@dataclass
class _Window:
    ends: float
    current: int = 0
    previous: int = 0

    def weighted(self, expiry: int) -> float:
        """What counts now: the previous window as far as the sliding one still covers it."""
        return self.previous * (self.ends - monotonic()) / expiry + self.current


class Counters:
    """Counts what keys spend, and what was refused.

    When the shared store does not answer, counting goes on in memory: nobody is kept from care because of it, and
    guessing is still slowed down.
    """

    def __init__(self, url: str) -> None:
        """`memory://`, or the URL of a Redis or Valkey."""
        self.refusals: Counter[str] = Counter()
        """By kind of route."""
        self.failures = 0
        """Times that the shared store was found away."""
        self._memory = Memory()
        self._shared: Any = None if url == MEMORY else _shared(url)
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._is_away = False
        self._ask_again_at = 0.0

    async def spend(self, limit: Limit, key: str, amount: int = 1) -> bool:
        """Count `amount` for `key` unless that is too much; whether it was counted."""
        where = _key(limit, key)
        if self._shared is None:
            return await self._memory.acquire_sliding_window_entry(where, limit.amount, limit.seconds, amount)
        return await self._ask(
            lambda store: store.acquire_sliding_window_entry(where, limit.amount, limit.seconds, amount)
        )

    async def budget(self, limit: Limit, key: str, amount: int = 1) -> Budget:
        """What `key` has left, and how long it has to wait for `amount`."""
        windows = await self._ask(lambda store: store.get_sliding_window(_key(limit, key), limit.seconds))
        return _budget(limit, windows, amount)

    async def forget(self, limit: Limit, key: str) -> None:
        """Give `key` the whole of a limit again."""
        await self._ask(lambda store: store.clear_sliding_window(_key(limit, key), limit.seconds))

    async def answers(self) -> bool:
        """Whether the shared store is there; memory always is."""
        return self._shared is None or bool(await self._shared.check())

    async def close(self) -> None:
        """Let connections go."""
        if self._shared is not None:
            with suppress(ValkeyError, OSError):
                await self._shared.bridge.storage.aclose()

    async def _ask(self, question: Callable[[Store], Awaitable[T]]) -> T:
        if self._shared is not None:
            async with self._turns:
                if monotonic() >= self._ask_again_at:
                    with suppress(_AwayError):
                        return await self._ask_shared(question)
        return await question(self._memory)

    async def _ask_shared(self, question: Callable[[Store], Awaitable[T]]) -> T:
        try:
            answer = await question(self._shared)
        except (ValkeyError, OSError) as error:  # a time-out is one
            self.failures += 1
            self._ask_again_at = monotonic() + _SECONDS_AWAY
            if not self._is_away:
                LOG.warning("the store of rate limits is away, processes count alone: %s", type(error).__name__)
            self._is_away = True
            raise _AwayError from error
        if self._is_away:
            LOG.warning("the store of rate limits is back")
        self._is_away = False
        return answer


class _AwayError(Exception):
    pass


def _shared(url: str) -> Any:
    options: dict[str, Any] = {
        "implementation": "valkey",  # its client speaks to Redis too
        "key_prefix": "caregraph",
        "socket_timeout": _SECONDS_TO_ANSWER,
        "socket_connect_timeout": _SECONDS_TO_ANSWER,
    }
    try:
        return storage_from_string(f"async+{url}", **options)
    except (ConfigurationError, ValkeyError, ValueError) as error:
        raise InvalidSettingError("CAREGRAPH_RATE_LIMIT_URL cannot be used: give redis://… or valkey://…") from error


def _key(limit: Limit, key: str) -> str:
    """Without names: keys are e-mails and addresses, and a store may be shared with others."""
    return f"{limit.name}/{limit.amount}/{limit.seconds}/{token_hash(key)[:32]}"


def _budget(limit: Limit, windows: Windows, amount: int) -> Budget:
    previous, fades_in, current, over_in = windows
    used = previous * fades_in / limit.seconds + current
    room = limit.amount - amount
    if used < room + 1:
        wait = 0.0
    elif current <= room:
        wait = fades_in - (room + 1 - current) * limit.seconds / previous
    else:  # the current window has to end first, and then to fade
        wait = over_in - (room + 1) * limit.seconds / current
    full_in = over_in if current else fades_in if previous else 0.0
    return Budget(limit, max(0, limit.amount - math.floor(used)), full_in, max(0.0, wait))
