"""``/h``: files become hashes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import answered, bad, flag
from nightlight.web.hma.files import Files, Hashed
from nightlight.web.hma.signals import signals_of
from nightlight.web.problems import json_answer


def hashing_routes(gate: Gate, files: Files) -> list[Route]:
    """Return the routes."""

    async def hash_address(request: Request) -> Response:
        await gate.admit(request, Scope.HASH)
        if not request.query_params.get("url"):
            raise bad("url is required")
        return _shown(request, await files.at_address(request))

    async def hash_sent(request: Request) -> Response:
        await gate.admit(request, Scope.HASH)
        return _shown(request, await files.sent(request))

    return [
        Route("/h/hash", answered(hash_address), methods=["GET"]),
        Route("/h/hash", answered(hash_sent), methods=["POST"]),
    ]


def _shown(request: Request, hashed: Hashed) -> Response:
    answer: dict[str, object] = dict(signals_of(hashed.hashes, hashed.types))
    if flag(request.query_params.get("include_quality")):
        answer["quality"] = hashed.hashes.pdq_quality
    return json_answer(answer)
