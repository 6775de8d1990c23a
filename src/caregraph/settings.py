"""Every setting of the server, read once from the environment and passed down."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "CAREGRAPH_"

_CHOICES: dict[str, tuple[object, ...]] = {
    "profile": ("public", "first-party"),
    "documents": ("off", "audit", "enforce"),
    "validation_status": (400, 422),
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
    pool_timeout: float = setting("Seconds a request waits for a database connection", 5.0)
    statement_timeout: float = setting("Seconds after which PostgreSQL ends one statement", 15.0)
    maximum_body: int = setting("Bytes of the largest request body", 1_048_576)
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
    sign_in_attempts_per_account: int = setting("Attempts on one account within the window, then refused", 10)
    sign_in_attempts_per_address: int = setting("Attempts from one address within the window, then refused", 100)
    sign_in_window: int = setting("Seconds over which sign-in attempts are counted", 900)
    password_memory: int = setting("Argon2id memory per password, KiB", 65_536)
    password_passes: int = setting("Argon2id passes per password", 3)

    def __post_init__(self) -> None:
        for name in ("pool_size", "pool_timeout", "statement_timeout", "maximum_body", "sign_in_window"):
            if getattr(self, name) <= 0:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be above 0")
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
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be {' or '.join(map(str, choices))}")

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
