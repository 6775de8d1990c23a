"""What callers send to create and change organizations, locations, users and applications."""

import strawberry

from caregraph.graph.inputs import required, value
from caregraph.graph.scalars import EmailAddress, PhoneNumber, Url

from .enums import StaffGender, Vertical
from .profiles import phone_problem, time_zone_problem


@strawberry.input(description="A postal address; only the parts sent change, null removes one.")
class AddressInput:
    """Gloo `address` and `address_attributes`."""

    street: str | None = value("Street and number, at most 200 characters.")
    city: str | None = value("City, at most 200 characters.")
    state: str | None = value("State or province, at most 200 characters.")
    postal_code: str | None = value("Postal code, at most 20 characters.", longest=20)


@strawberry.input(description="An organization.")
class OrganizationInput:
    """`gloo.organizations.create`."""

    name: str = required("Name, at most 200 characters.")
    vertical: Vertical | None = value("The sector it works in; `OTHER` by default.")
    address: AddressInput | None = value("Where it is.")


@strawberry.input(description="A location.")
class LocationInput:
    """`gloo.locations.create`."""

    name: str | None = value("Name, at most 200 characters; the organization's by default.", blank=False)
    address: AddressInput | None = value("Where it is.")


@strawberry.input(description="A user.")
class UserInput:
    """`fit.users.create`, with the profile fields that FIT, Gloo and Welkin show."""

    email: EmailAddress = required("E-mail to sign in with; unique among all users, whatever the case.", longest=254)
    full_name: str | None = value(
        "Full name, at most 200 characters; of its words the last becomes the last name, those before it the first"
        " name. Not together with `firstName` or `lastName`.",
        blank=False,
    )
    first_name: str | None = value(
        "First name. The full name follows: first and last name, at most 200 characters together."
    )
    last_name: str | None = value("Last name; null for a person who has one name only.")
    password: str | None = value(
        "Password, 8 to 200 characters. A new one revokes all tokens. A user without one cannot `authenticate`.",
        shortest=8,
        blank=False,
    )
    gdpr_approval: bool | None = value("Whether the user approved data processing; false by default.")
    locale: str | None = value("Language tag, such as `da`.", longest=35)
    time_zone: str | None = value("IANA time zone, such as `Europe/Copenhagen`.", longest=64, check=time_zone_problem)
    phone: PhoneNumber | None = value(
        "Telephone number at work with its country code; kept as E.164, such as `+4512345678`.", check=phone_problem
    )
    gender: StaffGender | None = value("Gender; `UNKNOWN` by default.")
    photo_url: Url | None = value("Address of a picture.", longest=2048)
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
