"""What callers send to create and change what belongs to treatment."""

from datetime import date, datetime
from typing import Any

import strawberry

from caregraph.graph.inputs import LONGEST_TEXT, required, value
from caregraph.graph.scalars import EmailAddress, PhoneNumber

from .enums import EpisodeStatus


@strawberry.input(description="An episode of care.")
class EpisodeInput:
    """`fit.episodes.create`."""

    title: str = required("Title, at most 200 characters.")
    start_date: date = required("First day.")
    end_date: date | None = value("Last day, not before the first; null while open.")
    status: EpisodeStatus | None = value("How it stands; `ONGOING` by default.")
    phone: PhoneNumber | None = value("The client's telephone number for this episode.")
    comment: str | None = value("Free text, at most 10000 characters.", longest=LONGEST_TEXT)
    group_srs: bool | None = value("Whether sessions are group sessions; false by default.")


@strawberry.input(description="A collateral rater.")
class RaterInput:
    """`fit.raters.create`."""

    full_name: str = required("Full name, at most 200 characters.")
    email: EmailAddress | None = value("E-mail address.")
    comment: str | None = value("Free text, at most 10000 characters.", longest=LONGEST_TEXT)


@strawberry.input(description="A session.")
class SessionInput:
    """`fit.sessions.create`."""

    session_date: date = required("Day of the session.")


def _line(about: str) -> Any:
    return required(f"{about} 0 to 10.", minimum=0, maximum=10)


@strawberry.input(description="An ORS score: all four lines.")
class OrsScoreInput:
    """`fit.ors_scores.create_client`."""

    individually: float = _line("Personal well-being.")
    interpersonally: float = _line("Family and close relationships.")
    socially: float = _line("Work, school, friendships.")
    overall: float = _line("General sense of well-being.")


@strawberry.input(description="An SRS score: all four lines.")
class SrsScoreInput:
    """`fit.srs_scores.create_client`."""

    relationship: float = _line("Relationship with the therapist.")
    goals_and_topics: float = _line("Agreement on goals and topics.")
    approach_or_method: float = _line("Fit of the approach or method.")
    overall: float = _line("The session as a whole.")


@strawberry.input(description="Metered access to the calculator.")
class CalculatorPlanInput:
    """Its token is made by the server."""

    email: EmailAddress = required("E-mail that is sent with the token, in any case.", longest=254)
    remaining_requests: int = required("Requests that it may still make, 0 to 999999.", minimum=0, maximum=999_999)
    expires_at: datetime | None = value("When its credentials end; null, the default: never.")
