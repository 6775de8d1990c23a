"""Documents by their ids: trusted ones in each mode, and those that clients have the server remember (APQ)."""

import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from caregraph.cli import manifest
from caregraph.http.documents import Documents
from caregraph.settings import InvalidSettingError
from kit import DOCUMENTS, World, settings_for

HELLO = DOCUMENTS["fit.root.hello"]
GREETING = {"data": {"result": {"helloFrom": "Caregraph", "apiReference": "/"}}}
OTHER = "{ hello { helloFrom } }"
OTHER_GREETING = {"data": {"hello": {"helloFrom": "Caregraph"}}}
MUTATION = "mutation M { __typename }"
GRAPHQL = "application/graphql-response+json"


def _id(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _apq(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": _id(text)}}


def _manifest(path: Path, **texts: str) -> Path:
    operations = [{"id": one, "body": text, "name": "x", "type": "query"} for one, text in texts.items()]
    content = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    path.write_text(json.dumps(content))
    return path


class Server:
    """A server of its own settings; what is sent here needs no database."""

    def __init__(self, **settings: Any) -> None:
        self.world = World("sqlite+aiosqlite:///nowhere", "sqlite+aiosqlite:///nowhere", **settings)

    async def send(self, **parameters: Any) -> httpx.Response:
        return await self.world.http.post("/graphql", json=parameters)

    async def refusal(self, **parameters: Any) -> tuple[str, str]:
        body = (await self.send(**parameters)).json()
        assert body.keys() == {"errors"}
        (error,) = body["errors"]
        return error["extensions"]["code"], error["message"]


NOT_FOUND = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
NOT_IN_LIST = ("PERSISTED_QUERY_NOT_IN_LIST", "No trusted document has this documentId")
NOT_TRUSTED = ("QUERY_NOT_IN_SAFELIST", "Only trusted documents are answered here")
MISMATCH = ("PERSISTED_QUERY_HASH_MISMATCH", "provided sha does not match query")


@pytest.mark.parametrize("mode", ["off", "audit", "enforce"])
@pytest.mark.parametrize("prefix", ["", "sha256:"])
async def test_an_operation_document_is_sent_by_its_id(mode: str, prefix: str) -> None:
    server = Server(documents=mode)

    response = await server.send(documentId=prefix + _id(HELLO))

    assert (response.status_code, response.json()) == (200, GREETING)


@pytest.mark.parametrize("mode", ["off", "audit", "enforce"])
async def test_a_trusted_document_is_sent_by_its_hash_or_its_text(mode: str) -> None:
    server = Server(documents=mode)

    assert (await server.send(extensions=_apq(HELLO))).json() == GREETING
    assert (await server.send(query=HELLO)).json() == GREETING
    assert (await server.send(query=HELLO, extensions=_apq(HELLO))).json() == GREETING


async def test_a_document_goes_by_get_with_its_id() -> None:
    server = Server()
    headers = {"GraphQL-Require-Preflight": "1"}

    named = await server.world.http.get("/graphql", params={"documentId": f"sha256:{_id(HELLO)}"}, headers=headers)
    hashed = await server.world.http.get("/graphql", params={"extensions": json.dumps(_apq(HELLO))}, headers=headers)

    assert named.json() == hashed.json() == GREETING


async def test_a_mutation_by_its_id_does_not_go_by_get() -> None:
    server = Server()
    params = {"documentId": _id(DOCUMENTS["fit.labels.create"])}

    response = await server.world.http.get(
        "/graphql", params={**params, "variables": '{"label": "x"}'}, headers={"X-Request-Id": "1"}
    )

    assert response.status_code == 405
    assert response.json()["errors"][0]["extensions"] == {"code": "METHOD_NOT_ALLOWED"}


@pytest.mark.parametrize("document_id", ["x", "sha256:", _id(OTHER), f"md5:{_id(HELLO)}", _id(HELLO).upper()])
async def test_an_unknown_id_is_refused(document_id: str) -> None:
    assert await Server().refusal(documentId=document_id) == NOT_IN_LIST


async def test_a_request_names_a_document_or_sends_it() -> None:
    refusal = await Server().refusal(documentId=_id(HELLO), query=HELLO)

    assert refusal == ("CANNOT_SEND_PQ_ID_AND_BODY", "Send documentId or query, not both")


@pytest.mark.parametrize("value", [5, {}, ["x"], True])
async def test_an_id_is_a_string(value: Any) -> None:
    response = await Server().send(documentId=value)

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == "documentId is not a string"


@pytest.mark.parametrize("nothing", [None, ""])
async def test_an_empty_id_is_absent(nothing: str | None) -> None:
    assert (await Server().send(documentId=nothing, query=OTHER)).json() == OTHER_GREETING
    assert await Server().refusal(documentId=nothing) == ("BAD_REQUEST", "query is missing")
    assert await Server().refusal(extensions={"persistedQuery": None}) == ("BAD_REQUEST", "query is missing")


@pytest.mark.parametrize("settings", [{"documents": "enforce"}, {"profile": "first-party"}])
async def test_only_trusted_documents_are_answered(settings: dict[str, str]) -> None:
    server = Server(**settings)

    assert await server.refusal(query=OTHER) == NOT_TRUSTED
    assert await server.refusal(query=HELLO + " ") == NOT_TRUSTED
    assert await server.refusal(query=OTHER, extensions=_apq(OTHER)) == NOT_TRUSTED
    assert await server.refusal(extensions=_apq(OTHER)) == NOT_FOUND
    assert await server.refusal(query="{ __schema { queryType { name } } }") == NOT_TRUSTED


async def test_unknown_documents_are_answered_and_marked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "caregraph.documents")
    server = Server(documents="audit")

    known = await server.send(query=HELLO)
    unknown = await server.send(query=OTHER)

    assert (known.json(), unknown.json()) == (GREETING, OTHER_GREETING)
    assert caplog.messages == [f"not a trusted document: sha256 {_id(OTHER)}"]


async def test_documents_of_a_manifest_are_trusted(tmp_path: Path) -> None:
    file = _manifest(tmp_path / "manifest.json", **{_id(OTHER): OTHER, "custom-1": MUTATION})
    server = Server(documents="enforce", trusted_documents=str(file))

    assert (await server.send(documentId=_id(OTHER))).json() == OTHER_GREETING
    assert (await server.send(query=OTHER)).json() == OTHER_GREETING
    assert (await server.send(documentId="custom-1")).json() == {"data": {"__typename": "Mutation"}}
    assert (await server.send(extensions=_apq(MUTATION))).json() == {"data": {"__typename": "Mutation"}}
    assert (await server.send(documentId=_id(HELLO))).json() == GREETING


async def test_what_the_manifest_command_prints_is_trusted(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(manifest.text())
    printed = json.loads(manifest.text())

    assert (printed["format"], printed["version"]) == ("apollo-persisted-query-manifest", 1)
    assert [one["body"] for one in printed["operations"]] == list(DOCUMENTS.values())
    assert [one["id"] for one in printed["operations"]] == [_id(text) for text in DOCUMENTS.values()]
    assert {one["type"] for one in printed["operations"]} == {"query", "mutation"}
    assert printed["operations"][0]["name"] in printed["operations"][0]["body"]
    response = await Server(profile="first-party", trusted_documents=str(file)).send(documentId=_id(HELLO))
    assert response.json() == GREETING


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read as a manifest"),
        ("{", "cannot be read as a manifest"),
        ("[]", "cannot be read as a manifest"),
        ('{"format": "x", "version": 1, "operations": []}', "is not an apollo-persisted-query-manifest of version 1"),
        (
            '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{}]}',
            "cannot be read as a manifest",
        ),
    ],
)
def test_a_manifest_that_is_none_is_told_at_the_start(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "manifest.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(InvalidSettingError) as raised:
        Documents(settings_for("sqlite+aiosqlite://", trusted_documents=str(file)))

    assert str(raised.value) == f"CAREGRAPH_TRUSTED_DOCUMENTS: {file} {message}"


def test_a_hash_on_another_document_is_told_at_the_start(tmp_path: Path) -> None:
    file = _manifest(tmp_path / "manifest.json", **{_id(HELLO): OTHER})

    with pytest.raises(InvalidSettingError) as raised:
        Documents(settings_for("sqlite+aiosqlite://", trusted_documents=str(file)))

    assert str(raised.value) == f"CAREGRAPH_TRUSTED_DOCUMENTS: {file} has the id {_id(HELLO)} on another document"


async def test_a_trusted_document_may_cost_more_than_others() -> None:
    server = Server(maximum_cost=2)

    assert (await server.send(query=HELLO)).json() == GREETING
    assert await server.refusal(query="{ hello { helloFrom apiReference } }") == (
        "COST_ESTIMATED_TOO_EXPENSIVE",
        "An operation may cost at most 2, this one costs 3",
    )


async def test_a_document_that_was_sent_with_its_hash_is_remembered() -> None:
    server = Server()

    assert await server.refusal(extensions=_apq(OTHER)) == NOT_FOUND
    assert (await server.send(query=OTHER, extensions=_apq(OTHER))).json() == OTHER_GREETING
    assert (await server.send(extensions=_apq(OTHER))).json() == OTHER_GREETING


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (GRAPHQL, 400)])
async def test_an_unknown_hash_is_told_as_apollo_clients_expect(accept: str, status: int) -> None:
    body = {"extensions": _apq(OTHER)}

    response = await Server().world.http.post("/graphql", json=body, headers={"accept": accept})

    error = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    assert (response.status_code, response.json()) == (status, {"errors": [error]})


