"""Loads what resources are made of, as its viewer sees it, for many at once; and the fields that answer with them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from caregraph.assessments import models
from caregraph.assessments.answer_models import AnswerScore, AnswerSet, ItemResponse
from caregraph.assessments.config_models import ResultRange, ScoreConfig
from caregraph.assessments.enums import PublicationStatus, ScoreScope
from caregraph.assessments.score_types import is_displayed
from caregraph.graph.context import Context
from caregraph.graph.loaders import RowById, among
from caregraph.graph.scalars import Json
from caregraph.scoring.instruments import Instrument, instruments

from .forms import Form, Question, ScaleScore
from .observations import observation
from .parts import Publisher, Resource
from .questionnaires import questionnaire
from .responses import response


async def fhir_questionnaire(context: Context, assessment: models.Assessment) -> Json | None:
    """The assessment as a `Questionnaire` of FHIR R4, as far as you see it: items, options, scores of its scales.

    Codes are LOINC's where they are known; options say by `ordinalValue` what they count for; sums and means are
    read-only items with a `calculatedExpression`. Its licence notice is its `copyright`.
    """
    form = await context.load(Forms(), assessment.id)
    return None if form is None else Json(as_questionnaire(context, form))


async def fhir_response(context: Context, answers: AnswerSet) -> Json:
    """The answers as a `QuestionnaireResponse` of FHIR R4: coded by options, skipped items absent."""
    form = await context.load(Forms(), answers.assessment_id)
    responses = await context.load(_OfSets(ItemResponse), answers.id)
    return Json(response(publisher(context), answers, responses, form))


async def fhir_observations(context: Context, answers: AnswerSet) -> list[Json]:
    """The scores as `Observation`s of FHIR R4, derived from the response: value or why there is none, cut-offs."""
    form: Form | None = await context.load(Forms(), answers.assessment_id)
    scores = await context.load(_OfSets(AnswerScore), answers.id)
    return [Json(one) for one in await asyncio.gather(*(_observed(context, answers, one, form) for one in scores))]


def publisher(context: Context) -> Publisher:
    """By the server's public address."""
    return Publisher.at(context.settings.public_url)


def as_questionnaire(context: Context, form: Form) -> Resource:
    """A loaded form as a resource."""
    return questionnaire(publisher(context), form, _instrument(form))


async def _observed(context: Context, answers: AnswerSet, score: AnswerScore, form: Form | None) -> Resource:
    known = None if form is None else next((one for one in form.scores if one.config.id == score.score_config_id), None)
    if known is None:
        config = await context.load(RowById(ScoreConfig), score.score_config_id)
        known = None if config is None else ScaleScore(config, (), ())
    band = None
    if score.result_range_id is not None:
        band = await context.load(RowById(ResultRange), score.result_range_id)
    instrument = None if form is None else _instrument(form)
    return observation(publisher(context), answers, score, known=known, band=band, instrument=instrument)


def _instrument(form: Form) -> Instrument | None:
    return next((one for one in instruments() if one.key == form.assessment.instrument_key), None)


@dataclass(frozen=True)
class _OfSets:
    """Answers to answer sets, or scores of them, by id."""

    model: type[ItemResponse | AnswerScore]

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[list[Any]]:
        """Rows per set."""
        found = await _rows(context, self.model, self.model.answer_set_id, keys)
        context.saw_rows(self.model, found)
        by_set = _grouped(found, "answer_set_id")
        context.spend_on(self, {key: len(rows) for key, rows in by_set.items()})
        return [by_set[key] for key in keys]


@dataclass(frozen=True)
class Forms:
    """Assessments with their questions and scores, as far as the viewer sees them; null for none."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[Form | None]:
        """A statement per kind of row, however many assessments."""
        rows = {one.id: one for one in await _rows(context, models.Assessment, models.Assessment.id, keys)}
        places = await _rows(context, models.AssessmentItem, models.AssessmentItem.assessment_id, list(rows))
        questions = await self._questions(context, places)
        links = await _rows(context, models.AssessmentScale, models.AssessmentScale.assessment_id, list(rows))
        scores = await self._scores(context, list({one.scale_id for one in links}))
        forms = {
            key: Form(
                row,
                tuple(questions[one.id] for one in _sorted(places) if one.assessment_id == key and one.id in questions),
                tuple(score for one in links if one.assessment_id == key for score in scores[one.scale_id]),
            )
            for key, row in rows.items()
        }
        context.spend_on(self, {key: _size(form) for key, form in forms.items()})
        return [forms.get(key) for key in keys]

    async def _questions(self, context: Context, places: Sequence[Any]) -> dict[int, Question]:
        """By the ids of their places."""
        ids = list({one.item_id for one in places})
        items = {one.id: one for one in await _rows(context, models.Item, models.Item.id, ids)}
        options = _grouped(_sorted(await _rows(context, models.ItemOption, models.ItemOption.item_id, ids)), "item_id")
        return {
            one.id: Question(one, items[one.item_id], tuple(options[one.item_id]))
            for one in places
            if one.item_id in items
        }

    async def _scores(self, context: Context, ids: list[int]) -> dict[int, list[ScaleScore]]:
        """By the ids of their scales."""
        scales = {one.id: one for one in await _rows(context, models.Scale, models.Scale.id, ids)}
        configs = await _rows(context, ScoreConfig, ScoreConfig.scale_id, list(scales))
        members = _grouped(_sorted(await _rows(context, models.ItemScale, models.ItemScale.scale_id, ids)), "scale_id")
        ranges = _grouped(await _rows(context, ResultRange, ResultRange.scale_id, ids), "scale_id")
        found: dict[int, list[ScaleScore]] = defaultdict(list)
        for one in configs:
            if one.status is PublicationStatus.PUBLISHED and one.score_type_scope is ScoreScope.INDIVIDUAL:
                shown = is_displayed(one.score_type, scales[one.scale_id].display_score_type)
                named = sorted(ranges[one.scale_id], key=lambda row: row.range_start) if shown else []
                found[one.scale_id].append(ScaleScore(one, tuple(members[one.scale_id]), tuple(named)))
        return found


async def _rows(context: Context, model: type[Any], column: Any, keys: Sequence[int]) -> list[Any]:
    """The rows that the viewer sees whose column is one of `keys`, by id."""
    if not keys:
        return []
    statement = select(model).where(among(context, column, keys)).order_by(model.id).limit(context.rows_left + 1)
    return list((await context.run_unscoped(statement)).scalars())


def _grouped(rows: Sequence[Any], column: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return found


def _sorted(rows: Sequence[Any]) -> list[Any]:
    """By position."""
    return sorted(rows, key=lambda row: (row.position, row.id))


def _size(form: Form) -> int:
    """How many rows it is made of."""
    of_questions = sum(2 + len(one.options) for one in form.questions)
    return 1 + of_questions + sum(1 + len(one.members) + len(one.ranges) for one in form.scores)
