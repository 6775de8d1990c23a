"""Running other people's JavaScript tools: installed once outside the project, and skipped where there is no Node."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = SCRIPTS = Path(__file__).parent / "node"
_LONGEST_INSTALL, _LONGEST_RUN = 500, 120


def node_modules() -> Path:
    """The installed packages of `tests/node/package.json`; without Node, skip here and fail in CI."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _cannot_run("Node is missing: install node and npm")
    manifest = NODE / "package.json"
    folder = _cache() / hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers share it
        if not (folder / "installed").exists():
            _install(manifest, folder)
    return folder / "node_modules"


def run_node(
    script: str | Path,
    *arguments: str,
    timeout: float = _LONGEST_RUN,
    env: dict[str, str] | None = None,
    **environment: str,
) -> str:
    """What a script of `tests/node` prints. It runs beside the installed packages: that is where Node looks for imports."""
    modules = node_modules()
    place = modules.parent / "scripts"
    place.mkdir(exist_ok=True)
    for one in NODE.glob("*.mjs"):  # scripts import each other
        _put(one, place / one.name)
    ran = subprocess.run(
        ["node", str(place / Path(script).name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=place,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1", **(env or {}), **environment},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _cache() -> Path:
    return Path(os.environ.get("CAREGRAPH_NODE_CACHE") or Path.home() / ".cache" / "caregraph-node")


def _install(manifest: Path, folder: Path) -> None:
    shutil.copy(manifest, folder / "package.json")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LONGEST_INSTALL)
    if done.returncode:
        _cannot_run(f"npm cannot install tests/node/package.json: {done.stderr.strip()[-500:]}")
    (folder / "installed").touch()


def _put(source: Path, target: Path) -> None:
    """Copy in one step: another worker may be reading the file."""
    if not target.exists() or target.read_bytes() != source.read_bytes():
        scratch = target.with_suffix(f".{os.getpid()}")
        shutil.copy(source, scratch)
        scratch.replace(target)


def _cannot_run(message: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
