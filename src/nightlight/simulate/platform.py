"""A simulated platform: takes effects as signed webhooks, carries each out once, serves media."""

import mimetypes
from pathlib import Path
from typing import Literal

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from msgspec import Struct
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from nightlight.errors import Conflict, InvalidInput
from nightlight.model.signal import SubjectKind
from nightlight.simulate.faults import App, Faults, Faulty, add_fault_control
from nightlight.simulate.page import page
from nightlight.simulate.platform_state import OUTCOMES, PlatformStore, RequestedEffect

TITLE = "SIMULATED platform: nobody is affected"
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


class _EffectRequested(Struct, frozen=True, kw_only=True):
    """The webhook's body."""

    type: Literal["effect.requested"]
    timestamp: str
    data: RequestedEffect


def platform_app(*, secret: str, state: str = ":memory:", media_root: Path | None = None) -> App:
    """Return the simulator as an ASGI app.

    Args:
        secret: the Standard Webhooks secret, ``whsec_`` and base64.
        state: path of the SQLite database that survives restarts, ":memory:" for none.
        media_root: the folder whose files are served under ``/media/``, None for no media.

    Raises:
        InvalidInput: the secret is no such secret.
    """
    store, faults = PlatformStore(state), Faults()
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    _add_webhook(app, store, _webhook(secret))
    _add_media(app, media_root)
    _add_control(app, store)
    add_fault_control(app, faults)
    return Faulty(app, faults, lambda code: Response(status_code=code))


def _webhook(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (EmptyWebhookSecretError, ValueError):
        raise InvalidInput("not a Standard Webhooks secret", field="secret") from None


def _add_webhook(app: FastAPI, store: PlatformStore, webhook: Webhook) -> None:
    @app.post("/nightlight")
    async def receive(request: Request) -> Response:
        body = await request.body()
        headers = {name: request.headers.get(name, "") for name in _SIGNED}
        try:
            webhook.verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return Response("the signature does not fit", status_code=401)
        try:
            effect = msgspec.json.decode(body, type=_EffectRequested).data
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Response(str(error), status_code=422)
        if effect.kind not in OUTCOMES:
            return Response("this effect is not for a platform", status_code=422)
        try:
            store.apply(headers["webhook-id"], effect)
        except Conflict as conflict:
            return Response(str(conflict), status_code=409)
        return Response(status_code=204)


def _add_media(app: FastAPI, media_root: Path | None) -> None:
    @app.get("/media/{name:path}")
    async def media(name: str) -> Response:
        file = _inside(media_root, name)
        if file is None:
            return Response(status_code=404)
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(file.read_bytes(), media_type=content_type)


def _inside(root: Path | None, name: str) -> Path | None:
    """Return the file of that name if it lies in the root, after links are followed."""
    if root is None or "\0" in name:
        return None
    file = (root / name).resolve()
    return file if file.is_relative_to(root.resolve()) and file.is_file() else None


def _add_control(app: FastAPI, store: PlatformStore) -> None:
    @app.get("/_state")
    async def state() -> Response:
        told = {
            "effects": [
                {
                    **msgspec.to_builtins(delivery.effect),
                    "webhook_id": delivery.webhook_id,
                    "received_at": delivery.received_at,
                    "repeats": delivery.repeats,
                }
                for delivery in store.deliveries()
            ],
            "accounts": store.standings(SubjectKind.ACCOUNT),
            "posts": store.standings(SubjectKind.POST),
            "media": store.standings(SubjectKind.MEDIA),
        }
        return Response(msgspec.json.encode(told), media_type="application/json")

    @app.get("/")
    async def overview() -> HTMLResponse:
        rows = [
            [
                delivery.received_at,
                delivery.effect.kind,
                delivery.effect.subject.kind,
                delivery.effect.subject.id,
                str(delivery.repeats),
            ]
            for delivery in store.deliveries()
        ]
        return page(TITLE, header=["received", "effect", "of", "id", "repeats"], rows=rows)
