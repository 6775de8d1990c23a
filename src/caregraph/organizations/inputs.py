"""What callers send to create and change users."""

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
