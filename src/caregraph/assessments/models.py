"""Tables of content: assessments, items, scales, domains, and tags on them.

Content may be used by other organizations than its own, so what refers to content refers by its id alone.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from caregraph.db.base import (
    Base,
    Coded,
    Dated,
    Searchable,
    SharedRow,
    shared_key,
    tenant_key,
    tenant_unique,
)

from .enums import (
    AssessmentState,
    DisplayScoreType,
    ItemType,
    LongitudinalLabelType,
    Measurement,
    Privacy,
    PublicationStatus,
    ScaleCountType,
    TableSort,
    Visualization,
)


class Content(SharedRow, Dated, Searchable):
    """What organizations write and may share. Who created it is kept as a number: told as long as they are a member."""

    id: Mapped[int] = mapped_column(primary_key=True)
    privacy: Mapped[Privacy] = mapped_column(Coded(Privacy), default=Privacy.PRIVATE)
    archived_at: Mapped[datetime | None]
    identifier: Mapped[str | None]
    created_by_id: Mapped[int | None]


def _found_by(*columns: str) -> tuple[Index, ...]:
    return tuple(Index(None, "organization_id", column, "id") for column in (*columns, "created_at", "updated_at"))


def _not_by_vertical() -> CheckConstraint:
    return CheckConstraint(
        f"privacy <> {Privacy.LIMITED_TO_VERTICALS.value}",
        name="privacy",
        info={"message": "Only assessments can be limited to verticals", "path": "privacy"},
    )


class Assessment(Content, Base):
    """A questionnaire: items in an order, scored by scales and domains."""

    __tablename__ = "assessments"
    __table_args__ = (
        tenant_unique("id"),
        *_found_by("title", "published_at"),
        Index(None, "privacy", "id"),
        CheckConstraint("(status = 1) = (published_at IS NOT NULL)", name="published"),
    )
    searched = ("title",)
    title: Mapped[str]
    display_title: Mapped[str]
    description: Mapped[str | None]
    display_description: Mapped[str]
    short_description: Mapped[str]
    long_description: Mapped[str]
    author_name: Mapped[str]
    author_description: Mapped[str]
    type: Mapped[Measurement] = mapped_column(Coded(Measurement), default=Measurement.ORDINAL)
    state: Mapped[AssessmentState] = mapped_column(Coded(AssessmentState), default=AssessmentState.CREATED)
    status: Mapped[PublicationStatus] = mapped_column(Coded(PublicationStatus), default=PublicationStatus.DRAFT)
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    step: Mapped[int | None]
    videos: Mapped[list[Any]] = mapped_column(JSON, default=list)
    testimonials: Mapped[list[Any]] = mapped_column(JSON, default=list)
    custom_support_url: Mapped[str | None]
    user_result_preview_url: Mapped[str | None]
    org_result_preview_url: Mapped[str | None]
    logo_cloudinary_xid: Mapped[str | None]
    background_cloudinary_xid: Mapped[str | None]
    icon_name: Mapped[str | None]
    highlighted: Mapped[bool] = mapped_column(default=False)
    highlighted_text: Mapped[str | None]
    featured: Mapped[bool] = mapped_column(default=False)
    featured_position: Mapped[int | None]
    show_longitudinal_results: Mapped[bool] = mapped_column(default=False)
    has_results_app: Mapped[bool] = mapped_column(default=False)
    deploy_anonymously: Mapped[bool] = mapped_column(default=False)
    allow_csv_download: Mapped[bool] = mapped_column(default=True)
    deployment_sessions_count: Mapped[int] = mapped_column(default=0)
    is_legacy: Mapped[bool] = mapped_column(default=False)
    legacy_assessment_id: Mapped[int | None]
    instrument_key: Mapped[str | None]
    instrument_version: Mapped[str | None]
    loinc_code: Mapped[str | None]


class Item(Content, Base):
    """A question, or a text between questions."""

    __tablename__ = "items"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("location_id", to="locations", blocks={"location_id": "items"}),
        _not_by_vertical(),
        *_found_by("text"),
        Index(None, "organization_id", "location_id"),
        Index(None, "privacy", "id"),
    )
    searched = ("text",)
    text: Mapped[str | None]
    item_type: Mapped[ItemType] = mapped_column(Coded(ItemType), default=ItemType.MULTIPLE_CHOICE)
    is_nominal: Mapped[bool] = mapped_column(default=False)
    hide_scale_numbers: Mapped[bool] = mapped_column(default=False)
    display_descending: Mapped[bool] = mapped_column(default=False)
    zero_based_positioning: Mapped[bool] = mapped_column(default=False)
    show_randomized: Mapped[bool] = mapped_column(default=False)
    location_id: Mapped[int | None]
    legacy_question_id: Mapped[int | None]
    loinc_code: Mapped[str | None]


class ItemOption(SharedRow, Dated, Base):
    """A possible answer to an item."""

    __tablename__ = "item_options"
    __table_args__ = (
        tenant_key("item_id", to="items"),
        tenant_unique("item_id", "id"),
        Index(None, "organization_id", "item_id", "position", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int]
    text: Mapped[str | None]
    value: Mapped[float | None]
    position: Mapped[int]
    correct: Mapped[bool | None]
    legacy_answer_id: Mapped[int | None]
    loinc_code: Mapped[str | None]


class _Measure(Content):
    """What scales and domains share: a name that is theirs in the organization, and the limits of their scores."""

    searched = ("name",)
    name: Mapped[str]
    display_name: Mapped[str]
    description: Mapped[str]
    display_score_type: Mapped[DisplayScoreType] = mapped_column(
        Coded(DisplayScoreType), default=DisplayScoreType.SUM_SCORE
    )
    longitudinal_label_type: Mapped[LongitudinalLabelType] = mapped_column(
        Coded(LongitudinalLabelType), default=LongitudinalLabelType.RAW_RESULT_NUMBER_RANGE
    )
    min_sum_score: Mapped[float | None]
    max_sum_score: Mapped[float | None]
    min_mean_score: Mapped[float | None]
    max_mean_score: Mapped[float | None]


def _name_is_taken(noun: str) -> UniqueConstraint:
    return UniqueConstraint(
        "organization_id", "name", info={"message": f"{noun} with this name already exists", "path": "name"}
    )


class Scale(_Measure, Base):
    """Items that measure one thing together."""

    __tablename__ = "scales"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("parent_scale_id", to="scales", blocks={"parent_scale_id": "scales"}),
        _not_by_vertical(),
        _name_is_taken("A scale"),
        *_found_by("name"),
        Index(None, "organization_id", "parent_scale_id"),
        Index(None, "privacy", "id"),
    )
    scale_type: Mapped[Measurement] = mapped_column(Coded(Measurement), default=Measurement.ORDINAL)
    parent_scale_id: Mapped[int | None]


class Domain(_Measure, Base):
    """Scales that belong together."""

    __tablename__ = "domains"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("assessment_id", to="assessments", blocks={"assessment_id": "domains"}),
        _not_by_vertical(),
        _name_is_taken("A domain"),
        *_found_by("name"),
        Index(None, "organization_id", "assessment_id"),
        Index(None, "privacy", "id"),
    )
    assessment_id: Mapped[int | None]
    preferred_visualization: Mapped[Visualization] = mapped_column(
        Coded(Visualization), default=Visualization.BAR_CHART
    )
    table_sort: Mapped[TableSort] = mapped_column(Coded(TableSort), default=TableSort.DESC)
    scale_count_type: Mapped[ScaleCountType] = mapped_column(Coded(ScaleCountType), default=ScaleCountType.ALL_SCALES)
    table_row_count: Mapped[int | None]
    show_bar_chart_labels: Mapped[bool] = mapped_column(default=True)
    std_dev: Mapped[float | None]


class AssessmentItem(SharedRow, Dated, Base):
    """An item's place in an assessment."""

    __tablename__ = "assessment_items"
    __table_args__ = (
        tenant_key("assessment_id", to="assessments"),
        shared_key("item_id", to="items"),
        UniqueConstraint(
            *("organization_id", "assessment_id", "item_id"),
            info={"message": "The item is on this assessment already", "path": "itemId"},
        ),
        Index(None, "organization_id", "assessment_id", "position", "id"),
        Index(None, "organization_id", "item_id"),
        Index(None, "item_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int]
    item_id: Mapped[int]
    position: Mapped[int]
    required: Mapped[bool] = mapped_column(default=True)
    profile_attribute: Mapped[str | None]


class ItemScale(SharedRow, Dated, Base):
    """An item's part in a scale. A reversed answer counts as the lowest value plus the highest minus its own."""

    __tablename__ = "item_scales"
    __table_args__ = (
        tenant_key("scale_id", to="scales"),
        shared_key("item_id", to="items"),
        UniqueConstraint(
            *("organization_id", "scale_id", "item_id"),
            info={"message": "The item is on this scale already", "path": "itemId"},
        ),
        CheckConstraint("weight > -1e12 AND weight < 1e12", name="weight"),
        Index(None, "organization_id", "scale_id", "position", "id"),
        Index(None, "organization_id", "item_id"),
        Index(None, "item_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    scale_id: Mapped[int]
    item_id: Mapped[int]
    position: Mapped[int]
    weight: Mapped[float] = mapped_column(default=1.0)
    is_reversed: Mapped[bool] = mapped_column(default=False)


class AssessmentScale(SharedRow, Dated, Base):
    """A scale on an assessment."""

    __tablename__ = "assessment_scales"
    __table_args__ = (
        tenant_key("assessment_id", to="assessments"),
        shared_key("scale_id", to="scales"),
        UniqueConstraint(
            *("organization_id", "assessment_id", "scale_id"),
            info={"message": "The scale is on this assessment already", "path": "scaleId"},
        ),
        Index(None, "organization_id", "scale_id"),
        Index(None, "scale_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int]
    scale_id: Mapped[int]


class AssessmentDomain(SharedRow, Dated, Base):
    """A domain on an assessment."""

    __tablename__ = "assessment_domains"
    __table_args__ = (
        tenant_key("assessment_id", to="assessments"),
        shared_key("domain_id", to="domains"),
        UniqueConstraint(
            *("organization_id", "assessment_id", "domain_id"),
            info={"message": "The domain is on this assessment already", "path": "domainId"},
        ),
        Index(None, "organization_id", "domain_id"),
        Index(None, "domain_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int]
    domain_id: Mapped[int]


class DomainScale(SharedRow, Dated, Base):
    """A scale in a domain."""

    __tablename__ = "domain_scales"
    __table_args__ = (
        tenant_key("domain_id", to="domains"),
        shared_key("scale_id", to="scales"),
        UniqueConstraint(
            *("organization_id", "domain_id", "scale_id"),
            info={"message": "The scale is in this domain already", "path": "scaleId"},
        ),
        Index(None, "organization_id", "scale_id"),
        Index(None, "scale_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    domain_id: Mapped[int]
    scale_id: Mapped[int]


class RelatedAssessment(SharedRow, Base):
    """An assessment that is named beside another."""

    __tablename__ = "related_assessments"
    __table_args__ = (
        tenant_key("assessment_id", to="assessments"),
        shared_key("related_id", to="assessments"),
        CheckConstraint(
            "assessment_id <> related_id",
            name="another",
            info={"message": "An assessment is not related to itself", "path": "relatedAssessmentIds"},
        ),
        Index(None, "organization_id", "related_id"),
        Index(None, "related_id"),
    )
    assessment_id: Mapped[int] = mapped_column(primary_key=True)
    related_id: Mapped[int] = mapped_column(primary_key=True)


class Tag(SharedRow, Dated, Searchable, Base):
    """A label on content."""

    __tablename__ = "tags"
    __table_args__ = (
        tenant_unique("id"),
        _name_is_taken("A tag"),
        *_found_by("featured", "featured_position"),
    )
    searched = ("name",)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    featured: Mapped[bool] = mapped_column(default=False)
    featured_position: Mapped[int | None]


class _Tagged(SharedRow):
    """A tag on a piece of content, in a table of each kind."""

    of: ClassVar[str]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            tenant_key(f"{cls.of}_id", to=f"{cls.of}s"),
            shared_key("tag_id", to="tags"),
            Index(None, "organization_id", "tag_id"),
            Index(None, "tag_id"),
        )

    tag_id: Mapped[int] = mapped_column(primary_key=True)


class AssessmentTag(_Tagged, Base):
    """A tag on an assessment."""

    __tablename__ = "assessment_tags"
    of = "assessment"
    assessment_id: Mapped[int] = mapped_column(primary_key=True)


class ItemTag(_Tagged, Base):
    """A tag on an item."""

    __tablename__ = "item_tags"
    of = "item"
    item_id: Mapped[int] = mapped_column(primary_key=True)


class ScaleTag(_Tagged, Base):
    """A tag on a scale."""

    __tablename__ = "scale_tags"
    of = "scale"
    scale_id: Mapped[int] = mapped_column(primary_key=True)


class DomainTag(_Tagged, Base):
    """A tag on a domain."""

    __tablename__ = "domain_tags"
    of = "domain"
    domain_id: Mapped[int] = mapped_column(primary_key=True)
