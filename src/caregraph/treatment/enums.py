"""Coded values of treatment, each with the number its source system uses."""

import enum

import strawberry

from caregraph.graph.fields import member


@strawberry.enum(description="How an episode stands or how it ended.")
class EpisodeStatus(enum.Enum):
    """FIT's numbers are in the descriptions."""

    ONGOING = member(0, "Still open. FIT code 0.")
    TERMINATED_NO_EFFECT = member(1, "Ended without effect. FIT code 1.")
    TERMINATED_WITH_EFFECT = member(2, "Ended with effect. FIT code 2.")
    TERMINATED_MUTUAL_AGREEMENT = member(3, "Ended by mutual agreement. FIT code 3.")


@strawberry.enum(description="Which scale a score belongs to.")
class MeasureKind(enum.Enum):
    """The two measures of treatment."""

    ORS = member(0, "Outcome Rating Scale, filled in at the start of a session.")
    SRS = member(1, "Session Rating Scale, filled in at the end of a session.")


@strawberry.enum(description="Something about a score that asks for attention.")
class Alert(enum.Enum):
    """The alerts of OpenFIT's table."""

    ORS_BELOW_BOUNDARY = member(
        "ORS_BELOW_BOUNDARY", "From the second ORS on: below the unsuccessful boundary of the trajectory."
    )
    SRS_BELOW_CUTOFF = member("SRS_BELOW_CUTOFF", "SRS below the cut-off of 36.")
    SRS_DROPPED = member("SRS_DROPPED", "SRS at least 1 point below the one before.")


@strawberry.enum(description="Where an ORS lies on its predicted trajectory.")
class OrsZone(enum.Enum):
    """The colours that practitioners know."""

    GREY = member(0, "The first ORS: nothing to compare it with yet.")
    GREEN = member(1, "At or above the successful boundary.")
    AMBER = member(2, "Between the boundaries.")
    RED = member(3, "Below the unsuccessful boundary.")


@strawberry.enum(description="Reliable and clinically significant change from the first to the last ORS.")
class Change(enum.Enum):
    """Jacobson and Truax's categories."""

    RECOVERED = member(0, "Reliable gain, from below the cut-off to it or above.")
    IMPROVED = member(1, "Reliable gain of 5 points or more, without crossing the cut-off.")
    NO_CHANGE = member(2, "A change of less than 5 points.")
    DETERIORATED = member(3, "Reliable loss of 5 points or more.")


@strawberry.enum(description="Who filled in a scale.")
class InformantKind(enum.Enum):
    """Ratings of raters are never mixed with the client's own."""

    CLIENT = member(0, "The client.")
    COLLATERAL = member(1, "A collateral rater.")
