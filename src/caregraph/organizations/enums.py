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


@strawberry.enum(description="A permission that a member can be granted in an organization. Superusers hold them all.")
class PermissionKey(enum.Enum):
    """Gloo's keys; what each amounts to is `GRANTABLE` of the viewer."""

    CREATE_DEPLOYMENT = member("CREATE_DEPLOYMENT", "Create and manage deployments of assessments.")
    CREATE_ASSESSMENT = member("CREATE_ASSESSMENT", "Create and change assessments and what they are made of.")
    MANAGE_ORGANIZATION = member(
        "MANAGE_ORGANIZATION",
        "Manage the organization: its locations, permissions, invitations and features. Includes `MANAGE_LOCATION`.",
    )
    MANAGE_LOCATION = member("MANAGE_LOCATION", "Create and change the organization's locations.")
    ASSESSMENT_AUTHOR = member("ASSESSMENT_AUTHOR", "Write assessments that other organizations may use.")


@strawberry.enum(description="Where the mail of an invitation is.")
class Delivery(enum.Enum):
    """The numbers are ours."""

    WAITING = member(0, "It is about to be sent, or is tried again after a failure.")
    SENT = member(1, "A mail server has taken it.")
    FAILED = member(2, "It could not be sent, and is not tried again: correct the address, or send it again.")


@strawberry.enum(description="The part of an application that a feature belongs to: the first part of its name.")
class FeatureScope(enum.Enum):
    """Gloo's scopes; the value is the prefix."""

    ASSESSMENTS_ADMIN_WEB = member("assessments_admin_web", "Administration on the web. Gloo `assessments_admin_web`.")
    ASSESSMENTS_WEB = member("assessments_web", "Assessments on the web. Gloo `assessments_web`.")
    ASSESSMENTS_CREATE_WEB = member("assessments_create_web", "Authoring on the web. Gloo `assessments_create_web`.")
