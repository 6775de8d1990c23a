"""What pages of other sites may do: nothing, unless their origin is allowed by name.

A page elsewhere can make a browser send a "simple" request without asking first. Requests that could be simple must
therefore carry something that a page cannot add without the browser's preflight, which only allowed origins pass.
"""

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from caregraph.settings import Settings

from .errors import HttpError
from .requests import GRAPHQL_RESPONSE

PREFLIGHT_HEADERS = ("GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Request-Id", "Authorization")
_PREFLIGHT_PREFIXES = ("x-api-", "x-calculator-")
_OTHER_SITES = {"cross-site", "same-site"}
_ALLOWED_HEADERS = (
    *PREFLIGHT_HEADERS,
    "Accept",
    "Content-Type",
    "X-Api-Email",
    "X-Api-Token",
    "X-Calculator-Email",
    "X-Calculator-Token",
    "X-Organization",
    "X-Silicone-User-Token",
)
_PREFLIGHT_SECONDS = 600


def demand_preflight(headers: Headers) -> None:
    """Refuse a request that a page of any site could have had sent: for GET, and for multipart bodies."""
    if not _has_preflight_header(headers):
        names = f"{', '.join(PREFLIGHT_HEADERS[:-1])}, {PREFLIGHT_HEADERS[-1]}, X-Api-…, X-Calculator-…"
        raise HttpError(400, "PREFLIGHT_REQUIRED", f"Send one of the headers {names}, or Accept: {GRAPHQL_RESPONSE}")


def origin_allowed(settings: Settings, origin: str | None, host: str | None) -> bool:
    """Whether a page of `origin` may open a connection to this server, which it calls `host`.

    Programs send no origin. The scheme is not compared: behind a proxy that ends TLS the server does not know its own.
    """
    if origin is None:
        return True
    allowed = allowed_origins(settings)
    if "*" in allowed or origin.lower() in allowed:
        return True
    scheme, _, own = origin.lower().partition("://")
    return bool(scheme and own) and own == (host or "").lower()


def allowed_origins(settings: Settings) -> frozenset[str]:
    """The origins of other sites that may call the server."""
    listed = (one.strip().rstrip("/").lower() for one in settings.allowed_origins.split(","))
    return frozenset(one for one in listed if one)


def middleware(settings: Settings) -> list[Middleware]:
    """Cross-origin resource sharing for the allowed origins; nothing when there are none."""
    allowed = sorted(allowed_origins(settings))
    if not allowed:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=allowed,
            allow_methods=("GET", "POST"),
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"),
            max_age=_PREFLIGHT_SECONDS,
        )
    ]


def _has_preflight_header(headers: Headers) -> bool:
    if any(headers.get(name) for name in PREFLIGHT_HEADERS):
        return True
    if any(name.startswith(_PREFLIGHT_PREFIXES) for name in headers):
        return True
    # Pages may set Accept freely; browsers say by Sec-Fetch-Site when the page is another site's.
    return GRAPHQL_RESPONSE in headers.get("accept", "").lower() and headers.get("sec-fetch-site") not in _OTHER_SITES
