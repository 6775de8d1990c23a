"""`fit.calculator.*`: a trajectory from an intake, paid by request."""

import asyncio

import pytest

from kit import World


async def test_each_successful_request_uses_up_one(world: World) -> None:
    before = await world.calculator.run("fit.calculator.remaining_requests")

    answer = await world.calculator.run("fit.calculator.ors_trajectory", intake=20, sessionCount=3)

    assert before.result == 3
    assert answer.result == {
        "trajectory": {
            "expected": [20.0, pytest.approx(23.049732866), pytest.approx(24.936856912)],
            "successful": [20.0, pytest.approx(19.92, abs=0.005), pytest.approx(21.33, abs=0.005)],
            "unsuccessful": [20.0, pytest.approx(15.03, abs=0.005), pytest.approx(15.53, abs=0.005)],
        },
        "remainingRequests": 2,
        "errors": [],
    }
    assert (await world.calculator.run("fit.calculator.remaining_requests")).result == 2


@pytest.mark.parametrize(
    ("variables", "message", "path"),
    [
        ({"intake": 40.5, "sessionCount": 3}, "must be between 0 and 40", ["intake"]),
        ({"intake": -0.1, "sessionCount": 3}, "must be between 0 and 40", ["intake"]),
        ({"intake": 20, "sessionCount": 0}, "must be between 1 and 1000", ["sessionCount"]),
        ({"intake": 20, "sessionCount": 1001}, "must be between 1 and 1000", ["sessionCount"]),
    ],
)
async def test_a_refused_request_uses_up_none(world: World, variables: dict, message: str, path: list[str]) -> None:
    answer = await world.calculator.run("fit.calculator.ors_trajectory", **variables)

    assert answer.result == {
        "trajectory": None,
        "remainingRequests": None,
        "errors": [{"code": "INVALID", "message": message, "path": path}],
    }
    assert (await world.calculator.run("fit.calculator.remaining_requests")).result == 3


async def test_the_bounds_themselves_are_accepted(world: World) -> None:
    low = await world.calculator.run("fit.calculator.ors_trajectory", intake=0, sessionCount=1)
    high = await world.calculator.run("fit.calculator.ors_trajectory", intake=40, sessionCount=1000)

    assert low.result["trajectory"] == {"expected": [0.0], "successful": [0.0], "unsuccessful": [0.0]}
    assert len(high.result["trajectory"]["expected"]) == 1000


async def test_simultaneous_requests_never_spend_more_than_there_is(world: World) -> None:
    asked = [world.calculator.run("fit.calculator.ors_trajectory", intake=20, sessionCount=1) for _ in range(5)]
    answers = [answer.result for answer in await asyncio.gather(*asked)]

    spent = sorted(answer["remainingRequests"] for answer in answers if not answer["errors"])
    refused = [answer["errors"] for answer in answers if answer["errors"]]
    assert spent == [0, 1, 2]
    assert refused == [[{"code": "LIMIT", "message": "No requests are left on this plan", "path": None}]] * 2
    assert (await world.calculator.run("fit.calculator.remaining_requests")).result == 0


async def test_the_calculator_is_for_calculator_credentials(world: World) -> None:
    for principal, error in (
        (world.nobody, ("UNAUTHENTICATED", "Authentication failed")),
        (world.superuser, ("FORBIDDEN", "Access denied")),
    ):
        asked = await principal.run("fit.calculator.ors_trajectory", intake=20, sessionCount=1)
        left = await principal.run("fit.calculator.remaining_requests")
        assert (asked.error, left.error) == (error, error)


async def test_calculator_credentials_open_nothing_else(world: World) -> None:
    query = "{ clients { totalCount } }"

    assert (await world.calculator.ask(query)).error == ("FORBIDDEN", "Access denied")


async def test_wrong_calculator_credentials_are_refused(world: World) -> None:
    headers = {**world.calculator.headers, "X-Calculator-Token": "wrong"}

    response = await world.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)

    assert response.status_code == 401
    assert response.json() == {
        "errors": [{"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}]
    }
