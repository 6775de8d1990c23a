"""Who sends requests, and an end to guessing: wrong ones are counted per address before the database is asked."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping

from caregraph.auth.tokens import CREDENTIALS, InvalidCredentialsError, SignIn
from caregraph.auth.viewer import Viewer
from caregraph.graph.rates import SignInLimits

ROUTE = "credentials"
_MOST_KNOWN = 10_000


class Callers:
    """Turns the credentials of requests into viewers.

    An address with too many wrong ones is refused unasked, except for credentials that have been right in this
    process: a gateway or an office is not locked out because somebody behind it guesses.
    """

    def __init__(self, sign_in: SignIn, limits: SignInLimits) -> None:
        """`sign_in` reads credentials."""
        self._sign_in = sign_in
        self._limits = limits
        self._known: OrderedDict[bytes, None] = OrderedDict()

    async def viewer(self, credentials: Mapping[str, str], address: str) -> Viewer:
        """The viewer behind `credentials`; raises `InvalidCredentialsError`, after too many `RateLimitedError`."""
        carried = [credentials.get(name) or "" for name in CREDENTIALS]
        if not any(carried):
            return await self._sign_in.viewer(credentials)
        carried.append(credentials.get("x-organization") or "")
        mark = hashlib.sha256("\x00".join(carried).encode("utf-8", "surrogatepass")).digest()
        if mark not in self._known:
            await self._limits.demand_room(route=ROUTE, address=address)
        try:
            viewer = await self._sign_in.viewer(credentials)
        except InvalidCredentialsError:
            self._known.pop(mark, None)
            await self._limits.failed(route=ROUTE, address=address)
            raise
        self._remember(mark)
        return viewer

    def _remember(self, mark: bytes) -> None:
        self._known[mark] = None
        self._known.move_to_end(mark)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
