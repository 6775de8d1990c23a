"""What each type of score goes with: items, scales or domains, one respondent or all, and its name in the engine."""

from caregraph.scoring.parts import COHORT_KINDS, ScoreKind

from .config_models import ScoreConfig
from .enums import DisplayScoreType, ScoreLevel, ScoreScope, ScoreType

KINDS = {
    ScoreType.RAW_VALUE: ScoreKind.RAW_VALUE,
    ScoreType.SUM_OF_RAW_VALUES: ScoreKind.SUM_OF_RAW_VALUES,
    ScoreType.MEAN_OF_RAW_VALUES: ScoreKind.MEAN_OF_RAW_VALUES,
    ScoreType.SCALE_SUM: ScoreKind.SUM,
    ScoreType.SCALE_MEAN: ScoreKind.MEAN,
    ScoreType.AVERAGE_OF_SCALE_SUMS: ScoreKind.AVERAGE_OF_SUMS,
    ScoreType.AVERAGE_OF_SCALE_MEANS: ScoreKind.AVERAGE_OF_MEANS,
    ScoreType.GOAL_ATTAINMENT: ScoreKind.GOAL_ATTAINMENT,
    ScoreType.DOMAIN_SUM: ScoreKind.SUM,
    ScoreType.DOMAIN_MEAN: ScoreKind.MEAN,
    ScoreType.AVERAGE_OF_DOMAIN_SUMS: ScoreKind.AVERAGE_OF_SUMS,
    ScoreType.AVERAGE_OF_DOMAIN_MEANS: ScoreKind.AVERAGE_OF_MEANS,
    ScoreType.CUSTOM_CALCULATION: ScoreKind.CUSTOM_CALCULATION,
}
LEVELS = {
    ScoreLevel.ITEM: (ScoreType.RAW_VALUE, ScoreType.SUM_OF_RAW_VALUES, ScoreType.MEAN_OF_RAW_VALUES),
    ScoreLevel.SCALE: (
        ScoreType.SCALE_SUM,
        ScoreType.SCALE_MEAN,
        ScoreType.AVERAGE_OF_SCALE_SUMS,
        ScoreType.AVERAGE_OF_SCALE_MEANS,
        ScoreType.GOAL_ATTAINMENT,
    ),
    ScoreLevel.DOMAIN: (
        ScoreType.DOMAIN_SUM,
        ScoreType.DOMAIN_MEAN,
        ScoreType.AVERAGE_OF_DOMAIN_SUMS,
        ScoreType.AVERAGE_OF_DOMAIN_MEANS,
    ),
}
"""The types of each level; custom calculations go with all of them."""
MEANS = frozenset(
    {
        ScoreType.SCALE_MEAN,
        ScoreType.AVERAGE_OF_SCALE_MEANS,
        ScoreType.DOMAIN_MEAN,
        ScoreType.AVERAGE_OF_DOMAIN_MEANS,
    }
)


def goes_with(level: ScoreLevel, score_type: ScoreType) -> bool:
    """Whether things of a level can be scored so."""
    return score_type is ScoreType.CUSTOM_CALCULATION or score_type in LEVELS[level]


def scope_of(score_type: ScoreType) -> ScoreScope:
    """Whose number a score of this type is; custom calculations say it themselves and begin as a respondent's."""
    return ScoreScope.COHORT if KINDS[score_type] in COHORT_KINDS else ScoreScope.INDIVIDUAL


def is_displayed(score_type: ScoreType, shown: DisplayScoreType) -> bool:
    """Whether a score of a scale or domain that shows its sums, or means, is one that its result ranges are for."""
    if score_type is ScoreType.CUSTOM_CALCULATION:
        return False
    return score_type is ScoreType.GOAL_ATTAINMENT or (score_type in MEANS) is (shown is DisplayScoreType.MEAN_SCORE)


def level_of(config: ScoreConfig) -> ScoreLevel:
    """What a score config is about: the one of three columns that is filled."""
    if config.item_id is not None:
        return ScoreLevel.ITEM
    return ScoreLevel.DOMAIN if config.scale_id is None else ScoreLevel.SCALE
