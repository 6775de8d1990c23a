"""A client with everything that a document can include, and how each documented level of it looks."""

from datetime import date
from typing import Any

from caregraph.graph.node import global_id
from caregraph.people.enums import Gender
from caregraph.people.models import Client
from contract.asserts import included
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal

LEVELS = ("Episodes", "Raters", "Sessions", "Scores")

CLIENT = {
    "id": global_id("Client", 1),
    "fullName": "Kim Client",
    "alias": "KC",
    "ssn": "010190-1234",
    "birthDate": "1990-01-01",
    "gender": "TRANSGENDER",
    "phone": "+45 12 34 56 78",
    "comment": "Prefers mornings",
    "gdprApproval": True,
}
LABEL = {"id": global_id("Label", 1), "name": "Winter"}
EPISODE = {
    "id": global_id("Episode", 1),
    "title": "Course of care",
    "startDate": "2026-01-05",
    "endDate": "2026-03-02",
    "status": "ONGOING",
    "phone": "12345678",
    "comment": "Weekly",
    "groupSrs": False,
    "labels": [LABEL],
}
RATER = {"id": global_id("Rater", 1), "fullName": "Robin Rater", "email": "robin@home.example", "comment": "Sister"}
SESSION = {"id": global_id("Session", 1), "sessionDate": "2026-01-12"}
ORS_SCORES = [
    {
        "id": global_id("OrsScore", 1),
        "individually": 4.5,
        "interpersonally": 5.0,
        "socially": 6.25,
        "overall": 7.0,
        "total": 22.75,
    },
    {
        "id": global_id("OrsScore", 2),
        "individually": 3.0,
        "interpersonally": 3.0,
        "socially": 3.0,
        "overall": 3.0,
        "total": 12.0,
    },
]
SRS_SCORES = [
    {
        "id": global_id("SrsScore", 3),
        "relationship": 9.0,
        "goalsAndTopics": 8.5,
        "approachOrMethod": 8.0,
        "overall": 10.0,
        "total": 35.5,
    }
]


EPISODES = {
    "Episodes": included(EPISODE),
    "Raters": included({**EPISODE, "raters": [RATER]}),
    "Sessions": included({**EPISODE, "raters": [RATER], "sessions": included(SESSION)}),
    "Scores": included(
        {
            **EPISODE,
            "raters": [RATER],
            "sessions": included({**SESSION, "orsScores": ORS_SCORES, "srsScores": SRS_SCORES}),
        }
    ),
}


async def make_course(owner: Principal, *others: Principal) -> Client:
    """The client of this page, in an empty database."""
    client = await make_client(
        owner,
        *others,
        alias="KC",
        ssn="010190-1234",
        birth_date=date(1990, 1, 1),
        gender=Gender.TRANSGENDER,
        phone="+45 12 34 56 78",
        comment="Prefers mornings",
        gdpr_approval=True,
    )
    label = await make_label(owner, "Winter", client)
    episode = await make_episode(
        owner, client, labels=(label,), end_date=date(2026, 3, 2), phone="12345678", comment="Weekly"
    )
    rater = await make_rater(owner, episode, client, email="robin@home.example", comment="Sister")
    session = await make_session(owner, episode, date(2026, 1, 12))
    await make_ors(owner, session, client, 4.5, 5, 6.25, 7)
    await make_ors(owner, session, client, 3, 3, 3, 3, rater=rater)
    await make_srs(owner, session, client, 9, 8.5, 8, 10)
    return client


def including(*words: str) -> dict[str, bool]:
    """The variables that switch includes on."""
    return {f"include{word}": True for word in words}


def member(principal: Principal, *roles: str, **known: Any) -> dict[str, Any]:
    """A user as a superuser of the same organization sees one: all null of whom little is `known`."""
    return {
        "id": principal.id,
        "organization": {"id": global_id("Organization", principal.organization_id)},
        "email": principal.headers["X-Api-Email"],
        "fullName": principal.name,
        "gdprApproval": False,
        "locale": None,
        "roles": list(roles),
        "screenLockAfterScore": False,
        "screenLockCode": None,
        "screenLockTimeout": None,
        "timeZone": None,
        **known,
    }
