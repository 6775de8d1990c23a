"""Questionnaires with published scoring, one file each, with licence, source and how sure each part is."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from .checking import Checked, check_file
from .model import Choice, Cutoff, Flag, Instrument, InstrumentItem, Licence, ReliableChange, Sureness, Vector
from .reading import read

__all__ = [
    "Checked",
    "Choice",
    "Cutoff",
    "Flag",
    "Instrument",
    "InstrumentItem",
    "Licence",
    "ReliableChange",
    "Sureness",
    "Vector",
    "check",
    "instrument",
    "instruments",
    "read",
]


@cache
def instrument(key: str) -> Instrument:
    """Give the instrument of the library with this key, such as `phq_9`; raises KeyError if there is none."""
    if key not in _keys():
        raise KeyError(key)
    return read((files(__name__) / f"{key}.toml").read_text("utf-8"))


def instruments() -> tuple[Instrument, ...]:
    """Every instrument of the library, by key."""
    return tuple(instrument(key) for key in _keys())


def check(file: Path) -> Checked:
    """Read the instrument in a file and run its vectors; raises OSError where there is no such file."""
    return check_file(file)


@cache
def _keys() -> tuple[str, ...]:
    names = (Path(one.name) for one in files(__name__).iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".toml"))
