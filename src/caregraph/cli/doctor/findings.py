"""What a check has to say."""

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How bad it is: an error lets data leak, be lost or be forged; a warning deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One problem, and what to do."""

    level: Level
    check: str
    """A name for programs."""
    problem: str
    advice: str


@dataclass(frozen=True)
class Plan:
    """How the server is going to be run, beyond its settings."""

    host: str
    """Address that it listens on."""
    processes: int


def error(check: str, problem: str, advice: str) -> Finding:
    """What must not stay."""
    return Finding(Level.ERROR, check, problem, advice)


def warning(check: str, problem: str, advice: str) -> Finding:
    """What deserves a look."""
    return Finding(Level.WARNING, check, problem, advice)
