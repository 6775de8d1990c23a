"""Fields that answer with resources of FHIR R4: of single scores, and of everything in a bundle."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import numpy as np
import strawberry
from sqlalchemy import ColumnElement, select

from caregraph.assessments.answer_models import AnswerSet
from caregraph.assessments.fhir import parts, reading
from caregraph.db.scope import visible
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.loaders import among
from caregraph.graph.node import row_id_of
from caregraph.graph.scalars import Json
from caregraph.scoring.measures import age_bands
from caregraph.scoring.outcomes import DEFAULT_RULES, cutoffs

from . import fhir, models
from .enums import MeasureKind


async def fhir_response(context: Context, score: models.Score) -> Json:
    """The four lines as a `QuestionnaireResponse` of FHIR R4: by the client, or a rater as `RelatedPerson`."""
    day, _ = await context.load(_Circumstances(), _place(score))
    return Json(fhir.response(reading.publisher(context), score, day))


async def fhir_observations(context: Context, score: models.Score) -> list[Json]:
    """The total as an `Observation` of FHIR R4 with the lines as components and the cut-off, as a list of one."""
    return [Json(await _observed(context, score))]


async def fhir_bundle(
    context: Context,
    _root: None,
    *,
    client_id: Annotated[strawberry.ID | None, describe("Only what is about this client.")] = None,
    from_: Annotated[date | None, describe("Only what was answered on or after this day.")] = None,
    to: Annotated[date | None, describe("Only what was answered on or before this day.")] = None,
) -> Json:
    """Answers and scores that you may see as a `Bundle` of FHIR R4, for other systems; also served at `/exports/fhir`.

    Every `Questionnaire` that was answered, each `QuestionnaireResponse`, and its `Observation`s: of assessments, and
    of the ORS and SRS. Days are those of sessions, or of answers in UTC. Clients are named by reference alone.
    """
    of_client = None if client_id is None else row_id_of("Client")(client_id) or 0
    sets = await _found(context, AnswerSet, _between(AnswerSet.created_at, from_, to), of_client)
    days = models.Session.session_date
    sessions = select(models.Session.id).where(*_from(days, from_), *_to(days, to)).correlate(None)
    in_time = [] if from_ is None and to is None else [models.Score.session_id.in_(sessions)]
    scores = await _found(context, models.Score, in_time, of_client)
    resources = [*await _of_answers(context, sets), *await _of_scores(context, scores)]
    return Json(parts.bundle(reading.publisher(context), resources))


async def _found(
    context: Context, model: type[Any], conditions: Sequence[ColumnElement[bool]], client_id: int | None
) -> list[Any]:
    whose = [] if client_id is None else [model.client_id == client_id]
    statement = visible(model, context.viewer).where(*conditions, *whose).order_by(model.id)
    rows = list((await context.run(statement.limit(context.rows_left + 1))).scalars())
    context.spend(len(rows))
    context.saw_rows(model, rows)
    return rows


def _between(column: Any, start: date | None, end: date | None) -> list[ColumnElement[bool]]:
    first = None if start is None else datetime.combine(start, time(), UTC)
    after = None if end is None else datetime.combine(end, time(), UTC) + timedelta(days=1)
    return [*_from(column, first), *([] if after is None else [column < after])]


def _from(column: Any, start: date | None) -> list[ColumnElement[bool]]:
    return [] if start is None else [column >= start]


def _to(column: Any, end: date | None) -> list[ColumnElement[bool]]:
    return [] if end is None else [column <= end]


async def _of_answers(context: Context, sets: Sequence[AnswerSet]) -> list[Any]:
    ids = list(dict.fromkeys(one.assessment_id for one in sets))
    forms = await asyncio.gather(*(context.load(reading.Forms(), one) for one in ids))
    responses = await asyncio.gather(*(reading.fhir_response(context, one) for one in sets))
    observations = await asyncio.gather(*(reading.fhir_observations(context, one) for one in sets))
    questionnaires = [reading.as_questionnaire(context, one) for one in forms if one is not None]
    told = [one for made, scored in zip(responses, observations, strict=True) for one in (made, *scored)]
    return [*questionnaires, *told]


async def _of_scores(context: Context, scores: Sequence[models.Score]) -> list[Any]:
    own = reading.publisher(context)
    measures = {score.measure: score for score in scores}
    questionnaires = [fhir.questionnaire(own, measures[one]) for one in MeasureKind if one in measures]
    responses = await asyncio.gather(*(fhir_response(context, one) for one in scores))
    observations = await asyncio.gather(*(_observed(context, one) for one in scores))
    return [*questionnaires, *(one for pair in zip(responses, observations, strict=True) for one in pair)]


async def _observed(context: Context, score: models.Score) -> parts.Resource:
    day, age = await context.load(_Circumstances(), _place(score))
    return fhir.observation(reading.publisher(context), score, day, _cutoff(score, age))


def _cutoff(score: models.Score, age: int | None) -> float:
    if score.measure is MeasureKind.SRS:
        return DEFAULT_RULES.srs_cutoff
    bands = age_bands(np.array([np.nan if age is None else float(age)]))
    return float(cutoffs(DEFAULT_RULES, bands, np.array([score.rater_id is not None]))[0])


def _place(score: models.Score) -> tuple[int, int, int]:
    return score.session_id, score.episode_id, score.client_id


@dataclass(frozen=True)
class _Circumstances:
    """The day of a session, and the age of a client at the start of an episode."""

    async def load_many(self, context: Context, keys: Sequence[tuple[int, int, int]]) -> list[tuple[date, int | None]]:
        """Two statements for all."""
        session, place = models.Session, models.EpisodeClient
        sessions = select(session.id, session.session_date).where(among(context, session.id, [key[0] for key in keys]))
        days = {session_id: day for session_id, day in await context.run_unscoped(sessions)}  # noqa: C416 rows, not pairs
        places = select(place.episode_id, place.client_id, place.age_at_start).where(
            among(context, place.episode_id, [key[1] for key in keys])
        )
        ages = {(episode, client): age for episode, client, age in await context.run_unscoped(places)}
        return [(days[one], ages.get((episode, client))) for one, episode, client in keys]
