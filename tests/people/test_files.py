"""Files about clients: uploads by the multipart specification, links, and what goes when a row goes."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from caregraph.auth.links import Links
from caregraph.db.garbage import sweep
from caregraph.db.storage import Storage
from caregraph.graph.node import global_id
from factories.people import make_client
from kit import Answer, Principal, World

UPLOAD = """
mutation($client: ID!, $file: Upload!) {
  uploadFile(clientId: $client, file: $file) {
    node { id name contentType size sha256 client { fullName } url }
    errors { code message path }
  }
}
"""
PDF = ("letter.pdf", b"%PDF-1.7 hello", "application/pdf")


async def send(principal: Principal, operations: Any, mapping: Any, files: dict[str, Any], **headers: str) -> Answer:
    response = await principal.world.http.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps(mapping)},
        files=files,
        headers={**principal.headers, "GraphQL-Require-Preflight": "1", **headers},
    )
    return Answer(response.status_code, response.json())


async def upload(principal: Principal, client_id: str, file: Any = PDF) -> Answer:
    operations = {"query": UPLOAD, "variables": {"client": client_id, "file": None}}
    return await send(principal, operations, {"0": ["variables.file"]}, {"0": file})


async def fetch(world: World, url: str) -> tuple[int, bytes, dict[str, str]]:
    response = await world.http.get(url)
    return response.status_code, response.content, dict(response.headers)


async def test_a_file_is_uploaded_listed_and_fetched_by_a_link(world: World) -> None:
    client = await make_client(world.user, full_name="Kim")
    client_id = global_id("Client", client.id)

    node = (await upload(world.user, client_id)).data["uploadFile"]["node"]
    url = node.pop("url")
    listed = await world.user.ask(
        "query($id: ID!) { client(id: $id) { files { totalCount nodes { name } } } }", id=client_id
    )
    status, content, headers = await fetch(world, url)

    assert node == {
        "id": global_id("File", 1),
        "name": "letter.pdf",
        "contentType": "application/pdf",
        "size": 14,
        "sha256": hashlib.sha256(PDF[1]).hexdigest(),
        "client": {"fullName": "Kim"},
    }
    assert listed.data["client"]["files"] == {"totalCount": 1, "nodes": [{"name": "letter.pdf"}]}
    assert (status, content) == (200, PDF[1])
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''letter.pdf"
    assert headers["cache-control"] == "private, no-store"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_files_are_seen_as_their_client_is(world: World) -> None:
    client = await make_client(world.user)
    client_id = global_id("Client", client.id)
    file_id = (await upload(world.user, client_id)).data["uploadFile"]["node"]["id"]
    before = await world.counts()

    for stranger in (world.colleague, world.other_superuser):
        refused = (await upload(stranger, client_id)).data["uploadFile"]
        deleted = await stranger.ask(
            "mutation($id: ID!) { deleteFile(id: $id) { deletedId errors { code message } } }", id=file_id
        )
        seen = await stranger.ask("query($id: ID!) { file(id: $id) { url } node(id: $id) { id } }", id=file_id)
        assert refused == {
            "node": None,
            "errors": [{"code": "NOT_FOUND", "message": "Client not found", "path": ["clientId"]}],
        }
        assert deleted.data["deleteFile"] == {
            "deletedId": None,
            "errors": [{"code": "NOT_FOUND", "message": "File not found"}],
        }
        assert seen.data == {"file": None, "node": None}

    assert await world.counts() == before
    assert (await upload(world.nobody, client_id)).error == ("UNAUTHENTICATED", "Authentication failed")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\temp\\letter.pdf", "letter.pdf"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("brev på dansk.pdf", "brev på dansk.pdf"),
    ],
)
async def test_a_file_name_is_a_name_only(world: World, name: str, kept: str) -> None:
    client = await make_client(world.user)

    node = (await upload(world.user, global_id("Client", client.id), (name, b"x", "application/pdf"))).data[
        "uploadFile"
    ]["node"]

    assert node["name"] == kept


async def test_content_types_that_are_not_taken_are_refused(world: World) -> None:
    client = await make_client(world.user)

    answer = await upload(world.user, global_id("Client", client.id), ("page.html", b"<script>", "text/html"))

    assert answer.data["uploadFile"] == {
        "node": None,
        "errors": [{"code": "INVALID", "message": "Files of type text/html are not taken", "path": ["file"]}],
    }
    assert (await world.counts())["files"] == 0


async def test_links_expire_and_cannot_be_altered(world: World) -> None:
    client = await make_client(world.user)
    url = (await upload(world.user, global_id("Client", client.id))).data["uploadFile"]["node"]["url"]
    links = world.app.state.links
    other = Links("another secret", lifetime=300).token(1, 1)
    expired = Links(links._secret.decode(), lifetime=-1).token(1, 1)
    elsewhere = links.token(world.other_user.organization_id, 1)

    assert (await fetch(world, url))[0] == 200
    for token in (url[7:-1], url[7:] + "A", other, expired, elsewhere, "nonsense", "a.b"):
        assert (await fetch(world, f"/files/{token}"))[:2] == (404, b"Not found")


async def test_bytes_go_with_their_row_and_with_their_client(world: World) -> None:
    storage: Storage = world.app.state.storage
    client = await make_client(world.user)
    client_id = global_id("Client", client.id)
    one = (await upload(world.user, client_id)).data["uploadFile"]["node"]
    two = (await upload(world.user, client_id)).data["uploadFile"]["node"]

    deleted = await world.user.ask("mutation($id: ID!) { deleteFile(id: $id) { deletedId } }", id=one["id"])
    gone = await fetch(world, one["url"])
    first = await sweep(world.database, storage)
    await world.user.ask("mutation($id: ID!) { deleteClient(id: $id) { deletedId } }", id=client_id)
    second = await sweep(world.database, storage)

    assert deleted.data["deleteFile"]["deletedId"] == one["id"]
    assert gone[0] == 404
    assert (first, second) == (1, 1)
    assert (await fetch(world, two["url"]))[0] == 404
    assert (await world.counts())["file_garbage"] == 0


@pytest.mark.parametrize(
    ("operations", "mapping", "files", "message"),
    [
        ([1], {"0": ["variables.file"]}, {"0": PDF}, "The path 'variables.file' leads nowhere"),
        ({"query": UPLOAD}, {"0": ["variables.file"]}, {"0": PDF}, "The path 'variables.file' leads nowhere"),
        (
            {"query": UPLOAD, "variables": {"file": 1}},
            {"0": ["variables.file"]},
            {"0": PDF},
            "The path 'variables.file' does not lead to null",
        ),
        (
            {"query": UPLOAD, "variables": {"file": None}},
            {"0": ["query"]},
            {"0": PDF},
            "The path 'query' does not lead into variables",
        ),
        (
            {"query": UPLOAD, "variables": {"file": None}},
            {"0": []},
            {"0": PDF},
            "The field map is not an object of lists of paths",
        ),
        (
            {"query": UPLOAD, "variables": {"file": None}},
            ["0"],
            {"0": PDF},
            "The field map is not an object of lists of paths",
        ),
        (
            {"query": UPLOAD, "variables": {"file": None}},
            {"1": ["variables.file"]},
            {"0": PDF},
            "There is no file for '1' of the map",
        ),
        (
            {"query": UPLOAD, "variables": {"file": [None]}},
            {"0": ["variables.file.7"]},
            {"0": PDF},
            "The path 'variables.file.7' leads nowhere",
        ),
        (
            {"query": UPLOAD, "variables": {"file": [None]}},
            {"0": ["variables.file.x"]},
            {"0": PDF},
            "The path 'variables.file.x' leads nowhere",
        ),
    ],
)
async def test_a_malformed_multipart_request_is_refused(
    world: World, operations: Any, mapping: Any, files: Any, message: str
) -> None:
    answer = await send(world.user, operations, mapping, files)

    assert (answer.status, answer.error) == (400, ("BAD_REQUEST", message))


async def test_sizes_and_counts_are_bounded(url: str) -> None:
    world = World(url, url, maximum_file=100, maximum_files=2, maximum_body=1000) if url.startswith("sqlite") else None
    if world is None:
        return
    await world.populate()
    client_id = global_id("Client", (await make_client(world.user)).id)
    operations = {"query": UPLOAD, "variables": {"client": client_id, "file": None}}

    exact = await upload(world.user, client_id, ("a.txt", b"x" * 100, "text/plain"))
    large = await upload(world.user, client_id, ("a.txt", b"x" * 101, "text/plain"))
    huge = await upload(world.user, client_id, ("a.txt", b"x" * 100_000, "text/plain"))
    many = await send(world.user, operations, {"0": ["variables.file"]}, {str(n): PDF for n in range(3)})
    await world.close()

    assert exact.data["uploadFile"]["errors"] == []
    assert (large.status, large.error) == (413, ("PAYLOAD_TOO_LARGE", "A file may have 100 bytes"))
    assert (huge.status, huge.error) == (413, ("PAYLOAD_TOO_LARGE", "The request may have 1200 bytes"))
    assert (many.status, many.error[0]) == (400, "BAD_REQUEST")


async def test_an_upload_is_only_ever_a_file(world: World) -> None:
    client = await make_client(world.user)

    answer = await world.user.ask(UPLOAD, client=global_id("Client", client.id), file="text")

    assert answer.error[0] == "BAD_USER_INPUT"
    assert "Upload cannot represent a value that is not a file of a multipart request" in answer.error[1]


async def test_folders_and_memory_store_alike(tmp_path: Any) -> None:
    import io

    for storage in (Storage(str(tmp_path / "files")), Storage("memory:///")):
        await storage.put("key", io.BytesIO(b"x" * 600_000))
        pieces = [piece async for piece in await storage.read("key")]
        await storage.delete("key")
        await storage.delete("key")

        assert b"".join(pieces) == b"x" * 600_000
        with pytest.raises(FileNotFoundError):
            await storage.read("key")


async def test_simultaneous_uploads_all_arrive(world: World) -> None:
    client_id = global_id("Client", (await make_client(world.user)).id)

    answers = await asyncio.gather(*(upload(world.user, client_id) for _ in range(5)))

    assert len({answer.data["uploadFile"]["node"]["id"] for answer in answers}) == 5