async def test_a_hash_of_another_document_is_refused_and_nothing_remembered() -> None:
    server = Server()

    assert await server.refusal(query=OTHER, extensions=_apq(OTHER + " ")) == MISMATCH
    assert await server.refusal(extensions=_apq(OTHER + " ")) == NOT_FOUND
    assert await server.refusal(extensions=_apq(OTHER)) == NOT_FOUND


@pytest.mark.parametrize("wrong", ["{", "{ nonsense }", "{ hello }", "{ " + "hello { helloFrom } " * 30 + "}"])
async def test_an_invalid_document_is_never_remembered(wrong: str) -> None:
    server = Server()

    await server.refusal(query=wrong, extensions=_apq(wrong))

    assert await server.refusal(extensions=_apq(wrong)) == NOT_FOUND


@pytest.mark.parametrize(
    ("persisted", "message"),
    [
        (5, "extensions.persistedQuery has no sha256Hash"),
        ({}, "extensions.persistedQuery has no sha256Hash"),
        ({"version": 1, "sha256Hash": 5}, "extensions.persistedQuery has no sha256Hash"),
        ({"version": 2, "sha256Hash": "x"}, "Unsupported persisted query version"),
        ({"sha256Hash": "x"}, "Unsupported persisted query version"),
    ],
)
async def test_a_hash_that_is_none_is_a_bad_request(persisted: Any, message: str) -> None:
    assert await Server().refusal(query=OTHER, extensions={"persistedQuery": persisted}) == ("BAD_REQUEST", message)


