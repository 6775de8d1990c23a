"""Python tools that cannot share our environment: ariadne-codegen needs an older graphql-core than the server."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

_LONGEST_INSTALL = 240


def python_with(*requirements: str) -> Path:
    """An interpreter beside which `requirements` are installed, made once; without them, skip here and fail in CI."""
    base = Path(os.environ.get("CAREGRAPH_PYTHON_CACHE") or Path.home() / ".cache" / "caregraph-python")
    folder = base / hashlib.sha256(repr((sys.version, requirements)).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers share it
        if not (folder / "installed").exists():
            _run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")])
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
            (folder / "installed").touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_INSTALL)
    if done.returncode:
        message = f"Cannot prepare a Python environment: {done.stderr.strip()[-500:]}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
