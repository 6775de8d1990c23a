"""Root fields of scoring and of answers."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, true

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.node import row_id_of
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource

from . import answers, calculations, configs, norms, policy, ranges  # noqa: F401 the rules are declared in policy
from .answer_types import AnswerScore, AnswerSet, ItemResponse
from .config_models import ScoreConfig as ScoreConfigRow
from .config_types import CalculationVariable, CustomCalculation, PercentileRankConfig, ResultRange, ScoreConfig
from .enums import PublicationStatus, ScoreLevel
from .result_texts import ResultScore, result_scores
from .scored import on_assessment

_COLUMNS = {
    ScoreLevel.ITEM: ScoreConfigRow.item_id,
    ScoreLevel.SCALE: ScoreConfigRow.scale_id,
    ScoreLevel.DOMAIN: ScoreConfigRow.domain_id,
}


async def _score_configs(
    context: Context,
    *,
    item_id: Annotated[strawberry.ID | None, describe("Only those of this item.")] = None,
    scale_id: Annotated[strawberry.ID | None, describe("Only those of this scale.")] = None,
    domain_id: Annotated[strawberry.ID | None, describe("Only those of this domain.")] = None,
    assessment_id: Annotated[
        strawberry.ID | None,
        describe(
            "Only those of items, scales and domains of this assessment, scales in its domains too; drafts for holders"
            " of `ASSESSMENT_AUTHOR` and superusers only."
        ),
    ] = None,
    level: Annotated[ScoreLevel | None, describe("Only those of items, of scales, or of domains.")] = None,
) -> ColumnElement[bool]:
    named = {ScoreLevel.ITEM: item_id, ScoreLevel.SCALE: scale_id, ScoreLevel.DOMAIN: domain_id}
    conditions = [
        _COLUMNS[one] == (row_id_of(one.name.capitalize())(text) or 0)
        for one, text in named.items()
        if text is not None
    ]
    if level is not None:
        conditions.append(_COLUMNS[level].is_not(None))
    if assessment_id is not None:
        of_items, of_scales, of_domains = on_assessment(row_id_of("Assessment")(assessment_id) or 0)
        conditions.append(of_items | of_scales | of_domains)
        if not context.viewer.may(Permission.ASSESSMENT_AUTHOR):
            conditions.append(ScoreConfigRow.status == PublicationStatus.PUBLISHED)
    return and_(true(), *conditions)


@strawberry.type
class Query:
    """Reading how assessments are scored, and answers."""

    score_config: ScoreConfig | None = Resource(ScoreConfig).get()
    score_configs: Page[ScoreConfig] | None = Resource(ScoreConfig).page(
        _score_configs,
        description="How items, scales and domains that you may see are scored, page by page; drafts are seen by"
        " authors (`gloo.item_score_configs.list_for_item` and its like).",
    )
    custom_calculation: CustomCalculation | None = Resource(CustomCalculation).get()
    calculation_variable: CalculationVariable | None = Resource(CalculationVariable).get()
    percentile_rank_config: PercentileRankConfig | None = Resource(PercentileRankConfig).get()
    result_range: ResultRange | None = Resource(ResultRange).get()
    result_scores: list[ResultScore] | None = result_scores()
    answer_set: AnswerSet | None = Resource(AnswerSet).get()
    answer_sets: Page[AnswerSet] | None = Resource(AnswerSet).page(order="created_at")
    item_response: ItemResponse | None = Resource(ItemResponse).get()
    answer_score: AnswerScore | None = Resource(AnswerScore).get()


@strawberry.type
class Mutation:
    """Saying how assessments are scored, and answering them."""

    create_item_score_config: Payload[ScoreConfig] | None = action(
        configs.create_item_score_config, needs=Permission.CREATE_ASSESSMENT
    )
    create_scale_score_config: Payload[ScoreConfig] | None = action(
        configs.create_scale_score_config, needs=Permission.CREATE_ASSESSMENT
    )
    create_domain_score_config: Payload[ScoreConfig] | None = action(
        configs.create_domain_score_config, needs=Permission.CREATE_ASSESSMENT
    )
    update_score_config: Payload[ScoreConfig] | None = action(
        configs.update_score_config, needs=Permission.CREATE_ASSESSMENT
    )
    delete_score_config: DeletePayload | None = action(configs.delete_score_config, needs=Permission.CREATE_ASSESSMENT)
    create_custom_calculation: Payload[CustomCalculation] | None = action(
        calculations.create_custom_calculation, needs=Permission.CREATE_ASSESSMENT
    )
    update_custom_calculation: Payload[CustomCalculation] | None = action(
        calculations.update_custom_calculation, needs=Permission.CREATE_ASSESSMENT
    )
    delete_custom_calculation: DeletePayload | None = action(
        calculations.delete_custom_calculation, needs=Permission.CREATE_ASSESSMENT
    )
    create_calculation_variable: Payload[CalculationVariable] | None = action(
        calculations.create_calculation_variable, needs=Permission.CREATE_ASSESSMENT
    )
    update_calculation_variable: Payload[CalculationVariable] | None = action(
        calculations.update_calculation_variable, needs=Permission.CREATE_ASSESSMENT
    )
    delete_calculation_variable: DeletePayload | None = action(
        calculations.delete_calculation_variable, needs=Permission.CREATE_ASSESSMENT
    )
    create_percentile_rank_config: Payload[PercentileRankConfig] | None = action(
        norms.create_percentile_rank_config, needs=Permission.CREATE_ASSESSMENT
    )
    update_percentile_rank_config: Payload[PercentileRankConfig] | None = action(
        norms.update_percentile_rank_config, needs=Permission.CREATE_ASSESSMENT
    )
    delete_percentile_rank_config: DeletePayload | None = action(
        norms.delete_percentile_rank_config, needs=Permission.CREATE_ASSESSMENT
    )
    create_scale_result_range: Payload[ResultRange] | None = action(
        ranges.create_scale_result_range, needs=Permission.CREATE_ASSESSMENT
    )
    create_domain_result_range: Payload[ResultRange] | None = action(
        ranges.create_domain_result_range, needs=Permission.CREATE_ASSESSMENT
    )
    update_result_range: Payload[ResultRange] | None = action(
        ranges.update_result_range, needs=Permission.CREATE_ASSESSMENT
    )
    delete_result_range: DeletePayload | None = action(ranges.delete_result_range, needs=Permission.CREATE_ASSESSMENT)
    create_answer_set: Payload[AnswerSet] | None = action(answers.create_answer_set, needs=Permission.CARE)
    score_answer_set: Payload[AnswerSet] | None = action(answers.score_answer_set, needs=Permission.CARE)
    delete_answer_set: DeletePayload | None = action(answers.delete_answer_set, needs=Permission.CARE)
