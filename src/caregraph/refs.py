"""Types by name, one line each: how a slice mentions types of its own and of later slices."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
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
ScoresTableRef = Annotated["ScoresTable", strawberry.lazy("caregraph.treatment.tables")]
