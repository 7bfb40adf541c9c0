"""The console's routes: pages that only read, and signing in and out."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from nightlight.services import Services
from nightlight.web.auth import Gate
from nightlight.web.console import readings
from nightlight.web.console.live import Live
from nightlight.web.console.render import Renderer

_Reading = Callable[[Services, readings.Asked], readings.Shown]
#: path -> (template, what it shows, the page that the navigation marks)
_PAGES: dict[str, tuple[str, _Reading, str]] = {
    "/": ("overview.html", readings.overview, "/"),
    "/decisions": ("decisions.html", readings.decisions, "/decisions"),
    "/cases": ("cases.html", readings.cases, "/cases"),
    "/cases/{case_id}": ("case.html", readings.case, "/cases"),
    "/accounts/{account_id:path}": ("account.html", readings.account, "/cases"),
    "/clusters": ("clusters.html", readings.clusters, "/cases"),
    "/reports": ("reports.html", readings.reports, "/reports"),
    "/reports/reconciliation": (
        "reconciliation.html",
        readings.reconciliation,
        "/reports",
    ),
    "/record": ("record.html", readings.record, "/record"),
    "/lists": ("lists.html", readings.lists, "/lists"),
    "/banks/{name}": ("bank.html", readings.bank, "/lists"),
    "/quarantine": ("quarantine.html", readings.quarantine, "/"),
    "/measure": ("measure.html", readings.measure, "/measure"),
}
_LONGEST_FORM_BYTES = 4096


def static_files() -> StaticFiles:
    """Return the console's style, script and pictures."""
    return StaticFiles(directory=Path(__file__).parent / "static")


def console_pages(services: Services, gate: Gate, renderer: Renderer, live: Live) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    def sign_in_page(*, wrong: bool = False) -> Response:
        page = renderer.page("sign_in.html", {"wrong": wrong})
        return HTMLResponse(page, HTTPStatus.UNAUTHORIZED)

    def let_in(request: Request) -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        gate.sign_in(answer, https=request.url.scheme == "https")
        return answer

    def page_route(
        template: str, read: _Reading, here: str
    ) -> Callable[[Request], Awaitable[Response]]:
        def draw(asked: readings.Asked) -> str:
            return renderer.page(template, read(services, asked), here=here)

        async def show(request: Request) -> Response:
            token = request.query_params.get("token")
            if token is not None:
                good = gate.check_sign_in(request, token)
                return let_in(request) if good else sign_in_page(wrong=True)
            if not gate.is_signed_in(request):
                return sign_in_page()
            asked = {**request.query_params, **request.path_params}
            return HTMLResponse(await run_in_threadpool(draw, asked))

        return show

    async def sign_in(request: Request) -> Response:
        token = await _form_field(request, "token")
        good = gate.check_sign_in(request, token)
        return let_in(request) if good else sign_in_page(wrong=True)

    async def sign_out() -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        gate.sign_out(answer)
        return answer

    async def stream(request: Request) -> Response:
        if not gate.is_signed_in(request):
            raise HTTPException(HTTPStatus.UNAUTHORIZED, detail="sign in first")
        return StreamingResponse(live.stream(), media_type="text/event-stream")

    for path, (template, read, here) in _PAGES.items():
        router.add_api_route(path, page_route(template, read, here), response_model=None)
    router.add_api_route("/console/live", stream, response_model=None)
    router.add_api_route("/sign-in", sign_in, methods=["POST"], response_model=None)
    router.add_api_route("/sign-out", sign_out, methods=["POST"], response_model=None)
    return router


async def _form_field(request: Request, name: str) -> str:
    """Return one field of a small form, "" where it is missing."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_FORM_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail="the form is too long")
    values = parse_qs(body.decode("utf-8", "replace")).get(name, [""])
    return values[0].strip()
