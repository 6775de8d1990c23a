"""What tests with other people's JavaScript clients need: Node, and the packages of `tests/node/package.json`.

The packages are installed once, outside the repository, into a folder named after the content of `package.json`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

NODE = Path(__file__).parent / "node"
_CACHE = Path(os.environ.get("CAREGRAPH_NODE_CACHE") or Path.home() / ".cache" / "caregraph-node")
_OLDEST = 20


@cache
def node_modules() -> Path:
    """The folder `node_modules` with everything that `package.json` names; without Node, skip here and fail in CI."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _missing(f"Node is missing: install Node {_OLDEST} or later with npm")
    manifest = (NODE / "package.json").read_bytes()
    folder = _CACHE / hashlib.sha256(manifest).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers of the test run must not install at once
        if not (folder / ".complete").exists():
            (folder / "package.json").write_bytes(manifest)
            _install(folder)
            (folder / ".complete").touch()
    return folder / "node_modules"


def run_node(script: str, *arguments: str, timeout: float = 120, **environment: str) -> str:
    """Run a script of `tests/node` and give what it prints; what it says on failing fails the test."""
    home = node_modules().parent
    # Imports are resolved from where a script lies: it runs as a copy beside the packages.
    copy = home / "scripts" / f"{os.getpid()}-{script}"
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(NODE / script, copy)
    try:
        done = subprocess.run(
            ["node", str(copy), *arguments],
            env=os.environ | environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    finally:
        copy.unlink()
    assert done.returncode == 0, f"{script} failed:\n{done.stderr}{done.stdout}"
    return done.stdout


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--no-progress"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode != 0:
        _missing(f"npm could not install the packages of tests/node:\n{done.stderr}")


def _missing(message: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
