"""Every attack is refused with its code and its limit, and no SQL is sent."""

import pytest
from bench_attacks import ATTACKS, Attack

from kit import World


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_is_refused_before_any_sql(world: World, attack: Attack) -> None:
    headers = {"content-type": "application/json", **world.superuser.headers}

    with world.statements() as statements:
        response = await world.http.post("/graphql", content=attack.body, headers=headers)

    (error,) = response.json()["errors"]
    assert (error["extensions"]["code"], error["message"]) == (attack.code, attack.message)
    assert response.status_code == attack.status
    assert statements == []
