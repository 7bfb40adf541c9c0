"""What can go wrong with an exchange, switched on over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec import Struct, structs

from nightlight.simulate.faults import App, Message, Receive, Scope, Send

Kind = Literal[
    "drop_answer",
    "truncated",
    "status",
    "too_many",
    "slow",
    "corrupt_page",
    "corrupt_entry",
    "expired_cursor",
    "foreign_next",
    "repeated_page",
    "endless",
]


class ExchangeFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should go wrong, where and how often.

    Attributes:
        path: what the request path and query hold, "" for any request.
        kind: drop_answer takes effect and then breaks the connection; truncated sends half of the
            answer as if it were whole; status answers ``status`` without taking effect; too_many
            answers 429 and asks to wait ``wait_s``; slow answers after ``wait_s``; corrupt_page
            damages the middle of a page, corrupt_entry the first of its entries; expired_cursor
            lets a link lead nowhere; foreign_next leads to another host; repeated_page leads back
            to the same page; endless sends without end.
        times: how many requests it hits.
        after: how many requests it lets pass before.
    """

    path: str = ""
    kind: Kind
    status: int = 500
    wait_s: float = 0.0
    times: int = 1
    after: int = 0


class ExchangeFaults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pending: list[ExchangeFault] = []
        self.asked: list[str] = []

    def add(self, fault: ExchangeFault) -> None:
        """Hold a fault until it has hit as often as it asks for."""
        self._pending.append(fault)

    def clear(self) -> None:
        """Forget every fault, and what was asked so far."""
        self._pending = []
        self.asked = []

    def take(self, asked: str) -> ExchangeFault | None:
        """Return the fault that hits this request, if one does, and count it."""
        self.asked.append(asked)
        for index, fault in enumerate(self._pending):
            if fault.path not in asked or fault.times <= 0:
                continue
            if fault.after > 0:
                self._pending[index] = structs.replace(fault, after=fault.after - 1)
                continue
            self._pending[index] = structs.replace(fault, times=fault.times - 1)
            return fault
        return None


class FaultyExchange:
    """An app whose answers fail as asked; control paths (``/_...``) never do.

    Faults of pages are left to the app, which finds them in the request's state as ``fault``.
    """

    def __init__(self, app: App, faults: ExchangeFaults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail as asked."""
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            await self._app(scope, receive, send)
            return
        asked = f"{scope['path']}?{scope['query_string'].decode(errors='replace')}"
        fault = self._faults.take(f"{scope['method']} {asked}")
        scope.setdefault("state", {})["fault"] = fault
        if fault is None:
            await self._app(scope, receive, send)
            return
        await self._fail(fault, scope, receive, send)

    async def _fail(self, fault: ExchangeFault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case "drop_answer":
                await self._app(scope, receive, _swallow)
                await _start(send, length=1000)
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
            case "truncated":
                await self._app(scope, receive, _halved(send))
            case "status":
                await Response(status_code=fault.status)(scope, receive, send)
            case "too_many":
                headers = {"Retry-After": f"{fault.wait_s:g}"}
                await Response(status_code=429, headers=headers)(scope, receive, send)
            case "slow":
                await asyncio.sleep(fault.wait_s)
                await self._app(scope, receive, send)
            case "endless":
                await _start(send)
                for _ in range(100_000):
                    body = b" " * 65536
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            case _:
                await self._app(scope, receive, send)


def fault_of(request: Request, kind: Kind) -> bool:
    """Return whether this request is hit by this kind of fault."""
    fault = request.scope.get("state", {}).get("fault")
    return isinstance(fault, ExchangeFault) and fault.kind == kind


def damaged(document: bytes) -> bytes:
    """Return a page of which the middle was overwritten; where it leads may still be there."""
    middle = len(document) // 2
    return document[: middle - 20] + b'\x00<&"{[\xff' + document[middle + 20 :]


def add_exchange_control(app: FastAPI, faults: ExchangeFaults, reset: Callable[[], None]) -> None:
    """Let ``/_faults`` add and forget faults, ``/_asked`` tell requests, ``/_reset`` start over."""

    @app.post("/_faults")
    async def add_fault(request: Request) -> Response:
        try:
            fault = msgspec.json.decode(await request.body(), type=ExchangeFault)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Response(str(error), status_code=422)
        faults.add(fault)
        return Response(status_code=204)

    @app.delete("/_faults")
    async def clear_faults() -> Response:
        faults.clear()
        return Response(status_code=204)

    @app.get("/_asked")
    async def asked() -> Response:
        return Response(msgspec.json.encode(faults.asked), media_type="application/json")

    @app.post("/_reset")
    async def start_over() -> Response:
        faults.clear()
        reset()
        return Response(status_code=204)


async def _swallow(message: Message) -> None:
    """Take an answer that nobody will get."""


async def _start(send: Send, *, length: int | None = None) -> None:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


def _halved(send: Send) -> Callable[[Message], Awaitable[None]]:
    """Return what sends the first half of an answer, and says that this is all."""
    start: list[Message] = []

    async def half(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body = message.get("body", b"")
        kept = body[: len(body) // 2]
        headers = [one for one in start[0]["headers"] if one[0].lower() != b"content-length"]
        await send(
            {**start[0], "headers": [*headers, (b"content-length", str(len(kept)).encode())]}
        )
        await send({"type": "http.response.body", "body": kept})

    return half
