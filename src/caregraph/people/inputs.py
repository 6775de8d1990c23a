"""What callers send to create and change clients and labels."""

from datetime import date

import strawberry

from caregraph.graph.inputs import LONGEST_TEXT, required, value
from caregraph.graph.scalars import PhoneNumber

from .enums import Gender


@strawberry.input(description="A client.")
class ClientInput:
    """`fit.clients.create`."""

    full_name: str = required("Full name, at most 200 characters.")
    alias: str | None = value("Another name to look the client up by, at most 200 characters.")
    ssn: str | None = value("National or local number, at most 200 characters.")
    birth_date: date | None = value("Day of birth.")
    gender: Gender | None = value("Gender; `UNKNOWN` by default.")
    phone: PhoneNumber | None = value("Telephone number.")
    comment: str | None = value("Free text, at most 10000 characters.", longest=LONGEST_TEXT)
    gdpr_approval: bool | None = value("Whether the client approved data processing; false by default.")


@strawberry.input(description="A label.")
class LabelInput:
    """`fit.labels.create`."""

    name: str = required("Name, unique within the organization, at most 200 characters.")
