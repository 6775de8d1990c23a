"""What all answers together say: scores of cohorts, and how reliable a scale is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import strawberry
from sqlalchemy import Select, select

from caregraph.graph.context import Context
from caregraph.graph.fields import field
from caregraph.graph.relations import referenced
from caregraph.refs import ResultRangeRef, ScoreConfigRef
from caregraph.scoring import reliability as engine
from caregraph.scoring.bands import NO_BAND
from caregraph.scoring.engine import score
from caregraph.scoring.errors import SpecError

from . import models
from .answer_models import AnswerSet, ItemResponse
from .enums import ScoreScope
from .rule_rows import rule_rows
from .scored import Rules, rules_of
from .specs import config_key, limits_spec, ranges_of, scale_key
from .tables import answer_table, responses

MOST_RESPONDENTS = 50_000


@strawberry.type(description="How well the items of a scale measure one thing, by the answers that you may see.")
class Reliability:
    """Of the newest answer sets in which every item of the scale is answered."""

    alpha: float | None = field("Cronbach's alpha, at most 1; null for fewer than 2 items or respondents.")
    omega: float | None = field(
        "McDonald's omega total of one factor, 0 to 1; null for fewer than 3 items, or respondents not more than items."
    )
    respondent_count: int = field("How many answer sets it was computed of.")


@strawberry.type(description="A score of everybody together who answered an assessment.")
class CohortScore:
    """A source of this type is a `_Cohort`."""

    score_config: ScoreConfigRef | None = referenced("score_config_id", "What makes it.")
    value: float | None = field("The number; null: nobody has the scores that it is made of.")
    result_range: ResultRangeRef | None = referenced("result_range_id", "What such a score is called.")
    respondent_count: int = field("How many answer sets it was computed over.")


@dataclass(frozen=True)
class _Cohort:
    score_config_id: int
    value: float | None
    result_range_id: int | None
    respondent_count: int


async def cohort_scores(context: Context, assessment: models.Assessment) -> list[Any]:
    """Its scores of a cohort: of all answers to it that you may see, at most the newest 50,000 answer sets."""
    rules: Rules | None = await rules_of(context.run_unscoped, assessment.id)
    configs = [] if rules is None else rules.of_scope(ScoreScope.COHORT)
    if rules is None or not configs:
        return []
    of_assessment = select(AnswerSet.id).where(AnswerSet.assessment_id == assessment.id)
    set_ids, given = await _newest(context, of_assessment)
    columns = score(rules.spec, answer_table(rules.spec, given, set_ids))
    found = []
    for config in configs:
        column = columns[config_key(config.id)]
        band = int(column.band[0])
        range_id = None if band == NO_BAND else ranges_of(rules.rows, config)[band].id
        found.append(_Cohort(config.id, _known(float(column.score[0])), range_id, len(set_ids)))
    return found


async def reliability(context: Context, scale: models.Scale) -> Any:
    """How reliable it is by the answers of your organization that you may see, at most the newest 50,000 answer sets.

    Reversed items are turned round, weights left out. Null where its items have no numbers.
    """
    rows = await rule_rows(context.run_unscoped, scales=[scale.id])
    try:
        spec = limits_spec(rows)
    except SpecError:
        return None
    items = [link.item_id for link in rows.members[scale.id]]
    answered = select(ItemResponse.answer_set_id).where(ItemResponse.item_id.in_(items))
    set_ids, given = await _newest(context, select(AnswerSet.id).where(AnswerSet.id.in_(answered)), items)
    found = engine.reliability(spec, scale_key(scale.id), answer_table(spec, given, set_ids))
    return Reliability(alpha=_known(found.alpha), omega=_known(found.omega), respondent_count=found.respondents)


async def _newest(
    context: Context, sets: Select[Any], items: Sequence[int] | None = None
) -> tuple[list[int], Sequence[Any]]:
    """Ids of the newest answer sets, and the numbers in them."""
    context.saw(AnswerSet)
    newest = sets.order_by(AnswerSet.id.desc()).limit(MOST_RESPONDENTS)
    set_ids = sorted((await context.run_unscoped(newest)).scalars())
    within = responses().where(ItemResponse.answer_set_id.in_(newest.subquery("newest").select()))
    if items is not None:
        within = within.where(ItemResponse.item_id.in_(items))
    return set_ids, (await context.run_unscoped(within)).all() if set_ids else []


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
