"""Replaces what the platform tells of a sender's machine and network by keyed hashes.

Equal names stay equal, so that accounts of one machine can be tied together; nobody without the
installation's key can try addresses until one fits. This happens before an event is stored. What
the platform sent is kept beside it, sealed and for a while: a report must be able to name it.
"""

import hashlib
import hmac

from msgspec.structs import replace

from nightlight.model.event import (
    AccountCreated,
    AccountSignedIn,
    AccountUpdated,
    Event,
    Machine,
    PostCreated,
)

_PREFIX = "keyed1_"
_DIGITS = 32
_WITH_MACHINE = PostCreated | AccountCreated | AccountUpdated | AccountSignedIn


def with_keyed_machine(event: Event, key: bytes) -> Event:
    """Return the event with device and network keyed; the event itself where it names neither."""
    data = event.data
    if not isinstance(data, _WITH_MACHINE):
        return event
    if not data.device and not data.network:
        return event
    keyed = replace(
        data,
        device=_keyed("device", data.device, key),
        network=_keyed("network", data.network, key),
    )
    return replace(event, data=keyed)


def machine_of(event: Event) -> Machine | None:
    """Return what the platform told of the sender's machine, None where it told nothing."""
    data = event.data
    if not isinstance(data, _WITH_MACHINE):
        return None
    if not data.device and not data.network:
        return None
    return Machine(device=data.device, network=data.network)


def _keyed(field: str, name: str, key: bytes) -> str:
    name = name.strip().casefold()
    if not name:
        return ""
    said = f"nightlight/{field}\x1f{name}".encode()
    return f"{_PREFIX}{hmac.new(key, said, hashlib.sha256).hexdigest()[:_DIGITS]}"
