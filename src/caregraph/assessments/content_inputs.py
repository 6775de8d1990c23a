"""What callers send to create and change assessments, scales and domains. Limits are those that Gloo documents."""

import strawberry

from caregraph.graph.inputs import required, value
from caregraph.graph.scalars import Url
from caregraph.organizations.enums import Vertical

from .enums import Privacy, PublicationStatus

LONGEST_TITLE = 50
LONGEST_NAME = 500


@strawberry.input(description="A video beside an assessment.")
class VideoInput:
    """Gloo's `videos`."""

    url: Url = required("Where it is.", longest=2048)
    title: str = required("Title, at most 50 characters.", longest=50)


@strawberry.input(description="What somebody says of an assessment.")
class TestimonialInput:
    """Gloo's `testimonials`."""

    name: str = required("Who says it, at most 50 characters.", longest=50)
    quote: str = required("What is said, at most 500 characters.", longest=500)
    organization: str = required("For which organization, at most 50 characters.", longest=50)


@strawberry.input(description="An assessment.")
class AssessmentInput:
    """`gloo.assessments.create`."""

    title: str = required("Title for those who work with it, at most 50 characters.", longest=LONGEST_TITLE)
    display_title: str = required("Title for respondents, at most 50 characters.", longest=LONGEST_TITLE)
    display_description: str = required("Description for respondents, at most 300 characters.", longest=300)
    author_name: str = required("Who wrote it, at most 50 characters.", longest=50)
    author_description: str = required("About whoever wrote it, at most 500 characters.", longest=500)
    short_description: str = required("Description in short, at most 180 characters.", longest=180)
    long_description: str = required("Description at length, at most 1,000 characters.", longest=1000)
    videos: list[VideoInput] | None = value("Videos beside it, at most 100; none by default.")
    testimonials: list[TestimonialInput] | None = value("What others say of it, at most 100; none by default.")
    custom_support_url: Url | None = value("Where respondents find help; null: nowhere.", longest=2048)
    user_result_preview_url: Url | None = value("What a respondent's result looks like.", longest=2048)
    org_result_preview_url: Url | None = value("What an organization's result looks like.", longest=2048)
    icon_name: str | None = value("CSS class of its icon, at most 200 characters.")
    deploy_anonymously: bool | None = value(
        "True: nothing that identifies respondents may be collected; false by default."
    )


@strawberry.input(description="An assessment. Four of its lists are emptied when they are left out.")
class AssessmentPatch(AssessmentInput):
    """`gloo.assessments.update`. Four lists are replaced as wholes: left out, they are emptied, as Gloo documents."""

    description: str | None = value(
        "Description for those who work with it, at most 10,000 characters.", longest=10_000
    )
    status: PublicationStatus | None = value("`PUBLISHED` publishes it; it never becomes a draft again.")
    privacy: Privacy | None = value("Who else may use it. What is public stays public.")
    share_with_organization_ids: list[strawberry.ID] | None = value(
        "Ids of all organizations that it is shared with from now on, at most 100; goes with the privacy"
        " `LIMITED_TO_ORGANIZATIONS`. **Left out, every organization's access is removed.**"
    )
    share_with_verticals: list[Vertical] | None = value(
        "All verticals that it is shared with from now on; goes with the privacy `LIMITED_TO_VERTICALS`."
        " **Left out, every vertical's access is removed.**"
    )
    tag_ids: list[strawberry.ID] | None = value(
        "Ids of all tags on it from now on, at most 100. **Left out, every tag is taken off.**"
    )
    related_assessment_ids: list[strawberry.ID] | None = value(
        "Ids of all assessments that are named beside it from now on, at most 100. **Left out, none are.**"
    )


@strawberry.input(description="A scale.")
class ScaleInput:
    """`gloo.scales.create` and `gloo.scales.update`."""

    name: str = required("Name, unique within the organization; at most 500 characters.", longest=LONGEST_NAME)
    description: str = required("Description, at most 500 characters.", longest=LONGEST_NAME)
    display_name: str = required("Name for respondents, at most 500 characters.", longest=LONGEST_NAME)
    privacy: Privacy | None = value(
        "Who else may use it; `PRIVATE` by default. What is public can no longer be changed."
    )


@strawberry.input(description="A domain.")
class DomainInput:
    """`gloo.domains.create` and `gloo.domains.update`."""

    name: str = required("Name, unique within the organization; at most 500 characters.", longest=LONGEST_NAME)
    description: str = required("Description, at most 500 characters.", longest=LONGEST_NAME)
    display_name: str = required("Name for respondents, at most 500 characters.", longest=LONGEST_NAME)
    privacy: Privacy | None = value(
        "Who else may use it; `PRIVATE` by default. What is public can no longer be changed."
    )
