"""A decision that needs a person joins its account's open case, or opens one. Pure."""

from msgspec.structs import replace

from nightlight.model.case import Case, CaseState
from nightlight.model.decision import Decision
from nightlight.model.ids import CaseId, derive_id


def open_or_extend(case: Case | None, decision: Decision) -> Case:
    """Return the account's case with this decision in it.

    One account has one open case, so a reviewer sees its findings together and once. A decision
    without an account gets a case by its subject.
    """
    if case is None:
        return Case(
            id=CaseId(derive_id("case", decision.account_id or decision.subject.id, decision.id)),
            account_id=decision.account_id,
            state=CaseState.OPEN,
            category=decision.category,
            severity=decision.severity,
            opened_at=decision.time,
            decisions=(decision.id,),
        )
    if decision.id in case.decisions:
        return case
    worse = decision.severity > case.severity
    return replace(
        case,
        category=decision.category if worse else case.category,
        severity=max(case.severity, decision.severity),
        decisions=(*case.decisions, decision.id),
    )
