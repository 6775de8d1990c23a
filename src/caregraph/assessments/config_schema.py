"""Root fields of scoring and of answers."""

import strawberry

from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource

from . import policy  # noqa: F401 the rules of this slice are declared there
from .answer_types import AnswerScore, AnswerSet, ItemResponse
from .config_types import CalculationVariable, CustomCalculation, PercentileRankConfig, ResultRange, ScoreConfig


@strawberry.type
class Query:
    """Reading how assessments are scored, and answers."""

    score_config: ScoreConfig | None = Resource(ScoreConfig).get()
    custom_calculation: CustomCalculation | None = Resource(CustomCalculation).get()
    calculation_variable: CalculationVariable | None = Resource(CalculationVariable).get()
    percentile_rank_config: PercentileRankConfig | None = Resource(PercentileRankConfig).get()
    result_range: ResultRange | None = Resource(ResultRange).get()
    answer_set: AnswerSet | None = Resource(AnswerSet).get()
    answer_sets: Page[AnswerSet] | None = Resource(AnswerSet).page(order="created_at")
    item_response: ItemResponse | None = Resource(ItemResponse).get()
    answer_score: AnswerScore | None = Resource(AnswerScore).get()
