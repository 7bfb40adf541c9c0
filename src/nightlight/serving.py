"""Runs one HTTP application until it is told to stop."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from granian.constants import Interfaces
from granian.server.embed import Server

from nightlight.errors import Conflict, Unavailable

#: Any ASGI application: granian types it no closer.
App = Any

_CONNECT_PAUSE_S = 0.01
_START_LIMIT_S = 10


def serve(
    app: App,
    *,
    name: str,
    host: str,
    port: int,
    before_stop: Callable[[], None] = lambda: None,
) -> NoReturn:
    """Serve ``app`` until SIGTERM or SIGINT and end the process with status 0.

    Says on standard error where, once it listens.

    Args:
        app: the ASGI application.
        name: what to call it.
        host: the address to listen at.
        port: the port, 0 for any that is free.
        before_stop: ends what would keep the server waiting, such as open event streams.

    Raises:
        Conflict: something else listens there.
    """
    port = _claimed(host, port)
    asyncio.run(_serve(app, name=name, host=host, port=port, before_stop=before_stop))
    # The server's threads outlive it by a moment and abort the process (3 of 25 stops) if they
    # meet an interpreter that is shutting down. Everything stored is on disk already.
    os._exit(0)


def _claimed(host: str, port: int) -> int:
    """Return a port on which nobody listens.

    The server shares its port on purpose (SO_REUSEPORT), so two servers on one port would
    silently split the requests between them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(f"cannot listen at {host}:{port}: {error.strerror}") from error
        return int(probe.getsockname()[1])


async def _serve(
    app: App, *, name: str, host: str, port: int, before_stop: Callable[[], None]
) -> None:
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, _stop, server, before_stop)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(_START_LIMIT_S):
        while not await _listens(host, port):
            if serving.done():
                raise Unavailable(f"{name} stopped while starting")
            await asyncio.sleep(_CONNECT_PAUSE_S)
    sys.stderr.write(f"{name} listens at http://{host}:{port}\n")
    sys.stderr.flush()
    await serving


def _stop(server: Server, before_stop: Callable[[], None]) -> None:
    before_stop()
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
