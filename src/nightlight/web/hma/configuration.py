"""``/c/signal_type`` and ``/c/content_type``: what can be hashed and matched; nothing to set."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import Refused, answered, bad, body_of, required, share
from nightlight.web.hma.current import Current
from nightlight.web.hma.signals import PHOTO, SIGNAL_TYPES, VIDEO
from nightlight.web.problems import json_answer


def configuration_routes(gate: Gate, current: Current) -> list[Route]:
    """Return the routes."""

    async def signal_types(request: Request) -> Response:
        await gate.admit(request, Scope.READ, Scope.BANKS, Scope.MATCH)
        return json_answer([{"name": name, "enabled_ratio": 1.0} for name in SIGNAL_TYPES])

    async def change_signal_type(request: Request) -> Response:
        await gate.admit(request, Scope.BANKS)
        name = request.path_params["signal_type_name"]
        ratio = share(required(await body_of(request), "enabled_ratio"))
        if name not in SIGNAL_TYPES:
            raise bad(f"No such signal type '{name[:40]}'")
        if ratio < 1.0:
            message = "every hash kind is always matched here: change the ratio of a bank instead"
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, message)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def index(request: Request) -> Response:
        await gate.admit(request, Scope.READ, Scope.BANKS, Scope.MATCH)
        wanted = request.query_params.get("signal_type")
        if wanted is not None and wanted not in SIGNAL_TYPES:
            raise bad(f"No such signal type '{wanted[:40]}'")
        counts = (await current.index()).status()
        built_to = await current.built_to()
        answer = {}
        for name in [wanted] if wanted is not None else SIGNAL_TYPES:
            size = counts[SIGNAL_TYPES[name]].entries
            newest = built_to if size else -1
            answer[name] = {
                "db_size": size,
                "index_size": size,
                "index_out_of_date": False,
                "newest_db_item": newest,
                "index_built_to": newest,
            }
        return json_answer(answer)

    async def content_types(request: Request) -> Response:
        await gate.admit(request, Scope.READ, Scope.BANKS, Scope.HASH)
        return json_answer([{"name": name, "enabled": True} for name in (PHOTO, VIDEO)])

    return [
        Route("/c/signal_type", answered(signal_types), methods=["GET"]),
        Route("/c/signal_type/index", answered(index), methods=["GET"]),
        Route("/c/signal_type/{signal_type_name}", answered(change_signal_type), methods=["PUT"]),
        Route("/c/content_type", answered(content_types), methods=["GET"]),
    ]
