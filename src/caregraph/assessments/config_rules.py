"""When what makes a score may change: its owner's, a draft, never scored, and not needed by another expression."""

from typing import Any

from sqlalchemy import select

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.locking import lock

from . import models
from .answer_models import AnswerScore
from .config_models import CalculationVariable, ScoreConfig
from .rules import must_be_draft, must_be_editable, must_be_own


async def must_be_open(tx: Tx, context: Context, config: ScoreConfig, *path: str) -> None:
    """Refuse to change how a score is made unless it is a draft of one's own that was never scored.

    The row is locked: of two changes at once the second sees the first.
    """
    must_be_own(context.viewer, config, *path)
    await lock(tx, config, name="Score config")
    await tx.refresh(config)
    must_be_draft(config, *path)
    await must_be_editable(tx, context, await whole_of(tx, config), *path)
    scores = select(AnswerScore.id).where(AnswerScore.score_config_id == config.id).limit(1)
    if await tx.scalar(scores.execution_options(scoped=True)) is not None:  # whoever sees the answers
        raise Refused(Code.CONFLICT, "The score config has scores", *(path or ("id",)))


async def must_not_be_used(tx: Tx, config: ScoreConfig, *path: str) -> None:
    """Refuse to take away a score that an expression needs, or to change whose number it is."""
    uses = select(CalculationVariable.id).where(CalculationVariable.score_config_id == config.id).limit(1)
    if await tx.scalar(uses) is not None:
        raise Refused(Code.CONFLICT, "The score config is used by a custom calculation", *(path or ("id",)))


async def whole_of(tx: Tx, config: Any) -> models.Content:
    """The item, scale or domain that a score config or a result range is of."""
    for model in (models.Item, models.Scale, models.Domain):
        row_id = getattr(config, f"{model.__name__.lower()}_id", None)
        if row_id is not None:
            found: models.Content = (await tx.execute(select(model).where(model.id == row_id))).scalar_one()
            return found
    raise AssertionError("a config is of one of them")


async def visible_config(tx: Tx, config_id: int) -> ScoreConfig:
    """A score config that is there, since something that is there leads to it."""
    return (await tx.execute(select(ScoreConfig).where(ScoreConfig.id == config_id))).scalar_one()
