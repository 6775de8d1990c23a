"""Each element of access guards both ways of executing: without it both show what it hid."""

from typing import Any

import pytest

from caregraph import app, schema
from caregraph.db import scope
from caregraph.db.scope import RULES, everyone
from caregraph.graph.context import Context
from caregraph.organizations.models import User
from caregraph.people.models import Client
from factories.people import make_client
from kit import Answer, World

CLIENTS = "{ clients { nodes { fullName owners { locale } } } }"
USERS = "{ users { totalCount } }"


@pytest.fixture(params=["compiled", "loaders"])
async def guarded(world: World, request: pytest.FixtureRequest) -> World:
    """Ben's Ann, Cleo's Bo and Otto's Kay."""
    await make_client(world.user, full_name="Ann")
    await make_client(world.colleague, world.user, full_name="Both's")
    await make_client(world.colleague, full_name="Bo")
    await make_client(world.other_user, full_name="Kay")
    await world.restart(execution=request.param)
    return world


def _field(kind: str, name: str) -> Any:
    """The kit's field in the schema that the application serves."""
    core: Any = schema.core(app.built_subgraph(access=False))
    return core.type_map[kind].fields[name].extensions["strawberry-definition"]


async def _clients(world: World) -> list[str]:
    return [one["fullName"] for one in (await world.user.ask(CLIENTS)).data["clients"]["nodes"]]


async def test_the_tenant(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [one["fullName"] for one in (await guarded.superuser.ask(CLIENTS)).data["clients"]["nodes"]]
    monkeypatch.setattr(scope, "TenantRow", type("Nothing", (), {}))
    await guarded.restart()

    found = [one["fullName"] for one in (await guarded.superuser.ask(CLIENTS)).data["clients"]["nodes"]]

    assert kept == ["Ann", "Bo", "Both's"]
    row_level_security = not guarded.database.is_sqlite
    assert found == (kept if row_level_security else ["Ann", "Bo", "Both's", "Kay"])


async def test_the_rule(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await _clients(guarded)
    monkeypatch.setitem(RULES, Client, everyone)
    await guarded.restart()

    found = await _clients(guarded)

    assert kept == ["Ann", "Both's"]
    assert found == ["Ann", "Bo", "Both's"]


async def test_the_permission(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await guarded.user.ask(USERS)
    monkeypatch.setattr(_field("Query", "users"), "needs", None)

    found = await guarded.user.ask(USERS)

    assert (kept.error, kept.body["data"]) == (("FORBIDDEN", "Access denied"), {"users": None})
    assert found.data == {"users": {"totalCount": 3}}


async def test_sensitive_fields(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(answer: Answer) -> list[Any]:
        return [[one["locale"] for one in client["owners"]] for client in answer.data["clients"]["nodes"]]

    async with guarded.writing(guarded.superuser) as tx:
        for one in (guarded.user, guarded.colleague):
            (await tx.get_one(User, one.row_id)).locale = "da"
    kept = await guarded.user.ask(CLIENTS)
    monkeypatch.setattr(_field("User", "locale"), "visible_to", lambda *_: True)
    await guarded.restart()

    found = await guarded.user.ask(CLIENTS)

    assert shown(kept) == [["da"], ["da", None]]
    assert shown(found) == [["da"], ["da", "da"]]


async def test_the_row_budget(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await guarded.restart(maximum_rows=3)
    kept = await guarded.user.ask(CLIENTS)
    monkeypatch.setattr(Context, "spend", lambda *_: None)

    found = await guarded.user.ask(CLIENTS)

    assert kept.error == ("COST_ACTUAL_TOO_EXPENSIVE", "An operation may read at most 3 rows")
    assert [one["fullName"] for one in found.data["clients"]["nodes"]] == ["Ann", "Both's"]
