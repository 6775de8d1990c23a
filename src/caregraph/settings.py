"""Every setting of the server, read once from the environment and passed down."""

import base64
import binascii
import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "CAREGRAPH_"
NO_KEY = "none"
"""Stands first among the encryption keys when nothing is to be encrypted any more."""
_KEY_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_KEY_BYTES = 32

_ABOVE_ZERO = (
    "workers",
    "pool_size",
    "pool_timeout",
    "statement_timeout",
    "operation_timeout",
    "running_operations",
    "maximum_body",
    "maximum_file",
    "sign_in_attempts_per_account",
    "sign_in_attempts_per_address",
    "sign_in_window",
    "link_lifetime",
    "access_token_lifetime",
    "refresh_token_lifetime",
    "invitation_lifetime",
    "socket_init_timeout",
    "operations_per_socket",
    "subscriptions_per_process",
    "subscription_queue",
    "stream_recheck",
    "stream_heartbeat",
    "oidc_keys_lifetime",
    "oidc_keys_interval",
    "oidc_timeout",
)
_NOT_BELOW_ZERO = (
    "persisted_documents",
    "persisted_bytes",
    "oidc_keys_grace",
    "oidc_leeway",
    "api_token_lifetime",
    "rate_limit",
    "rate_limit_cost",
    "invitation_pause",
    "pending_invitations",
    "invitation_mails",
)
_CHOICES: dict[str, tuple[object, ...]] = {
    "execution": ("compiled", "loaders"),
    "profile": ("public", "first-party"),
    "documents": ("off", "audit", "enforce"),
    "validation_status": (400, 422),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "text"),
}

# Without TLS only from this machine, for development and tests.
_LOOPBACK = tuple(f"http://{host}{end}" for host in ("localhost", "127.0.0.1", "[::1]") for end in ":/")


class InvalidSettingError(ValueError):
    """A setting has a value that the server cannot run with."""


def setting(description: str, default: Any, *, secret: bool = False) -> Any:
    """One setting with the description that the README's table repeats; a secret is not part of what is printed."""
    return field(default=default, metadata={"description": description}, repr=not secret)


def named_keys(text: str) -> dict[str, bytes | None]:
    """The encryption keys by name, in their order. `none`, which stands for no key, may only come first."""
    found: dict[str, bytes | None] = {}
    for part in text.split(",") if text.strip() else ():
        name, _, encoded = part.strip().partition(":")
        if not _KEY_NAME.fullmatch(name) or name in found or (name == NO_KEY and (found or encoded)):
            raise _invalid_keys()
        found[name] = None if name == NO_KEY else _key_bytes(encoded)
    return found


