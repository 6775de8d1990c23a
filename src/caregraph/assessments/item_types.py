"""GraphQL types of items, their options, and tags."""

from datetime import datetime
from decimal import Decimal

from caregraph.graph.computed import computed
from caregraph.graph.fields import field
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one
from caregraph.refs import (
    AccessGrantRef,
    AssessmentRef,
    ItemOptionRef,
    ItemRef,
    ItemScaleRef,
    LocationRef,
    OrganizationRef,
    ScaleRef,
    ScoreConfigRef,
    TagRef,
    UserRef,
)

from . import fields, models, responses
from .enums import ItemType, Privacy


@node(
    models.Item,
    where=(models.Item.text, models.Item.item_type, models.Item.privacy, models.Item.created_at),
    order_by=(
        models.Item.archived_at,
        models.Item.created_at,
        models.Item.display_descending,
        models.Item.hide_scale_numbers,
        models.Item.identifier,
        models.Item.is_nominal,
        models.Item.item_type,
        models.Item.legacy_question_id,
        models.Item.location_id,
        models.Item.organization_id,
        models.Item.privacy,
        models.Item.show_randomized,
        models.Item.text,
        models.Item.updated_at,
        models.Item.created_by_id,
        models.Item.zero_based_positioning,
    ),
)
class Item(Node):
    """A question, or a text between questions. Read by its organization and those it is shared with."""

    text: str | None = field("What is asked.")
    item_type: ItemType = field("In which form it is answered.")
    is_nominal: bool = field("Whether the numbers of its options are names and say nothing of more or less.")
    privacy: Privacy = field("Who else may use it.")
    hide_scale_numbers: bool = field("Whether the steps of a Likert scale are shown by their texts alone.")
    display_descending: bool = field("Whether the steps of a Likert scale are shown from the last to the first.")
    zero_based_positioning: bool = field("Whether positions of its options begin at 0 instead of 1.")
    show_randomized: bool = field("Whether its options are shown in an order by chance.")
    identifier: str | None = field("What its authors call it.")
    legacy_question_id: int | None = field("Its number in an earlier system.")
    loinc_code: str | None = field("Its LOINC code, if it has one.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    archived_at: datetime | None = field("When it was archived; null: it is in use.")
    is_own: bool = computed(fields.owned)
    is_editable: bool = computed(fields.editable)
    has_item_responses: bool = computed(responses.has_responses)
    item_response_count: int = computed(responses.response_count)
    organization: OrganizationRef | None = one(
        "items.organization_id", "The organization that it belongs to; null unless you are a member."
    )
    created_by: UserRef | None = computed(fields.created_by)
    location: LocationRef | None = one("items.location_id", "The location that it was written at.")
    options: Page[ItemOptionRef] = many(
        "item_options.item_id", description="Its options by position.", order="position", size=5
    )
    item_scales: Page[ItemScaleRef] = many(
        "item_scales.item_id", description="Its parts in scales that you may see.", size=2
    )
    scales: Page[ScaleRef] = many(description="Scales that it is on.", through="item_scales", order="name", size=2)
    score_configs: list[ScoreConfigRef] = many(
        "score_configs.item_id", description="How it is scored; drafts are seen by authors.", size=2
    )
    tags: Page[TagRef] = many(description="Tags on it.", through="item_tags", order="name", size=2)
    access_grants: Page[AccessGrantRef] = many(
        "access_grants.item_id", description="Whom it was shared with; others see what they were given.", size=2
    )


@node(
    models.ItemOption,
    order_by=(
        models.ItemOption.correct,
        models.ItemOption.created_at,
        models.ItemOption.legacy_answer_id,
        models.ItemOption.position,
        models.ItemOption.text,
        models.ItemOption.updated_at,
        models.ItemOption.value,
    ),
)
class ItemOption(Node):
    """A possible answer to an item. Read as the item."""

    text: str | None = field("What is shown; null for a step that shows its number.")
    value: Decimal | None = field("The number that it counts for.")
    position: int = field("Its place among the options, lowest first.")
    correct: bool | None = field("Whether it is the right answer; null: there is none.")
    legacy_answer_id: int | None = field("Its number in an earlier system.")
    loinc_code: str | None = field("Its LOINC answer code, if it has one.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    item: ItemRef = one("item_options.item_id", "The item.")


@node(
    models.AssessmentItem,
    where=(models.AssessmentItem.required,),
    order_by=(
        models.AssessmentItem.created_at,
        models.AssessmentItem.item_id,
        models.AssessmentItem.position,
        models.AssessmentItem.profile_attribute,
        models.AssessmentItem.required,
        models.AssessmentItem.updated_at,
    ),
)
class AssessmentItem(Node):
    """An item's place in an assessment. Read as the assessment."""

    position: int = field("Its place, lowest first.")
    required: bool = field("Whether it must be answered.")
    profile_attribute: str | None = field("What of a respondent's profile its answer says.")
    created_at: datetime = field("When it was added.")
    updated_at: datetime = field("When it was last changed.")
    assessment: AssessmentRef = one("assessment_items.assessment_id", "The assessment.")
    item: ItemRef | None = one("assessment_items.item_id", "The item; null if you may not see it.")


@node(models.ItemScale, order_by=(models.ItemScale.created_at, models.ItemScale.position))
class ItemScale(Node):
    """An item's part in a scale. Read as the scale."""

    weight: Decimal = field("What its answer is multiplied by, 1 by default.")
    is_reversed: bool = field("Whether its answer counts as lowest plus highest value minus its own.")
    position: int = field("Its place on the scale, lowest first.")
    created_at: datetime = field("When it was added.")
    updated_at: datetime = field("When it was last changed.")
    scale: ScaleRef = one("item_scales.scale_id", "The scale.")
    item: ItemRef | None = one("item_scales.item_id", "The item; null if you may not see it.")


@node(
    models.Tag,
    where=(models.Tag.name, models.Tag.featured),
    order_by=(
        models.Tag.created_at,
        models.Tag.featured,
        models.Tag.featured_position,
        models.Tag.name,
        models.Tag.updated_at,
    ),
)
class Tag(Node):
    """A label on content. Read by its organization and by those who read something that it stands on."""

    name: str = field("Name, unique within its organization.")
    featured: bool = field("Whether it is shown before others.")
    featured_position: int | None = field("Its place among those that are featured.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
