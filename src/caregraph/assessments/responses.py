"""How often items were answered in one's own organization."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from caregraph.db.base import table_of
from caregraph.graph.context import Context
from caregraph.graph.loaders import among

from . import models
from .answer_models import ItemResponse


@dataclass(frozen=True)
class ResponseCount:
    """How many responses of the viewer's organization items have, whoever of its users sees them."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[int]:
        """A count per item, in the order of `keys`."""
        responses, here = table_of(ItemResponse).c, context.viewer.organization_id
        context.saw(ItemResponse)
        statement = (
            select(responses.item_id, func.count())
            .where(responses.organization_id == here, among(context, responses.item_id, keys))
            .group_by(responses.item_id)
        )
        counts: dict[int, int] = {key: count for key, count in await context.run(statement)}  # noqa: C416 rows, not pairs
        return [counts.get(key, 0) for key in keys]


async def response_count(context: Context, item: models.Item) -> int:
    """How many responses it has in your organization, whoever may see them."""
    return await context.load(ResponseCount(), item.id)  # type: ignore[no-any-return]


async def has_responses(context: Context, item: models.Item) -> bool:
    """Whether it was answered in your organization."""
    return await response_count(context, item) > 0
