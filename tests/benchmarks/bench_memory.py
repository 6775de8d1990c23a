"""What a serving process holds: after many requests, and at the height of a large one."""

from pathlib import Path

from bench_contenders import Loaded, ours
from bench_wire import Wire
from rich import box
from rich.console import Console
from rich.table import Table

_MIXED = ("Q1", "Q2", "Q3", "Q4")
_LARGE = "Q1b"
_COUNTS = (100, 1_000, 10_000)


def memory(console: Console, demo: Loaded) -> None:
    """Measure on a server of its own and print."""
    if not Path("/proc/self/clear_refs").exists():
        console.print("Memory is measured on Linux only.")
        return
    table = Table(title="Memory of a serving process, MB", title_justify="left", box=box.MARKDOWN)
    for column in ("after", "resident", "highest while Q1b"):
        table.add_column(column, justify="right")
    with ours(demo) as server, Wire(server.url) as wire:
        table.add_row("start", _megabytes(server.process_id, "VmRSS"), "")
        asked = 0
        for count in _COUNTS:
            while asked < count:
                # A large answer once in a hundred requests, the others mostly small as they are in life.
                name = _MIXED[asked % 4] if asked % 10 == 0 else "Q3"
                wire.ask(server.requests[name])
                asked += 1
            resident = _megabytes(server.process_id, "VmRSS")
            Path(f"/proc/{server.process_id}/clear_refs").write_text("5")  # the highest begins anew
            wire.ask(server.requests[_LARGE])
            table.add_row(f"{count:,} requests", resident, _megabytes(server.process_id, "VmHWM"))
    console.print(table)


def _megabytes(process_id: int, name: str) -> str:
    told = Path(f"/proc/{process_id}/status").read_text()
    (line,) = (line for line in told.splitlines() if line.startswith(f"{name}:"))
    return f"{int(line.split()[1]) / 1024:,.1f}"
