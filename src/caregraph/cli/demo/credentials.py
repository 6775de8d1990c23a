"""Ready-made credentials: made anew at every start, so that those of an earlier demo end with it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, select, update

from caregraph.auth.secrets import new_token, token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db.session import Database, Tx
from caregraph.http.playground import Principal
from caregraph.organizations.models import ApiToken, User
from caregraph.treatment.models import CalculatorPlan

from .plan import OrganizationPlan, Staff

_CALCULATOR_REQUESTS = 1_000


async def issue(
    database: Database, loaded: Sequence[tuple[int, OrganizationPlan]], password_hash: str
) -> list[Principal]:
    """Tokens for a superuser and an ordinary user of each organization, and the calculator of the first.

    `loaded` are the organizations by id. The users also get the password behind `password_hash`.
    """
    principals = []
    for prefix, (organization_id, plan) in zip(("", "other_"), loaded, strict=True):
        async with database.writing(Viewer.system(organization_id)) as tx:
            for name, staff in (("superuser", plan.superuser), ("user", plan.user)):
                headers = await _sign_in(tx, staff, password_hash)
                principals.append(Principal(prefix + name, plan.name, headers))
            if not prefix:
                headers = await _calculator(tx, plan.calculator_email)
                principals.append(Principal("calculator", plan.name, headers))
    return principals


async def _sign_in(tx: Tx, staff: Staff, password_hash: str) -> dict[str, str]:
    user_id = (await tx.scalars(select(User.id).where(User.email == staff.email))).one()
    await tx.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
    await tx.execute(delete(ApiToken).where(ApiToken.user_id == user_id))
    token = new_token()
    tx.add(ApiToken(user_id=user_id, token_hash=token_hash(token)))
    return {"X-Api-Email": staff.email, "X-Api-Token": token}


async def _calculator(tx: Tx, email: str) -> dict[str, str]:
    """Make the plan anew."""
    token = new_token()
    await tx.execute(delete(CalculatorPlan).where(CalculatorPlan.email == email))
    tx.add(CalculatorPlan(email=email, token_hash=token_hash(token), remaining_requests=_CALCULATOR_REQUESTS))
    return {"X-Calculator-Email": email, "X-Calculator-Token": token}


def write(file: Path, url: str, principals: Sequence[Principal]) -> None:
    """Write the credentials for programs to read. Only the owner may read the file, from its first byte."""
    content = {"url": url, "principals": [vars(one) | {"headers": dict(one.headers)} for one in principals]}
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False)
    temporary.replace(file)
