"""How every operation is run, whatever carries it: its turn, its time, its observers, and the honest way to fail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from graphql import ExecutionResult, GraphQLError

from caregraph.graph.context import Context
from caregraph.graph.errors import RequestError, code_of
from caregraph.settings import Settings

from .draining import Draining
from .observe import Observation, Observer, observed

UNAVAILABLE = "UNAVAILABLE"
_SECONDS_TO_STOP = 1.0


class Gate:
    """Lets a bounded number of operations run, and a bounded number wait a bounded time."""

    def __init__(self, *, running: int, waiting: int, seconds: float) -> None:
        """At most `running` at once; at most `waiting` before them, each at most `seconds`."""
        self._places = asyncio.Semaphore(running)
        self._most_waiting = waiting
        self._seconds = seconds
        self.running = 0
        self.waiting = 0

    async def enter(self) -> None:
        """Return when the turn has come; raise `UNAVAILABLE` when there are too many before it."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        self.running += 1

    def leave(self) -> None:
        """Make room for the next."""
        self.running -= 1
        self._places.release()

    async def _wait(self) -> None:
        if self.waiting >= self._most_waiting:
            raise _busy()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise _busy() from error
        finally:
            self.waiting -= 1


class Guard:
    """Stands around the execution of operations."""

    def __init__(self, settings: Settings, draining: Draining, observers: Sequence[Observer] = ()) -> None:
        """`observers` see every operation that parses and validates."""
        self.draining = draining
        self.gate = Gate(
            running=settings.running_operations, waiting=settings.waiting_operations, seconds=settings.pool_timeout
        )
        self._observers = observers
        self._seconds = settings.operation_timeout

    async def run(
        self, seen: Observation, context: Context, execute: Callable[[], Awaitable[ExecutionResult]]
    ) -> ExecutionResult:
        """Run one operation of `context`."""
        with observed(seen, self._observers):
            try:
                result = _settled(seen, await self._run(context, execute))
                seen.codes = tuple(dict.fromkeys(map(code_of, result.errors or ())))
            except asyncio.CancelledError:
                seen.codes = ("CANCELLED",)
                raise
        return result

    def refuse(self, seen: Observation, errors: Sequence[GraphQLError]) -> None:
        """Show an operation that never starts."""
        with observed(seen, self._observers):
            seen.codes = tuple(dict.fromkeys(map(code_of, errors)))

    async def _run(self, context: Context, execute: Callable[[], Awaitable[ExecutionResult]]) -> ExecutionResult:
        if self.draining.refuses:
            return ExecutionResult(None, [RequestError(UNAVAILABLE, "The server is shutting down, try again")])
        try:
            await self.gate.enter()
        except RequestError as error:
            return ExecutionResult(None, [error])
        context.deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            # Statements end at the deadline, each with an error of its own field. What hangs elsewhere ends here.
            async with asyncio.timeout_at(context.deadline + _SECONDS_TO_STOP):
                return await execute()
        except TimeoutError:
            return ExecutionResult(None, [RequestError("TIMEOUT", "The operation took too long")])
        finally:
            self.gate.leave()


def _settled(seen: Observation, result: ExecutionResult) -> ExecutionResult:
    """Without a commit, an operation that the database failed is as if it had never been sent: it may be sent again."""
    unavailable = [error for error in result.errors or () if code_of(error) == UNAVAILABLE]
    if not unavailable or seen.tally.commits:
        return result
    return ExecutionResult(None, [_bare(unavailable[0])])


def _bare(error: GraphQLError) -> GraphQLError:
    """The same error, of the whole operation instead of a field."""
    return GraphQLError(error.message, original_error=error.original_error or error)


def _busy() -> RequestError:
    return RequestError(UNAVAILABLE, "The server is busy, try again")
