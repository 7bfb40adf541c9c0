"""Checkpoints as text: where an exchange was left, to go on from there."""

from typing import TypeVar

import msgspec

from nightlight.errors import InvalidInput

PointT = TypeVar("PointT", bound=msgspec.Struct)


def written(point: msgspec.Struct) -> str:
    """Return the point as text, which ``read_point`` reads again."""
    return msgspec.json.encode(point).decode()


def read_point(checkpoint: str, kind: type[PointT], *, of: str) -> PointT:
    """Return the point that was written, a first one where nothing was.

    Raises:
        InvalidInput: the text is no point of this kind; ``of`` names the exchange.
    """
    if not checkpoint:
        return kind()
    try:
        return msgspec.json.decode(checkpoint, type=kind)
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"the checkpoint is not one of {of}'s", hint="fetch from the start"
        ) from error
