"""`fit.authentication.*`. What signing in means beyond its document is in `tests/organizations/test_sign_in.py`."""

from unittest.mock import ANY

import pytest

from caregraph.auth.secrets import Passwords
from caregraph.organizations.models import User
from contract.asserts import changes
from kit import PASSWORD, Principal, World


async def _give_password(principal: Principal) -> None:
    async with principal.world.writing(principal) as tx:
        user = await tx.get_one(User, principal.row_id)
        user.password_hash = await Passwords(memory=8, passes=1).hash(PASSWORD)


async def test_get_token_gives_a_token_that_works(world: World) -> None:
    await _give_password(world.user)

    async with changes(world) as found:
        answer = await world.nobody.run(
            "fit.authentication.get_token", email="ben@northfield.example", password=PASSWORD
        )

    assert answer.result == {"apiToken": ANY, "errors": []}
    assert found == {"api_tokens": 1}
    ben = Principal(world, "Ben", {"X-Api-Email": "ben@northfield.example", "X-Api-Token": answer.result["apiToken"]})
    assert (await ben.run("fit.users.get_me")).result["id"] == world.user.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": f"{PASSWORD} "},
        {"email": "nobody@northfield.example"},
        {"email": "ada@northfield.example"},
        {"email": ""},
    ],
)
async def test_get_token_refuses_a_wrong_combination(world: World, wrong: dict[str, str]) -> None:
    await _give_password(world.user)

    async with changes(world) as found:
        answer = await world.nobody.run(
            "fit.authentication.get_token", **{"email": "ben@northfield.example", "password": PASSWORD, **wrong}
        )

    assert answer.error == ("UNAUTHENTICATED", "Authentication failed")
    assert answer.body["data"] == {"result": None}
    assert found == {}


@pytest.mark.parametrize("argument", ["email", "password"])
@pytest.mark.parametrize(
    ("absent", "message"),
    [
        (True, "Expected a value of non-null type 'String!' to be provided."),
        (False, "Expected value of non-null type 'String!' not to be None."),
    ],
)
async def test_get_token_needs_both(world: World, argument: str, absent: bool, message: str) -> None:
    sent = {"email": "ben@northfield.example", "password": PASSWORD, argument: None}

    answer = await world.nobody.run(
        "fit.authentication.get_token", **{name: value for name, value in sent.items() if value or not absent}
    )

    assert answer.error == ("BAD_USER_INPUT", f"Variable '${argument}' has invalid value: {message}")
    assert "data" not in answer.body
