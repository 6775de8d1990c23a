"""A newcomer's first minutes: `caregraph demo` as a process, its playground in a real browser."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser import chromium


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The demo on a free port, with the credentials that it wrote."""
    written = tmp_path_factory.mktemp("demo") / "credentials.json"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, "-m", "caregraph", "demo", "--port", "0", "--write-credentials", str(written)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _credentials(written, process)
        finally:
            process.terminate()
            process.wait(20)


def _credentials(written: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    for _ in range(600):
        if written.exists():
            return json.loads(written.read_text())
        assert process.poll() is None, "the demo ended"
        time.sleep(0.1)
    raise AssertionError("the demo wrote no credentials")


@pytest.fixture(scope="module")
def page(demo: dict[str, Any]) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        page.goto(demo["url"].removesuffix("graphql"))
        yield page


def test_the_first_query_shows_data_at_once(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("totalCount")
    expect(page.locator(".graphiql-response")).to_contain_text("fullName")
    expect(page.get_by_label("Signed in as")).to_have_value("superuser")
    if target := os.environ.get("CAREGRAPH_SCREENSHOT"):
        page.screenshot(path=target)


def test_a_typed_query_shows_the_answer(page: Page, demo: dict[str, Any]) -> None:
    page.get_by_label("Signed in as").select_option("other_user")
    page.locator(".graphiql-query-editor .CodeMirror").evaluate(
        "element => element.CodeMirror.setValue('{ me { email roles } organization { name } }')"
    )
    page.get_by_label("Execute query (Ctrl-Enter)").click()

    email = next(one["headers"]["X-Api-Email"] for one in demo["principals"] if one["name"] == "other_user")
    expect(page.locator(".graphiql-response")).to_contain_text(email)
    expect(page.locator(".graphiql-response")).to_contain_text('"roles": []')
    expect(page.locator(".graphiql-response")).to_contain_text("FORBIDDEN")


def test_an_operation_document_runs_as_an_example(page: Page) -> None:
    page.get_by_label("Signed in as").select_option("superuser")
    page.get_by_label("Find an operation").fill("statistics agency")
    page.get_by_role("button", name="fit_statistics_agency").click()
    page.get_by_label("Execute query (Ctrl-Enter)").click()

    expect(page.locator(".graphiql-response")).to_contain_text("esRefSd")


def test_the_documentation_describes_the_graph(page: Page) -> None:
    page.get_by_label("Show Documentation Explorer").click()
    page.get_by_role("link", name="Mutation", exact=True).click()

    expect(page.locator(".graphiql-plugin")).to_contain_text("a refused one changes nothing and names why")
    if target := os.environ.get("CAREGRAPH_SCREENSHOT"):
        page.screenshot(path=target.replace(".png", "-docs.png"))
