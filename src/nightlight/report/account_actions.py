"""Accounts that are acted on get an account action with a report decision, and keep one.

Every function stores what changes and returns what the record says of it, for the transaction that
asks for the suspension, takes it back, files the tip or hears a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.decision import Decision
from nightlight.model.effect import CLOSING_EFFECTS, Effect, EffectKind
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountActionId, AccountId, CaseId, TipId, derive_id
from nightlight.model.report_decision import (
    NOT_TOLD,
    TAKEN_BACK,
    AccountAction,
    Accounted,
    Part,
    ReportDecision,
    ReportState,
    Says,
    Threshold,
    check_report_transition,
)
from nightlight.report.ports import ReportDecisionStore
from nightlight.report.receipts import receipt_of
from nightlight.report.threshold import Asked, CompiledThreshold, compiled

_POLICY, _NIGHTLIGHT = "policy", "nightlight"
#: Who decides without being a person.
#: Who is named where no person decided.
AUTOMATIC = frozenset({_POLICY, _NIGHTLIGHT})
_STATES = {
    Says.REPORT: ReportState.UNDECIDED,  # until there is a receipt
    Says.PERSON: ReportState.UNDECIDED,
    Says.NOT: ReportState.EXPLAINED,
}


class PersonsWord(Struct, frozen=True, kw_only=True):
    """What a person decides about reporting an account action.

    Attributes:
        reason: a name from the policy's list; "" to report.
        note: the person's words.
    """

    action_id: AccountActionId
    reason: str
    by: str
    note: str


def account_for(
    store: ReportDecisionStore,
    effects: Sequence[Effect],
    decisions: Sequence[Decision],
    *,
    threshold: Threshold,
    at: datetime,
    parts: Mapping[AccountId, Part],
) -> list[AuditEntry]:
    """Give every lock and suspension among effects its account action; must come before they do.

    What is asked for of an account that is locked or suspended already belongs to the action that
    stands; it becomes graver, and what was explained is decided again.

    Args:
        store: where account actions are kept.
        effects: what is about to be asked of the platform.
        decisions: those that the effects come from.
        threshold: the policy's threshold.
        at: when they are asked for.
        parts: what is confirmed of the accounts; what is not given stays as it was.
    """
    closing = [one for one in effects if one.kind in CLOSING_EFFECTS]
    if not closing:
        return []
    known = store.linked([one.id for one in closing])
    grouped: dict[AccountId, list[Effect]] = {}
    for effect in closing:
        if effect.id not in known:
            grouped.setdefault(AccountId(effect.subject.id), []).append(effect)
    made_by = {one.id: one for one in decisions}
    standing = store.standing(list(grouped))
    store.keep_threshold(threshold, at=at)
    asked = compiled(threshold)
    new: list[Accounted] = []
    old: list[tuple[Accounted, Accounted]] = []
    names: dict[AccountId, AccountActionId] = {}
    for account_id, some in grouped.items():
        because = [made_by[one.decision_id] for one in some]
        part = parts.get(account_id)
        before = standing.get(account_id)
        if before is None:
            action = _begun(some, because, threshold, at)
            new.append(
                Accounted(action=action, decision=_first(action, part or NOT_TOLD, asked, at))
            )
        else:
            action = _graver(before.action, some, because, threshold)
            part = part or before.decision.part
            decision = _again(before.decision, action, part, asked, at, reopens=True)
            old.append((before, Accounted(action=action, decision=decision)))
        names[account_id] = action.id
    begun = store.begin(new)
    store.link([(one.id, names[account]) for account, some in grouped.items() for one in some])
    entries = [entry for one in begun for entry in (_actioned(one.action), _decided(one))]
    return entries + _store_changed(store, old)


def weigh(
    store: ReportDecisionStore,
    account_id: AccountId,
    part: Part,
    *,
    threshold: Threshold,
    at: datetime,
) -> list[AuditEntry]:
    """Ask the threshold again about an account's standing action, by what is confirmed now."""
    before = store.standing([account_id]).get(account_id)
    if before is None:
        return []
    store.keep_threshold(threshold, at=at)
    asked = compiled(threshold)
    decision = _again(before.decision, before.action, part, asked, at, reopens=False)
    return _store_changed(store, [(before, Accounted(action=before.action, decision=decision))])


