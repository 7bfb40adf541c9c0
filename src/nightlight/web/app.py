"""The web application: API and console over one ``Services``."""

from collections.abc import Iterable

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from nightlight.errors import NightlightError
from nightlight.services import Services
from nightlight.services.tokens import Tokens
from nightlight.web.api.events import events_api
from nightlight.web.api.health import health_api
from nightlight.web.api.schemas import schemas_api
from nightlight.web.api.screen import screen_routes
from nightlight.web.auth import Gate
from nightlight.web.console.live import Live
from nightlight.web.console.pages import console_pages, static_files
from nightlight.web.console.render import Renderer
from nightlight.web.fresh import Fresh
from nightlight.web.guard import Guard
from nightlight.web.hma.routes import hma_routes
from nightlight.web.hma.slashes import OneSlash
from nightlight.web.problems import Answers
from nightlight.web.shortcut import Shortcut


def create_app(services: Services, token: str, *, host_names: Iterable[str] = ()) -> FastAPI:
    """Return the application.

    Args:
        services: what Nightlight can do.
        token: the API token, which also opens the console.
        host_names: names that the console answers to besides those of loopback; "*" for any.
    """
    tokens = Tokens(unit_of_work=services.unit_of_work, clock=services.clock)
    gate = Gate(token, tokens=tokens, opens_to_tests=services.settings.hma_test_hooks)
    renderer = Renderer(services)
    answers = Answers(renderer.error_page)
    # The interactive API pages of the framework load scripts from elsewhere: they stay off.
    app = FastAPI(title="Nightlight", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(NightlightError, answers.nightlight_error)
    app.add_exception_handler(HTTPException, answers.http_error)
    app.include_router(health_api(services))
    app.include_router(events_api(services, gate))
    current = services.rules
    rules = Fresh(
        current.advance, what="the lists and the policy", is_whole=lambda: current.is_whole
    )
    asked_often = screen_routes(services.screening, gate, rules)
    if services.settings.hma_api:
        asked_often.extend(hma_routes(services, gate, rules))
    app.router.routes.extend(asked_often)
    app.include_router(schemas_api())
    live = Live(services, renderer)
    app.include_router(console_pages(services, gate, renderer, live))
    # For whoever runs the server: an open console would keep it from stopping.
    app.state.end_streams = live.end
    app.mount("/static", static_files(), name="static")
    app.add_middleware(Guard, host_names=tuple(host_names))
    app.add_middleware(Shortcut, routes=asked_often, answers=answers)
    if services.settings.hma_api:
        app.add_middleware(OneSlash)
    return app
