"""What an undecided account action waits for, with the command that goes on with it. Pure."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from nightlight.model.case import STANDING, CaseState
from nightlight.model.filing import TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.model.report_decision import Accounted, Says
from nightlight.report.ports import AccountCase

_REVIEWER = "--reviewer WHO --reason WHY"
_BY = "--by WHO --reason WHY"


class Wanted(Struct, frozen=True, kw_only=True):
    """What is waited for, and the command that goes on with it; "" where none does."""

    what: str
    command: str = ""


def wanted(
    one: Accounted,
    *,
    tip: tuple[TipId, TipState] | None,
    cases: Sequence[AccountCase],
    reportable: Collection[str],
) -> Wanted:
    """Return what an undecided account action waits for.

    Args:
        one: the account action, undecided.
        tip: the tip that was drafted for it.
        cases: the account's cases, the gravest first.
        reportable: the categories that the policy reports.
    """
    # One that is filed, and did not settle it, is not what is waited for: another case asked too.
    if tip is not None and tip[1] is not TipState.FILED:
        return _receipt(*tip)
    to_decide = _first(cases, CaseState.OPEN)
    if one.decision.says is not Says.REPORT:
        if to_decide is not None:
            command = f"nightlight case decide {to_decide.case_id} --confirm (or --dismiss)"
            return Wanted(what="a person", command=f"{command} {_REVIEWER}")
        command = f"nightlight report decide {one.action.id} --report (or --not REASON) {_BY}"
        return Wanted(what="a person", command=command)
    standing = _first(cases, *STANDING)
    if standing is not None and standing.tip is None:
        command = draft_command(standing.case_id, standing.category, reportable=reportable)
        return Wanted(what="a tip", command=command)
    if standing is not None and standing.tip is not None and standing.tip[1] is not TipState.FILED:
        return _receipt(*standing.tip)
    if to_decide is not None:
        command = f"nightlight case decide {to_decide.case_id} --confirm {_REVIEWER}"
        return Wanted(what="a tip, once its case is confirmed", command=command)
    if standing is not None and standing.tip is not None:
        return _receipt(*standing.tip)
    return _of_nothing_that_stands(one, cases)


def draft_command(case_id: CaseId, category: str, *, reportable: Collection[str]) -> str:
    """Return the command that drafts the tip of a case that stands."""
    kind = "" if category in reportable else " --as TYPE"
    return f"nightlight report draft {case_id}{kind} {_BY}"


def _of_nothing_that_stands(one: Accounted, cases: Sequence[AccountCase]) -> Wanted:
    contested = _first(cases, CaseState.APPEALED)
    if contested is not None:
        command = f"nightlight case answer {contested.case_id} --uphold (or --overturn) {_REVIEWER}"
        return Wanted(what="a tip, once the appeal is answered", command=command)
    return Wanted(
        what="a report by another way: none of its cases stands",
        command=f"nightlight report decide {one.action.id} --not REASON {_BY}",
    )


def _receipt(tip_id: TipId, state: TipState) -> Wanted:
    return Wanted(what=f"the receipt of {tip_id} ({state.value})")


def _first(cases: Sequence[AccountCase], *states: CaseState) -> AccountCase | None:
    """Return the gravest case in one of these states, rather one without a tip."""
    found = [one for one in cases if one.state in states]
    return min(found, key=lambda one: one.tip is not None, default=None)
