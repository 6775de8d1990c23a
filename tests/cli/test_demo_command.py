"""The demo in a database and as a process: loaded once, signed in to, served and ended."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from caregraph.app import create_app
from caregraph.auth.viewer import Viewer
from caregraph.cli.demo import credentials, plan
from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.queries import SUGGESTIONS
from caregraph.cli.demo.run import Demo, prepare
from caregraph.db.session import Database
from caregraph.http.playground import Principal
from caregraph.people.models import Client
from caregraph.settings import Settings
from caregraph.treatment.models import Score

WHO = "{ me { email roles } clients { totalCount } }"


@pytest.fixture
def settings(demo: tuple[Settings, Demo]) -> Settings:
    return demo[0]


@pytest.fixture
def ready(demo: tuple[Settings, Demo]) -> Demo:
    return demo[1]


@pytest.fixture
async def http(settings: Settings, ready: Demo) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, principals=ready.principals)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://demo.test") as client:
        yield client
    await app.state.database.close()


async def ask(http: httpx.AsyncClient, principal: Principal, query: str) -> dict[str, object]:
    answer = await http.post("/graphql", json={"query": query}, headers=dict(principal.headers))
    return {"status": answer.status_code, **answer.json()}


async def test_principals_sign_in_as_whom_they_are_named(http: httpx.AsyncClient, ready: Demo) -> None:
    told = {one.name: await ask(http, one, WHO) for one in ready.principals if one.name != "calculator"}

    assert {name: answer["data"]["me"] for name, answer in told.items()} == {  # type: ignore[index]
        "superuser": {"email": "morgan.hale@northfield.example", "roles": ["AGENCY_ADMIN"]},
        "user": {"email": "tomasz.wilk@northfield.example", "roles": []},
        "other_superuser": {"email": "ingrid.solberg@harbor.example", "roles": ["AGENCY_ADMIN"]},
        "other_user": {"email": "noor.bakker@harbor.example", "roles": []},
    }
    counts = {name: answer["data"]["clients"]["totalCount"] for name, answer in told.items()}  # type: ignore[index]
    assert counts["superuser"] == plan.NORTHFIELD.clients
    assert counts["other_superuser"] == plan.HARBOR.clients
    assert 20 <= counts["user"] < counts["superuser"]
    assert 10 <= counts["other_user"] < counts["other_superuser"]


async def test_calculator_is_known_and_may_not_read(http: httpx.AsyncClient, ready: Demo) -> None:
    calculator = next(one for one in ready.principals if one.name == "calculator")

    answer = await ask(http, calculator, "{ me { email } }")

    assert answer["status"] == 200
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]  # type: ignore[attr-defined]


async def test_printed_password_signs_in(http: httpx.AsyncClient, ready: Demo) -> None:
    email = ready.principals[0].headers["X-Api-Email"]
    mutation = f'mutation {{ authenticate(email: "{email}", password: "{ready.password}") {{ apiToken }} }}'

    answer = (await http.post("/graphql", json={"query": mutation})).json()

    token = answer["data"]["authenticate"]["apiToken"]
    told = await ask(http, Principal("superuser", None, {"X-Api-Email": email, "X-Api-Token": token}), WHO)
    assert told["data"]["me"]["email"] == email  # type: ignore[index]


@pytest.mark.parametrize("suggestion", SUGGESTIONS, ids=lambda one: one.title)
async def test_suggested_queries_show_something(http: httpx.AsyncClient, ready: Demo, suggestion: object) -> None:
    answer = await ask(http, ready.principals[0], suggestion.query)  # type: ignore[attr-defined]

    assert "errors" not in answer
    field = next(one for one in answer["data"].values() if "nodes" in one)  # type: ignore[attr-defined]
    assert len(field["nodes"]) >= 3


async def test_organizations_are_stored_whole(settings: Settings, ready: Demo) -> None:
    database = Database(settings)
    for organization_id, planned in ((1, plan.NORTHFIELD), (2, plan.HARBOR)):
        async with database.read_session(Viewer.system(organization_id)) as session:
            assert await session.scalar(select(func.count()).select_from(Client)) == planned.clients
            assert await session.scalar(select(func.count()).select_from(Score)) == planned.scores
    await database.close()


def test_credentials_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("left over")
    file.chmod(0o644)

    credentials.write(file, "http://127.0.0.1:8000/graphql", [Principal("user", "Northfield", {"X-Api-Token": "t"})])

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "url": "http://127.0.0.1:8000/graphql",
        "principals": [{"name": "user", "organization": "Northfield", "headers": {"X-Api-Token": "t"}}],
    }
    assert list(tmp_path.iterdir()) == [file]


async def test_second_start_loads_nothing_and_ends_earlier_credentials(
    http: httpx.AsyncClient, settings: Settings, ready: Demo
) -> None:
    """The last one that asks for the demo: its credentials are gone then."""
    heard: list[str] = []

    again = await prepare(settings, Scale.SMALL, lambda name, _count, _total: heard.append(name))

    assert heard == []
    for before, after in zip(ready.principals, again.principals, strict=True):
        assert (await ask(http, before, WHO))["status"] == 401
        assert (await ask(http, after, WHO))["status"] == 200


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_what_it_wrote_down_and_leaves_nothing(tmp_path: Path, ending: signal.Signals) -> None:
    file = tmp_path / "credentials.json"
    command = [sys.executable, "-m", "caregraph.cli", "demo", "--port", "0", "--write-credentials", str(file)]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    ) as demo:
        try:
            written = json.loads(waited_for(file, demo).read_text())
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=30) as client:
                page = client.get(written["url"].removesuffix("graphql"))
                answers = {
                    one["name"]: client.post(written["url"], json={"query": WHO}, headers=one["headers"]).status_code
                    for one in written["principals"]
                }
        finally:
            demo.send_signal(ending)
            printed = demo.communicate(timeout=30)[0]

    assert demo.returncode == 0, printed
    assert page.status_code == 200
    assert answers == dict.fromkeys(["superuser", "user", "calculator", "other_superuser", "other_user"], 200)
    assert written["url"] in printed
    assert all(value in printed for one in written["principals"] for value in one["headers"].values())
    assert list(tmp_path.iterdir()) == [file]
    assert printed.rstrip().endswith("Ctrl-C ends the demo.")


def waited_for(file: Path, process: "subprocess.Popen[str]") -> Path:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return file
