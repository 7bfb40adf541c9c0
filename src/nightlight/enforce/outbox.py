"""Delivers effects to the platform: at least once each, with back-off, until it confirms."""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from nightlight.enforce.ports import Delivery, Platform
from nightlight.errors import InvalidInput, Unavailable
from nightlight.model.effect import DeliveryState


class OutboxOptions(Struct, frozen=True, kw_only=True):
    """How effects are retried."""

    first_retry_s: float = 1.0
    longest_retry_s: float = 300.0
    lease_s: float = 60.0
    batch: int = 100


def attempt(
    delivery: Delivery, *, platform: Platform, now: datetime, options: OutboxOptions
) -> Delivery:
    """Return what became of one delivery after one call to the platform.

    An effect is never given up for want of an answer; one that the platform refuses for good is
    dead, which ``nightlight doctor`` and the console show until a person has dealt with it.
    """
    tried = msgspec.structs.replace(delivery, attempts=delivery.attempts + 1)
    try:
        platform.deliver(delivery.effect, at=now)
    except Unavailable as error:
        wait = min(
            options.first_retry_s * 2 ** min(tried.attempts - 1, 20), options.longest_retry_s
        )
        return msgspec.structs.replace(
            tried, next_attempt_at=now + timedelta(seconds=wait), failure=str(error)
        )
    except InvalidInput as error:
        return msgspec.structs.replace(tried, state=DeliveryState.DEAD, failure=str(error))
    return msgspec.structs.replace(
        tried, state=DeliveryState.DELIVERED, delivered_at=now, failure=""
    )