def _key_bytes(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise _invalid_keys() from error
    if len(key) != _KEY_BYTES:
        raise _invalid_keys()
    return key


def _invalid_keys() -> InvalidSettingError:
    return InvalidSettingError(
        f"{PREFIX}ENCRYPTION_KEYS must be name:key, several with commas between: names of letters, digits, - and _,"
        f" each once, keys of {_KEY_BYTES} bytes as base64; {NO_KEY} may stand first"
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can choose. Each field is read from `CAREGRAPH_<NAME>`."""

    database_url: str = setting(
        "Where the data live: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user@host/name`",
        "sqlite+aiosqlite:///caregraph.sqlite",
    )
    development: bool = setting("Suggestions and causes in error messages; never with real clients", default=False)
    workers: int = setting("Processes that one `serve` starts and keeps up; 1: itself alone", 1)
    pool_size: int = setting("Database connections a process keeps open", 10)
    pool_timeout: float = setting("Seconds a request waits for a database connection or for its turn, then 503", 5.0)
    statement_timeout: float = setting("Seconds after which one statement is ended", 15.0)
    operation_timeout: float = setting("Seconds after which an operation is ended", 30.0)
    running_operations: int = setting(
        "Operations that run at the same time, 4 in a crowd that the process cannot carry; others wait",
        20,
    )
    waiting_operations: int = setting(
        "Operations that wait for their turn, in a crowd as many as run; further ones are answered 503",
        200,
    )
    shutdown_grace: float = setting("Seconds after SIGTERM in which operations still begin; not ready at once", 2.0)
    shutdown_timeout: float = setting("Seconds after SIGTERM at which what still runs is cut off", 20.0)
    metrics: bool = setting("Whether `/metrics` answers", default=True)
    metrics_token: str = setting("Bearer token that `/metrics` asks for; empty: none", "", secret=True)
    log_level: str = setting("Least level of our own log records: debug, info, warning or error", "info")
    log_format: str = setting("`json` or `text`", "json")
    execution: str = setting(
        "How queries are executed: `compiled` by plans, `loaders` field by field, with the same answers", "compiled"
    )
    maximum_body: int = setting("Bytes of the largest request body", 1_048_576)
    files_url: str = setting(
        "Where uploaded files live: a folder, or `s3://bucket/prefix` with credentials as AWS tools take them",
        "caregraph-files",
    )
    maximum_file: int = setting("Bytes of the largest uploaded file", 10_485_760)
    maximum_files: int = setting("Files in one request", 10)
    file_types: str = setting(
        "Content types that may be uploaded, with commas between",
        "application/pdf,image/gif,image/jpeg,image/png,image/webp,text/csv,text/plain",
    )
    secret_key: str = setting(
        "Signs download links and seals secrets of applications, the same for all processes; without one, links end"
        " with the process and assertions signed with a secret are refused",
        "",
        secret=True,
    )
    encryption_keys: str = setting(
        "Encrypt national, telephone and e-mail data at rest: `name:base64 of 32 bytes`, several with commas; the first"
        " encrypts, all decrypt",
        "",
        secret=True,
    )
    server_url: str = setting(
        "Address at which programs reach the server, such as `https://care.example`; signed assertions must name it", ""
    )
    access_token_lifetime: int = setting("Seconds for which an access token of `/oauth/token` works", 3_600)
    refresh_token_lifetime: int = setting("Seconds for which a refresh token works, once", 1_209_600)
    link_lifetime: int = setting("Seconds for which a download link works", 300)
    public_url: str = setting(
        "Where links in mails lead: the address of your front end; `/#invitation=` and the token follow",
        "http://127.0.0.1:8000",
    )
    mail_url: str = setting(
        "How mails leave: `smtp://user:password@host:port`, `smtps://…`, or `console:`, for development",
        "console:",
    )
    mail_from: str = setting(
        "Whom mails are from: an address, or a name and an address in <>", "caregraph@localhost.invalid"
    )
    invitation_lifetime: int = setting("Seconds for which an invitation can be accepted", 604_800)
    invitation_pause: int = setting("Seconds until an invitation may be sent again", 60)
    pending_invitations: int = setting("Invitations of one organization that may be pending", 200)
    invitation_mails: int = setting("Invitation mails of one organization within the sign-in window, then refused", 50)
    profile: str = setting(
        "`public`: anybody may write queries, limits and cost hold them; `first-party`: trusted documents only",
        "public",
    )
    introspection: bool = setting(
        "Whether `__schema` and `__type` may be selected; `__typename` always may", default=True
    )
    maximum_tokens: int = setting("Tokens of a document", 5_000)
    maximum_depth: int = setting("Fields within fields of an operation", 20)
    maximum_fields: int = setting("Fields of an operation, those of a fragment counted at each of its places", 2_000)
    maximum_root_fields: int = setting("Different fields at the root of an operation", 20)
    maximum_repeats: int = setting("Times that the same field is selected in one place", 20)
    maximum_aliases: int = setting("Aliases of an operation", 100)
    maximum_directives: int = setting("Directives of an operation", 100)
    maximum_list: int = setting("Values of one list in arguments or variables", 1_000)
    maximum_variable_values: int = setting("Values in all variables of a request together", 10_000)
    maximum_cost: int = setting("Cost of an operation, told by `extensions: {cost: true}`", 500_000)
    maximum_rows: int = setting("Rows that an operation may read before it is stopped", 50_000)
    documents: str = setting(
        "Trusted documents: `off`, `audit` logs the others, `enforce` refuses them (as profile `first-party` does)",
        "off",
    )
    trusted_documents: str = setting(
        "File of an Apollo persisted query manifest: trusted besides the package's own", ""
    )
    persisted_documents: int = setting("Automatically persisted queries that a process keeps; 0 turns them off", 1_000)
    persisted_bytes: int = setting("Bytes of all automatically persisted queries that a process keeps", 4_000_000)
    validation_status: int = setting(
        "Status of an operation that does not validate under `application/graphql-response+json`: 400 or 422", 400
    )
    allowed_origins: str = setting(
        "Origins of other sites whose pages may call the server, with commas between; `*`: all", ""
    )
    socket_init_timeout: float = setting("Seconds a WebSocket has to say who it is, then closed with 4408", 10.0)
    operations_per_socket: int = setting("Operations under way at a time on one WebSocket", 50)
    subscriptions_per_process: int = setting("Subscriptions under way at a time in one process", 1000)
    subscription_queue: int = setting("Events that may wait for one subscriber, then ended with `SLOW_CONSUMER`", 100)
    stream_recheck: float = setting("Seconds after which a quiet stream checks that its credentials still hold", 60.0)
    stream_heartbeat: float = setting("Seconds without an event after which a stream over HTTP sends a heartbeat", 12.0)
    federation: bool = setting("Answer gateways: `_service`, `_entities` and federated traces", default=True)
    federation_access: bool = setting(
        "`_service` tells `@authenticated` and `@requiresScopes`, for routers that authenticate callers themselves",
        default=False,
    )
    audit_reads: bool = setting("Record which clients' records each operation reads; changes always are", default=True)
    maximum_entities: int = setting("References that a gateway may send to `_entities` at once", 1_000)
    open_registration: bool = setting(
        "Whether a person whom an identity provider vouches for may create an organization, and so an account",
        default=False,
    )
    oidc_issuers: str = setting(
        "OpenID Connect issuers whose JWTs sign people in by verified e-mail, with commas between; empty: none", ""
    )
    oidc_audiences: str = setting("The audience of each issuer's tokens, in the same order", "")
    oidc_jwks_urls: str = setting(
        "Where each issuer's keys are, in the same order; empty: where its discovery document says", ""
    )
    oidc_leeway: float = setting("Seconds by which an issuer's clock may differ", 60.0)
    oidc_keys_lifetime: float = setting("Seconds after which an issuer's keys are fetched again", 3600.0)
    oidc_keys_grace: float = setting("Seconds for which older keys serve on while their issuer is away", 21_600.0)
    oidc_keys_interval: float = setting("Seconds between two fetches at least, also for a key that is not there", 10.0)
    oidc_timeout: float = setting("Seconds after which a fetch of keys has failed", 5.0)
    api_token_lifetime: int = setting("Seconds for which a new API token holds; 0: until it is revoked", 7_776_000)
    rate_limit: int = setting("Operations per minute of one principal; 0: no limit", 6_000)
    rate_limit_cost: int = setting("Points of cost per minute of one principal; 0: no limit", 10_000_000)
    rate_limit_url: str = setting(
        "Where rate limits are counted: `memory://` by each process, or `redis://…` or `valkey://…` by all together",
        "memory://",
    )
    trusted_proxies: str = setting(
        "Addresses and networks of proxies whose `X-Forwarded-For` is believed, with commas between; empty: none",
        "127.0.0.1",
    )
    sign_in_attempts_per_account: int = setting("Attempts on one account within the window, then refused", 10)
    sign_in_attempts_per_address: int = setting("Attempts from one address within the window, then refused", 100)
    sign_in_window: int = setting("Seconds over which sign-in attempts are counted", 900)
    password_memory: int = setting("Argon2id memory per password, KiB", 65_536)
    password_passes: int = setting("Argon2id passes per password", 3)

    def __post_init__(self) -> None:
        for name in _ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be above 0")
        if self.shutdown_grace < 0 or self.shutdown_grace > self.shutdown_timeout:
            raise InvalidSettingError(f"{PREFIX}SHUTDOWN_GRACE must be between 0 and {PREFIX}SHUTDOWN_TIMEOUT")
        if not self.database_url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise InvalidSettingError(
                f"{PREFIX}DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://"
            )
        named_keys(self.encryption_keys)
        if not self.public_url.startswith(("https://", "http://")):
            raise InvalidSettingError(f"{PREFIX}PUBLIC_URL must begin with https:// or http://")
        self._check_limits()
        self._check_issuers()

    def _check_limits(self) -> None:
        for one in dataclasses.fields(self):
            if one.name.startswith("maximum_") and getattr(self, one.name) <= 0:
                raise InvalidSettingError(f"{PREFIX}{one.name.upper()} must be above 0")
        for name in _NOT_BELOW_ZERO:
            if getattr(self, name) < 0:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must not be below 0")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be one of {', '.join(map(str, choices))}")

    def _check_issuers(self) -> None:
        count = len(_listed(self.oidc_issuers))
        if len(_listed(self.oidc_audiences)) != count or "" in _listed(self.oidc_audiences):
            raise InvalidSettingError(f"{PREFIX}OIDC_AUDIENCES must name an audience for each of {PREFIX}OIDC_ISSUERS")
        if self.oidc_jwks_urls and len(_listed(self.oidc_jwks_urls)) != count:
            raise InvalidSettingError(f"{PREFIX}OIDC_JWKS_URLS must be as many as {PREFIX}OIDC_ISSUERS")
        for name in ("oidc_issuers", "oidc_jwks_urls"):
            for url in _listed(getattr(self, name)):
                if not (url.startswith(("https://", *_LOOPBACK)) or (name == "oidc_jwks_urls" and not url)):
                    raise InvalidSettingError(f"{PREFIX}{name.upper()} must begin with https://")

    @property
    def oidc_trusts(self) -> list[tuple[str, str, str]]:
        """Issuer, audience and address of keys of each entry; the address may be empty."""
        issuers = _listed(self.oidc_issuers)
        urls = _listed(self.oidc_jwks_urls) or [""] * len(issuers)
        return list(zip(issuers, _listed(self.oidc_audiences), urls, strict=True))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **overrides: Any) -> "Settings":
        """Read `CAREGRAPH_*`; `overrides` come from the command line and win."""
        values: dict[str, Any] = {}
        for one in dataclasses.fields(cls):
            text = environment.get(PREFIX + one.name.upper())
            if text is not None:
                values[one.name] = _read(one.name, text, type(one.default))
        return cls(**values | {name: value for name, value in overrides.items() if value is not None})


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")] if text.strip() else []


def _read(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise InvalidSettingError(f"{PREFIX}{name.upper()} must be true or false")
        return text.lower() in {"true", "1"}
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidSettingError(f"{PREFIX}{name.upper()} must be a number") from error
