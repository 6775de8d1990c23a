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


@strawberry.enum(description="What a consent is about.")
class ConsentKind(enum.Enum):
    """Welkin's opt-ins, FIT's approval and what organizations ask for besides; the numbers are ours."""

    DATA_PROCESSING = member(0, "Processing of personal data: FIT's and our `gdprApproval`, Charitylog's consent.")
    SMS = member(1, "Text messages: Welkin's `opted_in_to_sms`.")
    PHONE = member(2, "Telephone calls: Welkin's `opted_in_to_phone`.")
    VOICEMAIL = member(3, "Messages on an answering machine: Welkin's `opted_in_to_voicemail`.")
    CALL_RECORDING = member(4, "Recording of calls: Welkin's `opted_in_to_call_recording`.")
    EMAIL = member(5, "E-mail: Welkin's `opted_in_to_email`.")
    RESEARCH = member(6, "Use of de-identified data for research.")
