"""``nightlight serve``: the API and console, with the worker beside them."""

import os
import subprocess
import sys
from collections.abc import Callable
from threading import Event as Stop
from threading import Thread
from typing import Annotated

import typer

from nightlight.cli.console import err
from nightlight.cli.logs import configure_logs
from nightlight.errors import InvalidInput
from nightlight.serving import serve as serve_app
from nightlight.settings import read_settings
from nightlight.web.asgi import app as web_app
from nightlight.web.auth import ensure_token
from nightlight.worker.main import run_worker

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_RESTART_PAUSE_S = 1.0


def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free port.")] = 8420,
    host_name: Annotated[
        list[str] | None,
        typer.Option(help="Further names that the console answers to; repeatable; * for any."),
    ] = None,
    with_worker: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker", help="Run a worker too (judges, delivers, files tips)."
        ),
    ] = True,
) -> None:
    """Serve the HTTP API and the console, and do the work, until Ctrl-C.

    Only this machine can reach it unless --host says otherwise; put TLS and your own sign-in in
    front of it before you do that.
    """
    configure_logs()
    settings = read_settings()
    if settings.hma_test_hooks:
        _warn_of_hooks(host)
    if host not in _LOOPBACK:
        err.print(f"[yellow]listening at {host}: other machines can reach this[/]")
    token = ensure_token(settings)
    application = web_app(host_names=[host, *(host_name or [])])
    stop = Stop()
    if with_worker:
        Thread(target=_supervise, args=(stop, _worker_process), daemon=True).start()
    # A terminal is a person's; anything else may be a log that many can read.
    shown = f"[{host}]" if ":" in host else host
    if not err.is_terminal:
        err.print(f"console: sign in with the token in {settings.token_file}", markup=False)
    elif port:
        err.print(f"console: http://{shown}:{port}/?token={token}", markup=False)
    else:
        err.print(f"console: add /?token={token} to the address below", markup=False)
    serve_app(
        application,
        name="nightlight",
        host=host,
        port=port,
        before_stop=application.state.end_streams,
    )


def worker(
    *,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="End when this process, the parent, has ended.")
    ] = None,
) -> None:
    """Judge accepted events, deliver effects and file tips until Ctrl-C.

    `nightlight serve` runs one worker by itself; further ones share the work.
    """
    configure_logs()
    run_worker(parent=parent)


def _warn_of_hooks(host: str) -> None:
    """Say what test hooks mean.

    Raises:
        InvalidInput: other machines could reach them.
    """
    if host not in _LOOPBACK:
        raise InvalidInput(
            "test hooks are on: anybody who reaches this may empty every bank",
            field="NIGHTLIGHT_HMA_TEST_HOOKS",
            hint="listen at 127.0.0.1, or unset it",
        )
    err.print(
        "[bold red]TEST HOOKS ARE ON: any program on this machine may read, change and empty every"
        " hash bank, without a token. Unset NIGHTLIGHT_HMA_TEST_HOOKS for anything but tests.[/]"
    )


def _worker_process() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "nightlight", "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(command)  # noqa: S603  our own program


def _supervise(stop: Stop, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
    """Keep a worker running: one that dies is started again after a pause."""
    while not stop.is_set():
        process = start()
        status = process.wait()
        if status in (0, -2, -15):
            return
        err.print(f"[bold red]the worker ended with status {status}; starting it again[/]")
        stop.wait(_RESTART_PAUSE_S)
