"""Rows of users and clients, of who works with whom, and of labels."""

from typing import TypeVar

import numpy as np

from caregraph.organizations.models import Membership, User
from caregraph.people.enums import Gender

from . import names
from .caseload import Caseload
from .dataset import Calendar, Floats, Row
from .plan import OrganizationPlan

T = TypeVar("T")

_GENDERS = (Gender.FEMALE, Gender.MALE, Gender.UNKNOWN, Gender.TRANSGENDER)
_GENDER_SHARES = (0.51, 0.43, 0.03, 0.03)
_DAYS_OF_YEAR = 365.25
_FOUNDED = -4 * 365
"""Day on which users and labels were recorded."""


def pick(options: tuple[T, ...], rng: np.random.Generator) -> T:
    """One of `options`."""
    return options[rng.integers(len(options))]


def happens(share: float, rng: np.random.Generator) -> bool:
    """True in `share` of the cases."""
    return bool(rng.random() < share)


def perhaps(share: float, value: T, rng: np.random.Generator) -> T | None:
    """`value` in `share` of the cases."""
    return value if happens(share, rng) else None


def users(plan: OrganizationPlan, calendar: Calendar, password_hash: str) -> dict[type, list[Row]]:
    """The staff as users and memberships. They share one password hash: each costs a tenth of a second to make."""
    people, memberships = [], []
    for position, one in enumerate(plan.staff):
        created_at = calendar.instant(_FOUNDED, 9 * 60 + position)
        people.append(
            {
                "email": one.email,
                "full_name": one.full_name,
                "password_hash": password_hash,
                "api_enabled": one.api_enabled,
                "gdpr_approval": True,
                "locale": "en",
                "time_zone": "Europe/Copenhagen",
                "created_at": created_at,
            }
        )
        memberships.append(
            {
                "user_id": position,
                "is_superuser": one.is_superuser,
                "is_auditor": one.is_auditor,
                "is_disabled": one.is_disabled,
                "created_at": created_at,
            }
        )
    return {User: people, Membership: memberships}


def labels(plan: OrganizationPlan, calendar: Calendar) -> list[Row]:
    """The organization's labels."""
    return [
        {"name": name, "created_at": calendar.instant(_FOUNDED, 10 * 60 + position)}
        for position, name in enumerate(plan.labels)
    ]


def labelled(rows: int, column: str, labels: int, rng: np.random.Generator) -> list[Row]:
    """Links from rows to none, one or two labels, some labels being far more common than others."""
    popularity = 1.0 / np.arange(1, labels + 1)
    counts = rng.choice(3, rows, p=(0.4, 0.42, 0.18))
    return [
        {column: row, "label_id": int(label)}
        for row in range(rows)
        for label in rng.choice(labels, counts[row], replace=False, p=popularity / popularity.sum())
    ]


def clients(plan: OrganizationPlan, load: Caseload, rng: np.random.Generator) -> list[Row]:
    """The clients, recorded on the day their care began."""
    first_day = rng.integers(-900, 0, plan.clients)
    np.minimum.at(first_day, load.place_client, load.episode_start[load.place_episode])
    ages = _ages(plan.clients, rng)
    rows = [
        _client(position, int(first_day[position]), float(ages[position]), load.calendar, rng)
        for position in range(plan.clients)
    ]
    _share_family_names(rows, load)
    return rows


def _ages(count: int, rng: np.random.Generator) -> Floats:
    """Years of age when care began: a third children, a few over 65, so that none is younger than 6 or past 85."""
    group = rng.choice(3, count, p=(0.34, 0.57, 0.09))
    return rng.uniform(np.array((6.1, 18.0, 65.0))[group], np.array((18.0, 65.0, 82.0))[group])


def _client(position: int, first_day: int, age: float, calendar: Calendar, rng: np.random.Generator) -> Row:
    full_name, gender = _name(_GENDERS[rng.choice(len(_GENDERS), p=_GENDER_SHARES)], rng)
    born = calendar.day(first_day - int(age * _DAYS_OF_YEAR))
    return {
        "full_name": full_name,
        "alias": perhaps(0.08, f"{full_name.split(' ')[0]} {position % 9 + 1}", rng),
        "ssn": perhaps(0.4, f"DEMO-{position + 1:06d}", rng),
        "birth_date": perhaps(0.97, born, rng),
        "gender": gender,
        "phone": perhaps(0.7, phone(rng), rng),
        "comment": perhaps(0.15, pick(names.CLIENT_COMMENTS, rng), rng),
        "gdpr_approval": happens(0.9, rng),
        "created_at": calendar.instant(first_day, int(rng.integers(8 * 60, 17 * 60))),
    }


def _name(gender: Gender, rng: np.random.Generator) -> tuple[str, Gender]:
    if happens(0.03, rng):
        return pick(names.OTHER_SCRIPTS, rng)
    both = names.GIVEN_FEMALE + names.GIVEN_MALE
    given = {Gender.FEMALE: names.GIVEN_FEMALE, Gender.MALE: names.GIVEN_MALE}.get(gender, both)
    return f"{pick(given, rng)} {pick(names.FAMILY, rng)}", gender


def _share_family_names(rows: list[Row], load: Caseload) -> None:
    """Clients who share an episode are mostly of one family."""
    episodes = len(load.episode_start)
    for episode, partner in zip(load.place_episode[episodes:], load.place_client[episodes:], strict=True):
        family = rows[load.first_client[episode]]["full_name"].partition(" ")[2]
        if family.isascii():
            rows[partner]["full_name"] = f"{rows[partner]['full_name'].partition(' ')[0]} {family}"


def phone(rng: np.random.Generator) -> str:
    """A number from the ranges that regulators keep for fiction: none of them rings anywhere."""
    if happens(0.6, rng):
        return f"+44 7700 900{rng.integers(1000):03d}"
    return f"+1 {pick(('206', '312', '415', '617'), rng)} 555 01{rng.integers(100):02d}"


def owners(plan: OrganizationPlan, rng: np.random.Generator) -> list[Row]:
    """One to three users for each client; some users have many clients, the one who left has a few."""
    weights = rng.uniform(0.4, 1.6, len(plan.staff))
    weights[plan.staff.index(plan.user)] = 1.5
    for position, one in enumerate(plan.staff):
        if one.is_disabled or one.is_superuser or one.is_auditor:
            weights[position] *= 0.25
    counts = 1 + rng.choice(3, plan.clients, p=(0.72, 0.22, 0.06))
    return [
        {"client_id": client, "user_id": int(user)}
        for client in range(plan.clients)
        for user in rng.choice(len(plan.staff), counts[client], replace=False, p=weights / weights.sum())
    ]
