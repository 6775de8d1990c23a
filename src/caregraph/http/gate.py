"""Who may begin now, who waits, and who is refused at once, so that those let in are answered in good time.

What comes in a burst waits for its turn. A crowd is another matter: more come all the time, and everybody in it waits
longer and longer for the same number of answers. So when more than a few have been inside for a moment without a pause,
and others still come, as many wait as run, and the rest is refused. And whenever they wait for this process itself, not
for its database, only a few run.
"""

import asyncio
import time

from caregraph.graph.errors import RequestError

UNAVAILABLE = "UNAVAILABLE"
BUSY = "The server is busy, try again"

_FEW = 4
"""As many keep both the process and its database busy; more only take turns."""
_WINDOW = 0.03
_MANY, _FLOODING, _MOMENT = 60, 1.1, 0.08
"""So many inside, and so many come in a window for each that goes: after a moment it is a crowd."""
_COMING, _WHILE = 0.5, 1.0
"""So many still come: it is one after a while. Fewer, and it is a burst that is being waited out."""
_BEAT = 0.01
_LATE = 0.002
_FULL, _HALF = 0.75, 0.4
"""The process has more to do than it can: the event loop is so many seconds late on average, or computes for such a
share of the time; that is over at the lower share. Where others take the processor from it, it computes little and is
late."""
_CALM = 0.3
"""Share of the time with hardly anybody inside from which on all fits in again. Twice too much leaves a twentieth."""
_WEIGHT = 0.1
_QUICK_WEIGHT = 0.3
_SLOW_WEIGHT = 0.02


class Gate:
    """Lets a bounded number run at a time, and a bounded number wait a bounded time."""

    def __init__(self, *, running: int, waiting: int, seconds: float) -> None:
        """At most `running` at once; at most `waiting` before them, each at most `seconds`."""
        self._most_running = self._places = running
        self._most_waiting = self._room = waiting
        self._seconds = seconds
        self._queue: dict[asyncio.Future[None], bool] = {}
        """Whose turn comes, in this order, and whether they are patient."""
        self.running = 0
        self._is_crowded = False
        self._came = self._gone = 0
        """In the present window."""
        self._watched_for = 0.0
        self._full_for = self._calm = self._lateness = self._share = 0.0
        self._computed = 0.0
        """Seconds of the processor at the last beat."""
        self._beat: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    @property
    def is_shut(self) -> bool:
        """Whether a crowd has all places and waits for them: nobody else gets in now."""
        return self._is_crowded and self.running >= self._places and len(self._queue) >= self._room

    def enter_at_once(self) -> bool:
        """Whether it is one's turn without waiting: then `leave`, else `enter`."""
        if self._beat is None:
            self._expect_beat()
        is_free = self.running < self._places and not self._queue
        self.running += is_free
        self._came += is_free
        return is_free

    async def enter(self, *, is_patient: bool = False) -> None:
        """Return when the turn has come, then `leave`; raise `UNAVAILABLE` when there are too many before it.

        Whoever is patient stays in a crowd too: an event of a subscription cannot be asked for again.
        """
        if not self.enter_at_once():
            await self._turn(is_patient=is_patient)

    def leave(self) -> None:
        """Make room for the next."""
        self.running -= 1
        self._gone += 1
        if self.running + len(self._queue) <= _FEW:
            self._full_for = 0.0
        self._call()

    async def _turn(self, *, is_patient: bool) -> None:
        self._came += 1
        if len(self._queue) >= (self._most_waiting if is_patient else self._room):
            raise _busy()
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = is_patient
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            self._queue.pop(turn, None)
            if turn.done() and not turn.cancelled() and turn.exception() is None:  # it came at the moment of leaving
                self.leave()
            if isinstance(error, TimeoutError):
                raise _busy() from error
            raise

    def _call(self) -> None:
        """Let in as many as there are places."""
        while self._queue and self.running < self._places:
            turn = next(iter(self._queue))
            del self._queue[turn]
            if not turn.done():
                turn.set_result(None)
                self.running += 1

    def _send_away(self) -> None:
        """Refuse those that have come before the crowd was known, beyond the room that there is in it."""
        for turn in [turn for turn, is_patient in self._queue.items() if not is_patient][self._room :]:
            del self._queue[turn]
            if not turn.done():
                turn.set_exception(_busy())

    def _expect_beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._computed = time.thread_time()
        self._beat = loop.call_later(_BEAT, self._look, loop.time() + _BEAT)

    def _look(self, due: float) -> None:
        """Look at the crowd once in a beat, until it has gone and nobody is inside."""
        late = max(0.0, asyncio.get_running_loop().time() - due)
        inside = self.running + len(self._queue)
        share = (time.thread_time() - self._computed) / (_BEAT + late)
        self._share += (share - self._share) * _QUICK_WEIGHT
        self._lateness += (late - self._lateness) * _WEIGHT
        self._calm += ((inside <= 1) - self._calm) * _SLOW_WEIGHT
        was_crowded = self._is_crowded
        self._is_crowded = self._calm < _CALM if was_crowded else self._is_filling(inside, _BEAT + late)
        self._limit()
        if self._is_crowded and not was_crowded:
            self._calm = 0.0
            self._send_away()
        self._call()
        if inside or self._is_crowded:
            self._expect_beat()
        else:
            self._beat = None

    def _is_filling(self, inside: int, passed: float) -> bool:
        """Whether it has been full without a pause, and too many have come in the last window of that time."""
        if inside <= _FEW:
            self._full_for = 0.0
            return False
        if not self._full_for:
            self._watched_for, self._came, self._gone = 0.0, 0, 0
        self._full_for += passed
        self._watched_for += passed
        if self._watched_for < _WINDOW:
            return False
        came, gone = self._came, self._gone
        self._watched_for, self._came, self._gone = 0.0, 0, 0
        is_flood = inside > _MANY and came > gone * _FLOODING
        return came > gone * _COMING and self._full_for > (_MOMENT if is_flood else _WHILE)

    def _limit(self) -> None:
        # Few that run make the loop less busy: no reason to let in more before the crowd has gone.
        is_few = self._places < self._most_running
        is_busy = self._lateness > _LATE or self._share > (_HALF if is_few else _FULL)
        is_busy = is_busy or (is_few and self._is_crowded)
        self._places = min(_FEW, self._most_running) if is_busy else self._most_running
        self._room = min(max(1, self._places // 2), self._most_waiting) if self._is_crowded else self._most_waiting


def _busy() -> RequestError:
    return RequestError(UNAVAILABLE, BUSY)
