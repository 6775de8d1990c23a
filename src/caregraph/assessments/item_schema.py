"""Root fields of items, their options, and tags."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement

from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import models
from .item_types import AssessmentItem, Item, ItemOption, ItemScale, Tag
from .lists import ARCHIVED, IDS, SCOPE, ContentScope, narrowed

ITEMS = Resource(Item)
TAGS = Resource(Tag)


async def _items(
    context: Context,
    *,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in what is asked, in any case.")] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    return narrowed(models.Item, context.viewer, scope, search=search, archived=archived, ids=ids)


async def _tags(
    _context: Context, *, search: Annotated[str | None, describe("Text in the name, in any case.")] = None
) -> ColumnElement[bool] | None:
    return contains(models.Tag, search)


@strawberry.type
class Query:
    """Reading items."""

    item: Item | None = ITEMS.get()
    items: Page[Item] | None = ITEMS.page(
        _items, description="Items that your organization may use, page by page; which of them says `scope`."
    )
    item_option: ItemOption | None = Resource(ItemOption).get()
    item_scale: ItemScale | None = Resource(ItemScale).get()
    assessment_item: AssessmentItem | None = Resource(AssessmentItem).get()
    tag: Tag | None = TAGS.get()
    tags: Page[Tag] | None = TAGS.page(
        _tags, order="name", description="Your organization's tags and those on what you may see, page by page."
    )
