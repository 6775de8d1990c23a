"""What scopes amount to: `clients.read`, `clients.write`, and `all` for everything."""

from .viewer import EVERYTHING

Scopes = frozenset[str]


def parsed(text: str) -> Scopes:
    """The scopes in a list with spaces between, as RFC 6749 writes them."""
    return frozenset(text.split())


def written(scopes: Scopes) -> str:
    """One text for equal scopes; whatever stands beside `all` adds nothing."""
    return EVERYTHING if EVERYTHING in scopes else " ".join(sorted(scopes))


def common(one: Scopes, other: Scopes) -> Scopes:
    """What both allow."""
    if EVERYTHING in one:
        return other
    return one if EVERYTHING in other else one & other


def covers(allowed: Scopes, wanted: Scopes) -> bool:
    """Whether nothing in `wanted` goes beyond `allowed`."""
    return EVERYTHING in allowed or wanted <= allowed
