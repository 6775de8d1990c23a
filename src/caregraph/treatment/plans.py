"""Plans for the calculator: made, topped up, given new credentials and ended by superusers."""

from caregraph.auth.secrets import new_token, token_hash
from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.actions import Minted
from caregraph.graph.inputs import Changes, given
from caregraph.graph.resource import apply

from . import models
from .inputs import CalculatorPlanInput


async def create_plan(tx: Tx, input: CalculatorPlanInput) -> Minted:  # noqa: A002
    """Make a plan for the calculator; its token, for `X-Calculator-Token`, is shown this once."""
    plan = models.CalculatorPlan(**_storable(given(input)))
    return await _with_token(tx, plan)


async def update_plan(
    tx: Tx,
    plan: models.CalculatorPlan,
    input: Changes[CalculatorPlanInput],  # noqa: A002
) -> models.CalculatorPlan:
    """Change a plan: give it more requests, or another end."""
    apply(plan, Changes(_storable(input)))
    await tx.flush()
    return plan


async def rotate_credentials(tx: Tx, plan: models.CalculatorPlan) -> Minted:
    """Give a plan a new token, shown this once; the one until now ends at once. A revoked plan works again."""
    plan.revoked_at = None
    return await _with_token(tx, plan)


async def revoke_credentials(tx: Tx, plan: models.CalculatorPlan) -> models.CalculatorPlan:
    """End a plan's credentials at once. `rotateCalculatorCredentials` gives new ones."""
    plan.revoked_at = plan.revoked_at or now()
    await tx.flush()
    return plan


async def _with_token(tx: Tx, plan: models.CalculatorPlan) -> Minted:
    token = new_token()
    plan.token_hash = token_hash(token)
    tx.add(plan)
    await tx.flush()
    return Minted(plan, token)


def _storable(values: dict[str, object]) -> dict[str, object]:
    """E-mails are looked up case-folded."""
    return {name: one.casefold() if name == "email" and isinstance(one, str) else one for name, one in values.items()}
