"""How every operation is run, whatever carries it: its turn, its time, its observers, and the honest way to fail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from graphql import ExecutionResult, GraphQLError

from caregraph.graph.context import Context
from caregraph.graph.errors import RequestError, code_of
from caregraph.settings import Settings

from .draining import Draining
from .gate import UNAVAILABLE, Gate
from .observe import Observation, Observed, Observer

_SECONDS_TO_STOP = 1.0

Execute = Callable[[], Awaitable[ExecutionResult]]


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
        self,
        seen: Observation,
        context: Context,
        execute: Execute,
        *,
        has_place: bool = False,
        is_event: bool = False,
    ) -> ExecutionResult:
        """Run one operation of `context`, in the place that its request has already, or in one of its own."""
        with Observed(seen, self._observers):
            try:
                running = self._run(context, execute) if has_place else self._in_turn(context, execute, is_event)
                result = _settled(seen, await running)
                seen.codes = tuple(dict.fromkeys(map(code_of, result.errors or ())))
            except asyncio.CancelledError:
                seen.codes = ("CANCELLED",)
                raise
        return result

    def refuse(self, seen: Observation, errors: Sequence[GraphQLError]) -> None:
        """Show an operation that never starts."""
        with Observed(seen, self._observers):
            seen.codes = tuple(dict.fromkeys(map(code_of, errors)))

    async def _in_turn(self, context: Context, execute: Execute, is_event: bool) -> ExecutionResult:
        if self.draining.refuses:
            return _leaving()
        try:
            await self.gate.enter(is_patient=is_event)
        except RequestError as error:
            return ExecutionResult(None, [error])
        try:
            return await self._run(context, execute)
        finally:
            self.gate.leave()

    async def _run(self, context: Context, execute: Execute) -> ExecutionResult:
        if self.draining.refuses:
            return _leaving()
        context.deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            # Statements end at the deadline, each with an error of its own field. What hangs elsewhere ends here.
            async with asyncio.timeout_at(context.deadline + _SECONDS_TO_STOP):
                return await execute()
        except TimeoutError:
            return ExecutionResult(None, [RequestError("TIMEOUT", "The operation took too long")])


def _leaving() -> ExecutionResult:
    return ExecutionResult(None, [RequestError(UNAVAILABLE, "The server is shutting down, try again")])


def _settled(seen: Observation, result: ExecutionResult) -> ExecutionResult:
    """Without a commit, an operation that the database failed is as if it had never been sent: it may be sent again."""
    unavailable = [error for error in result.errors or () if code_of(error) == UNAVAILABLE]
    if not unavailable or seen.tally.commits:
        return result
    return ExecutionResult(None, [_bare(unavailable[0])])


def _bare(error: GraphQLError) -> GraphQLError:
    """The same error, of the whole operation instead of a field."""
    return GraphQLError(error.message, original_error=error.original_error or error)
