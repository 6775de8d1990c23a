"""`caregraph instruments`: the questionnaires of the library, and a check of one's own files."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from caregraph.scoring.instruments import Instrument, check, instruments

from . import show

app = typer.Typer(no_args_is_help=True, help="Questionnaires with published scoring.")


@app.command("list")
def list_instruments() -> None:
    """Show the instruments of this version: what is scored, on what terms, and how sure that is."""
    table = Table("Key", "Name", "Items", "Scores", "Text", "Licence", box=box.SIMPLE_HEAD)
    for one in instruments():
        table.add_row(one.key, one.name, str(len(one.items)), _scores(one), _text(one), _licence(one))
    show.table(table)


@app.command("check")
def check_instrument(
    file: Annotated[Path, typer.Argument(help="A TOML file like those of the library.", exists=True, dir_okay=False)],
) -> None:
    """Read an instrument's file, run its own test vectors and look for what contradicts itself; exit 1 if anything."""
    found = check(file)
    for problem in found.problems:
        show.say(f"{file}: {problem}")
    if found.instrument is None or found.problems:
        raise typer.Exit(1)
    one = found.instrument
    show.say(f"{file}: {one.name} has {len(one.items)} items, {len(one.vectors)} vectors hold")


def _scores(one: Instrument) -> str:
    return ", ".join(config.label or config.key for config in one.spec.configs)


def _text(one: Instrument) -> str:
    return "as published" if one.text_is_shipped else "neutral names"


def _licence(one: Instrument) -> str:
    return f"{one.licence.status} ({one.licence.sureness.value})"
