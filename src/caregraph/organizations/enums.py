"""Coded values of organizations."""

import enum

import strawberry

from caregraph.graph.fields import member


@strawberry.enum(description="The sector an organization works in; content can be shared with a whole sector.")
class Vertical(enum.Enum):
    """Gloo has the names without numbers; the numbers are ours."""

    FAITH = member(1, "Faith. Gloo `FAITH`.")
    RELIGIOUS_OTHER = member(2, "Religious, other. Gloo `RELIGIOUS_OTHER`.")
    RECOVERY = member(3, "Recovery. Gloo `RECOVERY`.")
    SCHOOL = member(4, "School. Gloo `SCHOOL`.")
    SOCIAL_SERVICE = member(5, "Social service. Gloo `SOCIAL_SERVICE`.")
    OTHER = member(6, "Any other. Gloo `OTHER`.")


@strawberry.enum(description="Gender as a member of staff gives it.")
class StaffGender(enum.Enum):
    """Welkin has the words without numbers; the numbers are ours."""

    UNKNOWN = member(0, "Not known. Welkin `Unknown`.")
    MALE = member(1, "Male. Welkin `Male`.")
    FEMALE = member(2, "Female. Welkin `Female`.")
    OTHER = member(3, "Other. Welkin `Other`.")
    TRANSGENDER = member(4, "Transgender. Welkin `Transgender`.")
    DECLINED = member(5, "Prefers not to say. Welkin `Decline`.")


@strawberry.enum(description="A permission that a user can be given in an organization, beside roles.")
class PermissionKey(enum.Enum):
    """Gloo's keys."""

    CREATE_DEPLOYMENT = member("CREATE_DEPLOYMENT", "Make and manage deployments. Gloo `CREATE_DEPLOYMENT`.")
    CREATE_ASSESSMENT = member("CREATE_ASSESSMENT", "Make and change assessments. Gloo `CREATE_ASSESSMENT`.")
    MANAGE_ORGANIZATION = member(
        "MANAGE_ORGANIZATION",
        "Manage the organization: its locations, its users and what they may do. Gloo `MANAGE_ORGANIZATION`.",
    )
    MANAGE_LOCATION = member("MANAGE_LOCATION", "Add and change locations. Gloo `MANAGE_LOCATION`.")
    ASSESSMENT_AUTHOR = member("ASSESSMENT_AUTHOR", "Write assessments for all to use. Gloo role `ASSESSMENT_AUTHOR`.")
