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


@strawberry.input(description="A group of clients.")
class GroupInput:
    """`fitbit.groups.create`."""

    name: str = required("Name, unique within the organization, at most 200 characters.")
    bio: str | None = value("Free description, at most 10000 characters.", longest=LONGEST_TEXT)


@strawberry.input(description="A group by its name within an organization.")
class GroupQuery:
    """`meta.query` of Fitbit Plus. More than one match cannot be: names are unique."""

    organization_id: strawberry.ID = required("Id of the organization in which you act.")
    name: str = required("Name, letter for letter, at most 200 characters. One that no group has makes a group.")


@strawberry.input(description="A group by its id or by its name: exactly one of both.")
class GroupLink:
    """How a client's group is named."""

    id: strawberry.ID | None = value("Id of a Group.")
    query: GroupQuery | None = value("Find the group by name, or create it.")
