"""OpenTelemetry spans of operations: name, kind, hash, numbers and codes; never texts, variables or headers.

A caller's trace continues here by W3C `traceparent`. `tracestate` and baggage are left out: anything may be in them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import context as active
from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider, Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers

from .observe import Observation

_W3C = TraceContextTextMapPropagator()
_HEADER = "traceparent"


class Tracing:
    """An observer that makes spans."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """Spans go to `provider`; without one to whatever the process has set up, which may be nothing."""
        self._provider = provider
        self._tracer = trace.get_tracer("caregraph", tracer_provider=provider)

    def begin(self, seen: Observation) -> tuple[Span, AbstractContextManager[Span]] | None:
        """Open a span. Its name is the kind alone: callers invent the names of operations."""
        if self._provider is None and isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
            return None  # nobody has set anything up
        span = self._tracer.start_span(f"GraphQL {seen.kind}", kind=SpanKind.SERVER)
        current = trace.use_span(span, record_exception=False, set_status_on_exception=False)
        current.__enter__()
        return span, current

    def end(self, seen: Observation, begun: tuple[Span, AbstractContextManager[Span]] | None) -> None:
        """Say how it went and close the span."""
        if begun is None:
            return
        span, current = begun
        current.__exit__(None, None, None)
        if span.is_recording():
            span.set_attributes(_attributes(seen))
            if seen.codes:
                span.set_status(Status(StatusCode.ERROR, seen.codes[0]))
        span.end()


def _attributes(seen: Observation) -> dict[str, str | int | float | tuple[str, ...]]:
    attributes: dict[str, str | int | float | tuple[str, ...]] = {
        "graphql.operation.type": seen.kind,
        "graphql.document.hash": seen.hash,
        "caregraph.sql.statements": seen.tally.statements,
        "caregraph.loader.batches": len(seen.tally.batches),
    }
    if seen.name:
        attributes["graphql.operation.name"] = seen.name
    if seen.codes:
        attributes["caregraph.error.codes"] = seen.codes
    if seen.cost is not None:
        attributes["caregraph.cost"] = seen.cost
    return attributes


def is_continued(headers: Headers) -> bool:
    """Whether a request is part of its caller's trace."""
    return headers.get(_HEADER) is not None


@contextmanager
def continued(headers: Headers) -> Iterator[None]:
    """Put the block into the trace of a caller who has one."""
    token = active.attach(_W3C.extract({_HEADER: headers[_HEADER]}, context=active.Context()))
    try:
        yield
    finally:
        active.detach(token)
