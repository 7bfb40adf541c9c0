"""``/status`` and what probes ask: whether there is a service, and whether it can match."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.errors import NightlightError
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import answered, plain
from nightlight.web.hma.current import Current
from nightlight.web.problems import json_answer


def status_routes(gate: Gate, current: Current, paths: list[str]) -> list[Route]:
    """Return the routes; they are open, as a load balancer knows no token."""

    async def status(request: Request) -> Response:
        del request
        return await _ready(current, "I-AM-ALIVE")

    async def readyz(request: Request) -> Response:
        del request
        return await _ready(current, "READY")

    async def live(request: Request) -> Response:
        del request
        return plain("I-AM-ALIVE")

    async def livez(request: Request) -> Response:
        del request
        return plain("OK")

    async def site_map(request: Request) -> Response:
        await gate.admit(request)
        return json_answer(sorted(set(paths)))

    return [
        Route("/status", answered(status), methods=["GET"]),
        Route("/status/live", answered(live), methods=["GET"]),
        Route("/livez", answered(livez), methods=["GET"]),
        Route("/readyz", answered(readyz), methods=["GET"]),
        Route("/site-map", answered(site_map), methods=["GET"]),
    ]


async def _ready(current: Current, good: str) -> Response:
    try:
        await current.index()
    except NightlightError:
        word = "INDEX-STALE" if current.is_loaded else "INDEX-NOT-LOADED"
        return plain(word, HTTPStatus.SERVICE_UNAVAILABLE)
    return plain(good)
