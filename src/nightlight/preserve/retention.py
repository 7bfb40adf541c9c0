"""When evidence may be destroyed. Pure; whatever is not certain keeps it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nightlight.model.case import Case, CaseState, Evidence
from nightlight.model.filing import TipState
from nightlight.model.hold import Hold

#: States of a case in which what becomes of it is not settled.
UNSETTLED = frozenset({CaseState.OPEN, CaseState.APPEALED})


class Periods(Struct, frozen=True, kw_only=True):
    """For how long evidence is kept where nothing holds it longer.

    Attributes:
        legal_days: after the report, by law; nobody may shorten it.
    """

    reported_days: int
    unreported_days: int
    legal_days: int

    @property
    def shortest(self) -> timedelta:
        """Nothing is due sooner after it was sealed."""
        return timedelta(days=min(self.reported_days, self.unreported_days))


class TipStanding(Struct, frozen=True, kw_only=True):
    """How far one tip of a case came."""

    state: TipState
    filed_at: datetime | None


class ExportStanding(Struct, frozen=True, kw_only=True):
    """Evidence of a case that is to be exported, and was not yet.

    Attributes:
        until: when that lapses.
    """

    reference: str
    until: datetime


class CaseStanding(Struct, frozen=True, kw_only=True):
    """What decides for how long a case's evidence is kept, all of it alike.

    Attributes:
        case: None where the case is not known.
        undecided: whether it is still to be decided if the case is reported.
        exports: what two people ask for of this evidence, or one so far.
        deleted_post: whether this is no case, but a deleted post on which a signal fired.
        unsettled: of a deleted post, whether a case of its account is open or appealed.
    """

    case: Case | None
    tips: tuple[TipStanding, ...]
    holds: tuple[Hold, ...]
    undecided: bool = False
    exports: tuple[ExportStanding, ...] = ()
    deleted_post: bool = False
    unsettled: bool = False


class Kept(Struct, frozen=True, kw_only=True):
    """For how long evidence is kept, and why.

    Attributes:
        due_at: when it is to be destroyed; None while something keeps it without an end.
        floor_at: before this nobody may have it destroyed, two people neither.
        rule: the rule that says when.
        because: what keeps it without an end.
    """

    due_at: datetime | None
    floor_at: datetime | None
    rule: str
    because: tuple[str, ...] = ()

    def is_due(self, at: datetime) -> bool:
        """Return whether it is to be destroyed at a time."""
        return self.due_at is not None and self.due_at <= at


def kept(evidence: Evidence, standing: CaseStanding, periods: Periods) -> Kept:
    """Return for how long evidence is kept: by its case, the law, holds and exports."""
    because = _open_ended(standing)
    case = standing.case
    filed = [tip.filed_at for tip in standing.tips if tip.filed_at is not None]
    if filed:
        start = max(*filed, evidence.sealed_at)
        due = start + timedelta(days=periods.reported_days)
        floor = start + timedelta(days=periods.legal_days)
        rule = f"{periods.reported_days} days from the report"
    else:
        decided = (case.decided_at or case.opened_at) if case else evidence.sealed_at
        start = max(decided, evidence.sealed_at)
        due, floor = start + timedelta(days=periods.unreported_days), start
        rule = f"{periods.unreported_days} days from the decision; nothing was reported"
        if standing.deleted_post:
            rule = f"{periods.unreported_days} days from its sealing; no rule asked for anything"
    for hold in standing.holds:
        if hold.released_at is None and hold.until is not None:
            if hold.until > due:
                due, rule = hold.until, f"hold {hold.reference}"
            floor = max(floor, hold.until)
    for export in standing.exports:
        if export.until > due:
            due, rule = export.until, f"export {export.reference}"
        floor = max(floor, export.until)
    if because:
        return Kept(due_at=None, floor_at=None, rule="", because=because)
    return Kept(due_at=due, floor_at=floor, rule=rule)


def _open_ended(standing: CaseStanding) -> tuple[str, ...]:
    """Return what keeps a case's evidence without an end."""
    because: list[str] = []
    if standing.deleted_post:
        because.extend(["a case of its account is not settled"] * standing.unsettled)
    elif standing.case is None:
        because.append("its case is not known")
    elif standing.case.state in UNSETTLED:
        because.append(f"its case is {standing.case.state.value}")
    because.extend(
        f"a tip of its case is {tip.state.value}" for tip in standing.tips if not _is_done(tip)
    )
    if standing.undecided:
        because.append("whether it is reported is undecided")
    because.extend(
        f"hold {hold.reference}"
        for hold in standing.holds
        if hold.released_at is None and hold.until is None
    )
    return tuple(because)


def _is_done(tip: TipStanding) -> bool:
    if tip.state is TipState.WITHDRAWN:
        return True  # for good: nothing was reported by it, and nothing will be
    return tip.state is TipState.FILED and tip.filed_at is not None


def soonest(found: Sequence[Kept]) -> datetime | None:
    """Return when the first of these is due, None where none is."""
    dues = [one.due_at for one in found if one.due_at is not None]
    return min(dues, default=None)
