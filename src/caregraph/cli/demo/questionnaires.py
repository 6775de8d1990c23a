"""Instruments of the library in a demo organization, answered by some of its clients month by month."""

from datetime import timedelta

import numpy as np
from sqlalchemy import select

from caregraph.assessments.answer_inputs import AnswerSetInput
from caregraph.assessments.answers import create_answer_set
from caregraph.assessments.instruments import install_instrument
from caregraph.assessments.models import Assessment
from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.session import Database, Tx
from caregraph.graph.scalars import Json
from caregraph.organizations.models import User
from caregraph.people.models import Client, ClientOwner
from caregraph.scoring.instruments import instrument

from .plan import OrganizationPlan

_KEYS = ("phq_9", "gad_7", "dass_21")
_CLIENTS = 6
_TIMES = 3
_MONTH = timedelta(days=30)


async def answer_instruments(database: Database, organization_id: int, plan: OrganizationPlan) -> None:
    """Install instruments, and let clients of the demo's user answer them."""
    viewer, rng = Viewer.system(organization_id), np.random.default_rng(plan.seed)
    async with database.writing(viewer) as tx:
        installed = {key: await install_instrument(tx, viewer, key) for key in _KEYS}
        owned = (
            select(Client)
            .join(ClientOwner, ClientOwner.client_id == Client.id)
            .join(User, User.id == ClientOwner.user_id)
            .where(User.email == plan.user.email, Client.erased_at.is_(None))
            .order_by(Client.id)
            .limit(_CLIENTS)
        )
        for client in list(await tx.scalars(owned)):
            for key in _KEYS[: int(rng.integers(1, len(_KEYS) + 1))]:
                await _answer(tx, (key, installed[key]), client, rng)


async def _answer(tx: Tx, asked: tuple[str, Assessment], client: Client, rng: np.random.Generator) -> None:
    """Answers that ease off from one month to the next."""
    key, assessment = asked
    level = rng.uniform(0.3, 0.9)
    for month in reversed(range(_TIMES)):
        model = {}
        for item in instrument(key).items:
            place = rng.normal(level, 0.2) * len(item.options)
            model[item.key] = item.options[int(np.clip(place, 0, len(item.options) - 1))].value
        made = await create_answer_set(tx, assessment, client, AnswerSetInput(model=Json(model)))
        made.completed_at = made.created_at = now() - month * _MONTH
        level *= rng.uniform(0.6, 1.05)
    await tx.flush()
