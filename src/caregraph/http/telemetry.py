"""Sends spans to a collector when the process is told to by OpenTelemetry's own variables (`OTEL_…`)."""

import logging
import os
from collections.abc import Mapping

from opentelemetry import trace

LOG = logging.getLogger("caregraph.server")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def configure(environment: Mapping[str, str] = os.environ) -> bool:
    """Export spans by OTLP over HTTP if an endpoint is named; whether it is. Asks for `caregraph[otel]`."""
    if not any(environment.get(name) for name in _ENDPOINTS) or environment.get("OTEL_SDK_DISABLED") == "true":
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 optional
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 optional
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 optional
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 optional
    except ImportError:
        LOG.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but caregraph[otel] is not installed: no spans are sent")
        return False
    resource = Resource.create({SERVICE_NAME: environment.get("OTEL_SERVICE_NAME", "caregraph")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


def close() -> None:
    """Send the spans that wait, where the process ends without what Python does at the end of others."""
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        shutdown()
