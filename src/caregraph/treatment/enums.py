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
