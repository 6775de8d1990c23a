"""What the resources share: names of code systems, references, quantities, and the urls under which things are known.

Resources are plain dictionaries without empty members, as FHIR's JSON wants them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caregraph.graph.node import global_id

Resource = dict[str, Any]

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"


@dataclass(frozen=True)
class Publisher:
    """The server's own address, below which its questionnaires and codes are named."""

    base: str

    @classmethod
    def at(cls, public_url: str) -> "Publisher":
        """By the address that people know the server by."""
        return cls(f"{public_url.rstrip('/')}/fhir")

    def url(self, resource: str, key: str) -> str:
        """The canonical url of a resource, or where an entry of a bundle would be found."""
        return f"{self.base}/{resource}/{key}"

    def coding(self, system: str, key: str, display: str | None, *, loinc: str | None = None) -> Resource:
        """A code: LOINC's where there is one, else of a code system of the server."""
        if loinc:
            return given(system=LOINC, code=loinc, display=display or None)
        return given(system=self.url("CodeSystem", system), code=key, display=display or None)


def given(**members: Any) -> Resource:
    """A resource or a part of one, without what is empty; `False` and 0 are something."""
    return {name.removesuffix("_"): value for name, value in members.items() if value not in (None, "", [], {})}


def reference(resource: str, type_name: str, row_id: int | None) -> Resource | None:
    """A reference to what a row is in FHIR; null without a row."""
    if row_id is None:
        return None
    return {"reference": f"{resource}/{global_id(type_name, row_id)}", "type": resource}


def number(value: float) -> float | int:
    """A decimal as people write it: 14 instead of 14.0."""
    return int(value) if value == int(value) else value


def instant(at: datetime | None) -> str | None:
    """A point in time with its offset."""
    return None if at is None else at.isoformat()


def points(value: float) -> Resource:
    """A quantity of points of a score."""
    return {"value": number(value), "unit": "score", "system": UCUM, "code": "{score}"}


def measured(value: float | None, why_not: str) -> Resource:
    """The value of an observation, or the reason why it has none."""
    if value is None:
        reason = {"coding": [{"system": ABSENT, "code": "unknown", "display": "Unknown"}], "text": why_not}
        return {"dataAbsentReason": reason}
    return {"valueQuantity": points(value)}


def survey() -> list[Resource]:
    """The category of observations that come from questionnaires."""
    return [{"coding": [{"system": CATEGORY, "code": "survey", "display": "Survey"}]}]


def ordinal(value: float | None) -> list[Resource]:
    """The extension that says for which number an answer counts."""
    return [] if value is None else [{"url": ORDINAL, "valueDecimal": number(value)}]


def bundle(publisher: Publisher, resources: Iterable[Resource]) -> Resource:
    """A collection of resources."""
    entries = [{"fullUrl": publisher.url(one["resourceType"], one["id"]), "resource": one} for one in resources]
    return given(resourceType="Bundle", type="collection", entry=entries)
