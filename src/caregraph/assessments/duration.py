"""How long an assessment takes, estimated from what it asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry
from sqlalchemy import func, select

from caregraph.graph.context import Context
from caregraph.graph.fields import field
from caregraph.graph.loaders import among

from . import models
from .enums import ItemType

# Seconds to read an item and to answer it, for the quick and for the careful: an estimate of ours.
_SECONDS = {
    ItemType.INSTRUCTION: (3, 10),
    ItemType.MULTIPLE_CHOICE: (5, 12),
    ItemType.LIKERT_SCALE: (4, 9),
    ItemType.MULTIPLE_SELECT: (8, 20),
    ItemType.SHORT_ANSWER: (20, 60),
}


@strawberry.type(description="How much an assessment asks, and how long that takes.")
class AssessmentDuration:
    """Gloo's `duration`."""

    question_count: int = field("How many of its items are answered.")
    item_count: int = field("How many items it has, texts to read among them.")
    low: int = field("Seconds for the quick: 4 to 20 for each question by its type, 3 for each text. An estimate.")
    high: int = field("Seconds for the careful: 9 to 60 for each question by its type, 10 for each text. An estimate.")


@dataclass(frozen=True)
class _ItemCounts:
    """How many items of each type assessments have, of those that the viewer may see."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[dict[ItemType, int]]:
        """Counts per assessment, in the order of `keys`."""
        places, items = models.AssessmentItem, models.Item
        statement = (
            select(places.assessment_id, items.item_type, func.count())
            .join(items, items.id == places.item_id)
            .where(among(context, places.assessment_id, keys))
            .group_by(places.assessment_id, items.item_type)
        )
        context.saw(places)
        found: dict[int, dict[ItemType, int]] = {}
        for assessment_id, item_type, count in await context.run_unscoped(statement):
            found.setdefault(assessment_id, {})[item_type] = count
        return [found.get(key, {}) for key in keys]


async def duration(context: Context, assessment: models.Assessment) -> AssessmentDuration:
    """How many items it has and how long it takes, of the items that you may see (`gloo.assessments.get_duration`)."""
    counts: dict[ItemType, int] = await context.load(_ItemCounts(), assessment.id)
    seconds = [(count * _SECONDS[kind][0], count * _SECONDS[kind][1]) for kind, count in counts.items()]
    items = sum(counts.values())
    return AssessmentDuration(
        question_count=items - counts.get(ItemType.INSTRUCTION, 0),
        item_count=items,
        low=sum(low for low, _ in seconds),
        high=sum(high for _, high in seconds),
    )
