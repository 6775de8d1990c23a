"""Nothing of what people send or keep is in logs, metrics or spans, nor in an error that somebody else gets.

A name, an address, a number, a password, a token and a search text are put wherever a request or a row has room, each
request is made to fail in its own way, and everything that the server said about it is searched.

What is accepted: an error reply to the caller itself repeats what it sent where graphql-core words it so (the name of an
unknown field, a value that is no date), as every GraphQL server does; it never repeats stored data.
"""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import event

from caregraph import logs
from factories.people import make_client, make_label
from kit import World

NAME = "Canarina"
EMAIL = "canary@yellow.example"
SSN = "190-77-4242"
PASSWORD = "canary-pass-phrase"
TOKEN = "canarytoken0123456789"
SEARCH = "canary song"
CANARIES = (NAME, EMAIL, SSN, PASSWORD, TOKEN, SEARCH, "canar")

JSON_HEADERS = {"content-type": "application/json"}
PERSONAL_HEADERS = {
    "User-Agent": f"{NAME}/1.0",
    "Cookie": f"session={TOKEN}",
    "Referer": f"https://{EMAIL}/{SSN}",
    "X-Request-Id": f"{NAME}-{SSN}",
    "X-Forwarded-For": NAME,
    "traceparent": f"00-{NAME}",
    "tracestate": f"vendor={TOKEN}",
    "baggage": f"name={NAME}",
}
CREATE = "mutation Create($input: ClientInput!) { createClient(input: $input) { node { id } errors { code message } } }"
LABEL = "mutation Label($input: LabelInput!) { createLabel(input: $input) { errors { code message path } } }"
SIGN_IN = (
    "mutation In($email: String!, $password: String!) { authenticate(email: $email, password: $password) { apiToken } }"
)


@dataclass
class Heard:
    """What the server said about its requests."""

    stream: io.StringIO = field(default_factory=io.StringIO)
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    async def everything(self, world: World) -> str:
        metrics = (await world.http.get("/metrics")).text
        spans = "\n".join(span.to_json() for span in self.spans.get_finished_spans())
        return f"{self.stream.getvalue()}\n{metrics}\n{spans}".casefold()


@pytest.fixture(params=["json", "text"])
def heard(request: pytest.FixtureRequest) -> Iterator[Heard]:
    """All logging of the process, at its most talkative."""
    root, ours = logging.getLogger(), logging.getLogger("caregraph")
    kept = root.handlers[:], root.level, ours.level
    heard = Heard()
    logs.configure(level="debug", style=request.param, stream=heard.stream)
    yield heard
    root.handlers[:], root.level, ours.level = kept


@pytest.fixture
async def world(world: World, heard: Heard) -> World:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(heard.spans))
    await world.restart(options={"spans": provider})
    await make_client(world.superuser, full_name=NAME, alias=SEARCH, ssn=SSN, comment=EMAIL)
    await make_label(world.superuser, NAME)
    return world


async def _send(world: World, query: str, variables: dict[str, Any] | None = None, **headers: str) -> Any:
    return await world.http.post(
        "/graphql",
        json={"query": query, "variables": variables or {}},
        headers={**world.superuser.headers, **PERSONAL_HEADERS, **headers},
    )


async def _speak_of_people(world: World) -> list[Any]:
    """Requests that work, with something personal in every place."""
    return [
        await _send(world, "query Find($s: String) { clients(search: $s) { nodes { fullName ssn } } }", {"s": SEARCH}),
        await _send(world, f'{{ {NAME}: clients(search: "{NAME}") {{ nodes {{ {NAME}: fullName }} }} }} # {EMAIL}'),
        await _send(world, CREATE, {"input": {"fullName": NAME, "ssn": SSN, "comment": EMAIL}}),
        await world.http.get(
            "/graphql",
            params={
                "query": "query Q($s: String) { clients(search: $s) { totalCount } }",
                "variables": f'{{"s":"{NAME}"}}',
            },
            headers={**world.superuser.headers, **PERSONAL_HEADERS},
        ),
    ]


async def _fail_in_every_way(world: World) -> list[Any]:
    """Requests that fail, each with something personal in what fails."""
    raw = {**JSON_HEADERS, **PERSONAL_HEADERS}
    return [
        await _send(world, f"{{ {NAME} }}"),
        await _send(world, f'{{ clients(search: "{NAME}", {NAME}: 1) {{ totalCount }} }}'),
        await _send(world, f"query Q({{ {EMAIL}"),
        await _send(world, CREATE, {"input": {"fullName": NAME, "birthDate": SSN}}),
        await _send(world, CREATE, {"input": {"fullName": NAME, NAME: SSN}}),
        await _send(world, f'{{ node(id: "{NAME}") {{ id }} clients(after: "{EMAIL}") {{ totalCount }} }}'),
        await _send(world, SIGN_IN, {"email": EMAIL, "password": PASSWORD}),
        await _send(world, "{ me { email } }", **{"X-Api-Email": EMAIL, "X-Api-Token": TOKEN}),
        await _send(world, "{ hello { helloFrom } }", Accept=f"text/{NAME}"),
        await world.http.post("/graphql", content=f'{{"query": "{NAME}', headers=raw),
        await world.http.post("/graphql", content=b'{"query": "\xff' + NAME.encode(), headers=raw),
        await world.http.post("/graphql", content=NAME, headers=raw | {"content-type": f"text/{NAME}"}),
        await world.http.post("/graphql", content=NAME * 200_000, headers=raw),
        await world.http.get(f"/files/{TOKEN}?name={NAME}", headers=PERSONAL_HEADERS),
        await world.http.request(NAME.upper(), "/graphql", headers=PERSONAL_HEADERS),
    ]


