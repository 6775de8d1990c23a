"""Where a serving process spends its CPU time: a recording of each question by py-spy, and the functions on top."""

import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
from bench_contenders import Loaded, ours
from bench_wire import Wire
from bench_workload import COMPARED
from rich import box
from rich.console import Console
from rich.table import Table

_SECONDS = 8
_RATE = 250
_SHOWN = 24
_ALWAYS = ("runpy", "/cli/", "typer", "click", "uvicorn", "starlette", "asyncio/runners", "http/requestlog")
"""Files that everything is called from."""


def profile(console: Console, demo: Loaded, folder: Path) -> None:
    """Write a recording of each question into `folder`, for https://www.speedscope.app, and print what is on top."""
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.exists() else shutil.which("py-spy")
    if program is None:
        console.print("Nothing is profiled: py-spy is not installed.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ours(demo) as server, Wire(server.url) as wire:
        for question in COMPARED:
            file = folder / f"{question.name}.speedscope.json"
            command = [
                program,
                "record",
                "--pid",
                str(server.process_id),
                "--rate",
                str(_RATE),
                "--format",
                "speedscope",
            ]
            command += ["--output", str(file), "--duration", str(_SECONDS)]
            asked, request = 0, server.requests[question.name]
            ended = time.monotonic() + _SECONDS + 2
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as recording:
                while recording.poll() is None and time.monotonic() < ended + 60:
                    wire.ask(request)
                    asked += 1
                if recording.returncode:
                    raise RuntimeError(recording.stderr.read().decode())
            console.print(_top(file, f"{question.name}, {asked:,} requests"))


def _top(file: Path, title: str) -> Table:
    """Shares of the main thread's time on a core: in a function itself, and with all that it calls."""
    told = orjson.loads(file.read_bytes())
    names = [f"{_place(one['file'])}:{one['name']}" for one in told["shared"]["frames"]]
    is_shown = [not any(part in one["file"] for part in _ALWAYS) for one in told["shared"]["frames"]]
    main = max(told["profiles"], key=lambda one: len(one["samples"]))
    alone: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack in main["samples"]:
        if stack:
            alone[names[stack[-1]]] += 1
            whole.update({names[one] for one in stack if is_shown[one]})
    count = len(main["samples"])
    table = Table("in itself", "%", "with what it calls", "%", title=title, title_justify="left", box=box.MARKDOWN)
    for (own, own_count), (all_of, all_count) in zip(
        alone.most_common(_SHOWN), whole.most_common(_SHOWN), strict=False
    ):
        table.add_row(own, f"{100 * own_count / count:.1f}", all_of, f"{100 * all_count / count:.1f}")
    return table


def _place(file: str) -> str:
    return "/".join(Path(file).parts[-2:])
