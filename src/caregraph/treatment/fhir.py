"""ORS and SRS as resources of FHIR R4, pure functions from rows.

No code of LOINC is known for them: they have codes of the server's own, such as `ors-total`.
"""

from datetime import date

from caregraph.assessments.fhir.parts import (
    Publisher,
    Resource,
    given,
    instant,
    measured,
    number,
    points,
    reference,
    survey,
)
from caregraph.graph.node import global_id
from caregraph.scoring.instruments import Instrument, instrument

from . import models
from .scores import MEASURES, lines, total

_MINIMUM = "http://hl7.org/fhir/StructureDefinition/minValue"
_MAXIMUM = "http://hl7.org/fhir/StructureDefinition/maxValue"


def questionnaire(publisher: Publisher, score: models.Score) -> Resource:
    """The scale that was filled in, with neutral names for its four lines."""
    found = _instrument(score)
    return given(
        resourceType="Questionnaire",
        id=found.key,
        url=publisher.url("Questionnaire", found.key),
        version=found.version,
        name=found.name,
        title=found.title,
        status="active",
        subjectType=["Patient"],
        copyright=found.licence.notice,
        item=[
            {
                "extension": [
                    {"url": _MINIMUM, "valueDecimal": number(one.minimum)},
                    {"url": _MAXIMUM, "valueDecimal": number(one.maximum)},
                ],
                "linkId": one.key,
                "code": [_coding(publisher, found, one.key, one.text)],
                "text": one.text,
                "type": "decimal",
                "required": True,
            }
            for one in found.items
        ],
    )


def response(publisher: Publisher, score: models.Score, day: date) -> Resource:
    """The four lines as they were drawn."""
    found, informant = _instrument(score), _informant(score)
    return given(
        resourceType="QuestionnaireResponse",
        id=_key(score),
        questionnaire=f"{publisher.url('Questionnaire', found.key)}|{found.version}",
        status="completed",
        subject=reference("Patient", "Client", score.client_id),
        encounter=reference("Encounter", "Session", score.session_id),
        authored=_authored(score, day),
        author=informant,
        source=informant,
        item=[
            {"linkId": item.key, "text": item.text, "answer": [{"valueDecimal": number(line)}]}
            for item, line in zip(found.items, lines(score), strict=True)
        ],
    )


def observation(publisher: Publisher, score: models.Score, day: date, cutoff: float) -> Resource:
    """The total with its lines as components; `cutoff` is that of the client's age and the informant."""
    found, informant = _instrument(score), _informant(score)
    return given(
        resourceType="Observation",
        id=_key(score),
        status="final",
        category=survey(),
        code={"coding": [_coding(publisher, found, "total", f"{found.name} total")], "text": f"{found.name} total"},
        subject=reference("Patient", "Client", score.client_id),
        encounter=reference("Encounter", "Session", score.session_id),
        effectiveDateTime=day.isoformat(),
        issued=instant(score.created_at),
        performer=[informant],
        **measured(total(score), "A line is missing"),
        referenceRange=[{"low": points(cutoff), "text": "At or above the cut-off"}],
        derivedFrom=[{"reference": f"QuestionnaireResponse/{_key(score)}", "type": "QuestionnaireResponse"}],
        component=[
            {
                "code": {"coding": [_coding(publisher, found, item.key, item.text)], "text": item.text},
                "valueQuantity": points(line),
            }
            for item, line in zip(found.items, lines(score), strict=True)
        ],
    )


def _instrument(score: models.Score) -> Instrument:
    return instrument(MEASURES[score.measure].key)


def _key(score: models.Score) -> str:
    return global_id(type(score).__name__, score.id)


def _authored(score: models.Score, day: date) -> str | None:
    """The day of the session; when it was written down is another matter."""
    return instant(score.created_at) if score.created_at.date() == day else day.isoformat()


def _informant(score: models.Score) -> Resource | None:
    if score.rater_id is not None:
        return reference("RelatedPerson", "Rater", score.rater_id)
    return reference("Patient", "Client", score.client_id)


def _coding(publisher: Publisher, found: Instrument, part: str, display: str) -> Resource:
    return publisher.coding("scales", f"{found.key}-{part.replace('_', '-')}", display)
