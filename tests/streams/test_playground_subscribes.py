"""The playground follows a subscription of the real server, signed in by its headers editor."""

import json
import os
import shutil
from pathlib import Path

import httpx
import pytest
from playwright.async_api import async_playwright, expect

from browser import _ARGUMENTS
from caregraph.app import create_app
from caregraph.graph.node import global_id
from caregraph.http.playground import Principal
from factories.people import make_client
from kit import World
from streaming import eventually, listening

CREATE = """mutation ($id: ID!) {
  createEpisode(clientId: $id, input: {title: "Seen at once", startDate: "2026-01-05"}) { errors { code } }
}"""


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: what is shown is the same on both."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


async def test_an_event_is_shown_as_it_comes(world: World) -> None:
    path = os.environ.get("CAREGRAPH_CHROMIUM") or shutil.which("chromium")
    if path is None:
        message = "Chromium is missing: install it, or set CAREGRAPH_CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    own = await make_client(world.user)
    app = create_app(world.settings, principals=[Principal("user", "Northfield", world.user.headers)])
    async with listening(app) as authority, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        page = await browser.new_page()
        await page.goto(f"http://{authority}/")
        answer = page.locator(".graphiql-response")
        await expect(answer).to_contain_text("totalCount")
        query = "subscription { episodeChanged { change episode { title } } }"
        editor = page.locator(".graphiql-query-editor .CodeMirror")
        await editor.evaluate(f"element => element.CodeMirror.setValue({json.dumps(query)})")
        await page.get_by_label("Execute query (Ctrl-Enter)").click()
        await expect(page.get_by_label("Stop query (Ctrl-Enter)")).to_be_visible()
        await eventually(lambda: len(app.state.database.bus) == 1)

        async with httpx.AsyncClient(base_url=f"http://{authority}") as http:
            body = {"query": CREATE, "variables": {"id": global_id("Client", own.id)}}
            await http.post("/graphql", json=body, headers=world.user.headers)

        await expect(answer).to_contain_text("Seen at once")
        await browser.close()
    await app.state.database.close()
