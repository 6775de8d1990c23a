"""Root fields of items, their options, and tags."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.search import contains

from . import item_service, models, options, placing, tags
from .item_inputs import TagInput
from .item_types import AssessmentItem, Item, ItemOption, ItemScale, Tag
from .lists import ARCHIVED, IDS, ONLY_SHARED, ORGANIZATION, SCOPE, ContentScope, narrowed, of_organization, with_shared
from .types import Assessment, Domain, Scale

ITEMS = Resource(Item)
TAGS = Resource(Tag)


async def _items(
    context: Context,
    *,
    organization_id: Annotated[strawberry.ID | None, ORGANIZATION] = None,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    only_shared: Annotated[bool | None, ONLY_SHARED] = None,
    search: Annotated[str | None, describe("Text in what is asked, in any case.")] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    scope = with_shared(scope, only_shared=bool(only_shared))
    found = narrowed(models.Item, context.viewer, scope, search=search, archived=archived, ids=ids)
    return and_(found, of_organization(context.viewer, organization_id))


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


@strawberry.type
class Mutation:
    """Changing items, their options and places, and tags."""

    create_item: Payload[Item] | None = action(item_service.create_item, needs=Permission.CREATE_ASSESSMENT)
    update_item: Payload[Item] | None = action(item_service.update_item, needs=Permission.CREATE_ASSESSMENT)
    clone_item: Payload[Item] | None = action(item_service.clone_item, needs=Permission.CREATE_ASSESSMENT)
    archive_item: Payload[Item] | None = action(item_service.archive_item, needs=Permission.CREATE_ASSESSMENT)
    create_item_option: Payload[ItemOption] | None = action(options.create_option, needs=Permission.CREATE_ASSESSMENT)
    create_item_options: Payload[Item] | None = action(options.create_options, needs=Permission.CREATE_ASSESSMENT)
    update_item_option: Payload[ItemOption] | None = action(options.update_option, needs=Permission.CREATE_ASSESSMENT)
    delete_item_option: DeletePayload | None = action(options.delete_option, needs=Permission.CREATE_ASSESSMENT)
    create_assessment_item: Payload[AssessmentItem] | None = action(
        placing.create_assessment_item, needs=Permission.CREATE_ASSESSMENT
    )
    update_assessment_item: Payload[AssessmentItem] | None = action(
        placing.update_assessment_item, needs=Permission.CREATE_ASSESSMENT
    )
    delete_assessment_item: DeletePayload | None = action(
        placing.delete_assessment_item, needs=Permission.CREATE_ASSESSMENT
    )
    add_item_to_scale: Payload[Scale] | None = action(placing.add_to_scale, needs=Permission.CREATE_ASSESSMENT)
    update_item_scale: Payload[ItemScale] | None = action(placing.update_item_scale, needs=Permission.CREATE_ASSESSMENT)
    remove_item_from_scale: Payload[Scale] | None = action(
        placing.remove_from_scale, needs=Permission.CREATE_ASSESSMENT
    )
    create_tag: Payload[Tag] | None = TAGS.create(TagInput, needs=Permission.CREATE_ASSESSMENT)
    update_tag: Payload[Tag] | None = action(tags.update_tag, needs=Permission.CREATE_ASSESSMENT)
    delete_tag: DeletePayload | None = action(tags.delete_tag, needs=Permission.CREATE_ASSESSMENT)
    add_tag_to_item: Payload[Item] | None = action(tags.adding_to(models.Item), needs=Permission.CREATE_ASSESSMENT)
    add_tag_to_scale: Payload[Scale] | None = action(tags.adding_to(models.Scale), needs=Permission.CREATE_ASSESSMENT)
    add_tag_to_domain: Payload[Domain] | None = action(
        tags.adding_to(models.Domain), needs=Permission.CREATE_ASSESSMENT
    )
    remove_tag_from_item: Payload[Item] | None = action(
        tags.removing_from(models.Item), needs=Permission.CREATE_ASSESSMENT
    )
    remove_tag_from_scale: Payload[Scale] | None = action(
        tags.removing_from(models.Scale), needs=Permission.CREATE_ASSESSMENT
    )
    remove_tag_from_domain: Payload[Domain] | None = action(
        tags.removing_from(models.Domain), needs=Permission.CREATE_ASSESSMENT
    )
    set_item_tags: Payload[Item] | None = action(tags.replacing_of(models.Item), needs=Permission.CREATE_ASSESSMENT)
    set_scale_tags: Payload[Scale] | None = action(tags.replacing_of(models.Scale), needs=Permission.CREATE_ASSESSMENT)
    set_domain_tags: Payload[Domain] | None = action(
        tags.replacing_of(models.Domain), needs=Permission.CREATE_ASSESSMENT
    )
    set_assessment_tags: Payload[Assessment] | None = action(
        tags.replacing_of(models.Assessment), needs=Permission.CREATE_ASSESSMENT
    )
