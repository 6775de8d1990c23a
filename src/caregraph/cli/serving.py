"""Runs an application under uvicorn, quietly and to a clean end."""

import signal
import socket
import sys
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

_SECONDS_TO_FINISH = 20


def bound(host: str, port: int) -> socket.socket:
    """Take the address, before long work is done for it; nobody is let in until `serve`. Port 0 takes a free one."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        taken.close()
        raise
    taken.set_inheritable(True)
    return taken


def address(taken: socket.socket) -> str:
    """How a browser on this machine names it."""
    host, port = taken.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 compared with, not bound to
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(app: ASGIApp, taken: socket.socket) -> None:
    """Serve until interrupted or terminated. Requests are not logged: they may name people."""
    server = uvicorn.Server(
        uvicorn.Config(app, access_log=False, timeout_graceful_shutdown=_SECONDS_TO_FINISH, log_level="warning")
    )
    with suppress(KeyboardInterrupt):  # raised again by uvicorn when it has finished
        server.run(sockets=[taken])
    if not server.started:
        sys.exit(1)


def end_on_terminate() -> None:
    """Let SIGTERM unwind the stack, so that what is open is closed; uvicorn raises it again when it has finished."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