async def test_the_document_used_longest_ago_is_forgotten() -> None:
    server = Server(persisted_documents=2)
    first, second, third = (f"{{ {name}: __typename }}" for name in "abc")

    for text in (first, second):
        await server.send(query=text, extensions=_apq(text))
    await server.send(extensions=_apq(first))
    await server.send(query=third, extensions=_apq(third))

    assert (await server.send(extensions=_apq(first))).json() == {"data": {"a": "Query"}}
    assert (await server.send(extensions=_apq(third))).json() == {"data": {"c": "Query"}}
    assert await server.refusal(extensions=_apq(second)) == NOT_FOUND


async def test_documents_are_forgotten_when_they_are_too_long_together() -> None:
    server = Server(persisted_bytes=40)
    first, second = "{ a: __typename }", "{ b: __typename }"  # 17 bytes each
    long = "{ c: __typename d: __typename e: __typename }"

    for text in (first, second, first, second):
        await server.send(query=text, extensions=_apq(text))
    assert (await server.send(extensions=_apq(first))).json() == {"data": {"a": "Query"}}
    third = "{ é: __typename }".replace("é", "c")
    await server.send(query=third, extensions=_apq(third))
    assert await server.refusal(extensions=_apq(second)) == NOT_FOUND
    await server.send(query=long, extensions=_apq(long))

    for text in (first, second, third, long):
        assert await server.refusal(extensions=_apq(text)) == NOT_FOUND


async def test_remembering_can_be_turned_off() -> None:
    server = Server(persisted_documents=0)

    assert (await server.send(query=OTHER, extensions=_apq(OTHER))).json() == OTHER_GREETING
    off = ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
    assert await server.refusal(extensions=_apq(OTHER)) == off
    assert (await server.send(extensions=_apq(HELLO))).json() == GREETING


async def test_what_is_remembered_is_marked_as_unknown_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "caregraph.documents")
    server = Server(documents="audit")

    await server.send(query=OTHER, extensions=_apq(OTHER))
    await server.send(extensions=_apq(OTHER))

    assert caplog.messages == [f"not a trusted document: sha256 {_id(OTHER)}"] * 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"documents": "on"}, "CAREGRAPH_DOCUMENTS must be one of off, audit, enforce"),
        ({"profile": "private"}, "CAREGRAPH_PROFILE must be one of public, first-party"),
        ({"validation_status": 500}, "CAREGRAPH_VALIDATION_STATUS must be one of 400, 422"),
        ({"persisted_bytes": -1}, "CAREGRAPH_PERSISTED_BYTES must not be below 0"),
    ],
)
def test_a_setting_that_means_nothing_is_told_at_the_start(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSettingError) as raised:
        settings_for("sqlite+aiosqlite://", **settings)

    assert str(raised.value) == message
