"""``/c/exchange`` and ``/c/exchanges``: exchanges as HMA's clients set them up and watch them."""

import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.exchange.apis import Api
from nightlight.exchange.registry import Credentials, Exchange
from nightlight.services.exchanges import Exchanges, ExchangeStatus
from nightlight.services.tokens import Scope
from nightlight.transaction import UnitOfWork
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import Refused, answered, bad, body_of, flag, required
from nightlight.web.hma.banks import REASON
from nightlight.web.hma.current import Current
from nightlight.web.hma.exchange_fields import options_of, schema_of, secrets_of, shown_options
from nightlight.web.problems import json_answer

T = TypeVar("T")

_NAME = re.compile(r"[A-Z0-9_]+")


def exchange_routes(
    gate: Gate,
    exchanges: Exchanges,
    current: Current,
    unit_of_work: UnitOfWork,
    *,
    public_only: bool = True,
) -> list[Route]:
    """Return the routes; with ``public_only`` an address that is set here must be public."""
    one = _Exchanges(gate, exchanges, current, unit_of_work, public_only=public_only)
    api, exchange = "/c/exchanges/api/{api_name}", "/c/exchange/{exchange_name}"
    return [
        Route("/c/exchanges/apis", answered(one.apis), methods=["GET"]),
        Route(f"{api}/schema", answered(one.schema), methods=["GET"]),
        Route(api, answered(one.show_api), methods=["GET"]),
        Route(api, answered(one.change_api), methods=["POST"]),
        Route("/c/exchanges", answered(one.names), methods=["GET"]),
        Route("/c/exchanges", answered(one.create), methods=["POST"]),
        Route(f"{exchange}/status", answered(one.status), methods=["GET"]),
        Route(f"{exchange}/credentials", answered(one.credentials), methods=["GET"]),
        Route(f"{exchange}/credentials", answered(one.set_credentials), methods=["POST"]),
        Route(exchange, answered(one.show), methods=["GET"]),
        Route(exchange, answered(one.change), methods=["PUT"]),
        Route(exchange, answered(one.remove), methods=["DELETE"]),
    ]


