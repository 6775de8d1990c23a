"""Documents that the server knows by an id: trusted ones from files, and those that clients had it remember (APQ)."""

import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from caregraph.graph.errors import RequestError
from caregraph.settings import PREFIX, InvalidSettingError, Settings

from .requests import GraphQLRequest

LOG = logging.getLogger("caregraph.documents")
MANIFEST_FORMAT = "apollo-persisted-query-manifest"

_PREFIX = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}")


class Documents:
    """Finds the text of a request and decides whether it may run; each process has its own."""

    def __init__(self, settings: Settings, own: Iterable[str] = ()) -> None:
        """`own` are trusted beside those of the manifest; one that cannot be read is an `InvalidSettingError`."""
        self._mode = "enforce" if settings.profile == "first-party" else settings.documents
        self._by_id = {digest(text): text for text in own}
        self._by_id |= read_manifest(settings.trusted_documents) if settings.trusted_documents else {}
        self._by_id |= {digest(text): text for text in self._by_id.values()}
        self._trusted = frozenset(self._by_id.values())
        self._persisted = _Persisted(settings.persisted_documents, settings.persisted_bytes)

    def text_of(self, request: GraphQLRequest) -> str:
        """The document that a request sends or names; a `RequestError` when it is unknown or not allowed."""
        if request.document_id is not None:
            return self._named(request)
        sha256 = _persisted_hash(request.extensions)
        if sha256 is None:
            text = request.query
        elif request.query:
            text = _checked(request.query, sha256)
        else:
            return self._remembered(sha256)
        self._admit(text, request.operation_name)
        return text

    def is_trusted(self, text: str) -> bool:
        """Whether `text` is, letter for letter, a trusted document."""
        return text in self._trusted

    def remember(self, request: GraphQLRequest, text: str) -> None:
        """Keep a document that was sent with its hash; called only once it is known to be valid."""
        sha256 = _persisted_hash(request.extensions)
        if sha256 is not None and sha256 not in self._by_id:
            self._persisted.put(sha256, text)

    def _named(self, request: GraphQLRequest) -> str:
        if request.query:
            raise RequestError("CANNOT_SEND_PQ_ID_AND_BODY", "Send documentId or query, not both")
        text = self._by_id.get((request.document_id or "").removeprefix(_PREFIX))
        if text is None:
            raise RequestError("PERSISTED_QUERY_NOT_IN_LIST", "No trusted document has this documentId")
        return text

    def _remembered(self, sha256: str) -> str:
        text = self._by_id.get(sha256)
        if text is None and not self._persisted.is_off and self._mode != "enforce":
            text = self._persisted.get(sha256)
            if text is not None:
                self._admit(text, None)
        if text is not None:
            return text
        if self._persisted.is_off:
            raise RequestError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        raise RequestError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")

    def _admit(self, text: str, operation_name: str | None) -> None:
        if self._mode == "off" or text in self._trusted:
            return
        if self._mode == "enforce":
            raise RequestError("QUERY_NOT_IN_SAFELIST", "Only trusted documents are answered here")
        # The text may carry personal data in its literals: the log has the hash and nothing of it.
        LOG.warning("not a trusted document: sha256 %s", digest(text), extra={"operation_name": operation_name})


class _Persisted:
    """The documents used last, within a count and a number of bytes."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._texts: OrderedDict[str, str] = OrderedDict()

    @property
    def is_off(self) -> bool:
        return self._most == 0

    def get(self, sha256: str) -> str | None:
        text = self._texts.get(sha256)
        if text is not None:
            self._texts.move_to_end(sha256)
        return text

    def put(self, sha256: str, text: str) -> None:
        if sha256 in self._texts:
            self._texts.move_to_end(sha256)
            return
        self._texts[sha256] = text
        self._bytes += _size(text)
        while self._texts and (len(self._texts) > self._most or self._bytes > self._most_bytes):
            self._bytes -= _size(self._texts.popitem(last=False)[1])


def digest(text: str) -> str:
    """The id of a document: SHA-256 of its UTF-8 bytes, in lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(entries: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """An Apollo persisted query manifest of documents given as name, type and text."""
    listed = [{"id": digest(text), "body": text, "name": name, "type": kind} for name, kind, text in entries]
    return {"format": MANIFEST_FORMAT, "version": 1, "operations": listed}


def read_manifest(file: str) -> dict[str, str]:
    """The documents of an Apollo persisted query manifest, by their ids."""
    try:
        content = json.loads(Path(file).read_text("utf-8"))
        if content["format"] != MANIFEST_FORMAT or content["version"] != 1:
            raise InvalidSettingError(f"{PREFIX}TRUSTED_DOCUMENTS: {file} is not an {MANIFEST_FORMAT} of version 1")
        documents = {entry["id"].removeprefix(_PREFIX): entry["body"] for entry in content["operations"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InvalidSettingError):
            raise
        raise InvalidSettingError(f"{PREFIX}TRUSTED_DOCUMENTS: {file} cannot be read as a manifest") from error
    wrong = next((one for one, text in documents.items() if _HASH.fullmatch(one) and one != digest(text)), None)
    if wrong is not None:
        raise InvalidSettingError(f"{PREFIX}TRUSTED_DOCUMENTS: {file} has the id {wrong} on another document")
    return documents


def _persisted_hash(extensions: Mapping[str, Any] | None) -> str | None:
    """What `extensions.persistedQuery` says, in Apollo's form."""
    asked = (extensions or {}).get("persistedQuery")
    if asked is None:
        return None
    sha256 = asked.get("sha256Hash") if isinstance(asked, dict) else None
    if not isinstance(sha256, str):
        raise RequestError("BAD_REQUEST", "extensions.persistedQuery has no sha256Hash")
    if asked.get("version") != 1:
        raise RequestError("BAD_REQUEST", "Unsupported persisted query version")
    return sha256


def _checked(text: str, sha256: str) -> str:
    if digest(text) != sha256:
        raise RequestError("PERSISTED_QUERY_HASH_MISMATCH", "provided sha does not match query")
    return text


def _size(text: str) -> int:
    return len(text.encode())
