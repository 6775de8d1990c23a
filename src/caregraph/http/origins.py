"""Which pages may open a connection that browsers do not protect by themselves."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers


def listed(text: str) -> frozenset[str]:
    """The origins of a setting, separated by commas."""
    return frozenset(origin for part in text.split(",") if (origin := part.strip().rstrip("/").lower()))


def is_allowed(headers: Headers, others: Collection[str]) -> bool:
    """Whether a page of the server's own host, of an origin in `others`, or no page at all opens the connection."""
    origin = headers.get("origin")
    if origin is None:
        return True
    return origin.lower() in others or urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
