import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Iterator
from importlib import resources

import httpx
import pytest
import strawberry
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

from browser import chromium, serving
from caregraph.http import playground
from caregraph.http.playground import Example, Principal

ASSETS = resources.files("caregraph.http") / "assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
DEFAULT_QUERY = "query Clients {\n  clients\n}\n"


@strawberry.type
class Query:
    @strawberry.field(description="Names of the clients whom the viewer may see.")
    def clients(self, search: str = "") -> list[str]:
        return [name for name in ("Ada Lind", "Ben Okafor") if search in name]

    @strawberry.field(description="The credentials that came with the request.")
    def credentials(self, info: strawberry.Info) -> str | None:
        return info.context["request"].headers.get("authorization")

    @strawberry.field
    def preflight(self, info: strawberry.Info) -> list[str]:
        headers = info.context["request"].headers
        return [headers["accept"], headers["graphql-require-preflight"]]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def countdown(self, info: strawberry.Info) -> AsyncGenerator[str, None]:
        for number in (2, 1):
            yield f"{info.context['connection_params']['Authorization']}: {number}"
            await asyncio.sleep(0.01)


PRINCIPALS = [
    Principal("superuser", "Riverbend Clinic", {"Authorization": "Bearer river-super"}),
    Principal("other_user", "Northgate Practice", {"Authorization": "Bearer north-user"}),
    Principal("nobody", None, {}),
]
EXAMPLES = [
    Example(
        "SearchClients",
        "fit/clients",
        "query SearchClients($search: String!) {\n  clients(search: $search)\n}\n",
        {"search": "Ben"},
    ),
    Example("ReadCredentials", "fit/users", "query ReadCredentials {\n  credentials\n}\n", {}),
    Example("Countdown", "gloo/deployments", "subscription Countdown {\n  countdown\n}\n", {}),
]


def make_app() -> Starlette:
    graphql = GraphQL[None, None](strawberry.Schema(Query, subscription=Subscription))
    return Starlette(
        routes=[
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", graphql),
            *playground.routes(principals=PRINCIPALS, examples=EXAMPLES, default_query=DEFAULT_QUERY),
        ]
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(make_app()) as started:
        yield started


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as opened:
        yield opened


def test_page_is_fresh_and_confined_to_its_own_host(client: httpx.Client) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_config_names_principals_examples_and_addresses(client: httpx.Client) -> None:
    answer = client.get("/playground/config.json")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "url": "/graphql",
        "subscriptionUrl": "/graphql",
        "defaultQuery": DEFAULT_QUERY,
        "principals": [
            {
                "name": "superuser",
                "organization": "Riverbend Clinic",
                "headers": {"Authorization": "Bearer river-super"},
            },
            {
                "name": "other_user",
                "organization": "Northgate Practice",
                "headers": {"Authorization": "Bearer north-user"},
            },
            {"name": "nobody", "organization": None, "headers": {}},
        ],
        "examples": [
            {
                "name": "SearchClients",
                "group": "fit/clients",
                "query": EXAMPLES[0].query,
                "variables": {"search": "Ben"},
            },
            {"name": "ReadCredentials", "group": "fit/users", "query": EXAMPLES[1].query, "variables": {}},
            {"name": "Countdown", "group": "gloo/deployments", "query": EXAMPLES[2].query, "variables": {}},
        ],
    }


def test_every_asset_of_the_page_is_served_for_good(client: httpx.Client) -> None:
    addresses = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)

    assert len(addresses) == 8
    assert len({address.partition("?v=")[2] for address in addresses}) == 1
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["content-type"] == types[address.partition("?")[0].rpartition(".")[2]]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "missing.js",
        "graphiql",
        "graphiql/",
        "index.html",
        "../playground.py",
        "%2e%2e/playground.py",
        "..%2fplayground.py",
        "graphiql/../../playground.py",
        "graphiql/%2e%2e/playground.js",
        "/etc/passwd",
    ],
)
def test_what_is_no_asset_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(f"/playground/assets/{path}").status_code == 404


def test_checksums_of_third_party_files() -> None:
    directory = ASSETS / "graphiql"
    listed = dict(
        re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", (directory / "LICENSES.md").read_text(), re.MULTILINE)
    )

    present = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in directory.iterdir()
        if file.name.endswith((".js", ".css"))
    }
    assert listed == present


@pytest.mark.parametrize("name", ["index.html", "playground.js", "playground.css", "favicon.svg"])
def test_own_files_name_no_other_host(name: str) -> None:
    text = (ASSETS / name).read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page as a newcomer; whatever the test does, nothing leaves this host and nothing breaks."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    requests: list[str] = []
    problems: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto(address)
    yield opened
    opened.close()
    assert [url for url in requests if not url.startswith((f"{address}/", "data:"))] == []
    assert problems == []


def response_of(page: Page) -> object:
    return json.loads(
        page.locator(".graphiql-response .CodeMirror").evaluate("element => element.CodeMirror.getValue()")
    )


