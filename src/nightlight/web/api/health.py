"""``GET /healthz``: for load balancers and alarms; says nothing that is secret."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from nightlight import __version__
from nightlight.errors import Unavailable
from nightlight.services import Services
from nightlight.web.health import read_health
from nightlight.web.problems import json_answer


def health_api(services: Services) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    async def healthz() -> Response:
        try:
            return json_answer(await run_in_threadpool(read_health, services))
        except Unavailable:
            # The error names hosts and files: those are for the operator's log, not for anybody.
            failed = {
                "status": "failed",
                "version": __version__,
                "reason": "the database does not answer",
            }
            return json_answer(failed, HTTPStatus.SERVICE_UNAVAILABLE)

    router.add_api_route("/healthz", healthz, response_model=None)
    return router