def take_back(
    store: ReportDecisionStore, account_id: AccountId, *, by: str, note: str, at: datetime
) -> list[AuditEntry]:
    """End the account's standing action: a person dismissed or overturned what it was for.

    What was reported, be it at one of several places, is reported; anything else is explained.
    """
    before = store.standing([account_id]).get(account_id)
    if before is None:
        return []
    action = replace(before.action, ended_at=at)
    decision = _next(before.decision, by=by, at=at, note=note)
    tip_id = receipt_of(action, store.filings(action))
    if decision.state is not ReportState.REPORTED and tip_id is not None:
        decision = replace(
            decision, state=ReportState.REPORTED, reason="", tip_id=tip_id, due_at=None
        )
    elif decision.state is not ReportState.REPORTED:
        decision = replace(
            decision,
            state=ReportState.EXPLAINED,
            says=Says.NOT,
            rule="",
            reason=TAKEN_BACK,
            due_at=None,
        )
    return _store_changed(store, [(before, Accounted(action=action, decision=decision))])


def settle(
    store: ReportDecisionStore, cases: Sequence[CaseId], account_id: AccountId, *, at: datetime
) -> list[AuditEntry]:
    """Let the account actions of these cases, and the one that stands, be reported if they are.

    States of cases and tips, and the effects that were asked for, must be stored before. What was
    reported at another line than the one in force is reported anew by what is filed here.
    """
    concerned = {one.action.id: one for name in cases for one in store.of_case(name)}
    for one in store.standing([account_id]).values():
        concerned[one.action.id] = one
    changed: list[tuple[Accounted, Accounted]] = []
    for one in concerned.values():
        filings = store.filings(one.action)
        elsewhere = {tip_id for case in filings for tip_id in case.elsewhere}
        if one.decision.state is ReportState.REPORTED and one.decision.tip_id not in elsewhere:
            continue
        tip_id = receipt_of(one.action, filings)
        if tip_id is not None and tip_id != one.decision.tip_id:
            decision = _reported(one.decision, tip_id, at)
            changed.append((one, Accounted(action=one.action, decision=decision)))
    return _store_changed(store, changed)


def heard(
    store: ReportDecisionStore, word: PersonsWord, *, threshold: Threshold, at: datetime
) -> tuple[Accounted, list[AuditEntry]]:
    """Return the account action with what a person decided.

    Raises:
        NotFound: there is no such account action.
        InvalidInput: name or note are missing, or the policy's list lacks the reason.
        Conflict: it is reported, or a tip for it is on its way.
    """
    if not word.by.strip() or not word.note.strip():
        raise InvalidInput("a report decision needs a person's name and words", field="reason")
    before = store.get(word.action_id)
    check_report_transition(before.decision.state, ReportState.UNDECIDED)
    store.keep_threshold(threshold, at=at)
    decision = replace(
        _next(before.decision, by=word.by, at=at, note=word.note),
        threshold=threshold.full_name,
        rule="",
        reason=word.reason,
    )
    if word.reason:
        _check_reason(word.reason, threshold)
        _check_no_tip(store, before.action)
        decision = replace(decision, state=ReportState.EXPLAINED, says=Says.NOT, due_at=None)
    else:
        due_at = before.decision.due_at or threshold.due_at(before.action.severity, at)
        decision = replace(decision, state=ReportState.UNDECIDED, says=Says.REPORT, due_at=due_at)
    after = Accounted(action=before.action, decision=decision)
    return after, _store_changed(store, [(before, after)])


