"""Within how many hours something has to be done, by how severe it is."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct


class Deadline(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Within how many hours something is to be done; of several that apply, the soonest counts.

    Attributes:
        from_severity: it applies to what is this severe, and more.
        hours: so long after it began to count.
    """

    from_severity: Annotated[int, Meta(ge=0, le=100)]
    hours: Annotated[int, Meta(ge=1, le=8760)]


def soonest(deadlines: Iterable[Deadline], severity: int) -> int | None:
    """Return within how many hours, None where no deadline applies."""
    return min((one.hours for one in deadlines if one.from_severity <= severity), default=None)
