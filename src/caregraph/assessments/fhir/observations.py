"""Scores of an answer set as `Observation`s."""

from caregraph.assessments.answer_models import AnswerScore, AnswerSet
from caregraph.assessments.config_models import ResultRange, ScoreConfig
from caregraph.graph.node import global_id
from caregraph.scoring.instruments import Cutoff, Instrument

from .forms import ScaleScore
from .parts import Publisher, Resource, given, instant, measured, number, points, reference, survey
from .responses import authored

_MISSING = "Too many answers are missing"


def observation(
    publisher: Publisher,
    answers: AnswerSet,
    score: AnswerScore,
    *,
    known: ScaleScore | None,
    band: ResultRange | None,
    instrument: Instrument | None,
) -> Resource:
    """A score, what it means, and the response that it was made of.

    `known` is null when the score config is not shared any more; `band` is the range that the score is in.
    """
    config = None if known is None else known.config
    patient = reference("Patient", "Client", answers.client_id)
    return given(
        resourceType="Observation",
        id=global_id("AnswerScore", score.id),
        status="final",
        category=survey(),
        code=_code(publisher, score, config),
        subject=patient,
        effectiveDateTime=authored(answers),
        issued=instant(score.updated_at),
        performer=[] if patient is None else [patient],
        **measured(score.value, _MISSING),
        interpretation=[] if band is None else [_interpretation(publisher, band)],
        referenceRange=_ranges(known, instrument),
        derivedFrom=[reference("QuestionnaireResponse", "AnswerSet", answers.id)],
    )


def _code(publisher: Publisher, score: AnswerScore, config: ScoreConfig | None) -> Resource:
    name, loinc = (None, None) if config is None else (config.name, config.loinc_code)
    coding = publisher.coding("scores", global_id("ScoreConfig", score.score_config_id), name, loinc=loinc)
    return given(coding=[coding], text=name)


def _interpretation(publisher: Publisher, band: ResultRange) -> Resource:
    coding = publisher.coding("result-ranges", global_id("ResultRange", band.id), band.name)
    return {"coding": [coding], "text": band.name}


def _ranges(known: ScaleScore | None, instrument: Instrument | None) -> list[Resource]:
    """Published cut-offs where the score has some, else the result ranges of its scale.

    The end of a reference range belongs to it, that of a result range does not, but for the last: it is told in words.
    """
    if known is None:
        return []
    cutoffs = _cutoffs(instrument, known.config)
    if cutoffs:
        return [{"low": points(one.at_least), "text": one.label} for one in cutoffs]
    last = len(known.ranges) - 1
    return [_range(one, is_last=place == last) for place, one in enumerate(known.ranges)]


def _cutoffs(instrument: Instrument | None, config: ScoreConfig) -> list[Cutoff]:
    """Of the score of an installed instrument, which has the label of the instrument's as its name."""
    if instrument is None:
        return []
    keys = {one.key for one in instrument.spec.configs if one.label == config.name}
    return [one for one in instrument.cutoffs if one.score in keys]


def _range(one: ResultRange, *, is_last: bool) -> Resource:
    start, end = number(one.range_start), number(one.range_end)
    if is_last:
        return {"low": points(start), "high": points(end), "text": f"{one.name}: from {start} to {end}"}
    return {"low": points(start), "text": f"{one.name}: from {start}, below {end}"}
