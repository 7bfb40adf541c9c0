"""Legal holds: orders to keep a case's evidence longer. Nothing said of one is ever changed."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict
from nightlight.model.ids import CaseId


class HoldAct(StrEnum):
    """What was said of a hold."""

    PLACED = "placed"
    EXTENDED = "extended"
    RELEASED = "released"


class HoldEvent(Struct, frozen=True, kw_only=True):
    """One thing that was said of a hold.

    Attributes:
        reference: the request it follows, such as a preservation letter's number.
        until: up to when it holds, None for until somebody releases it.
    """

    id: str
    hold_id: str
    case_id: CaseId
    what: HoldAct
    reference: str
    until: datetime | None
    person: str
    reason: str
    at: datetime


class Hold(Struct, frozen=True, kw_only=True):
    """A hold as everything said of it makes it.

    Attributes:
        until: up to when it holds, None for until somebody releases it.
        released_at: None while it was not released.
    """

    id: str
    case_id: CaseId
    reference: str
    until: datetime | None
    placed_by: str
    placed_at: datetime
    released_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether it keeps its case's evidence at a time."""
        return self.released_at is None and (self.until is None or self.until > at)


#: The order in which a hold's life goes, whatever clocks said: placed, extended, released.
_STAGES = {act: number for number, act in enumerate(HoldAct)}


def holds_in(events: Iterable[HoldEvent]) -> list[Hold]:
    """Return the holds that these events make, by when they were placed.

    Times are those of the machines on which things were said, and clocks differ: the order is that
    of a hold's life, and of several extensions the longest counts. Nothing that was acknowledged
    is undone by a clock.
    """
    found: dict[str, Hold] = {}
    for event in sorted(events, key=lambda one: (_STAGES[one.what], one.at, one.hold_id)):
        match event.what:
            case HoldAct.PLACED:
                found[event.hold_id] = Hold(
                    id=event.hold_id,
                    case_id=event.case_id,
                    reference=event.reference,
                    until=event.until,
                    placed_by=event.person,
                    placed_at=event.at,
                )
            case HoldAct.EXTENDED:
                hold = found[event.hold_id]
                found[event.hold_id] = replace(hold, until=_later(hold.until, event.until))
            case HoldAct.RELEASED:
                found[event.hold_id] = replace(found[event.hold_id], released_at=event.at)
            case unknown:
                assert_never(unknown)
    return list(found.values())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two ends; None is no end."""
    return None if one is None or other is None else max(one, other)


def check_extension(hold: Hold, until: datetime | None) -> None:
    """Return only if the hold may be made to hold until then: extending never shortens.

    Raises:
        Conflict: it was released, or would hold shorter than it does.
    """
    if hold.released_at is not None:
        raise Conflict("the hold was released", hint="place another")
    if until is not None and (hold.until is None or until <= hold.until):
        raise Conflict("extending does not shorten a hold", hint="name a later date")
