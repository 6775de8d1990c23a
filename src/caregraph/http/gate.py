"""Who may begin now, who waits, and who is refused at once, so that those let in are answered in good time.

What comes in a burst waits for its turn. A crowd that does not go is another matter: everybody in it waits longer and
longer for the same number of answers. So when more than a few have been inside for a moment without a pause, as many
wait as run; and when they wait for this process itself, not for its database, only a few run.
"""

import asyncio
from collections import deque

from caregraph.graph.errors import RequestError

UNAVAILABLE = "UNAVAILABLE"

_FEW = 4
"""As many keep both the process and its database busy; more only take turns."""
_MOMENT = 0.2
_AGAIN, _RELAPSE = 0.02, 5.0
"""A crowd that comes back so soon after the last is known at once: it has not been waited out the first time."""
_BEAT = 0.01
_LATE = 0.002
"""Seconds by which the event loop is late, on average, when the process has more to do than it can."""
_CALM = 0.3
"""Share of the time with hardly anybody inside from which on all fits in again. Twice too much leaves a twentieth."""
_WEIGHT = 0.1
_SLOW_WEIGHT = 0.02


class Gate:
    """Lets a bounded number run at a time, and a bounded number wait a bounded time."""

    def __init__(self, *, running: int, waiting: int, seconds: float) -> None:
        """At most `running` at once; at most `waiting` before them, each at most `seconds`."""
        self._most_running = self._places = running
        self._most_waiting = self._room = waiting
        self._seconds = seconds
        self._queue: deque[asyncio.Future[None]] = deque()
        self.running = 0
        self._is_crowded = False
        self._full_for = self._calm = self._lateness = 0.0
        self._over = float("-inf")
        """When the last crowd had gone, by the event loop's clock."""
        self._beat: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    def enter_at_once(self) -> bool:
        """Whether it is one's turn without waiting: then `leave`, else `enter`."""
        if self._beat is None:
            self._expect_beat()
        is_free = self.running < self._places and not self._queue
        self.running += is_free
        return is_free

    async def enter(self, *, is_patient: bool = False) -> None:
        """Return when the turn has come, then `leave`; raise `UNAVAILABLE` when there are too many before it.

        Whoever is patient stays in a crowd too: an event of a subscription cannot be asked for again.
        """
        if not self.enter_at_once():
            await self._turn(self._most_waiting if is_patient else self._room)

    def leave(self) -> None:
        """Make room for the next."""
        self.running -= 1
        if self.running + len(self._queue) <= _FEW:
            self._full_for = 0.0
        self._call()

    async def _turn(self, room: int) -> None:
        if len(self._queue) >= room:
            raise _busy()
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            if turn in self._queue:
                self._queue.remove(turn)
            elif turn.done() and not turn.cancelled():  # it came at the moment of leaving
                self.leave()
            if isinstance(error, TimeoutError):
                raise _busy() from error
            raise

    def _call(self) -> None:
        """Let in as many as there are places."""
        while self._queue and self.running < self._places:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self.running += 1

    def _expect_beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(_BEAT, self._look, loop.time() + _BEAT)

    def _look(self, due: float) -> None:
        """Look at the crowd once in a beat, until it has gone and nobody is inside."""
        now = asyncio.get_running_loop().time()
        late = max(0.0, now - due)
        inside = self.running + len(self._queue)
        self._lateness += (late - self._lateness) * _WEIGHT
        self._calm += ((inside <= 1) - self._calm) * _SLOW_WEIGHT
        self._full_for = self._full_for + _BEAT + late if inside > _FEW else 0.0
        was_crowded = self._is_crowded
        moment = _AGAIN if now - self._over < _RELAPSE else _MOMENT
        self._is_crowded = self._calm < _CALM if was_crowded else self._full_for > moment
        if self._is_crowded and not was_crowded:
            self._calm = 0.0
        elif was_crowded and not self._is_crowded:
            self._over = now
        self._limit()
        self._call()
        if inside or self._is_crowded:
            self._expect_beat()
        else:
            self._beat = None

    def _limit(self) -> None:
        # Few that run make the loop less late: not a reason to let in more before the crowd has gone.
        is_busy = self._is_crowded and (self._lateness > _LATE or self._places < self._most_running)
        self._places = min(_FEW, self._most_running) if is_busy else self._most_running
        self._room = min(self._places, self._most_waiting) if self._is_crowded else self._most_waiting


def _busy() -> RequestError:
    return RequestError(UNAVAILABLE, "The server is busy, try again")
