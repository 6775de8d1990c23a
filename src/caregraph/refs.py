"""Types by name, one line each: how a slice mentions types of its own and of later slices."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from caregraph.assessments.answer_types import AnswerScore, AnswerSet, ItemResponse
    from caregraph.assessments.config_types import (
        CalculationVariable,
        CustomCalculation,
        PercentileRankConfig,
        ResultRange,
        ScoreConfig,
    )
    from caregraph.assessments.item_types import AssessmentItem, Item, ItemOption, ItemScale, Tag
    from caregraph.assessments.types import (
        AccessGrant,
        Assessment,
        AssessmentDomain,
        AssessmentScale,
        Domain,
        DomainScale,
        NetworkMember,
        Scale,
        VerticalAccessGrant,
    )
    from caregraph.organizations.types import AccessToken, ApiKey, Application, Location, Organization, User
    from caregraph.people.types import Client, Consent, File, Group, Label
    from caregraph.treatment.charts import EpisodeChart, ExplanationStep
    from caregraph.treatment.tables import ScoresTable
    from caregraph.treatment.types import Episode, OrsScore, Rater, Score, Session, SrsScore

OrganizationRef = Annotated["Organization", strawberry.lazy("caregraph.organizations.types")]
LocationRef = Annotated["Location", strawberry.lazy("caregraph.organizations.types")]
ApplicationRef = Annotated["Application", strawberry.lazy("caregraph.organizations.types")]
AccessTokenRef = Annotated["AccessToken", strawberry.lazy("caregraph.organizations.types")]
ApiKeyRef = Annotated["ApiKey", strawberry.lazy("caregraph.organizations.types")]
UserRef = Annotated["User", strawberry.lazy("caregraph.organizations.types")]
ClientRef = Annotated["Client", strawberry.lazy("caregraph.people.types")]
ConsentRef = Annotated["Consent", strawberry.lazy("caregraph.people.types")]
FileRef = Annotated["File", strawberry.lazy("caregraph.people.types")]
GroupRef = Annotated["Group", strawberry.lazy("caregraph.people.types")]
LabelRef = Annotated["Label", strawberry.lazy("caregraph.people.types")]
EpisodeRef = Annotated["Episode", strawberry.lazy("caregraph.treatment.types")]
RaterRef = Annotated["Rater", strawberry.lazy("caregraph.treatment.types")]
SessionRef = Annotated["Session", strawberry.lazy("caregraph.treatment.types")]
ScoreRef = Annotated["Score", strawberry.lazy("caregraph.treatment.types")]
OrsScoreRef = Annotated["OrsScore", strawberry.lazy("caregraph.treatment.types")]
SrsScoreRef = Annotated["SrsScore", strawberry.lazy("caregraph.treatment.types")]
EpisodeChartRef = Annotated["EpisodeChart", strawberry.lazy("caregraph.treatment.charts")]
ExplanationStepRef = Annotated["ExplanationStep", strawberry.lazy("caregraph.treatment.charts")]
AssessmentItemRef = Annotated["AssessmentItem", strawberry.lazy("caregraph.assessments.item_types")]
ItemRef = Annotated["Item", strawberry.lazy("caregraph.assessments.item_types")]
ItemOptionRef = Annotated["ItemOption", strawberry.lazy("caregraph.assessments.item_types")]
ItemScaleRef = Annotated["ItemScale", strawberry.lazy("caregraph.assessments.item_types")]
TagRef = Annotated["Tag", strawberry.lazy("caregraph.assessments.item_types")]
AccessGrantRef = Annotated["AccessGrant", strawberry.lazy("caregraph.assessments.types")]
AssessmentRef = Annotated["Assessment", strawberry.lazy("caregraph.assessments.types")]
AssessmentDomainRef = Annotated["AssessmentDomain", strawberry.lazy("caregraph.assessments.types")]
AssessmentScaleRef = Annotated["AssessmentScale", strawberry.lazy("caregraph.assessments.types")]
DomainRef = Annotated["Domain", strawberry.lazy("caregraph.assessments.types")]
DomainScaleRef = Annotated["DomainScale", strawberry.lazy("caregraph.assessments.types")]
NetworkMemberRef = Annotated["NetworkMember", strawberry.lazy("caregraph.assessments.types")]
ScaleRef = Annotated["Scale", strawberry.lazy("caregraph.assessments.types")]
VerticalAccessGrantRef = Annotated["VerticalAccessGrant", strawberry.lazy("caregraph.assessments.types")]
CalculationVariableRef = Annotated["CalculationVariable", strawberry.lazy("caregraph.assessments.config_types")]
CustomCalculationRef = Annotated["CustomCalculation", strawberry.lazy("caregraph.assessments.config_types")]
PercentileRankConfigRef = Annotated["PercentileRankConfig", strawberry.lazy("caregraph.assessments.config_types")]
ResultRangeRef = Annotated["ResultRange", strawberry.lazy("caregraph.assessments.config_types")]
ScoreConfigRef = Annotated["ScoreConfig", strawberry.lazy("caregraph.assessments.config_types")]
AnswerScoreRef = Annotated["AnswerScore", strawberry.lazy("caregraph.assessments.answer_types")]
AnswerSetRef = Annotated["AnswerSet", strawberry.lazy("caregraph.assessments.answer_types")]
ItemResponseRef = Annotated["ItemResponse", strawberry.lazy("caregraph.assessments.answer_types")]
ScoresTableRef = Annotated["ScoresTable", strawberry.lazy("caregraph.treatment.tables")]
