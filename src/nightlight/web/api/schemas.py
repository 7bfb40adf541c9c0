"""``GET /v1/schemas``: what Nightlight reads, as JSON Schema; open to all, as it is no secret."""

from fastapi import APIRouter
from starlette.responses import Response

from nightlight.errors import NotFound
from nightlight.ingest.schemas import schemas
from nightlight.web.problems import json_answer

_SCHEMA_TYPE = "application/schema+json"


def schemas_api() -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    known = schemas()

    async def list_schemas() -> Response:
        return json_answer({"schemas": {name: f"/v1/schemas/{name}" for name in known}})

    async def get_schema(name: str) -> Response:
        if name not in known:
            raise NotFound("no such event type", hint=f"known: {', '.join(sorted(known))}")
        return json_answer(known[name], media_type=_SCHEMA_TYPE)

    router.add_api_route("/v1/schemas", list_schemas, response_model=None)
    router.add_api_route("/v1/schemas/{name}", get_schema, response_model=None)
    return router
