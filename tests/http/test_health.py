"""Probes: what they say when all is well, and which check failed when not."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from caregraph.http import health
from kit import World

FINE = {"draining": "ok", "database": "ok", "migrations": "ok"}


async def test_a_process_in_service_is_live_and_ready(world: World) -> None:
    live, ready = await world.http.get("/livez"), await world.http.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "checks": FINE})
    assert {one.headers["cache-control"] for one in (live, ready)} == {"no-store"}


async def test_a_draining_process_is_live_and_not_ready(world: World) -> None:
    world.app.state.guard.draining.begun = True

    live, ready = await world.http.get("/livez"), await world.http.get("/readyz")

    assert live.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"status": "failed", "checks": FINE | {"draining": "failed"}})
    assert ready.headers["connection"] == "close"


async def test_an_operation_that_comes_too_late_is_refused(world: World) -> None:
    world.app.state.guard.draining.begun = world.app.state.guard.draining.refuses = True

    response = await world.http.post("/graphql", json={"query": "{ hello { helloFrom } }"})

    assert (response.status_code, response.headers["connection"], response.headers["retry-after"]) == (
        503,
        "close",
        "1",
    )
    assert response.json() == {
        "errors": [{"message": "The server is shutting down, try again", "extensions": {"code": "UNAVAILABLE"}}]
    }


@pytest.mark.parametrize(("revision", "sql"), [("older", "UPDATE alembic_version SET version_num = 'older'")])
async def test_a_database_of_another_version_is_not_ready(
    sqlite_template: Path, tmp_path: Path, revision: str, sql: str
) -> None:
    file = tmp_path / f"{revision}.sqlite"
    file.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite+aiosqlite:///{file}"
    assert make_url(url).database == str(file)
    with sqlite3.connect(file) as connection:
        connection.execute(sql)
    connection.close()
    world = World(url, url)

    ready = await world.http.get("/readyz")

    assert (ready.status_code, ready.json()["checks"]) == (503, FINE | {"migrations": "failed"})
    await world.close()


async def test_an_empty_database_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite"
    world = World(url, url)

    ready = await world.http.get("/readyz")

    assert (ready.status_code, ready.json()["checks"]) == (503, FINE | {"migrations": "failed"})
    await world.close()


async def test_a_database_out_of_reach_is_not_ready_and_named_nowhere(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/no-such-folder/secret.sqlite"
    world = World(url, url)

    ready = await world.http.get("/readyz")

    assert (ready.status_code, ready.json()["checks"]) == (
        503,
        FINE | {"database": "failed", "migrations": "unknown"},
    )
    assert "secret" not in ready.text
    await world.close()


async def test_probes_do_not_wear_out_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = health.migrate.revision

    async def revision(database: object) -> object:
        asked.append(database)
        return await real(database)  # type: ignore[arg-type]

    monkeypatch.setattr(health.migrate, "revision", revision)
    monkeypatch.setattr(health, "_KEPT_SECONDS", 1000.0)

    answers = [await world.http.get("/readyz") for _ in range(10)]

    assert [answer.status_code for answer in answers] == [200] * 10
    assert asked == [world.database]