def put_before_a_person(
    store: ReportDecisionStore,
    found: Sequence[Accounted],
    *,
    threshold: Threshold,
    by: str,
    note: str,
    at: datetime,
) -> list[AuditEntry]:
    """Let account actions be undecided with what the threshold says of them now.

    What was undecided keeps its clock; what was explained gets a new one.
    """
    store.keep_threshold(threshold, at=at)
    asked = compiled(threshold)
    changed: list[tuple[Accounted, Accounted]] = []
    for one in found:
        answer = asked.ask(question(one.action, one.decision.part))
        due_at = one.decision.due_at or threshold.due_at(one.action.severity, at)
        decision = replace(
            _next(one.decision, by=_POLICY, at=at, note=note),
            state=ReportState.UNDECIDED,
            says=answer.says,
            rule=answer.rule,
            reason="",
            threshold=threshold.full_name,
            due_at=due_at,
        )
        changed.append((one, Accounted(action=one.action, decision=decision)))
    return _store_changed(store, changed, actor=by)


def escalated(store: ReportDecisionStore, *, now: datetime, limit: int) -> list[AuditEntry]:
    """Remember that undecided ones are overdue, once a version; empty where none is."""
    overdue = store.overdue(now, limit)
    store.escalate([one.decision for one in overdue])
    return [
        AuditEntry(
            actor="nightlight",
            action="report.escalated",
            subject=one.action.id,
            detail={
                "account_action": one.action.id,
                "month": one.action.month,
                "due": one.decision.due_at.isoformat() if one.decision.due_at else "",
                "severity": one.action.severity,
            },
        )
        for one in overdue
    ]


def question(action: AccountAction, part: Part) -> Asked:
    """Return what a threshold is asked about an account action."""
    return Asked(
        category=action.category, severity=action.severity, effect=action.effect, part=part
    )


def _begun(
    effects: Sequence[Effect], because: Sequence[Decision], threshold: Threshold, at: datetime
) -> AccountAction:
    worst = max(because, key=lambda one: _gravity(one.category, one.severity, threshold))
    account_id = AccountId(effects[0].subject.id)
    return AccountAction(
        id=AccountActionId(derive_id("act", account_id, effects[0].id)),
        account_id=account_id,
        effect=_gravest(one.kind for one in effects),
        category=worst.category,
        severity=worst.severity,
        asked_by=because[0].decided_by,
        at=at,
    )


def _graver(
    action: AccountAction,
    effects: Sequence[Effect],
    because: Sequence[Decision],
    threshold: Threshold,
) -> AccountAction:
    action = replace(action, effect=_gravest((action.effect, *(one.kind for one in effects))))
    worst = max(because, key=lambda one: _gravity(one.category, one.severity, threshold))
    as_it_is = _gravity(action.category, action.severity, threshold)
    if _gravity(worst.category, worst.severity, threshold) <= as_it_is:
        return action
    return replace(action, category=worst.category, severity=worst.severity)


def _gravity(category: str, severity: int, threshold: Threshold) -> tuple[bool, int]:
    """Return what orders findings: those about the exploitation of children come before others."""
    return (category not in threshold.other_matters, severity)


def _gravest(kinds: Iterable[EffectKind]) -> EffectKind:
    return EffectKind.SUSPEND if EffectKind.SUSPEND in set(kinds) else EffectKind.LOCK


def _first(
    action: AccountAction, part: Part, asked: CompiledThreshold, at: datetime
) -> ReportDecision:
    answer = asked.ask(question(action, part))
    state = _STATES[answer.says]
    is_open = state is ReportState.UNDECIDED
    return ReportDecision(
        action_id=action.id,
        version=1,
        state=state,
        says=answer.says,
        rule=answer.rule,
        reason=answer.reason,
        decided_by=_POLICY,
        decided_at=at,
        threshold=asked.threshold.full_name,
        part=part,
        due_at=asked.threshold.due_at(action.severity, at) if is_open else None,
    )


def _again(
    before: ReportDecision,
    action: AccountAction,
    part: Part,
    asked: CompiledThreshold,
    at: datetime,
    *,
    reopens: bool,
) -> ReportDecision:
    """Return the decision as the threshold sees it now; the very same where nothing changed.

    What is reported stays so. A person's word holds, but for a new finding about what that person
    explained before it.
    """
    if before.state is ReportState.REPORTED:
        return before
    fresh = _first(action, part, asked, at)
    due_at = _sooner(before.due_at, asked.threshold.due_at(action.severity, at))
    if before.decided_by not in AUTOMATIC:
        if before.state is ReportState.UNDECIDED:
            return _renewed(before, replace(before, due_at=due_at), at)
        if not reopens:
            return before
    is_open = fresh.state is ReportState.UNDECIDED
    return _renewed(before, replace(fresh, due_at=due_at if is_open else None), at)


