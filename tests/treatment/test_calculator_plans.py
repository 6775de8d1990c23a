"""Plans for the calculator: who makes them, and when their credentials end."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import update

from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.treatment.models import CalculatorPlan
from contract.asserts import changes
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
FAILED = ("UNAUTHENTICATED", "Authentication failed")
FIELDS = "id email remainingRequests expiresAt revokedAt"
CREATE = f"""mutation($input: CalculatorPlanInput!) {{
  result: createCalculatorPlan(input: $input) {{ node {{ {FIELDS} }} secret errors {{ code message path }} }}
}}"""
UPDATE = f"""mutation($id: ID!, $input: CalculatorPlanPatch!) {{
  result: updateCalculatorPlan(id: $id, input: $input) {{ node {{ {FIELDS} }} errors {{ code message path }} }}
}}"""
ROTATE = f"""mutation($id: ID!) {{
  result: rotateCalculatorCredentials(id: $id) {{ node {{ {FIELDS} }} secret errors {{ code message path }} }}
}}"""
REVOKE = f"""mutation($id: ID!) {{
  result: revokeCalculatorCredentials(id: $id) {{ node {{ {FIELDS} }} errors {{ code message path }} }}
}}"""
LIST = "{ result: calculatorPlans { totalCount nodes { email remainingRequests } } }"
LEFT = "{ result: remainingCalculatorRequests }"
PLAN = global_id("CalculatorPlan", 1)


async def left(world: World, email: str, token: str) -> Answer:
    headers = {"X-Calculator-Email": email, "X-Calculator-Token": token}
    return await Principal(world, "calculator", headers).ask(LEFT)


async def test_a_new_plan_comes_with_a_token_shown_this_once(world: World) -> None:
    async with changes(world) as found:
        made = await world.superuser.ask(CREATE, input={"email": "Sums@Example.org", "remainingRequests": 5})

    secret = made.result["secret"]
    node = {
        "id": global_id("CalculatorPlan", 2),
        "email": "sums@example.org",
        "remainingRequests": 5,
        "expiresAt": None,
        "revokedAt": None,
    }
    assert made.result == {"node": node, "secret": secret, "errors": []}
    assert found == {"calculator_plans": 1}
    assert (await left(world, "SUMS@example.org", secret)).result == 5
    assert (await world.superuser.ask(LIST)).result == {
        "totalCount": 2,
        "nodes": [
            {"email": "calc@northfield.example", "remainingRequests": 3},
            {"email": "sums@example.org", "remainingRequests": 5},
        ],
    }


@pytest.mark.parametrize("requests", [-1, 1_000_000])
async def test_an_impossible_number_of_requests_is_refused(world: World, requests: int) -> None:
    error = {"code": "INVALID", "message": "must be between 0 and 999999", "path": ["input", "remainingRequests"]}

    async with changes(world) as found:
        made = await world.superuser.ask(CREATE, input={"email": "a@b.example", "remainingRequests": requests})
        changed = await world.superuser.ask(UPDATE, id=PLAN, input={"remainingRequests": requests})
    assert made.result == {"node": None, "secret": None, "errors": [error]}
    assert changed.result == {"node": None, "errors": [error]}
    assert found == {}


async def test_a_plan_is_topped_up(world: World) -> None:
    answer = await world.superuser.ask(UPDATE, id=PLAN, input={"remainingRequests": 100})

    assert answer.result["node"]["remainingRequests"] == 100
    assert (await world.calculator.ask(LEFT)).result == 100


async def test_credentials_end_with_their_time(world: World) -> None:
    later = (now() + timedelta(hours=1)).isoformat()
    await world.superuser.ask(UPDATE, id=PLAN, input={"expiresAt": later})
    assert (await world.calculator.ask(LEFT)).result == 3

    async with world.writing(world.superuser) as tx:
        await tx.execute(update(CalculatorPlan).values(expires_at=now() - timedelta(seconds=2)))
    assert ((await world.calculator.ask(LEFT)).status, (await world.calculator.ask(LEFT)).error) == (401, FAILED)

    await world.superuser.ask(UPDATE, id=PLAN, input={"expiresAt": None})
    assert (await world.calculator.ask(LEFT)).result == 3


async def test_revoked_credentials_are_dead_until_there_are_new_ones(world: World) -> None:
    revoked = (await world.superuser.ask(REVOKE, id=PLAN)).result
    assert revoked == {"node": {"id": PLAN, **_plan(revokedAt=ANY)}, "errors": []}
    assert revoked["node"]["revokedAt"] is not None
    assert (await world.calculator.ask(LEFT)).error == FAILED

    again = (await world.superuser.ask(REVOKE, id=PLAN)).result
    rotated = (await world.superuser.ask(ROTATE, id=PLAN)).result

    assert again == revoked
    assert rotated == {"node": {"id": PLAN, **_plan()}, "secret": rotated["secret"], "errors": []}
    assert (await left(world, "calc@northfield.example", rotated["secret"])).result == 3
    assert (await world.calculator.ask(LEFT)).error == FAILED


def _plan(**values: Any) -> dict[str, Any]:
    plain = {"email": "calc@northfield.example", "remainingRequests": 3, "expiresAt": None, "revokedAt": None}
    return {**plain, **values}


async def test_new_credentials_end_the_old_ones_and_keep_what_is_left(world: World) -> None:
    rotated = (await world.superuser.ask(ROTATE, id=PLAN)).result

    assert (await world.calculator.ask(LEFT)).error == FAILED
    assert (await left(world, "calc@northfield.example", rotated["secret"])).result == 3
    assert (await left(world, "other@northfield.example", rotated["secret"])).error == FAILED


async def test_plans_are_for_superusers_of_the_organization(world: World) -> None:
    operations: list[tuple[str, dict[str, Any]]] = [
        (CREATE, {"input": {"email": "a@b.example", "remainingRequests": 1}}),
        (UPDATE, {"id": PLAN, "input": {"remainingRequests": 9}}),
        (ROTATE, {"id": PLAN}),
        (REVOKE, {"id": PLAN}),
        (LIST, {}),
    ]

    async with changes(world) as found:
        for query, variables in operations:
            for principal in (world.user, world.calculator):
                assert (await principal.ask(query, **variables)).error == FORBIDDEN
            assert (await world.nobody.ask(query, **variables)).error == FAILED
        for query, variables in operations[1:4]:
            answer = await world.other_superuser.ask(query, **variables)
            missing = {"code": "NOT_FOUND", "message": "CalculatorPlan not found", "path": ["id"]}
            assert answer.result["errors"] == [missing]
        assert (await world.other_superuser.ask(LIST)).result == {"totalCount": 0, "nodes": []}
    assert found == {}
    assert (await world.calculator.ask(LEFT)).result == 3
