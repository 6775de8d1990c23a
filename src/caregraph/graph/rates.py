"""How much one principal may ask for, and how often signing in may be tried: the same for every transport and route."""

import ipaddress
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.counters import Budget, Counters, Limit
from caregraph.settings import Settings

from .errors import RequestError

RATE_LIMITED = "RATE_LIMITED"
_MINUTE = 60
_NETWORK_BITS = 64
_LONGEST_ADDRESS = 100


class RateLimitedError(RequestError):
    """Too much was asked for; `extensions.retryAfter` says in how many seconds it can be asked again."""

    def __init__(self, message: str, budgets: Sequence[Budget], spent: Budget, **extensions: Any) -> None:
        """`spent` of `budgets` is the one that is used up."""
        self.budgets = budgets
        super().__init__(RATE_LIMITED, message, retryAfter=math.floor(spent.wait) + 1, **extensions)


class OperationLimits:
    """Operations and points of cost that one principal may spend in a minute."""

    def __init__(self, counters: Counters, settings: Settings) -> None:
        """A limit of 0 is none."""
        self._counters = counters
        limits = (("operations", settings.rate_limit), ("cost", settings.rate_limit_cost))
        self._limits = [Limit(name, amount, _MINUTE) for name, amount in limits if amount]

    async def spend(self, viewer: Viewer, address: str, *, cost: int) -> None:
        """Count one operation; raises `RateLimitedError`."""
        principal = principal_of(viewer, address)
        for limit in self._limits:
            amount = _amount(limit, cost)
            if not await self._counters.spend(limit, principal, amount):
                self._counters.refusals["operation"] += 1
                spent = await self._counters.budget(limit, principal, amount)
                budgets = await self.budgets(viewer, address)
                raise RateLimitedError("Too many requests, try again later", budgets, spent, limit=limit.name)

    async def budgets(self, viewer: Viewer, address: str) -> list[Budget]:
        """What a principal has left."""
        principal = principal_of(viewer, address)
        return [await self._counters.budget(limit, principal) for limit in self._limits]


class SignInLimits:
    """Attempts to sign in, each route by itself: per account and per address, whether they succeed or not."""

    def __init__(self, counters: Counters, settings: Settings) -> None:
        """Within the window that attempts are counted over."""
        self._counters = counters
        self._per_account = settings.sign_in_attempts_per_account
        self._per_address = settings.sign_in_attempts_per_address
        self._seconds = settings.sign_in_window

    async def attempt(self, *, route: str, address: str, account: str | None = None) -> None:
        """Count an attempt before credentials are looked at; raises `RateLimitedError`.

        `account` is what the caller claims to be: an e-mail, a client id.
        """
        await self._count(route, self._of_address(route), _of_address(address))
        if account is not None:
            await self._count(route, self._of_account(route), f"account:{account.casefold()}")

    async def succeeded(self, *, route: str, account: str) -> None:
        """Forget the attempts on an account that has signed in; those from its address stay."""
        await self._counters.forget(self._of_account(route), f"account:{account.casefold()}")

    async def demand_room(self, *, route: str, address: str) -> None:
        """Raise `RateLimitedError` unless one more attempt may come from an address; counts nothing."""
        budget = await self._counters.budget(self._of_address(route), _of_address(address))
        if budget.wait:
            raise self._refusal(route, budget)

    async def failed(self, *, route: str, address: str) -> None:
        """Count a failure where only failures count."""
        await self._counters.spend(self._of_address(route), _of_address(address))

    async def _count(self, route: str, limit: Limit, key: str) -> None:
        if not await self._counters.spend(limit, key):
            raise self._refusal(route, await self._counters.budget(limit, key))

    def _refusal(self, route: str, budget: Budget) -> RateLimitedError:
        self._counters.refusals[route] += 1
        return RateLimitedError("Too many attempts, try again later", [budget], budget)

    def _of_address(self, route: str) -> Limit:
        return Limit(f"{route}-address", self._per_address, self._seconds)

    def _of_account(self, route: str) -> Limit:
        return Limit(f"{route}-account", self._per_account, self._seconds)


def principal_of(viewer: Viewer, address: str) -> str:
    """Whose budget an operation spends. A person has one for all their tokens; nobody is known by the address."""
    kinds = {
        "user": viewer.user_id,
        "deployment session": viewer.deployment_session_id,
        "application": viewer.application_id,
        "calculator": viewer.calculator_plan_id,
        "identity": viewer.identity and viewer.identity.subject,
        "organization": viewer.organization_id,
    }
    for kind, known_as in kinds.items():
        if known_as is not None:
            return f"{kind}:{known_as}"
    return _of_address(address)


def _of_address(address: str) -> str:
    return f"address:{network_of(address)}"


def network_of(address: str) -> str:
    """An address as far as it tells callers apart: whoever has one address of IPv6 has the other 2^64 beside it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # the name of a socket, or whatever a trusted proxy says
        return address[:_LONGEST_ADDRESS]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))


def told(budgets: Sequence[Budget]) -> dict[str, Any]:
    """What `extensions.rateLimit` says, by limit."""
    return {
        one.limit.name: {
            "limit": one.limit.amount,
            "remaining": one.remaining,
            "resetAt": (now() + timedelta(seconds=one.full_in)).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        for one in budgets
    }


def headers(budgets: Sequence[Budget]) -> dict[str, str]:
    """What the `RateLimit` header fields of the IETF say."""
    if not budgets:
        return {}
    return {
        "ratelimit-policy": ", ".join(
            f'"{one.limit.name}";q={one.limit.amount};w={one.limit.seconds}' for one in budgets
        ),
        "ratelimit": ", ".join(f'"{one.limit.name}";r={one.remaining};t={math.ceil(one.full_in)}' for one in budgets),
    }


def _amount(limit: Limit, cost: int) -> int:
    """What an operation spends. A trusted document may cost more than a minute has, and then takes all of it."""
    return 1 if limit.name == "operations" else max(1, min(cost, limit.amount))
