"""The commands of an operator: migrating, serving, the schema as text and the first accounts."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from caregraph import schema
from caregraph.app import create_app
from caregraph.cli import manifest
from caregraph.cli.main import app
from caregraph.db import migrate
from caregraph.db.session import Database
from caregraph.graph.subgraph import subgraph_sdl
from kit import settings_for

PASSWORD = "correct horse battery"
FIRST = ("users", "create", "--email", "First@Agency.example", "--full-name", "Fiona First")


async def run(*arguments: str, url: str | None = None, **environment: str) -> Result:
    """Run a command in a thread: commands start an event loop of their own."""
    variables = {"CAREGRAPH_PASSWORD_MEMORY": "8", "CAREGRAPH_PASSWORD_PASSES": "1", **environment}
    if url is not None:
        variables["CAREGRAPH_DATABASE_URL"] = url
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=variables)


async def signed_in(url: str, email: str) -> Any:
    """What `me` and `organization` answer after `authenticate`."""
    served = create_app(settings_for(url))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=served), base_url="http://test") as http:
            mutation = "mutation($e: EmailAddress!) { a: authenticate(email: $e, password: %s) { apiToken } }"
            body = {"query": mutation.replace("EmailAddress", "String") % f'"{PASSWORD}"', "variables": {"e": email}}
            token = (await http.post("/graphql", json=body)).json()["data"]["a"]["apiToken"]
            headers = {"X-Api-Email": email, "X-Api-Token": token}
            query = "{ me { fullName roles apiEnabled } organization { name } }"
            return (await http.post("/graphql", json={"query": query}, headers=headers)).json()["data"]
    finally:
        await served.state.database.close()


async def test_first_user_of_an_empty_database_can_sign_in(url: str) -> None:
    result = await run(*FIRST, "--superuser", "--organization", "Agency", url=url, CAREGRAPH_PASSWORD=PASSWORD)

    assert result.output == "User 1 was created in organization 1\n"
    assert await signed_in(url, "first@agency.example") == {
        "me": {"fullName": "Fiona First", "roles": ["AGENCY_ADMIN"], "apiEnabled": True},
        "organization": {"name": "Agency"},
    }


async def test_user_joins_an_existing_organization(url: str) -> None:
    await run(*FIRST, "--superuser", "--organization", "Agency", url=url, CAREGRAPH_PASSWORD=PASSWORD)

    second = ("users", "create", "--email", "second@agency.example", "--full-name", "Sam Second")
    result = await run(*second, "--organization-id", "1", url=url, CAREGRAPH_PASSWORD=PASSWORD)

    assert result.output == "User 2 was created in organization 1\n"
    data = await signed_in(url, "second@agency.example")
    assert data["me"] == {"fullName": "Sam Second", "roles": [], "apiEnabled": True}


async def test_taken_email_is_refused_and_leaves_no_organization(url: str) -> None:
    await run(*FIRST, "--organization", "Agency", url=url, CAREGRAPH_PASSWORD=PASSWORD)

    result = await run(*FIRST, "--organization", "Another", url=url, CAREGRAPH_PASSWORD=PASSWORD)

    assert (result.exit_code, result.output) == (1, "E-mail is already taken\n")
    missing = await run(
        "users", "create", "--email", "x@agency.example", "--full-name", "X", "--organization-id", "2",
        url=url, CAREGRAPH_PASSWORD=PASSWORD,
    )  # fmt: skip
    assert (missing.exit_code, missing.output) == (1, "There is no organization 2\n")


async def test_password_is_asked_for_twice(url: str) -> None:
    arguments = (*FIRST, "--organization", "Agency")
    environment = {"CAREGRAPH_DATABASE_URL": url, "CAREGRAPH_PASSWORD_MEMORY": "8", "CAREGRAPH_PASSWORD_PASSES": "1"}

    result = await asyncio.to_thread(
        CliRunner().invoke, app, arguments, env=environment, input=f"{PASSWORD}\n{PASSWORD}\n"
    )

    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert (await signed_in(url, "first@agency.example"))["me"]["fullName"] == "Fiona First"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("--organization", "A", "--organization-id", "1"), "give either --organization or --organization-id"),
        ((), "give either --organization or --organization-id"),
        (("--organization", "A", "--email", "nobody"), "'nobody' is not an e-mail address"),
        (("--organization", " "), "--organization must not be empty"),
        (("--organization", "A", "--full-name", ""), "--full-name must not be empty"),
    ],
)
async def test_unusable_arguments_are_named(changed: tuple[str, ...], message: str) -> None:
    result = await run(*FIRST, *changed, CAREGRAPH_PASSWORD=PASSWORD, COLUMNS="200")

    assert result.exit_code == 2
    assert message in result.output


async def test_short_password_is_refused() -> None:
    result = await run(*FIRST, "--organization", "A", CAREGRAPH_PASSWORD="short")

    assert (result.exit_code, result.output) == (1, "A password has 8 to 200 characters\n")


async def test_migrate_brings_an_empty_database_to_head(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite'}"

    result = await run("migrate", url=url)

    assert result.output == f"The database is at {migrate.head()}\n"
    assert await migrate.revision(Database(settings_for(url))) == migrate.head()


async def test_serve_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    result = await served(f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite'}")

    assert result.returncode == 1
    assert (
        result.stderr == f"The database has no tables yet, this version needs {migrate.head()}: run caregraph migrate\n"
    )


async def test_serve_says_when_there_is_no_database(tmp_path: Path) -> None:
    result = await served(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'folder' / 'here.sqlite'}")

    assert result.returncode == 1
    assert result.stderr == "The database does not answer as it should: unable to open database file\n"


async def test_serve_says_when_the_address_is_taken(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = await served(url, "--port", str(port))

    assert result.returncode == 1
    assert result.stderr == f"Cannot listen on 127.0.0.1:{port}: Address already in use\n"


async def test_several_workers_are_refused_where_they_cannot_serve_together(tmp_path: Path) -> None:
    result = await served(f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite'}", "--workers", "2")

    assert result.returncode == 1
    assert (
        result.stderr
        == "Several workers need PostgreSQL: on SQLite subscribers hear only of changes made by their own process\n"
    )


async def test_wrong_setting_is_named() -> None:
    result = await run("migrate", url="mysql://here")

    assert result.exit_code == 1
    assert "CAREGRAPH_DATABASE_URL must begin with" in result.output


async def served(url: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run `serve` as a process, because it listens to signals."""
    command = [sys.executable, "-m", "caregraph.cli", "serve", *arguments]
    environment = {**os.environ, "CAREGRAPH_DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path), **settings}
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


async def test_schema_prints_the_api(tmp_path: Path) -> None:
    printed = (await run("schema")).output

    assert printed == schema.api_sdl(schema.build())

    file = tmp_path / "schema.graphql"
    written = await run("schema", "--output", str(file))
    assert (written.exit_code, written.output, file.read_text()) == (0, "", printed)


async def test_schema_check_tells_a_stale_file(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    await run("schema", "--output", str(file))
    assert (await run("schema", "--check", str(file))).exit_code == 0

    file.write_text(file.read_text().replace("type Query {", "type Query {\n  gone: Int\n"))
    result = await run("schema", "--check", str(file))

    assert result.exit_code == 1
    assert "-  gone: Int" in result.output
    assert f"{file} differs from the schema: run caregraph schema --output {file}" in result.output


async def test_schema_check_tells_a_missing_file(tmp_path: Path) -> None:
    result = await run("schema", "--check", str(tmp_path / "none.graphql"))

    assert result.exit_code == 1
    assert "none.graphql differs from the schema" in result.output


async def test_schema_prints_the_subgraph(tmp_path: Path) -> None:
    printed = (await run("schema", "--federation")).output
    without = (await run("schema", "--federation", "--no-access")).output

    assert printed == subgraph_sdl(schema.build(), access=True)
    assert without == subgraph_sdl(schema.build(), access=False)
    file = tmp_path / "subgraph.graphql"
    file.write_text(printed)
    assert (await run("schema", "--federation", "--check", str(file))).exit_code == 0


async def test_the_operation_documents_are_printed_as_a_manifest() -> None:
    result = await run("operations", "manifest")

    assert (result.exit_code, result.output) == (0, manifest.text())


async def test_serving_with_a_manifest_that_is_none_is_told(url: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"

    result = await served(url, "--port", "0", CAREGRAPH_TRUSTED_DOCUMENTS=str(missing))

    assert result.returncode == 1
    assert result.stderr == f"CAREGRAPH_TRUSTED_DOCUMENTS: {missing} cannot be read as a manifest\n"
