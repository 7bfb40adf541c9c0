"""By which receipt an account action is reported. Pure."""

from collections.abc import Sequence

from nightlight.model.case import STANDING, CaseState
from nightlight.model.filing import TipState
from nightlight.model.ids import TipId
from nightlight.model.report_decision import AccountAction
from nightlight.report.ports import CaseFilings

_DONE = frozenset({TipState.FILED, TipState.WITHDRAWN})


def receipt_of(action: AccountAction, cases: Sequence[CaseFilings]) -> TipId | None:
    """Return the filed tip by which an account action is reported, None while it is not.

    One that ended is, if anything of it was filed. One that stands is not while a case that asked
    for it is open or has a tip to be filed; where none of those is reported at all, another case
    of the account counts that is. What was filed at the line in force comes first.
    """
    asked = [one for one in cases if one.asked]
    if action.ended_at is None and any(_is_pending(one) for one in asked):
        return None
    filed = [tip_id for one in asked for tip_id in _filed(one)]
    if action.ended_at is None and not filed:
        others = [one for one in cases if one.state in STANDING and not _is_pending(one)]
        filed = [tip_id for one in others for tip_id in _filed(one)]
    elsewhere = {tip_id for one in cases for tip_id in one.elsewhere}
    return min(filed, key=lambda tip_id: tip_id in elsewhere, default=None)


def _is_pending(case: CaseFilings) -> bool:
    return case.state is CaseState.OPEN or any(state not in _DONE for _, state in case.tips)


def _filed(case: CaseFilings) -> list[TipId]:
    return [tip_id for tip_id, state in case.tips if state is TipState.FILED]
