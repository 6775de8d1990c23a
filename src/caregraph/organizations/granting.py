"""Giving access tokens: what `/oauth/token` decides, in transactions of the application's organization."""

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from caregraph.auth import scopes
from caregraph.auth.applications import ACCESS_TOKEN, REFRESH_TOKEN, Application, ApplicationSecrets
from caregraph.auth.assertions import Assertion, Claims, InvalidAssertionError
from caregraph.auth.grants import TOKEN_PATH, Client, Granted, GrantError
from caregraph.auth.sealing import Seal
from caregraph.auth.secrets import new_token, token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.clients import Clients, TooManyAttemptsError
from caregraph.db.scope import known_scopes
from caregraph.db.session import Database, Tx
from caregraph.settings import Settings

from . import models
from .applications import revoke_family

_ADDRESS_UNKNOWN = "Assertions are not taken: this server was not told its public address"
_NO_SECRETS_KEPT = "This server keeps no secrets to check HS256 with: register a public key"
LIMITED = "Too many attempts, try again later"
_USED = "It was used already, or its application is gone"


class Grants:
    """Gives tokens and takes them back; everything that fails raises `GrantError`."""

    def __init__(self, database: Database, clients: Clients, seal: Seal, settings: Settings) -> None:
        """`clients` tell applications by their secrets, `seal` opens the secrets that signatures are checked with."""
        self._database = database
        self._clients = clients
        self._seal = seal
        self._settings = settings

    def every_scope(self) -> Collection[str]:
        """Every scope there is."""
        return sorted(known_scopes())

    async def by_secret(self, client: Client, *, scope: str | None) -> Granted:
        """For an application's key and secret."""
        application = await self._authenticated(client)
        wanted = narrowed(application.scopes, scope)
        async with self._writing(application) as tx:
            return await self._pair(tx, application, wanted, refreshes=wanted)

    async def by_refresh(self, client: Client, *, refresh_token: str, scope: str | None) -> Granted:
        """For a refresh token, which is used up. One that was used before ends all that came of it."""
        application = await self._authenticated(client)
        async with self._writing(application) as tx:
            old = await self._good(tx, application, refresh_token)
            if old is not None:
                whole = scopes.common(application.scopes, scopes.parsed(old.refresh_scopes or ""))
                wanted = narrowed(whole, scope)
                old.refreshed_at = now()
                return await self._pair(tx, application, wanted, refreshes=whole, family=old.family)
        raise GrantError("invalid_grant", "The refresh token is not good, or not any more")

    async def by_assertion(self, assertion: str, *, address: str, client_id: str | None, scope: str | None) -> Granted:
        """For a signed assertion, which is used up. There is no refresh token: the next assertion serves as well."""
        known, claims = await self._signed(assertion, address)
        application = known.application
        if client_id not in {None, known.key}:
            raise GrantError("invalid_grant", "client_id must be the application's key, as iss is")
        wanted = narrowed(narrowed(application.scopes, claims.scope), scope)
        async with self._writing(application) as tx:
            await self._use(tx, application, claims)
            return await self._pair(tx, application, wanted)

    async def revoke(self, client: Client, token: str) -> None:
        """End an access or refresh token, with all that were refreshed from it; one that is unknown is fine."""
        application = await self._authenticated(client)
        given = models.AccessToken
        column = given.refresh_token_hash if token.startswith(REFRESH_TOKEN) else given.token_hash
        is_it = (column == token_hash(token), given.application_id == application.id)
        async with self._writing(application) as tx:
            family = await tx.scalar(select(given.family).where(*is_it))
            if family is not None:
                await revoke_family(tx, family)

    async def _authenticated(self, client: Client) -> Application:
        try:
            found = await self._clients.known(client.key, client.secret, client.address)
        except TooManyAttemptsError as error:
            raise self._too_many() from error
        if found is None:
            raise GrantError("invalid_client", "Authentication failed")
        return found.application

    async def _signed(self, text: str, address: str) -> tuple[ApplicationSecrets, Claims]:
        """Whose assertion it is, and what it says. One that does not hold counts as a wrong secret does."""
        issuer = None
        try:
            assertion = Assertion.read(text)
            self._must_be_checkable(assertion)
            issuer = assertion.issuer
            found = await self._clients.named(issuer)
            claims = assertion.checked(
                secrets=self._opened(found) if found is not None else (),
                public_key=found.public_key if found is not None else None,
                audience=self._settings.server_url.rstrip("/") + TOKEN_PATH,
            )
            await self._clients.welcome(issuer, address)
        except InvalidAssertionError as error:
            if issuer is not None:
                await self._failed(issuer, address)
            raise GrantError("invalid_grant", str(error)) from error
        except TooManyAttemptsError as error:
            raise self._too_many() from error
        if found is None:
            raise GrantError("invalid_client", "Authentication failed")
        return found, claims

    def _must_be_checkable(self, assertion: Assertion) -> None:
        if not self._settings.server_url:
            raise InvalidAssertionError(_ADDRESS_UNKNOWN)
        if assertion.is_by_secret and not self._seal.is_usable:
            raise InvalidAssertionError(_NO_SECRETS_KEPT)

    def _opened(self, found: ApplicationSecrets) -> list[str]:
        opened = (self._seal.opened(one, belongs_to=found.key) for one in found.sealed)
        return [one for one in opened if one is not None]

    async def _failed(self, issuer: str, address: str) -> None:
        try:
            await self._clients.failed(issuer, address)
        except TooManyAttemptsError as error:
            raise self._too_many() from error

    def _too_many(self) -> GrantError:
        wait = self._settings.sign_in_window
        return GrantError("temporarily_unavailable", LIMITED, status=429, retry_after=wait)

    async def _good(self, tx: Tx, application: Application, refresh_token: str) -> models.AccessToken | None:
        """The pair of a refresh token that may still be used; using one twice ends its family."""
        given = models.AccessToken
        is_it = (given.refresh_token_hash == token_hash(refresh_token), given.application_id == application.id)
        found = (await tx.scalars(select(given).where(*is_it).with_for_update())).one_or_none()
        if found is None or found.revoked_at is not None or found.ends_at <= now():
            return None
        if found.refreshed_at is not None:
            await revoke_family(tx, found.family)
            return None
        return found

    async def _use(self, tx: Tx, application: Application, claims: Claims) -> None:
        used = models.UsedAssertion
        await tx.execute(delete(used).where(used.application_id == application.id, used.expires_at < now()))
        expires_at = datetime.fromtimestamp(claims.expires_at, UTC)
        tx.add(used(application_id=application.id, fingerprint=claims.fingerprint, expires_at=expires_at))
        await tx.flush()

    async def _pair(
        self,
        tx: Tx,
        application: Application,
        wanted: scopes.Scopes,
        *,
        refreshes: scopes.Scopes | None = None,
        family: str | None = None,
    ) -> Granted:
        """A fresh access token, and with `refreshes` one to get the next by. Expired ones are swept on the way."""
        given, settings = models.AccessToken, self._settings
        await tx.execute(delete(given).where(given.application_id == application.id, given.ends_at < now()))
        access_token, refresh_token = ACCESS_TOKEN + new_token(), REFRESH_TOKEN + new_token()
        lasts = max(settings.access_token_lifetime, settings.refresh_token_lifetime if refreshes else 0)
        row = given(
            application_id=application.id,
            family=family or secrets.token_hex(16),
            token_hash=token_hash(access_token),
            scopes=scopes.written(wanted),
            expires_at=now() + timedelta(seconds=settings.access_token_lifetime),
            ends_at=now() + timedelta(seconds=lasts),
        )
        if refreshes is not None:
            row.refresh_token_hash, row.refresh_scopes = token_hash(refresh_token), scopes.written(refreshes)
        tx.add(row)
        here = models.Application.id == application.id
        await tx.execute(update(models.Application).where(here).values(last_used_at=now()))
        await tx.flush()
        return Granted(
            token_id=row.id,
            organization_id=application.organization_id,
            access_token=access_token,
            expires_in=settings.access_token_lifetime,
            scope=row.scopes,
            refresh_token=refresh_token if refreshes is not None else None,
            group_ids=application.group_ids,
        )

    @asynccontextmanager
    async def _writing(self, application: Application) -> AsyncIterator[Tx]:
        try:
            async with self._database.writing(Viewer.system(application.organization_id)) as tx:
                yield tx
        except IntegrityError as error:
            raise GrantError("invalid_grant", _USED) from error


def narrowed(allowed: scopes.Scopes, wanted: str | None) -> scopes.Scopes:
    """What a request asks for of what it may have; everything of it if it does not say."""
    asked = scopes.parsed(wanted or "")
    if not asked:
        return allowed
    if not (asked <= known_scopes() and scopes.covers(allowed, asked)):
        raise GrantError("invalid_scope", "A scope is unknown, or beyond what the application may")
    return asked