async def test_logs_metrics_and_spans_name_nobody(
    world: World, heard: Heard, capfd: pytest.CaptureFixture[str]
) -> None:
    worked = await _speak_of_people(world)
    failed = await _fail_in_every_way(world)

    assert [answer.status_code for answer in worked] == [200] * 4
    assert NAME in worked[0].text
    assert {answer.status_code for answer in failed} == {200, 400, 401, 404, 405, 406, 413, 415}
    said = await heard.everything(world) + "".join(capfd.readouterr()).casefold()
    assert [one for one in CANARIES if one.casefold() in said] == []
    assert len(heard.stream.getvalue().splitlines()) == len(worked) + len(failed)
    assert {answer.headers["x-request-id"] for answer in worked + failed}.isdisjoint({PERSONAL_HEADERS["X-Request-Id"]})


async def test_a_constraint_that_a_name_breaks_is_not_repeated(world: World, heard: Heard) -> None:
    answer = await _send(world, LABEL, {"input": {"name": NAME}})

    assert answer.json()["data"]["createLabel"]["errors"][0]["code"] == "CONFLICT"
    assert "canar" not in answer.text.casefold()
    assert "canar" not in await heard.everything(world)


@pytest.mark.parametrize("development", [False, True])
async def test_an_error_of_our_own_is_masked_for_everyone(world: World, heard: Heard, development: bool) -> None:
    """A bug whose text holds a row, at the worst place: between the statement and its values."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(heard.spans))
    await world.restart(development=development, options={"spans": provider})

    def break_down(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "clients" in statement:
            raise RuntimeError(f"{NAME} {parameters} {SSN}")

    for engine in world.database.engines:
        event.listen(engine.sync_engine, "before_cursor_execute", break_down)
    read = await _send(world, f"{{ {NAME}: clients {{ nodes {{ fullName }} }} }}")
    written = await _send(world, CREATE, {"input": {"fullName": NAME, "ssn": SSN}})
    for engine in world.database.engines:
        event.remove(engine.sync_engine, "before_cursor_execute", break_down)

    for answer, path in ((read, [NAME]), (written, ["createClient"])):
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (200, "INTERNAL_SERVER_ERROR")
        assert error["message"] == "Internal server error. Support staff has been notified."
        assert error["path"] == path
        assert SSN not in answer.text
    assert "canar" not in await heard.everything(world)
    assert SSN not in await heard.everything(world)
    assert heard.stream.getvalue().count("RuntimeError") >= 2


async def test_what_breaks_outside_an_operation_is_masked(
    world: World, heard: Heard, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from caregraph.db.lookups import SignInLookups

    async def break_down(*_: object) -> None:
        raise RuntimeError(f"{NAME} {TOKEN}")

    monkeypatch.setattr(SignInLookups, "api_token", break_down)

    answer = await _send(world, "{ me { email } }")

    assert (answer.status_code, answer.headers["cache-control"]) == (500, "no-store")
    assert answer.json() == {
        "errors": [
            {
                "message": "Internal server error. Support staff has been notified.",
                "extensions": {"code": "INTERNAL_SERVER_ERROR"},
            }
        ]
    }
    said = await heard.everything(world) + "".join(capfd.readouterr()).casefold()
    assert [one for one in CANARIES if one.casefold() in said] == []
    assert "RuntimeError" in heard.stream.getvalue()


async def test_nobody_gets_what_another_caller_sent(world: World) -> None:
    await _speak_of_people(world)
    await _fail_in_every_way(world)

    other = [
        await world.other_superuser.ask("{ clients { nodes { fullName } } }"),
        await world.other_superuser.ask("{ nonsense }"),
        await world.other_superuser.ask("{"),
        await world.other_superuser.ask(CREATE, input={"fullName": "Kim", "birthDate": "never"}),
        await world.other_superuser.ask(CREATE),
        await world.other_superuser.ask('{ node(id: "Q2xpZW50OjE") { id } }'),
    ]

    assert [answer.status for answer in other] == [200] * 6
    assert "canar" not in json.dumps([answer.body for answer in other]).casefold()


@pytest.mark.parametrize("heard", ["json"], indirect=True)
async def test_a_request_is_one_line_that_says_how_it_went(world: World, heard: Heard) -> None:
    given = "0123456789abcdef0123456789abcdef"

    answer = await _send(
        world,
        "query Two { clients { nodes { owners { id } } } calculatorRemaining: nodes(ids: []) { id } }",
        **{"X-Request-Id": given},
    )

    assert answer.headers["x-request-id"] == given
    (line,) = heard.lines
    assert line.pop("time").endswith("Z")
    assert (line.pop("seconds"), line.pop("operation_seconds")) > (0, 0)
    assert line == {
        "level": "info",
        "message": "request",
        "logger": "caregraph.requests",
        "request_id": given,
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation": "Two",
        "kind": "query",
        "hash": line["hash"],
        "codes": [],
        "statements": 2,
    }
    assert len(line["hash"]) == 64


@pytest.mark.parametrize("heard", ["json"], indirect=True)
async def test_probes_are_not_logged(world: World, heard: Heard) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await world.http.get(path)).status_code == 200

    assert heard.lines == []


@pytest.mark.parametrize("heard", ["json"], indirect=True)
def test_libraries_are_heard_without_their_arguments(heard: Heard) -> None:
    library = logging.getLogger("some.library")
    try:
        raise ValueError(NAME)  # noqa: TRY301
    except ValueError:
        library.exception("cannot handle %s\nnor %s", NAME, EMAIL)
    library.info("%s was here", NAME)

    (line,) = heard.lines
    assert (line["level"], line["message"], line["error"]) == ("error", "cannot handle %s", "ValueError")
    assert line["at"][-1].endswith("test_libraries_are_heard_without_their_arguments")
    assert "canar" not in json.dumps(line).casefold()
