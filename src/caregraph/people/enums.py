"""Coded values of people, each with the number its source system uses."""

import enum

import strawberry

from caregraph.graph.fields import member


@strawberry.enum(description="Gender as recorded for a client.")
class Gender(enum.Enum):
    """FIT's numbers are in the descriptions."""

    UNKNOWN = member(0, "Not known. FIT code 0.")
    MALE = member(1, "Male. FIT code 1.")
    FEMALE = member(2, "Female. FIT code 2.")
    TRANSGENDER = member(3, "Transgender. FIT code 3.")
