"""Who may change content, and when it is frozen: every change of content asks here."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry
from sqlalchemy import Select, or_, select

from caregraph.auth.viewer import Viewer
from caregraph.db.base import table_of
from caregraph.db.lookups import used_elsewhere
from caregraph.db.session import Database, Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.locking import lock
from caregraph.graph.node import parse_id

from . import models
from .answer_models import ItemResponse
from .enums import Privacy, PublicationStatus

Here = Annotated[
    strawberry.ID | None,
    describe("Of this organization; the one in which you act by default, others are not found."),
]
Execute = Callable[[Any], Awaitable[Any]]


def must_act_in(viewer: Viewer, organization_id: str | None) -> None:
    """Refuse an organization other than the one in which the request acts; null is that one."""
    if organization_id is not None and parse_id(organization_id) != ("Organization", viewer.organization_id):
        raise Refused(Code.NOT_FOUND, "Organization not found", "organizationId")


def must_be_own(viewer: Viewer, row: Any, *path: str) -> None:
    """Refuse to change what belongs to another organization, however it is shared."""
    if row.organization_id != viewer.organization_id:
        noun = _noun(type(row))
        raise Refused(Code.CONFLICT, f"The {noun} belongs to another organization", *(path or ("id",)))


async def must_be_editable(tx: Tx, context: Context, row: models.Content, *path: str) -> None:
    """Refuse to change what is another's, or frozen because others may rely on it."""
    must_be_own(context.viewer, row, *path)
    if row.id not in await _editable(_unscoped(tx), context.database, context.viewer, type(row), [row]):
        if isinstance(row, models.Assessment) and row.privacy is not Privacy.PUBLIC:
            must_be_draft(row, *path)
        noun = _noun(type(row))
        raise Refused(Code.CONFLICT, f"The {noun} is shared or in use and can no longer be changed", *(path or ("id",)))


async def must_be_unanswered(tx: Tx, item: models.Item, message: str, *path: str) -> None:
    """Refuse what would change the meaning of answers that were given in the organization, whoever sees them."""
    if await is_answered(tx, item):
        raise Refused(Code.CONFLICT, message, *path)


async def is_answered(tx: Tx, item: models.Item) -> bool:
    """Whether there are responses to an item of one's own; those of others freeze it."""
    given = ItemResponse.organization_id == item.organization_id, ItemResponse.item_id == item.id
    found = await _unscoped(tx)(select(ItemResponse.id).where(*given).limit(1))
    return found.first() is not None


def must_be_draft(row: Any, *path: str) -> None:
    """Refuse to change what is frozen by being published."""
    if row.status is PublicationStatus.PUBLISHED:
        raise Refused(Code.CONFLICT, f"The {_noun(type(row))} is published", *(path or ("id",)))


async def held(tx: Tx, viewer: Viewer, row: Any, *path: str) -> None:
    """Hold one's own row still until the transaction ends, as it is now; refuse another organization's."""
    must_be_own(viewer, row, *path)
    await lock(tx, row)
    await tx.refresh(row)


async def is_editable(context: Context, row: models.Content) -> bool:
    """Whether content may be changed, asked for many at once."""
    return await context.load(_Editable(type(row)), (row.id, row)) is True


@dataclass(frozen=True)
class _Editable:
    """Whether rows of one kind of content may be changed."""

    model: type[models.Content]

    async def load_many(self, context: Context, keys: Sequence[tuple[int, models.Content]]) -> list[bool]:
        """One answer per row."""
        rows = [row for _, row in keys]
        found = await _editable(context.run, context.database, context.viewer, self.model, rows)
        return [row_id in found for row_id, _ in keys]


async def _editable(
    execute: Execute, database: Database, viewer: Viewer, model: type[Any], rows: Sequence[models.Content]
) -> set[int]:
    """Ids of those rows that may be changed.

    One's own that are not public, not used in anything public, and not used by others; items only while private,
    assessments only as drafts.
    """
    frozen = (Privacy.PUBLIC,) if model is not models.Item else tuple(set(Privacy) - {Privacy.PRIVATE})
    here = viewer.organization_id
    own = [row for row in rows if row.organization_id == here and row.privacy not in frozen]
    ids = {row.id for row in own if getattr(row, "status", None) is not PublicationStatus.PUBLISHED}
    if ids and (uses := _public_uses(model, sorted(ids))) is not None:
        ids -= set((await execute(uses)).scalars())
    if ids and here is not None:
        ids -= await used_elsewhere(
            execute, database, kind=table_of(model).name, content_ids=sorted(ids), organization_id=here
        )
    return ids


def _public_uses(model: type[Any], ids: list[int]) -> Select[Any] | None:
    """Which of some scales or items stand in public scales, domains or assessments, also by way of each other."""
    column = _CONTAINED.get(model)
    if column is None:
        return None
    return select(column.c.content_id).where(column.c.content_id.in_(ids)).distinct()


def _public(model: type[models.Content]) -> Any:
    return table_of(model).c.privacy == Privacy.PUBLIC


def _containers() -> dict[type[Any], Any]:
    """Per kind of content a table of what stands in something public."""
    assessments, domains, scales = (table_of(one) for one in (models.Assessment, models.Domain, models.Scale))
    on, within, of = (table_of(one) for one in (models.AssessmentScale, models.DomainScale, models.ItemScale))
    places = table_of(models.AssessmentItem)
    topics = table_of(models.AssessmentDomain)
    public_domains = (
        select(topics.c.domain_id.label("content_id"))
        .join(assessments, assessments.c.id == topics.c.assessment_id)
        .where(_public(models.Assessment))
    )
    public_scales = (
        select(on.c.scale_id.label("content_id"))
        .join(assessments, assessments.c.id == on.c.assessment_id)
        .where(_public(models.Assessment))
        .union(
            select(within.c.scale_id)
            .join(domains, domains.c.id == within.c.domain_id)
            .where(or_(_public(models.Domain), domains.c.id.in_(public_domains)))
        )
    ).subquery("public_scales")
    in_scales = (
        select(of.c.item_id)
        .join(scales, scales.c.id == of.c.scale_id)
        .where(or_(_public(models.Scale), scales.c.id.in_(select(public_scales.c.content_id))))
    )
    public_items = (
        select(places.c.item_id.label("content_id"))
        .join(assessments, assessments.c.id == places.c.assessment_id)
        .where(_public(models.Assessment))
        .union(in_scales)
    ).subquery("public_items")
    return {
        models.Domain: public_domains.subquery("public_domains"),
        models.Scale: public_scales,
        models.Item: public_items,
    }


_CONTAINED = _containers()


def _unscoped(tx: Tx) -> Execute:
    """Reads past the viewer's rules: what is public is public, whoever uses it."""

    async def execute(statement: Any) -> Any:
        return await tx.execute(statement.execution_options(scoped=True))

    return execute


def _noun(model: type[Any]) -> str:
    return table_of(model).name.removesuffix("s").replace("_", " ")
