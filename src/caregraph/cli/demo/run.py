"""The demo from an empty database to credentials."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caregraph.auth.secrets import Passwords
from caregraph.auth.viewer import today
from caregraph.db import migrate
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.http.playground import Principal
from caregraph.settings import Settings

from . import credentials
from .care import dataset
from .load import analyze, load
from .plan import OrganizationPlan, Scale, organizations
from .questionnaires import answer_instruments

Progress = Callable[[str, int, int], object]
"""Hears whose rows go in, how many just went in, and how many there are in all."""


@dataclass(frozen=True)
class Demo:
    """What a visitor needs."""

    principals: Sequence[Principal]
    password: str
    organizations: Sequence[OrganizationPlan]


async def prepare(settings: Settings, scale: Scale, progress: Progress) -> Demo:
    """Migrate, load what is not there yet, and make fresh credentials."""
    database = Database(settings)
    try:
        await migrate.upgrade(database)
        password = secrets.token_urlsafe(9)
        passwords = Passwords(memory=settings.password_memory, passes=settings.password_passes)
        password_hash = await passwords.hash(password)
        plans = organizations(scale)
        loaded = [(await _present(database, plan, password_hash, progress), plan) for plan in plans]
        return Demo(await credentials.issue(database, loaded, password_hash), password, plans)
    finally:
        await database.close()


async def _present(database: Database, plan: OrganizationPlan, password_hash: str, progress: Progress) -> int:
    """The id of the plan's organization, which is known by its superuser's e-mail and loaded only once."""
    account = await SignInLookups(database).account(plan.superuser.email)
    if account is not None:
        return account.organization_id
    rows = dataset(plan, today(), password_hash)
    progress(plan.name, 0, rows.row_count)
    organization_id = await load(database, rows, lambda count: progress(plan.name, count, rows.row_count))
    await answer_instruments(database, organization_id, plan)
    await analyze(database)
    return organization_id
