"""Which pages may open a connection that browsers do not protect by themselves."""

from urllib.parse import urlsplit

from caregraph.settings import Settings


def origin_allowed(settings: Settings, origin: str | None, host: str | None) -> bool:
    """Whether a page of `origin` may open a connection to this server, which it calls `host`; programs send none."""
    if origin is None:
        return True
    others = {one.strip().rstrip("/").lower() for one in settings.allowed_origins.split(",")} - {""}
    return origin.lower() in others or (host is not None and urlsplit(origin).netloc.lower() == host.lower())
