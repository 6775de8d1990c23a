"""Applications told by their secret, with every failure counted."""

from caregraph.auth.applications import Application, ApplicationSecrets, holds
from caregraph.settings import Settings

from .attempts import Attempts
from .lookups import SignInLookups


class TooManyAttemptsError(Exception):
    """Further attempts are refused for a while, right ones too."""


class Clients:
    """Knows applications by key and secret. Unknown keys and wrong secrets take the same way to the same refusal."""

    def __init__(self, lookups: SignInLookups, attempts: Attempts, settings: Settings) -> None:
        """`settings` say how many failures an application and an address may have within the window."""
        self._lookups = lookups
        self._attempts = attempts
        self._settings = settings

    async def owner_of(self, key: str, secret: str, address: str) -> Application | None:
        """The enabled application; null when that is not its secret, or after too many attempts."""
        try:
            found = await self.known(key, secret, address)
        except TooManyAttemptsError:
            return None
        return None if found is None else found.application

    async def known(self, key: str, secret: str, address: str) -> ApplicationSecrets | None:
        """What the application can prove itself with; null when that is not its secret."""
        found = await self.named(key)
        if not holds(found.hashes if found else (), secret) or found is None:
            await self.failed(key, address)
            return None
        await self.welcome(key, address)
        return found

    async def named(self, key: str) -> ApplicationSecrets | None:
        """The enabled application with a key."""
        if "\x00" in key:  # PostgreSQL has no such text
            return None
        return await self._lookups.application(key)

    async def welcome(self, key: str, address: str) -> None:
        """Let one in that has proved itself, unless too many failed before; its own failures are forgotten then."""
        counts = await self._attempts.counted(application=key, address=address)
        limits = self._limits
        if counts["application"] >= limits["application"] or counts["address"] >= limits["address"]:
            raise TooManyAttemptsError
        if counts["application"]:
            await self._attempts.forget(application=key)

    async def failed(self, key: str, address: str) -> None:
        """Count a failure before it is told, so that simultaneous ones count each other."""
        names = {"application": key, "address": address}
        if not await self._attempts.record(**{kind: (names[kind], most) for kind, most in self._limits.items()}):
            raise TooManyAttemptsError

    @property
    def _limits(self) -> dict[str, int]:
        return {
            "application": self._settings.sign_in_attempts_per_account,
            "address": self._settings.sign_in_attempts_per_address,
        }
