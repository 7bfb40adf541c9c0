"""A simulated CyberTipline over HTTP: behaves as NCMEC documents, and reaches nobody."""

import base64
import hmac
import sqlite3
from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from msgspec import Meta, Struct

from nightlight.errors import InvalidInput, NotPermitted
from nightlight.report.schema import Schema, parsed
from nightlight.simulate.cybertipline_rules import INVALID, NOT_SAVED, OK, Refused, Rules, answer
from nightlight.simulate.cybertipline_state import LONGEST_AHEAD_S, ReportStore, StoredReport
from nightlight.simulate.faults import App, Fault, Faults, Faulty, add_fault_control
from nightlight.simulate.multipart import Part, parse
from nightlight.simulate.page import page

TITLE = "SIMULATED CyberTipline: nothing here reaches NCMEC"
_BASE = "/ispws"


class _TimePassed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much time ``POST /_clock`` lets pass."""

    seconds: Annotated[float, Meta(ge=0, le=LONGEST_AHEAD_S)]


def builtin_schema() -> bytes:
    """Return our own schema, which stands in for NCMEC's: that one is not shipped."""
    return files("nightlight.simulate").joinpath("cybertipline.xsd").read_bytes()


def cybertipline_app(
    *,
    username: str,
    password: str,
    state: str = ":memory:",
    schema: bytes = b"",
    faults: Iterable[Fault] = (),
    strict: bool = False,
) -> App:
    """Return the simulator as an ASGI app.

    Args:
        username: whom to let in.
        password: with what.
        state: path of the SQLite database that survives restarts, ":memory:" for none.
        schema: the XML schema to serve and enforce, b"" for the built-in one.
        faults: what goes wrong, in order.
        strict: whether documents that break a cross rule are refused, too.
    """
    store, to_come = ReportStore(state), Faults(faults)
    served = schema or builtin_schema()
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter(prefix=_BASE, dependencies=[Depends(_gate(username, password))])
    rules = Rules(store, Schema(served), strict=strict)
    _add_calls(router, rules)
    _add_schema(app, router, rules, served)
    app.include_router(router)
    _add_refusals(app)
    _add_control(app, store)
    add_fault_control(app, to_come)
    return Faulty(app, to_come, lambda code: _xml(answer(code)))


def _gate(username: str, password: str) -> Any:
    expected = base64.b64encode(f"{username}:{password}".encode()).decode()

    async def check_credentials(request: Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode(), expected.encode())
        # The scheme's name is written as one likes (RFC 9110, section 11.1).
        if scheme.lower() != "basic" or not is_right:
            raise NotPermitted("the request does not carry the credentials")

    return check_credentials


def _add_calls(router: APIRouter, rules: Rules) -> None:
    @router.get("/status")
    async def status() -> Response:
        return _xml(answer(OK))

    @router.post("/submit")
    async def submit(request: Request) -> Response:
        return _xml(rules.submit(await request.body()))

    @router.post("/upload")
    async def upload(request: Request) -> Response:
        return _xml(rules.upload(await _parts(request)))

    @router.post("/fileinfo")
    async def describe(request: Request) -> Response:
        return _xml(rules.describe(await request.body()))

    @router.post("/finish")
    async def finish(request: Request) -> Response:
        return _xml(rules.finish(await _parts(request)))

    @router.post("/retract")
    async def retract(request: Request) -> Response:
        return _xml(rules.retract(await _parts(request)))


def _add_schema(app: FastAPI, router: APIRouter, rules: Rules, schema: bytes) -> None:
    served = [schema]

    @router.get("/xsd")
    async def xsd() -> Response:
        return _xml(served[0])

    @app.post("/_schema")
    async def replace_schema(request: Request) -> Response:
        body = await request.body()
        try:
            rules.schema = Schema(body)
        except InvalidInput as error:
            return Response(str(error), status_code=422)
        served[0] = body
        return Response(status_code=204)


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(sqlite3.Error)
    async def fail_to_save(_: Request, __: sqlite3.Error) -> Response:
        return _xml(answer(NOT_SAVED))

    @app.exception_handler(Refused)
    async def refuse(_: Request, refused: Refused) -> Response:
        return _xml(answer(refused.code, report_id=refused.report_id))

    @app.exception_handler(NotPermitted)
    async def turn_away(_: Request, __: NotPermitted) -> Response:
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})


def _add_control(app: FastAPI, store: ReportStore) -> None:
    @app.get("/_state")
    async def state() -> Response:
        store.drop_expired()
        told = {"reports": [_told(report) for report in store.reports()]}
        return Response(msgspec.json.encode(told), media_type="application/json")

    @app.get("/_clock")
    async def time() -> Response:
        return Response(msgspec.json.encode({"now": store.now()}), media_type="application/json")

    @app.post("/_clock")
    async def let_time_pass(request: Request) -> Response:
        try:
            passed = msgspec.json.decode(await request.body(), type=_TimePassed)
            store.put_ahead(passed.seconds)
        except (msgspec.DecodeError, UnicodeDecodeError, InvalidInput) as error:
            return Response(str(error), status_code=422)
        return Response(msgspec.json.encode({"now": store.now()}), media_type="application/json")

    @app.post("/_expire")
    async def expire() -> Response:
        told = {"expired": store.expire()}
        return Response(msgspec.json.encode(told), media_type="application/json")

    @app.get("/")
    async def overview() -> HTMLResponse:
        reports = [_told(report) for report in store.reports()]
        columns = ("id", "state", "opened_at", "finished_at", "incident", "esp_identifier")
        rows = [
            [*(report[column] for column in columns), str(len(report["files"]))]
            for report in reports
        ]
        return page(TITLE, header=[*columns, "files"], rows=rows)


def _told(report: StoredReport) -> dict[str, Any]:
    root = parsed(report.xml.encode())
    return {
        **msgspec.to_builtins(report),
        "incident": root.findtext("incidentSummary/incidentType") or "",
        "esp_identifier": root.findtext("personOrUserReported/espIdentifier") or "",
    }


async def _parts(request: Request) -> dict[str, Part]:
    try:
        return parse(request.headers.get("Content-Type", ""), await request.body())
    except InvalidInput:
        raise Refused(INVALID) from None


def _xml(content: bytes) -> Response:
    return Response(
        content,
        media_type="text/xml; charset=utf-8",
        headers={"Request-ID": uuid4().hex},
    )
