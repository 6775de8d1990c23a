"""GraphQL types of assessments, scales, domains, and whom they are shared with."""

from datetime import datetime
from decimal import Decimal

import strawberry

from caregraph.graph.computed import computed
from caregraph.graph.fields import field, method
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import Json, Url
from caregraph.organizations.enums import Vertical
from caregraph.refs import (
    AccessGrantRef,
    AssessmentDomainRef,
    AssessmentItemRef,
    AssessmentRef,
    AssessmentScaleRef,
    DomainRef,
    DomainScaleRef,
    ItemRef,
    ItemScaleRef,
    OrganizationRef,
    ResultRangeRef,
    ScaleRef,
    ScoreConfigRef,
    TagRef,
    UserRef,
    VerticalAccessGrantRef,
)

from . import cohorts, fields, instrument_types, models, sharing_models
from .duration import AssessmentDuration, duration
from .enums import (
    AssessmentState,
    DisplayScoreType,
    LongitudinalLabelType,
    Measurement,
    Privacy,
    PublicationStatus,
    ScaleCountType,
    TableSort,
    Visualization,
)
from .fhir import reading


@strawberry.type(description="A video beside an assessment.")
class Video:
    """Gloo's `videos`."""

    url: Url = field("Where it is.")
    title: str = field("Title, at most 50 characters.")


@strawberry.type(description="What somebody says of an assessment.")
class Testimonial:
    """Gloo's `testimonials`."""

    name: str = field("Who says it, at most 50 characters.")
    quote: str = field("What is said, at most 500 characters.")
    organization: str = field("For which organization, at most 50 characters.")


