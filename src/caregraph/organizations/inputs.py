"""What callers send to create and change users and applications."""

import strawberry

from caregraph.graph.inputs import required, value
from caregraph.graph.scalars import EmailAddress


@strawberry.input(description="A user.")
class UserInput:
    """`fit.users.create`, with the profile fields that FIT shows."""

    email: EmailAddress = required("E-mail to sign in with; unique among all users, whatever the case.", longest=254)
    full_name: str = required("Full name, at most 200 characters.")
    password: str = required("Password, 8 to 200 characters. A new one revokes all tokens.", shortest=8)
    gdpr_approval: bool | None = value("Whether the user approved data processing; false by default.")
    locale: str | None = value("Language tag, such as `da`.", longest=35)
    time_zone: str | None = value("IANA time zone, such as `Europe/Copenhagen`.", longest=64)
    api_enabled: bool | None = value("Whether the account may use the API; false by default.")
    screen_lock_after_score: bool | None = value("Whether the screen locks after a scale; false by default.")
    screen_lock_code: str | None = value("Code that unlocks the screen.", longest=20)
    screen_lock_timeout: int | None = value("Seconds until the screen locks, 0 to 86400.", minimum=0, maximum=86_400)


@strawberry.input(description="A program that reads and writes the organization's data by itself.")
class ApplicationInput:
    """Its secrets are made by the server, its groups are set by `setApplicationGroups`."""

    name: str = required("Name, unique within the organization; at most 200 characters.")
    scopes: list[str] | None = value(
        "What its tokens may at most: `<resource>.read` and `<resource>.write`, such as `clients.read`, or `all`, the"
        " default. A narrower list holds for tokens given before, too. Unknown scopes are refused with all there are."
    )
    is_enabled: bool | None = value("Whether it may sign in; true by default. False ends all its tokens and keys.")
    is_limited_to_groups: bool | None = value(
        "Whether it reaches only the clients of its groups, none without a group; false by default."
    )
    public_key: str | None = value(
        "RSA (2048 bits or more) or P-256 public key, as JWK or PEM, for assertions signed by RS256 or ES256;"
        " null takes it away.",
        longest=10_000,
    )
