"""The verbs of percentile rank configs: the people that scores are compared with."""

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import Changes, given

from .calculations import must_have_none
from .config_inputs import PercentileRankConfigInput
from .config_models import PercentileRankConfig, ScoreConfig
from .config_rules import must_be_open, visible_config
from .enums import ScoreType


async def create_percentile_rank_config(
    tx: Tx,
    context: Context,
    score_config: ScoreConfig,
    input: PercentileRankConfigInput,  # noqa: A002
) -> PercentileRankConfig:
    """Say whom a score is compared with.

    `gloo.percentile_rank_configs.create_for_item_score_config` and its like for scales and domains. The config is no
    custom calculation; it is a draft, was never scored, and has none yet.
    """
    await must_be_open(tx, context, score_config, "scoreConfigId")
    if score_config.score_type is ScoreType.CUSTOM_CALCULATION:
        raise Refused(Code.CONFLICT, "A custom calculation takes no percentile rank config", "scoreConfigId")
    await must_have_none(tx, PercentileRankConfig, score_config, "percentile rank config")
    norm = PercentileRankConfig(
        score_config_id=score_config.id, **{name: float(value) for name, value in given(input).items()}
    )
    tx.add(norm)
    score_config.version += 1
    await tx.flush()
    return norm


async def update_percentile_rank_config(
    tx: Tx,
    context: Context,
    norm: PercentileRankConfig,
    input: Changes[PercentileRankConfigInput],  # noqa: A002
) -> PercentileRankConfig:
    """Change whom a score is compared with (`gloo.percentile_rank_configs.update`). Only the fields sent change.

    Its score config is a draft that was never scored.
    """
    config = await visible_config(tx, norm.score_config_id)
    await must_be_open(tx, context, config, "id")
    for name, value in input.items():
        setattr(norm, name, float(value))
    config.version += 1
    await tx.flush()
    return norm


async def delete_percentile_rank_config(tx: Tx, context: Context, norm: PercentileRankConfig) -> None:
    """Delete a percentile rank config, whose score config is a draft that was never scored.

    The source has no call for it; without one a score config could not become a custom calculation any more.
    """
    config = await visible_config(tx, norm.score_config_id)
    await must_be_open(tx, context, config, "id")
    await tx.delete(norm)
    config.version += 1
    await tx.flush()