@node(
    models.Assessment,
    where=(
        models.Assessment.title,
        models.Assessment.status,
        models.Assessment.privacy,
        models.Assessment.created_at,
        models.Assessment.published_at,
    ),
    order_by=(
        models.Assessment.allow_csv_download,
        models.Assessment.author_description,
        models.Assessment.author_name,
        models.Assessment.background_cloudinary_xid,
        models.Assessment.created_at,
        models.Assessment.custom_support_url,
        models.Assessment.deploy_anonymously,
        models.Assessment.deployment_sessions_count,
        models.Assessment.description,
        models.Assessment.display_description,
        models.Assessment.display_title,
        models.Assessment.featured,
        models.Assessment.featured_position,
        models.Assessment.highlighted,
        models.Assessment.highlighted_text,
        models.Assessment.icon_name,
        models.Assessment.identifier,
        models.Assessment.is_legacy,
        models.Assessment.legacy_assessment_id,
        models.Assessment.logo_cloudinary_xid,
        models.Assessment.long_description,
        models.Assessment.org_result_preview_url,
        models.Assessment.organization_id,
        models.Assessment.privacy,
        models.Assessment.published_at,
        models.Assessment.short_description,
        models.Assessment.show_longitudinal_results,
        models.Assessment.state,
        models.Assessment.status,
        models.Assessment.step,
        models.Assessment.title,
        models.Assessment.type,
        models.Assessment.updated_at,
        models.Assessment.created_by_id,
        models.Assessment.user_result_preview_url,
    ),
)
class Assessment(Node):
    """A questionnaire: items in an order, scored by scales and domains.

    Read by its organization and those it is shared with, changed by its organization alone.
    """

    title: str = field("Title for those who work with it, at most 50 characters.")
    display_title: str = field("Title for respondents, at most 50 characters.")
    description: str | None = field("Description for those who work with it.")
    display_description: str = field("Description for respondents, at most 300 characters.")
    short_description: str = field("Description in short, at most 180 characters.")
    long_description: str = field("Description at length, at most 1,000 characters.")
    author_name: str = field("Who wrote it, at most 50 characters.")
    author_description: str = field("About whoever wrote it, at most 500 characters.")
    type: Measurement = field("What kind of answers it measures by.")
    state: AssessmentState = field("How far its making is.")
    status: PublicationStatus = field("Whether it is still being written.")
    published_at: datetime | None = field("When it was published; null: it was not.")
    privacy: Privacy = field("Who else may use it.")
    version: int = field("Counts the versions of a published assessment; answers name theirs.")
    step: int | None = field("Where its author stands in the guide to writing it.")
    custom_support_url: Url | None = field("Where respondents find help.")
    user_result_preview_url: Url | None = field("What a respondent's result looks like.")
    org_result_preview_url: Url | None = field("What an organization's result looks like.")
    logo_cloudinary_xid: str | None = field("Key of its logo.")
    background_cloudinary_xid: str | None = field("Key of the picture behind it.")
    icon_name: str | None = field("CSS class of its icon.")
    highlighted: bool = field("Whether it stands out in lists.")
    highlighted_text: str | None = field("What stands beside it where it stands out.")
    featured: bool = field("Whether it is shown before others.")
    featured_position: int | None = field("Its place among those that are featured.")
    show_longitudinal_results: bool = field("Whether results are shown over time.")
    has_results_app: bool = field("Whether results have an application of their own.")
    deploy_anonymously: bool = field("True: nothing that identifies respondents may be collected.")
    allow_csv_download: bool = field("False: there is no report as CSV.")
    deployment_sessions_count: int = field("How many sittings it had in its organization.")
    identifier: str | None = field("What its authors call it.")
    is_legacy: bool = field("Whether it comes from an earlier system.")
    legacy_assessment_id: int | None = field("Its number in an earlier system.")
    instrument_key: str | None = field("The instrument that it was installed from; null: it was written here.")
    instrument_version: str | None = field("The version of that instrument.")
    loinc_code: str | None = field("Its LOINC code, if it has one.")
    instrument: instrument_types.Instrument | None = computed(instrument_types.of_assessment)
    fhir_questionnaire: Json | None = computed(reading.fhir_questionnaire, cost=20)
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    archived_at: datetime | None = field("When it was archived; null: it is in use.")
    is_own: bool = computed(fields.owned)
    is_editable: bool = computed(fields.editable)
    shared_with_verticals: list[Vertical] = computed(fields.shared_verticals, size=2)
    shared_with_organization_ids: list[strawberry.ID] = computed(fields.shared_organizations, size=5)
    organization: OrganizationRef | None = one(
        "assessments.organization_id", "The organization that it belongs to; null unless you are a member."
    )
    created_by: UserRef | None = computed(fields.created_by)
    assessment_items: Page[AssessmentItemRef] = many(
        "assessment_items.assessment_id", description="Its items by position.", order="position", size=20
    )
    assessment_scales: list[AssessmentScaleRef] = many(
        "assessment_scales.assessment_id", description="Its scales as links.", size=3
    )
    assessment_domains: list[AssessmentDomainRef] = many(
        "assessment_domains.assessment_id", description="Its domains as links.", size=2
    )
    scales: list[ScaleRef] = many(description="Its scales.", through="assessment_scales", order="name", size=3)
    domains: list[DomainRef] = many(description="Its domains.", through="assessment_domains", order="name", size=2)
    tags: list[TagRef] = many(description="Tags on it.", through="assessment_tags", order="name", size=2)
    related_assessments: list[AssessmentRef] = computed(fields.related, size=2)
    duration: AssessmentDuration = computed(duration)
    access_grants: Page[AccessGrantRef] = many(
        "access_grants.assessment_id", description="Whom it was shared with; others see what they were given.", size=2
    )
    vertical_access_grants: Page[VerticalAccessGrantRef] = many(
        "vertical_access_grants.assessment_id",
        description="Verticals that it was shared with; others see their own.",
        size=2,
    )

    cohort_scores: list[cohorts.CohortScore] = computed(cohorts.cohort_scores, cost=50, size=5)

    @method("Videos beside it.")
    async def videos(self: models.Assessment) -> list[Video]:
        """From JSON."""
        return [Video(**one) for one in self.videos]

    @method("What others say of it.")
    async def testimonials(self: models.Assessment) -> list[Testimonial]:
        """From JSON."""
        return [Testimonial(**one) for one in self.testimonials]


