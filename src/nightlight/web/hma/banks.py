"""``/c/bank`` and ``/c/banks``: banks as HMA's clients make, change and withdraw them."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.errors import Conflict, NotFound
from nightlight.model.bank import Bank
from nightlight.services.banks import Banks
from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import (
    Refused,
    answered,
    bad,
    bank_not_found,
    body_of,
    flag,
    required,
    share,
)
from nightlight.web.hma.current import Current
from nightlight.web.problems import json_answer

T = TypeVar("T")

REASON = "through the HMA interface"
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


def bank_routes(gate: Gate, banks: Banks, current: Current) -> list[Route]:
    """Return the routes."""

    async def list_banks(request: Request) -> Response:
        await gate.admit(request, Scope.BANKS, Scope.READ)
        summaries = await run_in_threadpool(banks.summaries)
        return json_answer([shown(one.bank) for one in summaries])

    async def show(request: Request) -> Response:
        await gate.admit(request, Scope.BANKS, Scope.READ)
        return json_answer(shown(await found(banks, request)))

    async def create(request: Request) -> Response:
        caller = await gate.admit(request, Scope.BANKS)
        body = await body_of(request)
        bank = Bank(name=_name(required(body, "name")), enabled_ratio=_ratio(body, 1.0))

        def made() -> Bank:
            return banks.create(bank, actor=caller.name, reason=REASON)

        try:
            await run_in_threadpool(made)
        except Conflict:
            raise Refused(HTTPStatus.FORBIDDEN, "Bank already exists") from None
        await current.changed()
        return json_answer(shown(bank), HTTPStatus.CREATED)

    async def change(request: Request) -> Response:
        caller = await gate.admit(request, Scope.BANKS)
        body = await body_of(request)
        before = await found(banks, request)
        name = None if body.get("name") is None else _name(body["name"])
        ratio = _ratio(body, before.enabled_ratio)

        def changed() -> Bank:
            return banks.change(
                before.name,
                new_name=name,
                enabled_ratio=ratio,
                actor=caller.name,
                reason=REASON,
            )

        try:
            bank = await run_in_threadpool(changed)
        except Conflict:
            raise Refused(HTTPStatus.FORBIDDEN, "Bank name already exists") from None
        await current.changed()
        return json_answer(shown(bank))

    async def remove(request: Request) -> Response:
        caller = await gate.admit(request, Scope.BANKS)
        name = request.path_params["bank_name"]

        def removed() -> int:
            return banks.remove(name, actor=caller.name, reason=REASON)

        try:
            await run_in_threadpool(removed)
        except NotFound:
            return json_answer({"message": "Done"})
        await current.changed()
        return json_answer({"message": "Done"})

    return [
        Route("/c/banks", answered(list_banks), methods=["GET"]),
        Route("/c/banks", answered(create), methods=["POST"]),
        Route("/c/bank/{bank_name}", answered(show), methods=["GET"]),
        Route("/c/bank/{bank_name}", answered(change), methods=["PUT"]),
        Route("/c/bank/{bank_name}", answered(remove), methods=["DELETE"]),
    ]


async def found(banks: Banks, request: Request) -> Bank:
    """Return the bank that the path names.

    Raises:
        Refused: there is none (404).
    """
    name: str = request.path_params["bank_name"]
    return await or_missing(lambda: banks.get(name), bank_not_found(name))


async def or_missing(ask: Callable[[], T], missing: Refused) -> T:
    """Return what is asked for.

    Raises:
        Refused: it is not there.
    """
    try:
        return await run_in_threadpool(ask)
    except NotFound:
        raise missing from None


def shown(bank: Bank) -> dict[str, object]:
    """Return a bank as HMA shows it."""
    return {"name": bank.name, "matching_enabled_ratio": bank.enabled_ratio}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad("Bank names must be UPPER_WITH_UNDERSCORE")
    return name


def _ratio(body: dict[str, Any], otherwise: float) -> float:
    if body.get("enabled_ratio") is not None:
        return share(body["enabled_ratio"])
    if body.get("enabled") is not None:
        return 1.0 if flag(body["enabled"]) else 0.0
    return otherwise