def query_editor(page: Page) -> str:
    return str(page.locator(".graphiql-query-editor .CodeMirror").evaluate("element => element.CodeMirror.getValue()"))


def test_first_visit_shows_data(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    assert response_of(page) == {"data": {"clients": ["Ada Lind", "Ben Okafor"]}}
    expect(page.get_by_label("Signed in as")).to_have_value("superuser")
    expect(page.get_by_role("heading", name="Examples")).to_be_visible()


def test_principal_and_example_run_together(page: Page) -> None:
    answer = page.locator(".graphiql-response")
    expect(answer).to_contain_text("Ada Lind")

    page.get_by_label("Signed in as").select_option("other_user")
    expect(page.get_by_label("Headers")).to_contain_text("Bearer north-user")
    page.get_by_role("button", name="ReadCredentials").click()
    page.keyboard.press("Control+Enter")

    expect(answer).to_contain_text("Bearer north-user")
    assert response_of(page) == {"data": {"credentials": "Bearer north-user"}}


def test_example_brings_its_variables_and_leaves_edited_tabs_alone(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")
    page.get_by_role("button", name="ReadCredentials").click()
    page.keyboard.type("# mine\n")

    page.get_by_label("Find an operation").fill("fit search")
    page.get_by_role("button", name="SearchClients").click()

    expect(page.get_by_label("Variables")).to_contain_text('"Ben"')
    assert query_editor(page) == EXAMPLES[0].query
    expect(page.get_by_role("tab")).to_have_count(2)
    page.get_by_role("tab", name="ReadCredentials").click()
    assert "# mine" in query_editor(page)


def test_typed_query_runs_with_the_headers_that_the_server_asks_for(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    page.locator(".graphiql-query-editor .CodeMirror").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("query Mine { preflight ")
    page.get_by_label("Execute query (Ctrl-Enter)").click()

    expect(page.locator(".graphiql-response")).to_contain_text("preflight")
    assert response_of(page) == {"data": {"preflight": ["application/graphql-response+json, application/json", "1"]}}


def test_subscription_shows_events_as_they_come(page: Page) -> None:
    answer = page.locator(".graphiql-response")
    expect(answer).to_contain_text("Ada Lind")

    page.get_by_role("button", name="Countdown").click()
    page.keyboard.press("Control+Enter")

    expect(answer).to_contain_text("Bearer river-super: 1")


def test_documentation_is_readable(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    page.get_by_label("Show Documentation Explorer").click()
    page.get_by_role("link", name="Query", exact=True).click()

    expect(page.locator(".graphiql-plugin")).to_contain_text("Names of the clients whom the viewer may see.")


def test_dialogs_open(page: Page) -> None:
    page.get_by_label("Open settings dialog").click()
    expect(page.get_by_role("dialog")).to_contain_text("Theme")
    expect(page.get_by_role("dialog")).not_to_contain_text("Persist headers")


def test_reload_keeps_the_query_and_the_choice_but_no_credentials(page: Page) -> None:
    answer = page.locator(".graphiql-response")
    expect(answer).to_contain_text("Ada Lind")
    page.get_by_label("Signed in as").select_option("other_user")
    page.get_by_role("button", name="ReadCredentials").click()
    page.keyboard.press("Control+Enter")
    expect(answer).to_contain_text("Bearer north-user")
    page.wait_for_timeout(700)  # GraphiQL stores tabs half a second after a change

    stored = page.evaluate("JSON.stringify(localStorage)")
    assert "ReadCredentials" in stored
    assert "Bearer" not in stored

    page.reload()
    expect(page.get_by_label("Signed in as")).to_have_value("other_user")
    expect(page.get_by_label("Headers")).to_contain_text("Bearer north-user")
    assert query_editor(page) == EXAMPLES[1].query

    page.get_by_label("Show History").click()
    page.get_by_label("Set active").first.click()
    expect(page.get_by_label("Signed in as")).to_have_value("other_user")


def test_headers_written_by_hand_are_nobody_elses(page: Page) -> None:
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    page.locator(".graphiql-editor-tool .CodeMirror").last.evaluate(
        'element => element.CodeMirror.setValue(\'{"X": "1"}\')'
    )

    expect(page.get_by_label("Signed in as").locator("option:checked")).to_have_text("own headers")


def test_missing_server_is_said_in_words(browser: Browser) -> None:
    page = browser.new_page()
    with serving(make_app()) as address:
        page.goto(address)
        expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    page.get_by_label("Execute query (Ctrl-Enter)").click()

    expect(page.locator(".graphiql-response")).to_contain_text("Is the server running?")
    assert response_of(page) == {"errors": [{"message": f"No answer from {address}. Is the server running?"}]}
    page.close()


@pytest.mark.parametrize("width", [1280, 700])
def test_page_fits_its_width(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    expect(page.locator(".graphiql-response")).to_contain_text("Ada Lind")

    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        800,
    ]
    page.close()
