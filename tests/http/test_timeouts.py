"""Statements and operations that take too long: ended with a code, others unharmed, the pool whole."""

import pytest
from slowness import checked_out, endless

from factories.people import make_client
from kit import World

CLIENTS = "{ me { email } clients { totalCount } }"
CREATE = 'createClient(input: {fullName: "Late"}) { node { id } errors { code } }'


@pytest.fixture
def limits() -> dict[str, float]:
    return {"statement_timeout": 0.2}


@pytest.fixture
async def hurried(url: str, world: World, limits: dict[str, float]) -> World:
    """The world with little time."""
    await world.restart(**limits)
    return world


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"statement_timeout": 0.2}, "The database took too long"),
        ({"operation_timeout": 0.2}, "The operation took too long"),
    ],
    ids=["statement", "operation"],
)
async def test_a_read_that_takes_too_long_is_ended(hurried: World, message: str) -> None:
    with endless(hurried, "FROM clients"):
        answer = await hurried.superuser.ask("{ clients { nodes { id } } }")

    assert (answer.status, answer.error, answer.body["data"]) == (200, ("TIMEOUT", message), {"clients": None})
    assert checked_out(hurried) == 0
    assert (await hurried.superuser.ask(CLIENTS)).data["clients"] == {"totalCount": 0}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"statement_timeout": 0.2}, "The database took too long"),
        ({"operation_timeout": 0.2}, "The operation took too long"),
    ],
    ids=["statement", "operation"],
)
async def test_a_write_that_takes_too_long_leaves_nothing_and_the_one_before_it_is_told(
    hurried: World, message: str
) -> None:
    before = await hurried.counts()

    with endless(hurried, "INSERT INTO client_owners", after=1):
        answer = await hurried.superuser.ask(f"mutation {{ one: {CREATE} two: {CREATE} }}")

    after = await hurried.counts()
    assert (answer.status, answer.error) == (200, ("TIMEOUT", message))
    assert answer.body["data"]["two"] is None
    assert answer.body["data"]["one"]["errors"] == []
    assert after["clients"] == before["clients"] + 1
    assert after["client_owners"] == before["client_owners"] + 1
    assert checked_out(hurried) == 0


@pytest.mark.parametrize("limits", [{"operation_timeout": 0.2}])
async def test_a_loader_that_takes_too_long_is_ended(hurried: World) -> None:
    await make_client(hurried.superuser)

    with endless(hurried, "FROM users"):
        answer = await hurried.superuser.ask("{ clients { nodes { fullName owners { id } } } }")

    assert (answer.status, answer.error[0]) == (200, "TIMEOUT")
    assert checked_out(hurried) == 0


@pytest.mark.parametrize("limits", [{"operation_timeout": 0.2}])
async def test_what_hangs_outside_the_database_is_ended_too(hurried: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from caregraph.auth.secrets import Passwords

    async def hang(*_: object) -> bool:
        await asyncio.sleep(1000)
        return False

    monkeypatch.setattr(Passwords, "matches", hang)

    answer = await hurried.nobody.ask('mutation { authenticate(email: "a@b.example", password: "p") { apiToken } }')

    assert (answer.status, answer.error) == (504, ("TIMEOUT", "The operation took too long"))
    assert answer.body.keys() == {"errors"}
    assert checked_out(hurried) == 0
