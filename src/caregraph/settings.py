"""Every setting of the server, read once from the environment and passed down."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "CAREGRAPH_"

_ABOVE_ZERO = (
    "pool_size",
    "pool_timeout",
    "statement_timeout",
    "operation_timeout",
    "running_operations",
    "maximum_body",
    "maximum_file",
    "sign_in_window",
    "link_lifetime",
    "socket_init_timeout",
    "operations_per_socket",
    "subscriptions_per_process",
    "subscription_queue",
    "stream_recheck",
    "stream_heartbeat",
)
_CHOICES: dict[str, tuple[object, ...]] = {
    "execution": ("compiled", "loaders"),
    "profile": ("public", "first-party"),
    "documents": ("off", "audit", "enforce"),
    "validation_status": (400, 422),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "text"),
}


class InvalidSettingError(ValueError):
    """A setting has a value that the server cannot run with."""


def setting(description: str, default: Any) -> Any:
    """One setting with the description that the README's table repeats."""
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can choose. Each field is read from `CAREGRAPH_<NAME>`."""

    database_url: str = setting(
        "Where the data live: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user@host/name`",
        "sqlite+aiosqlite:///caregraph.sqlite",
    )
    development: bool = setting("Suggestions and causes in error messages; never with real clients", default=False)
    pool_size: int = setting("Database connections a process keeps open", 10)
    pool_timeout: float = setting("Seconds a request waits for a database connection or for its turn, then 503", 5.0)
    statement_timeout: float = setting("Seconds after which one statement is ended", 15.0)
    operation_timeout: float = setting("Seconds after which an operation is ended", 30.0)
    running_operations: int = setting("Operations that run at the same time; others wait", 50)
    waiting_operations: int = setting("Operations that wait for their turn; further ones are answered 503 at once", 200)
    shutdown_grace: float = setting("Seconds after SIGTERM in which operations still begin; not ready at once", 2.0)
    shutdown_timeout: float = setting("Seconds after SIGTERM at which what still runs is cut off", 20.0)
    metrics: bool = setting("Whether `/metrics` answers", default=True)
    metrics_token: str = setting("Bearer token that `/metrics` asks for; empty: none", "")
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
        "Signs download links, the same for all processes; without one, links end with the process", ""
    )
    link_lifetime: int = setting("Seconds for which a download link works", 300)
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
    maximum_entities: int = setting("References that a gateway may send to `_entities` at once", 1_000)
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
        self._check_limits()

    def _check_limits(self) -> None:
        for one in dataclasses.fields(self):
            if one.name.startswith("maximum_") and getattr(self, one.name) <= 0:
                raise InvalidSettingError(f"{PREFIX}{one.name.upper()} must be above 0")
        for name in ("persisted_documents", "persisted_bytes"):
            if getattr(self, name) < 0:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must not be below 0")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be one of {', '.join(map(str, choices))}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **overrides: Any) -> "Settings":
        """Read `CAREGRAPH_*`; `overrides` come from the command line and win."""
        values: dict[str, Any] = {}
        for one in dataclasses.fields(cls):
            text = environment.get(PREFIX + one.name.upper())
            if text is not None:
                values[one.name] = _read(one.name, text, type(one.default))
        return cls(**values | {name: value for name, value in overrides.items() if value is not None})


def _read(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise InvalidSettingError(f"{PREFIX}{name.upper()} must be true or false")
        return text.lower() in {"true", "1"}
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidSettingError(f"{PREFIX}{name.upper()} must be a number") from error
