"""Coded values of assessments. Gloo has the names without numbers; the numbers are ours."""

import enum

import strawberry

from caregraph.graph.fields import member


@strawberry.enum(description="Who else may read and use a piece of content. Only its organization changes it.")
class Privacy(enum.Enum):
    """Gloo's ladder."""

    PRIVATE = member(0, "Its organization alone. Gloo `private`.")
    LIMITED_TO_ORGANIZATIONS = member(
        1, "Organizations with an access grant, and members of networks with one. Gloo `limited_to_organization_ids`."
    )
    LIMITED_TO_VERTICALS = member(
        2, "Organizations of the verticals named; assessments only. Gloo `limited_to_verticals`."
    )
    PUBLIC = member(3, "Every organization. Gloo `public`.")


@strawberry.enum(description="Whether something is still being written.")
class PublicationStatus(enum.Enum):
    """The way is one way."""

    DRAFT = member(0, "Being written. Gloo `draft`.")
    PUBLISHED = member(1, "In use; it never becomes a draft again. Gloo `published`.")


@strawberry.enum(description="What kind of answers an assessment or a scale measures by.")
class Measurement(enum.Enum):
    """The one that Gloo shows."""

    ORDINAL = member(0, "Ordered answers with numbers. Gloo `ordinal`.")


@strawberry.enum(description="How far the making of an assessment is.")
class AssessmentState(enum.Enum):
    """The one that Gloo shows."""

    CREATED = member(0, "It is there. Gloo `created`.")


@strawberry.enum(description="What is asked for by an item, and in which form it is answered.")
class ItemType(enum.Enum):
    """Gloo's types."""

    INSTRUCTION = member(0, "Text to read; nothing is answered. Gloo `instruction`.")
    MULTIPLE_CHOICE = member(1, "One of its options. Gloo `multiple_choice`.")
    LIKERT_SCALE = member(2, "One step of a scale, its options. Gloo `likert_scale`.")
    MULTIPLE_SELECT = member(3, "Any of its options. Gloo `multiple_select`.")
    SHORT_ANSWER = member(4, "Free text; it has no options. Gloo `short_answer`.")


@strawberry.enum(description="Which score of a scale or a domain is shown.")
class DisplayScoreType(enum.Enum):
    """Gloo shows the first in samples and names both kinds of limits."""

    SUM_SCORE = member(0, "The sum. Gloo `sum_score`.")
    MEAN_SCORE = member(1, "The mean. Gloo `mean_score`.")


@strawberry.enum(description="How points of a result over time are labelled.")
class LongitudinalLabelType(enum.Enum):
    """The one that Gloo shows."""

    RAW_RESULT_NUMBER_RANGE = member(0, "By the number itself and its range. Gloo `raw_result_number_range`.")


@strawberry.enum(description="The drawing that a domain's result is best shown by.")
class Visualization(enum.Enum):
    """The one that Gloo shows."""

    BAR_CHART = member(0, "Bars. Gloo `bar_chart`.")


@strawberry.enum(description="The direction in which a table is ordered.")
class TableSort(enum.Enum):
    """Up or down."""

    ASC = member(0, "Lowest first. Gloo `asc`.")
    DESC = member(1, "Highest first. Gloo `desc`.")


@strawberry.enum(description="Which scales of a domain are counted in its result.")
class ScaleCountType(enum.Enum):
    """The one that Gloo shows."""

    ALL_SCALES = member(0, "All of them. Gloo `all_scales`.")


@strawberry.enum(description="What a score config is about.")
class ScoreLevel(enum.Enum):
    """Gloo has a resource for each."""

    ITEM = member(0, "An item. Gloo `ItemScoreConfig`.")
    SCALE = member(1, "A scale. Gloo `ScaleScoreConfig`.")
    DOMAIN = member(2, "A domain. Gloo `DomainScoreConfig`.")


@strawberry.enum(description="Whose number a score is.")
class ScoreScope(enum.Enum):
    """Follows from the type of a score; a custom calculation says it itself."""

    INDIVIDUAL = member(0, "One respondent's. Gloo `individual`.")
    COHORT = member(1, "Of all respondents together. Gloo `cohort`.")


@strawberry.enum(description="How a score config makes a number of answers.")
class ScoreType(enum.Enum):
    """Which of them belong to items, scales and domains is said by each."""

    RAW_VALUE = member(0, "Items: the value of the answer. Gloo `raw_value`.")
    SUM_OF_RAW_VALUES = member(1, "Items: the sum over respondents. Gloo `sum_of_raw_values`.")
    MEAN_OF_RAW_VALUES = member(2, "Items: the mean over respondents. Gloo `mean_of_raw_values`.")
    SCALE_SUM = member(10, "Scales: the sum of the items. Gloo `scale_sum`.")
    SCALE_MEAN = member(11, "Scales: the mean of the items. Gloo `scale_mean`.")
    AVERAGE_OF_SCALE_SUMS = member(12, "Scales: the mean of all sums. Gloo `average_of_scale_sums`.")
    AVERAGE_OF_SCALE_MEANS = member(13, "Scales: the mean of all means. Gloo `average_of_scale_means`.")
    GOAL_ATTAINMENT = member(
        14, "Scales: the T score of goals by the method of Kiresuk and Sherman; ours, of installed instruments."
    )
    DOMAIN_SUM = member(20, "Domains: the sum of the scales. Gloo `domain_sum`.")
    DOMAIN_MEAN = member(21, "Domains: the mean of the scales. Gloo `domain_mean`.")
    AVERAGE_OF_DOMAIN_SUMS = member(22, "Domains: the mean of all sums. Gloo `average_of_domain_sums`.")
    AVERAGE_OF_DOMAIN_MEANS = member(23, "Domains: the mean of all means. Gloo `average_of_domain_means`.")
    CUSTOM_CALCULATION = member(99, "Any: an expression over other scores. Gloo `custom_calculation`.")


@strawberry.enum(description="How an answer came in.")
class AnswerSource(enum.Enum):
    """Gloo's `source_type`."""

    DEFAULT = member(0, "Given by the respondent. Gloo `default`.")
    IMPORTED = member(1, "Sent by another system. Welkin `assessment_responses`.")
