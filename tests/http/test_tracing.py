"""Spans: one per operation, in the caller's trace, with names, hashes and numbers only."""

import hashlib
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from caregraph.http import telemetry
from factories.people import make_client
from kit import World

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
QUERY = "query Overview { clients { totalCount nodes { owners { email } } } }"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced(world: World, exporter: InMemorySpanExporter) -> World:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    await world.restart(options={"spans": provider})
    return world


def _only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


async def _send(world: World, query: str, **headers: str) -> Any:
    return await world.http.post("/graphql", json={"query": query}, headers={**world.superuser.headers, **headers})


async def test_a_span_continues_the_callers_trace(traced: World, exporter: InMemorySpanExporter) -> None:
    await make_client(traced.superuser)

    await _send(traced, QUERY, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate="vendor=x", baggage="name=y")

    span = _only(exporter)
    assert (span.name, span.kind, span.status.status_code) == ("GraphQL query", SpanKind.SERVER, StatusCode.UNSET)
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert dict(span.context.trace_state) == {}
    assert dict(span.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Overview",
        "graphql.document.hash": hashlib.sha256(QUERY.encode()).hexdigest(),
        "caregraph.cost": 303,
        "caregraph.sql.statements": 3,
        "caregraph.loader.batches": 1,
    }
    assert (span.events, span.links) == ((), ())


@pytest.mark.parametrize("traceparent", [None, "", "nonsense", f"00-{'0' * 32}-{PARENT}-01", "00-" + "g" * 52])
async def test_without_a_trace_a_new_one_begins(
    traced: World, exporter: InMemorySpanExporter, traceparent: str | None
) -> None:
    await _send(traced, "{ hello { helloFrom } }", **({} if traceparent is None else {"traceparent": traceparent}))

    span = _only(exporter)
    assert span.parent is None
    assert "graphql.operation.name" not in (span.attributes or {})


async def test_a_trace_does_not_reach_the_next_request(traced: World, exporter: InMemorySpanExporter) -> None:
    await _send(traced, "{ hello { helloFrom } }", traceparent=f"00-{TRACE}-{PARENT}-01")
    await _send(traced, "{ hello { helloFrom } }")

    first, second = exporter.get_finished_spans()
    assert first.parent is not None
    assert second.parent is None


async def test_a_failed_operation_has_its_codes(traced: World, exporter: InMemorySpanExporter) -> None:
    await _send(traced, "query Wrong { nonsense }")

    span = _only(exporter)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "GRAPHQL_VALIDATION_FAILED")
    assert (span.attributes or {})["caregraph.error.codes"] == ("GRAPHQL_VALIDATION_FAILED",)
    assert span.events == ()


@pytest.mark.parametrize(
    "environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector", "OTEL_SDK_DISABLED": "true"}]
)
def test_nothing_is_exported_unless_asked(environment: dict[str, str]) -> None:
    assert telemetry.configure(environment) is False