def _renewed(before: ReportDecision, after: ReportDecision, at: datetime) -> ReportDecision:
    """Return the next version, or the one before where they say the same."""
    alike = replace(after, version=before.version, decided_at=before.decided_at)
    return before if alike == before else replace(after, version=before.version + 1, decided_at=at)


def _sooner(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _next(before: ReportDecision, *, by: str, at: datetime, note: str) -> ReportDecision:
    return replace(before, version=before.version + 1, decided_by=by, decided_at=at, note=note)


def _reported(before: ReportDecision, tip_id: TipId, at: datetime) -> ReportDecision:
    return replace(
        _next(before, by=_NIGHTLIGHT, at=at, note=""),
        state=ReportState.REPORTED,
        reason="",
        tip_id=tip_id,
        due_at=None,
    )


def _check_reason(name: str, threshold: Threshold) -> None:
    if name == TAKEN_BACK:
        raise InvalidInput(
            f"{name!r} is what dismissing a case or overturning it gives",
            field="reason",
            hint="`nightlight case decide --dismiss`, or answer the appeal",
        )
    if threshold.reason(name) is None:
        raise InvalidInput(
            f"{name!r} is not on the policy's list of reasons",
            field="reason",
            hint=f"one of: {', '.join(one.name for one in threshold.reasons)}",
        )


def _check_no_tip(store: ReportDecisionStore, action: AccountAction) -> None:
    """Return only if no tip of the cases that asked for an action is filed or may still be."""
    states = {
        state: tip_id
        for one in store.filings(action)
        if one.asked
        for tip_id, state in one.tips
        if state is not TipState.WITHDRAWN and tip_id not in one.elsewhere
    }
    filed, refused = states.pop(TipState.FILED, None), states.pop(TipState.REFUSED, None)
    if states:
        raise Conflict(
            f"{next(iter(states.values()))} is on its way for it",
            hint="a tip is stopped by an appeal, and for good by overturning its case",
        )
    if filed and refused:
        raise Conflict(
            f"{filed} is filed for it, and {refused} was refused",
            hint=(
                "it is reported by what is filed once the other is given up:"
                f" nightlight report abandon {refused} --by WHO --reason WHY"
            ),
        )
    if filed:
        raise Conflict(
            f"{filed} is filed for it",
            hint="it is reported once every case that asked for it is decided",
        )


def _store_changed(
    store: ReportDecisionStore, changed: Sequence[tuple[Accounted, Accounted]], *, actor: str = ""
) -> list[AuditEntry]:
    """Store what differs, and return what the record says of it."""
    store.change([after.action for before, after in changed if after.action != before.action])
    decided = [after for before, after in changed if after.decision != before.decision]
    store.decide([one.decision for one in decided])
    return [_decided(one, actor=actor) for one in decided]


def _actioned(action: AccountAction) -> AuditEntry:
    return AuditEntry(
        actor=_NIGHTLIGHT if action.asked_by in AUTOMATIC else action.asked_by,
        action="account.actioned",
        subject=action.id,
        detail={
            "account_action": action.shown_as,
            "at": action.at.isoformat(),
            "month": action.month,
            "effect": action.effect.value,
            "category": action.category,
        },
    )


def _decided(one: Accounted, *, actor: str = "") -> AuditEntry:
    action, decision = one.action, one.decision
    by = actor or decision.decided_by
    return AuditEntry(
        actor=_NIGHTLIGHT if by in AUTOMATIC else by,
        action="report.decided",
        subject=action.id,
        reason=decision.note,
        detail={
            "account_action": action.shown_as,
            "month": action.month,
            "state": decision.state.value,
            "reason": decision.reason,
            "role": decision.part.role,
            "threshold": decision.threshold,
            "tip": decision.tip_id,
        },
    )
