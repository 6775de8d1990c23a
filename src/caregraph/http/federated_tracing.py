"""Apollo's federated tracing: a gateway that asks is told, with the answer, how long each field took.

The format is Strawberry's; which fields are timed is decided here, since Strawberry takes fields that the kit answers
for plain attributes. A trace names fields, types and times. What an error says stays out: it may quote data.
"""

import time
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult
from strawberry.extensions.tracing.apollo_federation import (
    FTV1_HEADER,
    FTV1_HEADER_VALUE,
    ApolloFederationTracingExtension,
)

_MASKED = "<masked>"  # Apollo Server's word


class FederatedTrace(ApolloFederationTracingExtension):
    """The trace of one operation."""

    def __init__(self) -> None:
        """Start the clock."""
        super().__init__()
        self._running = self.on_operation()
        next(self._running)

    @classmethod
    def wanted(cls, headers: Mapping[str, str]) -> "FederatedTrace | None":
        """A trace, if the gateway asks for one."""
        return cls() if headers.get(FTV1_HEADER, "").lower() == FTV1_HEADER_VALUE else None

    def resolve(self, following: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:  # type: ignore[override]
        """Called around every field; those that are columns of their row take no time worth telling."""
        field = info.parent_type.fields.get(info.field_name)  # none for introspection
        if field is None or field.extensions["strawberry-definition"].is_basic_field:
            return following(source, info, **arguments)
        return self._timed(following, source, info, arguments)

    async def _timed(self, following: Callable[..., Any], source: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
        node = self._create_node(info)
        node.start_time = time.perf_counter_ns() - self._start_time_ns
        try:
            result = following(source, info, **arguments)
            return await result if isawaitable(result) else result
        except Exception:
            node.errors.append(self._make_error(Exception(_MASKED), info))
            raise
        finally:
            node.end_time = time.perf_counter_ns() - self._start_time_ns

    def told(self, result: ExecutionResult) -> ExecutionResult:
        """`result` with its trace."""
        next(self._running, None)
        return ExecutionResult(result.data, result.errors, {**(result.extensions or {}), **self.get_results()})

    def _check_should_trace(self) -> bool:
        return True
