"""What fields of several types of content answer: the people behind it, and what its owner alone is told."""

from decimal import Decimal
from typing import Any

from caregraph.auth.viewer import Viewer
from caregraph.db.base import table_of
from caregraph.graph.context import Context
from caregraph.graph.loaders import Link, RowById, RowsByParent
from caregraph.graph.node import global_id
from caregraph.graph.paging import Window
from caregraph.organizations.enums import Vertical
from caregraph.organizations.models import User

from . import models
from .enums import DisplayScoreType
from .rules import is_editable
from .sharing_models import AccessGrant, VerticalAccessGrant


def is_own(viewer: Viewer, row: Any) -> bool:
    """Whether a piece of content belongs to the organization in which the viewer acts."""
    return row.organization_id == viewer.organization_id  # type: ignore[no-any-return]


async def created_by(context: Context, row: models.Content) -> Any:
    """Who created it; null for programs, whoever is no member any more, and content of others."""
    if row.created_by_id is None or not is_own(context.viewer, row):
        return None
    return await context.load(RowById(User), row.created_by_id)


async def owned(context: Context, row: models.Content) -> bool:
    """Whether it belongs to your organization; what does not is read-only."""
    return is_own(context.viewer, row)


async def editable(context: Context, row: models.Content) -> bool:
    """Whether it may be changed: your organization's, not public, nowhere used publicly or by others.

    Items only while they are private, assessments only as drafts.
    """
    return await is_editable(context, row)


async def grantee(_context: Context, row: Any) -> str:
    """Id of the organization that was given access."""
    return global_id("Organization", row.grantee_id)


async def network_member(_context: Context, row: Any) -> str:
    """Id of the organization that belongs to the network."""
    return global_id("Organization", row.member_id)


async def shared_verticals(context: Context, row: models.Assessment) -> list[Vertical]:
    """Verticals that it is shared with; others than its owner see their own."""
    rows = await context.load(RowsByParent(_VERTICAL_GRANTS, _ALL), row.id)
    return [one.vertical for one in rows.rows]


async def shared_organizations(context: Context, row: models.Assessment) -> list[str]:
    """Ids of organizations that it is shared with; others than its owner see what concerns them."""
    rows = await context.load(RowsByParent(_GRANTS, _ALL), row.id)
    return [global_id("Organization", one.grantee_id) for one in rows.rows]


async def related(context: Context, row: models.Assessment) -> list[Any]:
    """Assessments that are named beside it and that you may see."""
    rows = await context.load(RowsByParent(_RELATED, _ALL), row.id)
    return list(rows.rows)


async def min_score(_context: Context, row: Any) -> Decimal | None:
    """The lowest possible score of the kind that is shown."""
    return _limit(row, "min")


async def max_score(_context: Context, row: Any) -> Decimal | None:
    """The highest possible score of the kind that is shown."""
    return _limit(row, "max")


def _limit(row: Any, end: str) -> Decimal | None:
    kind = "sum" if row.display_score_type is DisplayScoreType.SUM_SCORE else "mean"
    return getattr(row, f"{end}_{kind}_score")  # type: ignore[no-any-return]


_MOST_NAMED = 1_000
_ALL = Window(order=(), limit=_MOST_NAMED)
_GRANTS = Link(AccessGrant, table_of(AccessGrant).c.assessment_id)
_VERTICAL_GRANTS = Link(VerticalAccessGrant, table_of(VerticalAccessGrant).c.assessment_id)
_LINKS = table_of(models.RelatedAssessment)
_RELATED = Link(models.Assessment, _LINKS.c.assessment_id, _LINKS.c.related_id)
