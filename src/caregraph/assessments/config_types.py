"""GraphQL types of scoring: score configs, custom calculations, norms and result ranges."""

from datetime import datetime
from decimal import Decimal

from caregraph.graph.computed import computed
from caregraph.graph.fields import field, method
from caregraph.graph.node import Node, node
from caregraph.graph.relations import many, one
from caregraph.refs import (
    CalculationVariableRef,
    CustomCalculationRef,
    DomainRef,
    ItemRef,
    PercentileRankConfigRef,
    ScaleRef,
    ScoreConfigRef,
)

from . import config_models, explaining
from .enums import PublicationStatus, ScoreLevel, ScoreScope, ScoreType
from .score_types import level_of


@node(
    config_models.ScoreConfig,
    where=(
        config_models.ScoreConfig.status,
        config_models.ScoreConfig.score_type,
        config_models.ScoreConfig.score_type_scope,
    ),
    order_by=(
        config_models.ScoreConfig.name,
        config_models.ScoreConfig.created_at,
        config_models.ScoreConfig.updated_at,
    ),
)
class ScoreConfig(Node):
    """How an item, a scale or a domain is scored. Read as that, drafts by authors of its organization alone."""

    name: str = field("Name.")
    description: str = field("Description.")
    score_type: ScoreType = field("How it makes a number of answers; frozen once published.")
    score_type_scope: ScoreScope = field("Whose number it is; follows from the type.")
    status: PublicationStatus = field("Whether it is still being written.")
    published_at: datetime | None = field("When it was published; null: it was not.")
    version: int = field("Counts changes of how it makes a number; scores name the version that made them.")
    minimum_answered_share: Decimal | None = field(
        "The share of answers, above 0 and at most 1, from which missing ones are prorated; null: none may be missing."
    )
    min_score: Decimal | None = computed(explaining.lowest)
    max_score: Decimal | None = computed(explaining.highest)
    loinc_code: str | None = field("The LOINC code of its score, if it has one.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    item: ItemRef | None = one("score_configs.item_id", "The item that it scores.")
    scale: ScaleRef | None = one("score_configs.scale_id", "The scale that it scores.")
    domain: DomainRef | None = one("score_configs.domain_id", "The domain that it scores.")
    custom_calculations: list[CustomCalculationRef] = many(
        "custom_calculations.score_config_id", description="Its custom calculation: one or none.", size=1
    )
    percentile_rank_configs: list[PercentileRankConfigRef] = many(
        "percentile_rank_configs.score_config_id", description="Its percentile rank config: one or none.", size=1
    )

    @method("What it is about.")
    async def level(self: config_models.ScoreConfig) -> ScoreLevel:
        """By the one of three columns that is filled."""
        return level_of(self)


@node(config_models.CustomCalculation)
class CustomCalculation(Node):
    """An expression over other scores. Read as its score config."""

    expression: str | None = field("Arithmetic over the letters of its variables and numbers; null: none yet.")
    score_scope: ScoreScope = field("Whose number it makes.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    score_config: ScoreConfigRef = one("custom_calculations.score_config_id", "The score config.")
    variables: list[CalculationVariableRef] = many(
        "calculation_variables.custom_calculation_id",
        description="What its letters stand for.",
        order="name",
        size=3,
    )


@node(config_models.CalculationVariable)
class CalculationVariable(Node):
    """A letter of a custom calculation. Read as the calculation."""

    name: str = field("One letter, A to Z.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    custom_calculation: CustomCalculationRef = one(
        "calculation_variables.custom_calculation_id", "The custom calculation."
    )
    score_config: ScoreConfigRef | None = one(
        "calculation_variables.score_config_id", "What gives its number; null if you may not see it."
    )


@node(config_models.PercentileRankConfig)
class PercentileRankConfig(Node):
    """The people that a score is compared with. Read as its score config."""

    mean: Decimal = field("Their mean.")
    standard_deviation: Decimal = field("Their standard deviation, above 0.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    score_config: ScoreConfigRef = one("percentile_rank_configs.score_config_id", "The score config.")


@node(
    config_models.ResultRange,
    order_by=(
        config_models.ResultRange.name,
        config_models.ResultRange.created_at,
        config_models.ResultRange.updated_at,
    ),
)
class ResultRange(Node):
    """A stretch of the scores of a scale or a domain, with a name. Read as that."""

    name: str = field("What such a score is called.")
    description: str = field("What it means.")
    range_start: Decimal = field("Where it begins; this score is in it.")
    range_end: Decimal = field("Where it ends; this score is in the next one, or in the last.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    scale: ScaleRef | None = one("result_ranges.scale_id", "The scale.")
    domain: DomainRef | None = one("result_ranges.domain_id", "The domain.")
