"""The headers of a request, which is asked for some twenty of them and has five."""

from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

_KNOWN_AS = "caregraph.headers"


class KnownHeaders(Headers):
    """Headers that are decoded once; what is asked for by name is the first of that name."""

    def __init__(self, scope: Scope) -> None:
        """Those of `scope`."""
        super().__init__(scope=scope)
        self._first = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self._list)}

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def get(self, key: str, default: Any = None) -> Any:
        """Without the exception by which a mapping finds out that there is none."""
        return self._first.get(key.lower(), default)


def headers_of(scope: Scope) -> KnownHeaders:
    """The headers of a request, the same for everybody who carries it."""
    known: KnownHeaders | None = scope.get(_KNOWN_AS)
    if known is None:
        known = scope[_KNOWN_AS] = KnownHeaders(scope)
    return known
