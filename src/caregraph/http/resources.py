"""A bundle of FHIR resources on the wire: as it is, or a resource per line."""

from collections.abc import Iterator, Mapping
from typing import Any

from caregraph.graph.scalars import encode_json

FHIR = "application/fhir+json"
NDJSON = "application/fhir+ndjson"


def in_one(bundle: Mapping[str, Any]) -> Iterator[bytes]:
    """The bundle, as one object of JSON."""
    yield encode_json(bundle)


def line_by_line(bundle: Mapping[str, Any]) -> Iterator[bytes]:
    """Its resources, an object of JSON per line."""
    for entry in bundle.get("entry", ()):
        yield encode_json(entry["resource"]) + b"\n"