class _Exchanges:
    """Answers for exchanges."""

    def __init__(
        self,
        gate: Gate,
        exchanges: Exchanges,
        current: Current,
        unit_of_work: UnitOfWork,
        *,
        public_only: bool,
    ) -> None:
        self._public_only = public_only
        self._gate = gate
        self._exchanges = exchanges
        self._current = current
        self._unit_of_work = unit_of_work

    async def apis(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        return json_answer(list(self._exchanges.apis))

    async def schema(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        api = self._api(request)
        return json_answer(schema_of(api))

    async def show_api(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        return await self._shown_api(self._api(request))

    async def change_api(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.EXCHANGES)
        api = self._api(request)
        given = (await body_of(request)).get("credential_json")
        if given is not None:
            values, _ = secrets_of(given)

            def changed() -> None:
                if not values:
                    self._exchanges.remove_api_credentials(
                        api.name, actor=caller.name, reason=REASON
                    )
                    return
                self._exchanges.set_api_credentials(
                    api.name, Credentials(values=values), actor=caller.name, reason=REASON
                )

            await _checked(changed, "credential_json")
        return await self._shown_api(api)

    async def names(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        return json_answer([one.name for one in await run_in_threadpool(self._exchanges.all)])

    async def create(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.EXCHANGES)
        body = await body_of(request)
        bank = required(body, "bank")
        if not isinstance(bank, str) or not _NAME.fullmatch(bank):
            raise bad("Field `bank` must match /^[A-Z0-9_]+$/")
        api_json = body.get("api_json", {})
        if not isinstance(api_json, dict):
            raise bad("Field `api_json` must be object")
        name = body.get("api")
        if name is None:
            raise bad("Field `api_type` is required")
        if name not in self._exchanges.apis:
            raise bad(f"No such exchange type '{str(name)[:40]}'")
        secrets, beside = secrets_of(body.get("credential_json"))
        options = options_of(api_json) | beside
        exchange = Exchange(
            name=bank,
            api=name,
            bank=bank,
            enabled=flag(api_json.get("enabled"), otherwise=True),
            options=options,
            public_only=self._public_only and "url" in options,
        )

        def added() -> None:
            self._exchanges.add(
                exchange,
                Credentials(values=secrets),
                actor=caller.name,
                reason=REASON,
                unopened=True,
            )

        try:
            await _checked(added, "api_json")
        except Conflict:
            raise Refused(HTTPStatus.FORBIDDEN, "Exchange already exists") from None
        await self._current.changed()
        return json_answer({"message": "Created successfully"}, HTTPStatus.CREATED)

    async def show(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        return await self._shown(request)

    async def status(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        one = await self._found(request)
        return json_answer(
            {
                "checkpoint_ts": _ts(one.checkpoint_at),
                "running_fetch_start_ts": _ts(one.running_since),
                "last_fetch_complete_ts": _ts(one.completed_at),
                "last_fetch_succeeded": one.succeeded,
                "up_to_date": one.up_to_date,
                "fetched_items": one.fetched,
            }
        )

    async def credentials(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.EXCHANGES, Scope.READ)
        return json_answer(await self._credential_status(await self._found(request)))

    async def set_credentials(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.EXCHANGES)
        one = await self._found(request)
        body = await body_of(request)
        if set(body) != {"credential_json"}:
            raise bad("this endpoint takes credential_json and nothing else")
        given, _ = secrets_of(body["credential_json"])
        # What is not given is taken away: these are all there are.
        cleared = {field.name: "" for field in self._exchanges.api(one.api).credentials}

        def changed() -> None:
            self._exchanges.change(
                one.name,
                credentials=Credentials(values={**cleared, **given}),
                actor=caller.name,
                reason=REASON,
                unopened=True,
            )

        await _checked(changed, "credential_json")
        return json_answer(await self._credential_status(one))

    async def change(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.EXCHANGES)
        one = await self._found(request)
        enabled = (await body_of(request)).get("enabled")
        if enabled is not None:
            wanted = flag(enabled)

            def changed() -> None:
                self._exchanges.change(one.name, enabled=wanted, actor=caller.name, reason=REASON)

            await run_in_threadpool(changed)
        return await self._shown(request)

    async def remove(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.EXCHANGES)
        name = request.path_params["exchange_name"]

        def removed() -> None:
            self._exchanges.remove(name, with_bank=True, actor=caller.name, reason=REASON)

        try:
            await run_in_threadpool(removed)
        except NotFound:
            return json_answer({"message": "Exchange deleted"})
        await self._current.changed()
        return json_answer({"message": "Exchange deleted"})

    def _api(self, request: Request) -> Api:
        name = request.path_params["api_name"]
        api = self._exchanges.apis.get(name)
        if api is None:
            raise bad(f"no such Exchange API '{name[:40]}'")
        return api

    async def _shown_api(self, api: Api) -> Response:
        shared = await run_in_threadpool(self._exchanges.apis_with_credentials)
        return json_answer(
            {
                "supports_authentification": bool(api.credentials),
                "has_set_authentification": api.name in shared,
            }
        )

    async def _found(self, request: Request) -> ExchangeStatus:
        name = request.path_params["exchange_name"]
        try:
            return await run_in_threadpool(self._exchanges.status, name)
        except NotFound:
            message = f"Exchange '{name[:64]}' not found"
            raise Refused(HTTPStatus.NOT_FOUND, message) from None

    async def _shown(self, request: Request) -> Response:
        one = await self._found(request)
        return json_answer(
            {
                **shown_options(self._exchanges.api(one.api), one.options),
                "name": one.name,
                "api": one.api,
                "enabled": one.enabled,
                "credential_status": await self._credential_status(one),
            }
        )

    async def _credential_status(self, one: ExchangeStatus) -> dict[str, object]:
        source = await run_in_threadpool(self._source, one)
        return {
            "supports_auth": bool(self._exchanges.api(one.api).credentials),
            "has_credentials": source is not None,
            "source": source,
        }

    def _source(self, one: ExchangeStatus) -> str | None:
        with self._unit_of_work.read() as tx:
            if tx.exchanges.credentials(one.name, shared=False).values:
                return "exchange"
            # None for one whose address may be a token holder's: it gets nobody else's.
            return "api" if tx.exchanges.credentials(one.name).values else None


async def _checked(change: Callable[[], None], what: str) -> None:
    """Make a change that names or values in ``what`` may forbid; none of them is repeated.

    Raises:
        Refused: they do.
    """
    try:
        await run_in_threadpool(change)
    except InvalidInput:
        message = f"Failed to parse `{what}` - verify all fields are supplied."
        raise bad(message) from None


def _ts(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
