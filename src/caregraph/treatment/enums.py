"""Coded values of treatment, each with the number its source system uses."""

import enum

import strawberry


@strawberry.enum(description="How an episode stands or how it ended.")
class EpisodeStatus(enum.Enum):
    """FIT's numbers are in the descriptions."""

    ONGOING = strawberry.enum_value(0, description="Still open. FIT code 0.")
    TERMINATED_NO_EFFECT = strawberry.enum_value(1, description="Ended without effect. FIT code 1.")
    TERMINATED_WITH_EFFECT = strawberry.enum_value(2, description="Ended with effect. FIT code 2.")
    TERMINATED_MUTUAL_AGREEMENT = strawberry.enum_value(3, description="Ended by mutual agreement. FIT code 3.")


@strawberry.enum(description="Which scale a score belongs to.")
class MeasureKind(enum.Enum):
    """The two measures of treatment."""

    ORS = strawberry.enum_value(0, description="Outcome Rating Scale, filled in at the start of a session.")
    SRS = strawberry.enum_value(1, description="Session Rating Scale, filled in at the end of a session.")


@strawberry.enum(description="Something about a score that asks for attention.")
class Alert(enum.Enum):
    """The alerts of OpenFIT's table."""

    ORS_BELOW_BOUNDARY = strawberry.enum_value(
        "ORS_BELOW_BOUNDARY", description="From the second ORS on: below the unsuccessful boundary of the trajectory."
    )
    SRS_BELOW_CUTOFF = strawberry.enum_value("SRS_BELOW_CUTOFF", description="SRS below the cut-off of 36.")
    SRS_DROPPED = strawberry.enum_value("SRS_DROPPED", description="SRS at least 1 point below the one before.")


@strawberry.enum(description="Where an ORS lies on its predicted trajectory.")
class OrsZone(enum.Enum):
    """The colours that practitioners know."""

    GREY = strawberry.enum_value(0, description="The first ORS: nothing to compare it with yet.")
    GREEN = strawberry.enum_value(1, description="At or above the successful boundary.")
    AMBER = strawberry.enum_value(2, description="Between the boundaries.")
    RED = strawberry.enum_value(3, description="Below the unsuccessful boundary.")


@strawberry.enum(description="Reliable and clinically significant change from the first to the last ORS.")
class Change(enum.Enum):
    """Jacobson and Truax's categories."""

    RECOVERED = strawberry.enum_value(0, description="Reliable gain, from below the cut-off to it or above.")
    IMPROVED = strawberry.enum_value(1, description="Reliable gain of 5 points or more, without crossing the cut-off.")
    NO_CHANGE = strawberry.enum_value(2, description="A change of less than 5 points.")
    DETERIORATED = strawberry.enum_value(3, description="Reliable loss of 5 points or more.")


@strawberry.enum(description="Who filled in a scale.")
class InformantKind(enum.Enum):
    """Ratings of raters are never mixed with the client's own."""

    CLIENT = strawberry.enum_value(0, description="The client.")
    COLLATERAL = strawberry.enum_value(1, description="A collateral rater.")
