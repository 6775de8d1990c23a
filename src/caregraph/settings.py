"""Every setting of the server, read once from the environment and passed down."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "CAREGRAPH_"

_CHOICES = {"log_level": ("debug", "info", "warning", "error"), "log_format": ("json", "text")}

_ABOVE_ZERO = (
    "pool_size",
    "pool_timeout",
    "statement_timeout",
    "operation_timeout",
    "running_operations",
    "maximum_body",
    "sign_in_window",
)


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
    maximum_body: int = setting("Bytes of the largest request body", 1_048_576)
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
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InvalidSettingError(f"{PREFIX}{name.upper()} must be one of {', '.join(allowed)}")
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
