"""A simulated DSA Transparency Database: takes statements as documented and publishes none."""

import hmac
import sqlite3
import uuid
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from nightlight.simulate.dsa_rules import errors_in
from nightlight.simulate.faults import App, Faults, Faulty, add_fault_control
from nightlight.simulate.state_file import open_state

TITLE = "SIMULATED DSA Transparency Database: nothing is published"
_MOST = 100
_TABLE = "CREATE TABLE IF NOT EXISTS statement (puid TEXT PRIMARY KEY, uuid TEXT, body TEXT)"


def dsa_app(*, token: str, state: str = ":memory:") -> App:
    """Return the simulator as an ASGI app.

    Args:
        token: the bearer token that is let in.
        state: path of the SQLite database that survives restarts, ":memory:" for none.
    """
    store = open_state(state, _TABLE)
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    _add_api(app, store, token)
    _add_control(app, store)
    faults = Faults()
    add_fault_control(app, faults)
    return Faulty(app, faults, lambda code: _json({"message": "a fault on request"}, code))


def _add_api(app: FastAPI, store: sqlite3.Connection, token: str) -> None:
    @app.post("/api/v1/statements")
    async def many(request: Request) -> Response:
        if not _is_let_in(request, token):
            return _json({"message": "Unauthenticated."}, 401)
        try:
            statements = msgspec.json.decode(await request.body())["statements"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
            statements = None
        if not isinstance(statements, list) or not 1 <= len(statements) <= _MOST:
            said = "The statements field must have between 1 and 100 items."
            return _json({"message": said, "errors": {"statements": [said]}}, 422)
        return _take(store, statements)

    @app.post("/api/v1/statement")
    async def one(request: Request) -> Response:
        if not _is_let_in(request, token):
            return _json({"message": "Unauthenticated."}, 401)
        try:
            statement = msgspec.json.decode(await request.body())
        except (msgspec.DecodeError, UnicodeDecodeError):
            statement = None
        wrong = errors_in(statement)
        if wrong:
            return _json({"message": "invalid", "errors": wrong}, 422)
        if _held(store, statement["puid"]):
            return _take(store, [statement])
        _take(store, [statement])
        return _json(_held(store, statement["puid"]), 201)


def _take(store: sqlite3.Connection, statements: list[Any]) -> Response:
    """Take all of the statements, or none and say which are wrong or there already."""
    errors = {f"statement_{n}": errors_in(one) for n, one in enumerate(statements)}
    wrong = {name: said for name, said in errors.items() if said}
    if wrong:
        return _json({"errors": wrong}, 422)
    puids = [one["puid"] for one in statements]
    twice = {one for one in puids if puids.count(one) > 1}
    known = sorted(twice | {one for one in puids if _held(store, one)})
    if known:
        said = "The platform identifier(s) are not all unique within this call."
        return _json({"message": said, "errors": {"puid": [said], "existing_puids": known}}, 422)
    store.execute("BEGIN")
    for one in statements:
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, one["puid"]))
        row = (one["puid"], name, msgspec.json.encode(one).decode())
        store.execute("INSERT INTO statement VALUES (?, ?, ?)", row)
    store.execute("COMMIT")
    return _json({"statements": [_held(store, one) for one in puids]}, 201)


def _held(store: sqlite3.Connection, puid: str) -> dict[str, Any]:
    found = store.execute("SELECT uuid, body FROM statement WHERE puid = ?", (puid,)).fetchone()
    return {**msgspec.json.decode(found[1]), "uuid": found[0]} if found else {}


def _add_control(app: FastAPI, store: sqlite3.Connection) -> None:
    @app.get("/_state")
    async def state() -> Response:
        rows = store.execute("SELECT body FROM statement ORDER BY rowid").fetchall()
        return _json({"statements": [msgspec.json.decode(body) for (body,) in rows]}, 200)


def _is_let_in(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {token}".encode())


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
