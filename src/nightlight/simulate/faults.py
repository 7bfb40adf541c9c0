"""Faults on request: what can go wrong with an answer, from a script or switched on over HTTP."""

import asyncio
import re
import tomllib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec import Struct, structs

from nightlight.errors import InvalidInput

# ASGI's own types: the messages are the server's, so their values are not ours to type.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


#: What stands in an answer that names the MD5 of what arrived.
_MD5 = re.compile(rb"(?<=<hash>)[0-9a-f]{32}(?=</hash>)")
_OTHER_MD5 = b"0" * 32


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should go wrong, where and how often.

    Attributes:
        path: the end of the request path, such as "/finish"; "" for any.
        kind: drop_answer takes effect and then breaks the connection, drop_request breaks it
            before; error_401 (nothing but a status), error_500, error_503 and code answer without
            taking effect; delay takes effect and answers
            late; truncate takes effect and answers half; wrong_md5 takes effect and answers that
            something else arrived.
        code: what a fault of kind "code" answers.
        delay_s: how late a fault of kind "delay" answers.
        times: how many requests it hits.
        after: how many requests it lets pass before.
    """

    path: str = ""
    kind: Literal[
        "drop_answer",
        "drop_request",
        "error_401",
        "error_500",
        "error_503",
        "code",
        "delay",
        "truncate",
        "wrong_md5",
    ]
    code: int = 0
    delay_s: float = 0.0
    times: int = 1
    after: int = 0


class _Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    faults: tuple[Fault, ...]


def read_script(path: Path) -> tuple[Fault, ...]:
    """Return the faults that a file lists: JSON, or TOML with ``[[faults]]``.

    Raises:
        InvalidInput: the file is neither, or a field is missing, unknown or out of range.
    """
    try:
        if path.suffix == ".toml":
            return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Script).faults
        return msgspec.json.decode(path.read_bytes(), type=tuple[Fault, ...])
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"no script of faults: {error}", field=str(path)) from error


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._pending: list[Fault] = list(faults)

    def add(self, fault: Fault) -> None:
        """Hold a fault until it has hit as often as it asks for."""
        self._pending.append(fault)

    def clear(self) -> None:
        """Forget every fault."""
        self._pending = []

    def take(self, path: str) -> Fault | None:
        """Return the fault that hits this request, if one does, and count it."""
        for index, fault in enumerate(self._pending):
            if not path.endswith(fault.path) or fault.times <= 0:
                continue
            if fault.after > 0:
                self._pending[index] = structs.replace(fault, after=fault.after - 1)
                continue
            self._pending[index] = structs.replace(fault, times=fault.times - 1)
            return fault
        return None


class Faulty:
    """An app whose answers fail as ``faults`` say; control paths (``/_...``) never do."""

    def __init__(self, app: App, faults: Faults, coded: Callable[[int], Response]) -> None:
        """Wrap ``app``; ``coded`` makes the answer of a fault of kind "code"."""
        self._app = app
        self._faults = faults
        self._coded = coded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail as asked."""
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith("/_"):
            fault = self._faults.take(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        match fault.kind:
            case "drop_answer":
                await self._app(scope, receive, _swallow)
                await _break_off(send)
            case "drop_request":
                await _break_off(send)
            case "error_401":
                turned_away = Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
                await turned_away(scope, receive, send)
            case "error_500":
                await Response(status_code=500)(scope, receive, send)
            case "error_503":
                busy = Response(status_code=503, headers={"Retry-After": "1"})
                await busy(scope, receive, send)
            case "code":
                await self._coded(fault.code)(scope, receive, send)
            case "delay":
                await self._app(scope, receive, _late(send, fault.delay_s))
            case "truncate":
                await self._rewritten(scope, receive, send, lambda body: body[: len(body) // 2])
            case "wrong_md5":
                await self._rewritten(scope, receive, send, lambda body: _MD5.sub(_OTHER_MD5, body))

    async def _rewritten(
        self, scope: Scope, receive: Receive, send: Send, rewrite: Callable[[bytes], bytes]
    ) -> None:
        """Let the request take effect and answer something else."""
        started: list[Message] = []
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        answer = rewrite(bytes(body))
        headers = [
            (name, value) for name, value in started[0]["headers"] if name != b"content-length"
        ]
        length = (b"content-length", str(len(answer)).encode())
        await send({**started[0], "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": answer})


def add_fault_control(app: FastAPI, faults: Faults) -> None:
    """Let ``POST /_faults`` add a fault to come and ``DELETE /_faults`` forget them all."""

    @app.post("/_faults")
    async def add_fault(request: Request) -> Response:
        try:
            fault = msgspec.json.decode(await request.body(), type=Fault)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Response(str(error), status_code=422)
        faults.add(fault)
        return Response(status_code=204)

    @app.delete("/_faults")
    async def clear_faults() -> Response:
        faults.clear()
        return Response(status_code=204)


def _late(send: Send, delay_s: float) -> Send:
    """Return what sends an answer so much later; by then the request has taken effect."""

    async def late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(delay_s)
        await send(message)

    return late


async def _swallow(message: Message) -> None:
    """Take an answer that nobody will get."""


async def _break_off(send: Send) -> None:
    """Promise more than is sent and stop: the client sees the connection break."""
    headers = [(b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b" ", "more_body": True})
