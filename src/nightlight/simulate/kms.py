"""A simulated key service: the part of the transit interface that Nightlight uses."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from nightlight.simulate.faults import App, Faults, Faulty, add_fault_control
from nightlight.simulate.state_file import open_state

_NONCE_BYTES = 12


class _Transit:
    """Named keys with versions, none of which ever leaves."""

    def __init__(self, state: str) -> None:
        self._database = open_state(
            state,
            "CREATE TABLE IF NOT EXISTS transit (name TEXT, version INTEGER, key BLOB,"
            " PRIMARY KEY (name, version))",
        )

    def rotate(self, name: str) -> int:
        version = self._newest(name) + 1
        with self._database:
            row = (name, version, AESGCM.generate_key(256))
            self._database.execute("INSERT INTO transit VALUES (?, ?, ?)", row)
        return version

    def encrypt(self, name: str, plain: bytes) -> str:
        version = self._newest(name) or self.rotate(name)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher(name, version).encrypt(nonce, plain, None)
        return f"vault:v{version}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, name: str, sealed: str) -> bytes:
        brand, version, body = sealed.split(":")
        raw = base64.b64decode(body, validate=True)
        if brand != "vault":
            raise ValueError("not sealed here")
        cipher = self._cipher(name, int(version.removeprefix("v")))
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)

    def _newest(self, name: str) -> int:
        statement = "SELECT max(version) FROM transit WHERE name = ?"
        return self._database.execute(statement, (name,)).fetchone()[0] or 0

    def _cipher(self, name: str, version: int) -> AESGCM:
        statement = "SELECT key FROM transit WHERE name = ? AND version = ?"
        found = self._database.execute(statement, (name, version)).fetchone()
        if found is None:
            raise ValueError("no such key")
        return AESGCM(found[0])


def kms_app(*, token: str, state: str = ":memory:") -> App:
    """Return a simulated key service: transit at /v1/transit, faults at /_faults."""
    app = FastAPI(title="Simulated key service", openapi_url=None)
    transit = _Transit(state)

    def refused(request: Request) -> JSONResponse | None:
        if request.headers.get("X-Vault-Token") == token:
            return None
        return JSONResponse({"errors": ["permission denied"]}, status_code=403)

    @app.post("/v1/transit/encrypt/{name}")
    async def encrypt(name: str, request: Request) -> JSONResponse:
        if (answer := refused(request)) is not None:
            return answer
        try:
            plain = base64.b64decode((await request.json())["plaintext"], validate=True)
        except (ValueError, KeyError, TypeError, binascii.Error):
            return _invalid()
        return JSONResponse({"data": {"ciphertext": transit.encrypt(name, plain)}})

    @app.post("/v1/transit/decrypt/{name}")
    async def decrypt(name: str, request: Request) -> JSONResponse:
        if (answer := refused(request)) is not None:
            return answer
        try:
            plain = transit.decrypt(name, (await request.json())["ciphertext"])
        except (ValueError, KeyError, TypeError, binascii.Error, InvalidTag):
            return _invalid()
        return JSONResponse({"data": {"plaintext": base64.b64encode(plain).decode()}})

    @app.post("/v1/transit/keys/{name}/rotate")
    async def rotate(name: str, request: Request) -> JSONResponse:
        if (answer := refused(request)) is not None:
            return answer
        return JSONResponse({"data": {"latest_version": transit.rotate(name)}})

    faults = Faults()
    add_fault_control(app, faults)
    return Faulty(app, faults, lambda code: Response(status_code=code))


def _invalid() -> JSONResponse:
    return JSONResponse({"errors": ["invalid request"]}, status_code=400)
