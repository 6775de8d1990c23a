"""From answers to scores: the rules of an assessment, and the scores of answer sets kept with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import or_, select

from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.scoring.bands import NO_BAND
from caregraph.scoring.engine import Column, score
from caregraph.scoring.errors import SpecError
from caregraph.scoring.spec import ScoringSpec

from . import models
from .answer_models import AnswerScore, AnswerSet, ItemResponse
from .config_models import ScoreConfig
from .enums import PublicationStatus, ScoreScope
from .rule_rows import Execute, RuleRows, rule_rows
from .specs import config_key, ranges_of, spec_of
from .tables import answer_table, responses


@dataclass(frozen=True, eq=False)
class Rules:
    """The published score configs of an assessment that can be computed, as one specification."""

    rows: RuleRows
    configs: tuple[ScoreConfig, ...]
    spec: ScoringSpec

    def of_scope(self, scope: ScoreScope) -> list[ScoreConfig]:
        """Those that make scores of respondents, or of cohorts."""
        return [one for one in self.configs if one.score_type_scope is scope]


async def rules_of(execute: Execute, assessment_id: int) -> Rules | None:
    """How an assessment is scored; null if it is not."""
    ids = await published_configs(execute, assessment_id)
    rows = await rule_rows(execute, configs=ids)
    computable = [one for one in ids if spec_or_none(rows, [one]) is not None]
    spec = spec_or_none(rows, computable)
    return None if spec is None else Rules(rows, tuple(rows.configs[one] for one in computable), spec)


def spec_or_none(rows: RuleRows, configs: Iterable[int], **told: str) -> ScoringSpec | None:
    """The specification of score configs; null if they cannot be computed, as after their scale was emptied."""
    try:
        return spec_of(rows, configs, **told)
    except SpecError:
        return None


async def published_configs(execute: Execute, assessment_id: int) -> list[int]:
    """Ids of the published score configs of an assessment's items, scales and domains, scales within domains too."""
    conditions = on_assessment(assessment_id)
    is_published = ScoreConfig.status == PublicationStatus.PUBLISHED
    statement = select(ScoreConfig.id).where(or_(*conditions), is_published).order_by(ScoreConfig.id)
    return list((await execute(statement)).scalars())


def on_assessment(assessment_id: int) -> tuple[Any, Any, Any]:
    """Conditions on score configs: of an assessment's items, of its scales, of its domains."""
    items = select(models.AssessmentItem.item_id).where(models.AssessmentItem.assessment_id == assessment_id)
    topics = select(models.AssessmentDomain.domain_id).where(models.AssessmentDomain.assessment_id == assessment_id)
    scales = select(models.AssessmentScale.scale_id).where(models.AssessmentScale.assessment_id == assessment_id)
    inner = select(models.DomainScale.scale_id).where(models.DomainScale.domain_id.in_(topics))
    return (
        ScoreConfig.item_id.in_(items),
        or_(ScoreConfig.scale_id.in_(scales), ScoreConfig.scale_id.in_(inner)),
        ScoreConfig.domain_id.in_(topics),
    )


async def score_sets(tx: Tx, assessment_id: int, sets: Sequence[AnswerSet]) -> None:
    """Keep the scores of answer sets to one assessment, as its rules are now."""
    rules = await rules_of(tx.execute, assessment_id)
    found = [] if rules is None else rules.of_scope(ScoreScope.INDIVIDUAL)
    if rules is not None and found:
        ids = [one.id for one in sets]
        given = (await tx.execute(responses().where(ItemResponse.answer_set_id.in_(ids)))).all()
        columns = score(rules.spec, answer_table(rules.spec, given, ids))
        await _keep(tx, rules, {one.id: columns[config_key(one.id)] for one in found}, sets)
    at = now()
    for one in sets:
        one.last_scored_at = at
    await tx.flush()


async def _keep(tx: Tx, rules: Rules, columns: dict[int, Column], sets: Sequence[AnswerSet]) -> None:
    """Write each score, over the one that is there; scores of configs that are gone from the assessment go."""
    statement = select(AnswerScore).where(AnswerScore.answer_set_id.in_([one.id for one in sets]))
    there = {(row.answer_set_id, row.score_config_id): row for row in await tx.scalars(statement)}
    for config_id, column in columns.items():
        config = rules.rows.configs[config_id]
        ranges = ranges_of(rules.rows, config)
        for place, answers in enumerate(sets):
            row = there.pop((answers.id, config_id), None)
            if row is None:
                row = AnswerScore(answer_set_id=answers.id, client_id=answers.client_id, score_config_id=config_id)
                tx.add(row)
            band = int(column.band[place])
            row.score_config_version = config.version
            row.value = _number(column.score[place])
            row.result_range_id = None if band == NO_BAND else ranges[band].id
    for row in there.values():
        await tx.delete(row)


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
