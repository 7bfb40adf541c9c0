"""Delivers effects to the platform over HTTP, in the Standard Webhooks form."""

from datetime import datetime
from http import HTTPStatus

import httpx
import msgspec
from standardwebhooks import Webhook

from nightlight.errors import InvalidInput, Unavailable
from nightlight.model.effect import Effect

#: Refusals that may pass: the platform is busy, or its secret is being changed.
_PASSING = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


class HttpPlatform:
    """Posts one signed webhook an effect; the effect's id is the webhook id on every attempt."""

    def __init__(self, *, url: str, secret: str, timeout_s: float) -> None:
        self._url = url
        self._webhook = Webhook(secret)
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        """Hand over one effect; returns once the platform confirmed it with a 2xx.

        Raises:
            Unavailable: no confirmation came; deliver again with the same effect id.
            InvalidInput: the platform refuses this effect for good.
        """
        body = msgspec.json.encode(
            {
                "type": "effect.requested",
                "timestamp": at,
                "data": {
                    "effect_id": effect.id,
                    "kind": effect.kind,
                    "subject": effect.subject,
                    "decision_id": effect.decision_id,
                    "case_id": effect.case_id,
                },
            }
        )
        headers = {
            "content-type": "application/json",
            "webhook-id": effect.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(effect.id, at, body.decode()),
        }
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"the platform does not answer: {type(error).__name__}") from error
        if answer.is_success:
            return
        if answer.is_client_error and answer.status_code not in _PASSING:
            raise InvalidInput(f"the platform refuses the effect with {answer.status_code}")
        raise Unavailable(f"the platform answers {answer.status_code}")

    def is_reachable(self) -> bool:
        """Return whether anything answers at the platform's address."""
        try:
            self._client.get(self._url)
        except httpx.HTTPError:
            return False
        return True
