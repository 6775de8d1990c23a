"""Every setting of the server, read once from the environment and passed down."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "CAREGRAPH_"


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
        for name in (
            "pool_size",
            "pool_timeout",
            "statement_timeout",
            "maximum_body",
            "maximum_entities",
            "sign_in_window",
        ):
            if getattr(self, name) <= 0:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be above 0")
        if not self.database_url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise InvalidSettingError(
                f"{PREFIX}DATABASE_URL must begin with sqlite+aiosqlite:// or postgresql+asyncpg://"
            )

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
