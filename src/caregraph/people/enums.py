"""Coded values of people, each with the number its source system uses."""

import enum

import strawberry


@strawberry.enum(description="Gender as recorded for a client.")
class Gender(enum.Enum):
    """FIT's numbers are in the descriptions."""

    UNKNOWN = strawberry.enum_value(0, description="Not known. FIT code 0.")
    MALE = strawberry.enum_value(1, description="Male. FIT code 1.")
    FEMALE = strawberry.enum_value(2, description="Female. FIT code 2.")
    TRANSGENDER = strawberry.enum_value(3, description="Transgender. FIT code 3.")
