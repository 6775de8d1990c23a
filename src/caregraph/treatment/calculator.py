"""The metered calculator: a trajectory from an intake alone, paid by request."""

from typing import Annotated, Any

import strawberry
from sqlalchemy import select, update

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused, UserError
from caregraph.graph.fields import describe, field
from caregraph.scoring import trajectories
from caregraph.scoring.measures import ORS

from . import models
from .charts import Trajectory, predicted


@strawberry.type(description="What the calculator answers.")
class CalculatorPayload:
    """`fit.calculator.ors_trajectory`."""

    trajectory: Trajectory | None = field("The trajectory; null when refused.")
    remaining_requests: int | None = field("Requests left after this one; null when refused.")
    errors: list[UserError] = field("Why there is no trajectory; empty when there is.")


async def ors_trajectory(
    tx: Tx,
    viewer: Viewer,
    intake: Annotated[float, describe(f"First ORS, 0 to {ORS.maximum:g}.")],
    session_count: Annotated[int, describe(f"Sessions to predict, 1 to {trajectories.MAXIMUM_SESSIONS}.")],
) -> dict[str, Any]:
    """Predict the ORS from an intake; a mutation, since it uses up one request (`fit.calculator.ors_trajectory`).

    Refused requests use up none. With none left: `LIMIT`.
    """
    if not 0 <= intake <= ORS.maximum:
        raise Refused(Code.INVALID, f"must be between 0 and {ORS.maximum:g}", "intake")
    if not 1 <= session_count <= trajectories.MAXIMUM_SESSIONS:
        raise Refused(Code.INVALID, f"must be between 1 and {trajectories.MAXIMUM_SESSIONS}", "sessionCount")
    plan = models.CalculatorPlan
    spent = await tx.execute(
        update(plan)
        .where(plan.id == viewer.calculator_plan_id, plan.remaining_requests > 0)
        .values(remaining_requests=plan.remaining_requests - 1)
        .returning(plan.remaining_requests)
    )
    remaining = spent.scalar_one_or_none()
    if remaining is None:
        raise Refused(Code.LIMIT, "No requests are left on this plan")
    return {"trajectory": predicted(intake, session_count), "remaining_requests": remaining}


async def remaining_requests(context: Context, _root: None) -> int | None:
    """Requests left on the calculator plan; asking is free (`fit.calculator.remaining_requests`)."""
    plan = models.CalculatorPlan
    left = await context.run_unscoped(
        select(plan.remaining_requests).where(plan.id == context.viewer.calculator_plan_id)
    )
    found: int | None = left.scalar_one_or_none()
    return found
