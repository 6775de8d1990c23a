"""What the command line prints."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from .demo.queries import SUGGESTIONS
from .demo.run import Demo, Progress
from .doctor.findings import Finding

_NARROWEST = 110
"""Columns that a token needs to stay on one line; narrower terminals wrap it themselves, so that it can be copied."""


def _console() -> Console:
    console = Console(highlight=False)
    console.width = max(console.width, _NARROWEST)
    return console


def say(text: str) -> None:
    """One line for people, never cut or coloured."""
    Console(highlight=False, markup=False, soft_wrap=True).print(text)


def table(rows: Table) -> None:
    """A table, as wide as the terminal or as a file needs."""
    _console().print(rows)


def findings(found: Sequence[Finding], *, as_json: bool) -> None:
    """What was found, each with what to do."""
    if as_json:
        print(json.dumps([{**vars(one), "level": one.level.value} for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        say(f"{one.level.value}: {one.problem} [{one.check}]\n  {one.advice}")
    if not found:
        say("Nothing was found.")


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar for each organization or table that is being filled or rewritten."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=_console()) as bars:
        tasks = {}

        def advance(name: str, count: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.advance(tasks[name], count)

        yield advance


def demo(base: str, ready: Demo) -> None:
    """Where to go, as whom, and what to ask there."""
    console = _console()
    console.print(f"\n[bold]Playground[/]  {base}/\n[bold]GraphQL[/]     {base}/graphql\n")
    for organization in ready.organizations:
        table = Table("Who", "E-mail", "Token", title=organization.name, title_justify="left", box=box.SIMPLE_HEAD)
        for one in ready.principals:
            if one.organization == organization.name:
                table.add_row(one.name, *one.headers.values())
        console.print(table)
    console.print("Send them as the headers X-Api-Email and X-Api-Token, the calculator's as X-Calculator-Email and")
    console.print(
        f"X-Calculator-Token. The password of these users, for [italic]authenticate[/], is {ready.password}\n"
    )
    console.print("[bold]Three queries to try[/]")
    for suggestion in SUGGESTIONS:
        console.print(f"\n[dim]# {suggestion.title}[/]")
        console.print(suggestion.query, markup=False, soft_wrap=True)
    console.print("\nCtrl-C ends the demo.")
