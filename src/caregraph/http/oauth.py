"""`/oauth/token` and its neighbours: RFC 6749 on the wire, and the two JSON forms that the source system documents."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from caregraph.auth.applications import basic_credentials
from caregraph.auth.grants import (
    ASSERTION,
    GRANT_TYPES,
    REVOCATION_PATH,
    TOKEN_PATH,
    Client,
    Granted,
    GrantError,
    Granting,
)
from caregraph.graph.errors import outage
from caregraph.graph.node import global_id
from caregraph.graph.rates import RateLimitedError, SignInLimits
from caregraph.settings import Settings

from .cross_site import origin_allowed
from .errors import HttpError
from .requests import JSON, read_body

FORM = "application/x-www-form-urlencoded"
JSON_API = "application/vnd.api+json"
METADATA_PATH = "/.well-known/oauth-authorization-server"
_ROUTE = "oauth"
_GUESSES = {"invalid_client", "invalid_grant"}
_LARGEST_BODY = 65_536
_MOST_FIELDS = 100
_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="caregraph", charset="UTF-8"'}
_REFUSED = 401
_FORBIDDEN = 403
_INVALID = 400
_UNAVAILABLE = 503
_INVALID_DOCUMENTED = 409
# Statuses and codes that the source system documents for its own form.
_DOCUMENTED = {
    "invalid_client": (_REFUSED, "InvalidCredentials"),
    "invalid_grant": (_REFUSED, "InvalidCredentials"),
    "unsupported_grant_type": (_REFUSED, "InvalidGrantType"),
    "access_denied": (_FORBIDDEN, "Forbidden"),
    "temporarily_unavailable": (_UNAVAILABLE, "Unavailable"),
}


@dataclass(frozen=True)
class Asked:
    """The parameters of a request, and who says they ask."""

    parameters: Mapping[str, str]
    client: Client | None

    def required(self, name: str) -> str:
        """A parameter that must be given."""
        found = self.parameters.get(name)
        if not found:
            raise GrantError("invalid_request", f"{name} is missing")
        return found

    @property
    def known_client(self) -> Client:
        """Whoever asks, who must say so."""
        if self.client is None:
            raise GrantError("invalid_client", "Authentication failed")
        return self.client


class OAuth:
    """The endpoints for applications. They answer programs: pages of other sites get nothing from them."""

    def __init__(self, granting: Granting, limits: SignInLimits, settings: Settings) -> None:
        """`granting` decides, this reads and writes; an address that fails too often is refused unasked by `limits`."""
        self._granting = granting
        self._limits = limits
        self._settings = settings

    def routes(self) -> list[BaseRoute]:
        """Their paths; the metadata only where the server knows its address."""
        known = [Route(METADATA_PATH, self._metadata)] if self._settings.server_url else []
        return [
            Route(TOKEN_PATH, self._token, methods=["POST"]),
            Route(REVOCATION_PATH, self._revoke, methods=["POST"]),
            *known,
        ]

    async def _token(self, request: Request) -> Response:
        form = _media_type(request)
        try:
            async with self._counted(_address(request)):
                granted = await self._granted(await self._asked(request, form), _address(request))
        except (GrantError, SQLAlchemyError, OSError) as error:
            return _failure(error, form)
        if form == JSON_API:
            return JSONResponse(_document(granted), 201, _HEADERS, media_type=JSON_API)
        return JSONResponse(_attributes(granted) | {"scope": granted.scope}, 200, _HEADERS)

    async def _granted(self, asked: Asked, address: str) -> Granted:
        scope = asked.parameters.get("scope")
        match asked.required("grant_type"):
            case "client_credentials":
                return await self._granting.by_secret(asked.known_client, scope=scope)
            case "refresh_token":
                token = asked.required("refresh_token")
                return await self._granting.by_refresh(asked.known_client, refresh_token=token, scope=scope)
            case kind if kind == ASSERTION:
                client_id = asked.parameters.get("client_id")
                return await self._granting.by_assertion(
                    asked.required("assertion"), address=address, client_id=client_id, scope=scope
                )
        names = ", ".join(GRANT_TYPES)
        raise GrantError("unsupported_grant_type", f"grant_type must be one of {names}")

    async def _revoke(self, request: Request) -> Response:
        try:
            async with self._counted(_address(request)):
                asked = await self._asked(request, _media_type(request))
                await self._granting.revoke(asked.known_client, asked.required("token"))
        except (GrantError, SQLAlchemyError, OSError) as error:
            return _failure(error, JSON)
        return Response(None, 200, _HEADERS)

    @asynccontextmanager
    async def _counted(self, address: str) -> AsyncIterator[None]:
        """Refuse an address that has failed too often before anything else is done, and count it if it fails."""
        try:
            await self._limits.demand_room(route=_ROUTE, address=address)
            yield
        except RateLimitedError as error:
            wait = (error.extensions or {}).get("retryAfter")
            raise GrantError("temporarily_unavailable", error.message, status=429, retry_after=wait) from error
        except GrantError as error:
            if error.code in _GUESSES:
                await self._limits.failed(route=_ROUTE, address=address)
            raise

    async def _metadata(self, _request: Request) -> Response:
        """RFC 8414."""
        issuer = self._settings.server_url.rstrip("/")
        return JSONResponse(
            {
                "issuer": issuer,
                "token_endpoint": issuer + TOKEN_PATH,
                "revocation_endpoint": issuer + REVOCATION_PATH,
                "grant_types_supported": list(GRANT_TYPES),
                "response_types_supported": [],
                "scopes_supported": list(self._granting.every_scope()),
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )

    async def _asked(self, request: Request, form: str) -> Asked:
        headers = request.headers
        is_at_home = origin_allowed(self._settings, headers.get("origin"), headers.get("host"))
        if form not in {FORM, JSON, JSON_API} or not is_at_home:
            raise GrantError("access_denied", "Forbidden", status=_FORBIDDEN)
        try:
            body = await read_body(request, min(self._settings.maximum_body, _LARGEST_BODY))
        except HttpError as error:
            raise GrantError("invalid_request", error.message, status=error.status) from error
        parameters = _parameters(body, form)
        return Asked(parameters, _client(request, parameters))


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _parameters(body: bytes, form: str) -> dict[str, str]:
    """Parameters with a value; each may be given once, and all are text."""
    try:
        text = body.decode()
        if form == FORM:
            found = _once(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
        else:
            found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise GrantError("invalid_request", f"The body is not {form}") from error
    if form == JSON_API:
        found = _attributes_of(found)
    if not isinstance(found, dict):
        raise GrantError("invalid_request", "The body is not an object")
    parameters = {name: value for name, value in found.items() if value is not None and value != ""}
    for name, value in parameters.items():
        if not isinstance(value, str) or not value.isprintable():
            raise GrantError("invalid_request", f"{name[:100]!a} is not plain text")
    return parameters


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise GrantError("invalid_request", "A parameter is given twice")
    return found


def _attributes_of(document: Any) -> Any:
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("type", "token") not in ("token", "oauth/token"):
        raise GrantError("invalid_request", "data must be a resource object of the type token")
    return data.get("attributes")


def _client(request: Request, parameters: Mapping[str, str]) -> Client | None:
    """By HTTP Basic or in the body, not by both."""
    sent = request.headers.getlist("authorization")
    key, secret = parameters.get("client_id"), parameters.get("client_secret")
    if not sent:
        return Client(key=key, secret=secret, address=_address(request)) if key and secret else None
    scheme, _, credentials = sent[0].partition(" ")
    pair = basic_credentials(credentials.strip()) if scheme.lower() == "basic" and len(sent) == 1 else None
    if pair is None:
        raise GrantError("invalid_client", "Authentication failed")
    if secret is not None or key not in {None, pair[0]}:
        raise GrantError("invalid_request", "Say once who asks: by HTTP Basic or in the body")
    return Client(key=pair[0], secret=pair[1], address=_address(request))


def _attributes(granted: Granted) -> dict[str, Any]:
    told = {"access_token": granted.access_token, "token_type": "bearer", "expires_in": granted.expires_in}
    return told if granted.refresh_token is None else {**told, "refresh_token": granted.refresh_token}


def _document(granted: Granted) -> dict[str, Any]:
    organization = {"type": "organization", "id": global_id("Organization", granted.organization_id)}
    relationships: dict[str, Any] = {"organization": {"data": organization}}
    if granted.group_ids is not None:
        groups = [{"type": "group", "id": global_id("Group", one)} for one in granted.group_ids]
        relationships["groups"] = {"data": groups}
    token = {
        "type": "token",
        "id": global_id("AccessToken", granted.token_id),
        "attributes": _attributes(granted),
        "relationships": relationships,
    }
    return {"data": token}


def _failure(error: Exception, form: str) -> Response:
    if not isinstance(error, GrantError):
        failed = outage(error)
        if failed is None:
            raise error
        error = GrantError("temporarily_unavailable", failed.message, status=_UNAVAILABLE, retry_after=1)
    headers = dict(_HEADERS)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if form in {FORM, JSON}:
        return _plain(error, headers)
    status, code = _DOCUMENTED.get(error.code, (_INVALID_DOCUMENTED, "InvalidBodyParameter"))
    told = {"status": str(error.status or status), "code": code, "title": error.description}
    return JSONResponse({"errors": [told]}, error.status or status, headers, media_type=JSON_API)


def _plain(error: GrantError, headers: Mapping[str, str]) -> Response:
    """RFC 6749, section 5.2."""
    is_unknown = error.code == "invalid_client"
    body = {"error": error.code, "error_description": error.description}
    status = error.status or (_REFUSED if is_unknown else _INVALID)
    return JSONResponse(body, status, {**headers, **(_CHALLENGE if is_unknown else {})})