@node(
    models.Scale,
    where=(models.Scale.name, models.Scale.privacy, models.Scale.created_at),
    order_by=(
        models.Scale.archived_at,
        models.Scale.created_at,
        models.Scale.description,
        models.Scale.display_name,
        models.Scale.display_score_type,
        models.Scale.identifier,
        models.Scale.longitudinal_label_type,
        models.Scale.max_mean_score,
        models.Scale.max_sum_score,
        models.Scale.min_mean_score,
        models.Scale.min_sum_score,
        models.Scale.name,
        models.Scale.organization_id,
        models.Scale.parent_scale_id,
        models.Scale.privacy,
        models.Scale.scale_type,
        models.Scale.updated_at,
        models.Scale.created_by_id,
    ),
)
class Scale(Node):
    """Items that measure one thing together. Read by its organization and those it is shared with."""

    name: str = field("Name, unique within its organization, at most 500 characters.")
    display_name: str = field("Name for respondents, at most 500 characters.")
    description: str = field("Description, at most 500 characters.")
    scale_type: Measurement = field("What kind of answers it measures by.")
    privacy: Privacy = field("Who else may use it.")
    display_score_type: DisplayScoreType = field("Which of its scores is shown.")
    longitudinal_label_type: LongitudinalLabelType = field("How points over time are labelled.")
    min_sum_score: Decimal | None = field("The lowest possible sum; null where its items do not say.")
    max_sum_score: Decimal | None = field("The highest possible sum; null where its items do not say.")
    min_mean_score: Decimal | None = field("The lowest possible mean; null where its items do not say.")
    max_mean_score: Decimal | None = field("The highest possible mean; null where its items do not say.")
    min_score: Decimal | None = computed(fields.min_score)
    max_score: Decimal | None = computed(fields.max_score)
    identifier: str | None = field("What its authors call it.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    archived_at: datetime | None = field("When it was archived; null: it is in use.")
    is_own: bool = computed(fields.owned)
    is_editable: bool = computed(fields.editable)
    organization: OrganizationRef | None = one(
        "scales.organization_id", "The organization that it belongs to; null unless you are a member."
    )
    created_by: UserRef | None = computed(fields.created_by)
    reliability: cohorts.Reliability | None = computed(cohorts.reliability, cost=50)
    parent_scale: ScaleRef | None = one("scales.parent_scale_id", "The scale that it is a part of.")
    item_scales: Page[ItemScaleRef] = many(
        "item_scales.scale_id", description="Its items as links, by position.", order="position", size=8
    )
    items: Page[ItemRef] = many(description="Its items.", through="item_scales", order="created_at", size=8)
    score_configs: list[ScoreConfigRef] = many(
        "score_configs.scale_id", description="How it is scored; drafts are seen by authors.", size=2
    )
    result_ranges: list[ResultRangeRef] = many(
        "result_ranges.scale_id", description="What its scores are called, lowest first.", order="range_start", size=4
    )
    tags: Page[TagRef] = many(description="Tags on it.", through="scale_tags", order="name", size=2)
    access_grants: Page[AccessGrantRef] = many(
        "access_grants.scale_id", description="Whom it was shared with; others see what they were given.", size=2
    )


@node(
    models.Domain,
    where=(models.Domain.name, models.Domain.privacy, models.Domain.created_at),
    order_by=(
        models.Domain.archived_at,
        models.Domain.assessment_id,
        models.Domain.created_at,
        models.Domain.description,
        models.Domain.display_name,
        models.Domain.display_score_type,
        models.Domain.identifier,
        models.Domain.longitudinal_label_type,
        models.Domain.max_mean_score,
        models.Domain.max_sum_score,
        models.Domain.min_mean_score,
        models.Domain.min_sum_score,
        models.Domain.name,
        models.Domain.organization_id,
        models.Domain.preferred_visualization,
        models.Domain.privacy,
        models.Domain.scale_count_type,
        models.Domain.show_bar_chart_labels,
        models.Domain.std_dev,
        models.Domain.table_row_count,
        models.Domain.table_sort,
        models.Domain.updated_at,
    ),
)
class Domain(Node):
    """Scales that belong together. Read by its organization and those it is shared with."""

    name: str = field("Name, unique within its organization, at most 500 characters.")
    display_name: str = field("Name for respondents, at most 500 characters.")
    description: str = field("Description, at most 500 characters.")
    privacy: Privacy = field("Who else may use it.")
    display_score_type: DisplayScoreType = field("Which of its scores is shown.")
    preferred_visualization: Visualization = field("How its result is best drawn.")
    table_sort: TableSort = field("How its table is ordered.")
    table_row_count: int | None = field("How many rows its table shows; null: all.")
    scale_count_type: ScaleCountType = field("Which of its scales are counted.")
    show_bar_chart_labels: bool = field("Whether bars are labelled.")
    longitudinal_label_type: LongitudinalLabelType = field("How points over time are labelled.")
    min_sum_score: Decimal | None = field("The lowest possible sum; null where its scales do not say.")
    max_sum_score: Decimal | None = field("The highest possible sum; null where its scales do not say.")
    min_mean_score: Decimal | None = field("The lowest possible mean; null where its scales do not say.")
    max_mean_score: Decimal | None = field("The highest possible mean; null where its scales do not say.")
    min_score: Decimal | None = computed(fields.min_score)
    max_score: Decimal | None = computed(fields.max_score)
    std_dev: Decimal | None = field("Standard deviation of its score among those it was made with.")
    identifier: str | None = field("What its authors call it.")
    created_at: datetime = field("When it was created.")
    updated_at: datetime = field("When it was last changed.")
    archived_at: datetime | None = field("When it was archived; null: it is in use.")
    is_own: bool = computed(fields.owned)
    is_editable: bool = computed(fields.editable)
    organization: OrganizationRef | None = one(
        "domains.organization_id", "The organization that it belongs to; null unless you are a member."
    )
    created_by: UserRef | None = computed(fields.created_by)
    assessment: AssessmentRef | None = one("domains.assessment_id", "The assessment that it was made for.")
    domain_scales: list[DomainScaleRef] = many("domain_scales.domain_id", description="Its scales as links.", size=3)
    scales: list[ScaleRef] = many(description="Its scales.", through="domain_scales", order="name", size=3)
    score_configs: list[ScoreConfigRef] = many(
        "score_configs.domain_id", description="How it is scored; drafts are seen by authors.", size=2
    )
    result_ranges: list[ResultRangeRef] = many(
        "result_ranges.domain_id", description="What its scores are called, lowest first.", order="range_start", size=4
    )
    tags: Page[TagRef] = many(description="Tags on it.", through="domain_tags", order="name", size=2)
    access_grants: Page[AccessGrantRef] = many(
        "access_grants.domain_id", description="Whom it was shared with; others see what they were given.", size=2
    )


@node(models.AssessmentScale)
class AssessmentScale(Node):
    """A scale on an assessment. Read as the assessment."""

    created_at: datetime = field("When it was added.")
    updated_at: datetime = field("When it was last changed.")
    assessment: AssessmentRef = one("assessment_scales.assessment_id", "The assessment.")
    scale: ScaleRef | None = one("assessment_scales.scale_id", "The scale; null if you may not see it.")


@node(models.AssessmentDomain)
class AssessmentDomain(Node):
    """A domain on an assessment. Read as the assessment."""

    created_at: datetime = field("When it was added.")
    updated_at: datetime = field("When it was last changed.")
    assessment: AssessmentRef = one("assessment_domains.assessment_id", "The assessment.")
    domain: DomainRef | None = one("assessment_domains.domain_id", "The domain; null if you may not see it.")


@node(models.DomainScale)
class DomainScale(Node):
    """A scale in a domain. Read as the domain."""

    created_at: datetime = field("When it was added.")
    updated_at: datetime = field("When it was last changed.")
    domain: DomainRef = one("domain_scales.domain_id", "The domain.")
    scale: ScaleRef | None = one("domain_scales.scale_id", "The scale; null if you may not see it.")


@node(sharing_models.AccessGrant, order_by=(sharing_models.AccessGrant.created_at,))
class AccessGrant(Node):
    """Leave for an organization to read and use a piece of content. Seen by both sides, ended by the owner.

    It counts while the content's privacy is `LIMITED_TO_ORGANIZATIONS`.
    """

    created_at: datetime = field("When it was given.")
    organization_id: strawberry.ID = computed(fields.grantee)
    assessment: AssessmentRef | None = one("access_grants.assessment_id", "The assessment that is shared.")
    item: ItemRef | None = one("access_grants.item_id", "The item that is shared.")
    scale: ScaleRef | None = one("access_grants.scale_id", "The scale that is shared.")
    domain: DomainRef | None = one("access_grants.domain_id", "The domain that is shared.")


@node(sharing_models.VerticalAccessGrant, order_by=(sharing_models.VerticalAccessGrant.created_at,))
class VerticalAccessGrant(Node):
    """Leave for a vertical's organizations to use an assessment. Others than the owner see that of their vertical.

    It counts while the assessment's privacy is `LIMITED_TO_VERTICALS`.
    """

    vertical: Vertical = field("The vertical.")
    created_at: datetime = field("When it was given.")
    assessment: AssessmentRef | None = one("vertical_access_grants.assessment_id", "The assessment that is shared.")


@node(sharing_models.NetworkMember)
class NetworkMember(Node):
    """An organization that belongs to a network; what is shared with the network is shared with it.

    Seen by both sides.
    """

    created_at: datetime = field("When it joined.")
    updated_at: datetime = field("When this was last changed.")
    network: OrganizationRef | None = one(
        "network_members.organization_id", "The network; null unless you are a member of it yourself."
    )
    organization_id: strawberry.ID = computed(fields.network_member)
