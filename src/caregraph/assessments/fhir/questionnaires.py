"""An assessment as a `Questionnaire`."""

from caregraph.assessments.enums import ItemType, PublicationStatus
from caregraph.assessments.models import Assessment, ItemOption
from caregraph.graph.node import global_id
from caregraph.scoring.instruments import Instrument

from .expressions import calculation
from .forms import Form, Question, ScaleScore
from .parts import LOINC, Publisher, Resource, given, instant, ordinal

_KINDS = {ItemType.INSTRUCTION: "display", ItemType.SHORT_ANSWER: "text"}
_CHOICE = "choice"


def questionnaire(publisher: Publisher, form: Form, instrument: Instrument | None) -> Resource:
    """The assessment with its questions, options and, read-only, the scores of its scales."""
    row = form.assessment
    key = global_id("Assessment", row.id)
    return given(
        resourceType="Questionnaire",
        id=key,
        url=publisher.url("Questionnaire", key),
        version=str(row.version),
        name=f"Assessment_{key}",
        title=row.title,
        status=_status(row),
        subjectType=["Patient"],
        date=instant(row.published_at or row.updated_at),
        publisher=row.author_name,
        description=row.display_description,
        copyright=_notice(instrument),
        code=_loinc(row.loinc_code, row.title),
        item=[
            *(_question(publisher, one) for one in form.questions),
            *(_score(publisher, form, one) for one in form.scores),
        ],
    )


def canonical(publisher: Publisher, assessment_id: int, version: int) -> str:
    """By what a response names the questionnaire that it answers."""
    return f"{publisher.url('Questionnaire', global_id('Assessment', assessment_id))}|{version}"


def option_coding(publisher: Publisher, option: ItemOption, value: float | None) -> Resource:
    """An option as an answer that counts for `value`."""
    made = publisher.coding("item-options", global_id("ItemOption", option.id), option.text, loinc=option.loinc_code)
    return given(extension=ordinal(value)) | made


def _status(row: Assessment) -> str:
    if row.archived_at is not None:
        return "retired"
    return "active" if row.status is PublicationStatus.PUBLISHED else "draft"


def _notice(instrument: Instrument | None) -> str | None:
    if instrument is None:
        return None
    return " ".join(one for one in (instrument.licence.notice, instrument.licence.codes) if one)


def _loinc(code: str | None, display: str | None) -> list[Resource]:
    return [given(system=LOINC, code=code, display=display)] if code else []


def _question(publisher: Publisher, one: Question) -> Resource:
    item = one.item
    kind = _KINDS.get(item.item_type, _CHOICE)
    made = given(linkId=global_id("Item", item.id), text=item.text, type=kind)
    if kind == "display":
        return made
    options = [{"valueCoding": option_coding(publisher, option, option.value)} for option in one.options]
    return made | given(
        code=_loinc(item.loinc_code, item.text),
        required=one.place.required,
        repeats=True if item.item_type is ItemType.MULTIPLE_SELECT else None,
        answerOption=options if kind == _CHOICE else None,
    )


def _score(publisher: Publisher, form: Form, one: ScaleScore) -> Resource:
    key = global_id("ScoreConfig", one.config.id)
    return given(
        extension=calculation(form, one),
        linkId=key,
        code=[publisher.coding("scores", key, one.config.name, loinc=one.config.loinc_code)],
        text=one.config.name,
        type="decimal",
        readOnly=True,
    )
