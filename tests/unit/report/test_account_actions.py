"""What happens to report decisions: asked for, confirmed, taken back, filed, heard."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, MemoryMedia, make_tip
from tests.ports.builders import ENTRY, make_decision, make_effect
from tests.ports.test_report_decisions import file_tip, lock, of

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.cybertip import Destination
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.report_decision import (
    Accounted,
    Part,
    ReportState,
    Says,
    Threshold,
    ThresholdRule,
)
from nightlight.model.role import Knowledge
from nightlight.report.account_actions import (
    PersonsWord,
    account_for,
    escalated,
    heard,
    put_before_a_person,
    settle,
    take_back,
    weigh,
)

ADA = AccountId("ada")
SELLER = Part(role="advertiser", acts=2, knowledge_for=(Knowledge.OFFERED,))
ENGAGER = Part(role="engager", acts=1, knowledge_against=(Knowledge.ONCE,))
DAY = timedelta(days=1)
STRICT = replace(
    DEFAULT_THRESHOLD,
    name="strict",
    rules=(
        ThresholdRule(name="once", when="once", says=Says.NOT, reason="below_threshold"),
        ThresholdRule(name="all", when="true", says=Says.REPORT),
    ),
    other_matters=("spam",),
)


def ask(
    work: SqlUnitOfWork,
    *effects: Effect,
    parts: Mapping[AccountId, Part] | None = None,
    threshold: Threshold = DEFAULT_THRESHOLD,
    days: float = 0,
    **decision: object,
) -> list[AuditEntry]:
    at = NOON + days * DAY
    because = [make_decision("1", id=one.decision_id, **decision) for one in effects]
    with work.begin() as tx:
        store = tx.report_decisions
        entries = account_for(
            store, effects, because, threshold=threshold, at=at, parts=parts or {}
        )
        tx.outbox.put(effects, at=at)
        tx.commit(ENTRY, *entries)
    return entries


def weighed(
    work: SqlUnitOfWork, part: Part, *, threshold: Threshold = DEFAULT_THRESHOLD, days: float = 0
) -> list[AuditEntry]:
    with work.begin() as tx:
        at = NOON + days * DAY
        entries = weigh(tx.report_decisions, ADA, part, threshold=threshold, at=at)
        tx.commit(ENTRY, *entries)
    return entries


def say(
    work: SqlUnitOfWork,
    reason: str = "",
    *,
    days: float = 0,
    by: str = "ana",
    note: str = "a quibble",
) -> Accounted:
    word = PersonsWord(action_id=ada(work).action.id, reason=reason, by=by, note=note)
    with work.begin() as tx:
        store, at = tx.report_decisions, NOON + days * DAY
        after, entries = heard(store, word, threshold=DEFAULT_THRESHOLD, at=at)
        tx.commit(ENTRY, *entries)
    return after


def back(work: SqlUnitOfWork) -> list[AuditEntry]:
    with work.begin() as tx:
        entries = take_back(tx.report_decisions, ADA, by="ben", note="not so", at=NOON + DAY)
        tx.commit(ENTRY, *entries)
    return entries


def filed(work: SqlUnitOfWork) -> list[AuditEntry]:
    file_tip(work)
    with work.begin() as tx:
        entries = settle(tx.report_decisions, [CaseId("elsewhere")], ADA, at=NOON + DAY)
        tx.commit(ENTRY, *entries)
    return entries


def ada(work: SqlUnitOfWork) -> Accounted:
    return of(work, "ada")[-1]


def details(entries: list[AuditEntry]) -> list[tuple[str, object, object]]:
    return [(one.action, one.detail.get("state"), one.detail.get("reason")) for one in entries]


def test_what_closes_no_account_needs_no_account_action(unit_of_work: SqlUnitOfWork) -> None:
    assert ask(unit_of_work, make_effect("hide"), make_effect("r", EffectKind.REINSTATE)) == []


def test_record_tells_of_an_account_action_without_naming_anybody(
    unit_of_work: SqlUnitOfWork,
) -> None:
    actioned, decided = ask(unit_of_work, lock("e1", kind=EffectKind.SUSPEND), decided_by="ana")
    action = ada(unit_of_work).action
    assert (actioned.action, actioned.actor, actioned.subject) == (
        "account.actioned",
        "ana",
        action.id,
    )
    assert actioned.detail == {
        "account_action": action.record_name,
        "at": "2026-03-01T12:00:00+00:00",
        "month": "2026-03",
        "effect": "suspend",
        "category": "advert",
    }
    assert (decided.action, decided.actor) == ("report.decided", "nightlight")
    assert decided.detail == {
        "account_action": action.record_name,
        "month": "2026-03",
        "state": "undecided",
        "reason": "",
        "role": "",
        "threshold": "own-material@1",
        "tip": "",
    }


def test_the_gravest_finding_counts_and_the_exploitation_of_children_before_anything_else(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"), threshold=STRICT, category="spam", severity=99)
    assert ada(unit_of_work).decision.reason == "other_matter"
    ask(unit_of_work, lock("e2"), threshold=STRICT, category="advert", severity=40)
    one = ada(unit_of_work)
    assert (one.action.category, one.action.severity) == ("advert", 40)
    assert (one.decision.state, one.decision.version) == (ReportState.UNDECIDED, 2)
    ask(unit_of_work, lock("e3"), threshold=STRICT, category="advert", severity=30)
    assert ada(unit_of_work) == one


def test_another_matter_that_comes_again_changes_nothing(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), threshold=STRICT, category="spam")
    assert ask(unit_of_work, lock("e2"), threshold=STRICT, category="spam") == []


def test_effect_that_was_asked_for_already_is_not_counted_again(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"))
    assert ask(unit_of_work, lock("e1"), days=1) == []
    assert len(of(unit_of_work, "ada")) == 1


def test_confirmed_role_decides_what_the_threshold_says(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    assert details(weighed(unit_of_work, SELLER)) == [("report.decided", "undecided", "")]
    decision = ada(unit_of_work).decision
    assert (decision.says, decision.rule, decision.part) == (Says.REPORT, "published", SELLER)
    assert weighed(unit_of_work, SELLER) == []


def test_weighing_an_account_that_was_never_acted_on_does_nothing(
    unit_of_work: SqlUnitOfWork,
) -> None:
    assert weighed(unit_of_work, SELLER) == []


def test_what_a_batch_does_not_know_of_a_role_stays_as_it_was(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), parts={ADA: SELLER})
    assert ask(unit_of_work, lock("e2"), days=1) == []
    assert ada(unit_of_work).decision.part == SELLER


def test_clock_is_never_put_back_but_a_graver_finding_brings_it_forward(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"), severity=40)
    weighed(unit_of_work, SELLER, days=2)
    assert ada(unit_of_work).decision.due_at == NOON + 3 * DAY
    ask(unit_of_work, lock("e2"), severity=95, days=1)
    assert ada(unit_of_work).decision.due_at == NOON + 2 * DAY


def test_policy_explains_only_what_its_rules_name(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), threshold=STRICT, parts={ADA: ENGAGER})
    decision = ada(unit_of_work).decision
    assert (decision.state, decision.reason, decision.decided_by) == (
        "explained",
        "below_threshold",
        "policy",
    )
    assert (decision.rule, decision.threshold, decision.due_at) == ("once", "strict@1", None)


def test_more_that_is_confirmed_reopens_what_policy_explained(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), threshold=STRICT, parts={ADA: ENGAGER})
    weighed(unit_of_work, SELLER, threshold=STRICT, days=5)
    decision = ada(unit_of_work).decision
    assert (decision.state, decision.due_at) == (ReportState.UNDECIDED, NOON + 7 * DAY)


def test_dismissal_explains_and_ends_it(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    [entry] = back(unit_of_work)
    assert (entry.actor, entry.reason, entry.detail["reason"]) == ("ben", "not so", "taken_back")
    one = ada(unit_of_work)
    assert (one.action.ended_at, one.decision.decided_by) == (NOON + DAY, "ben")
    assert back(unit_of_work) == []


def test_what_was_reported_stays_reported_when_it_is_overturned(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"))
    assert details(filed(unit_of_work)) == [("report.decided", "reported", "")]
    assert details(back(unit_of_work)) == [("report.decided", "reported", "")]
    assert ada(unit_of_work).action.ended_at == NOON + DAY


def test_new_findings_do_not_touch_what_is_reported(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    filed(unit_of_work)
    assert ask(unit_of_work, lock("e2", kind=EffectKind.SUSPEND), days=9) == []
    assert weighed(unit_of_work, SELLER) == []
    assert ada(unit_of_work).action.effect is EffectKind.SUSPEND


def test_person_explains_with_a_reason_from_the_list(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    decision = say(unit_of_work, "wrong_account").decision
    assert (decision.state, decision.reason) == (ReportState.EXPLAINED, "wrong_account")
    assert (decision.decided_by, decision.note) == ("ana", "a quibble")


@pytest.mark.parametrize(
    ("reason", "by", "note"),
    [
        ("because", "ana", "a quibble"),
        ("taken_back", "ana", "a quibble"),
        ("wrong_account", " ", "a quibble"),
        ("wrong_account", "ana", ""),
    ],
)
def test_person_without_name_words_or_a_reason_from_the_list_is_refused(
    unit_of_work: SqlUnitOfWork, reason: str, by: str, note: str
) -> None:
    ask(unit_of_work, lock("e1"))
    with pytest.raises(InvalidInput):
        say(unit_of_work, reason, by=by, note=note)
    assert ada(unit_of_work).decision.version == 1


def test_person_who_wants_it_reported_keeps_the_clock_running(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    decision = say(unit_of_work, days=1).decision
    assert (decision.state, decision.says) == (ReportState.UNDECIDED, Says.REPORT)
    assert decision.due_at == NOON + 2 * DAY
    say(unit_of_work, "wrong_account")
    assert say(unit_of_work, days=4).decision.due_at == NOON + 6 * DAY


def test_persons_word_is_not_overruled_by_the_threshold(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    say(unit_of_work)
    assert weighed(unit_of_work, ENGAGER, threshold=STRICT) == []
    say(unit_of_work, "no_apparent_violation")
    assert weighed(unit_of_work, SELLER) == []


def test_new_finding_asks_again_about_what_a_person_explained(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    say(unit_of_work, "no_apparent_violation")
    ask(unit_of_work, lock("e2"), days=3)
    decision = ada(unit_of_work).decision
    assert (decision.state, decision.due_at) == (ReportState.UNDECIDED, NOON + 5 * DAY)


def test_nobody_explains_what_a_tip_is_on_its_way_for(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    file_tip(unit_of_work, state=TipState.FINISHING)
    with pytest.raises(Conflict, match="on its way"):
        say(unit_of_work, "wrong_account")


def test_what_was_filed_beside_what_was_refused_is_said_to_wait_for_that(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"))
    file_tip(unit_of_work)
    other = replace(
        make_tip(MemoryMedia(), name="tip-2"),
        case_id=CaseId("case-1"),
        destination=Destination.HOTLINE,
    )
    with unit_of_work.begin() as tx:
        tx.tips.draft(other, at=NOON)
        tx.tips.save(Filing(tip_id=other.id, state=TipState.REFUSED, revision=1), at=NOON)
        tx.commit(ENTRY)
    with pytest.raises(Conflict, match="tip-1 is filed for it, and tip-2 was refused") as refused:
        say(unit_of_work, "reported_elsewhere")
    assert "nightlight report abandon tip-2" in str(refused.value)


def test_refused_tip_stands_in_nobodys_way(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    file_tip(unit_of_work, state=TipState.REFUSED)
    assert say(unit_of_work, "reported_elsewhere").decision.state is ReportState.EXPLAINED


def test_nobody_explains_what_is_reported(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    filed(unit_of_work)
    with pytest.raises(Conflict, match="cannot become"):
        say(unit_of_work, "wrong_account")


def test_putting_before_a_person_gives_what_was_explained_a_new_clock(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"), threshold=STRICT, parts={ADA: ENGAGER})
    ask(unit_of_work, lock("e2", of="bo"), parts={AccountId("bo"): ENGAGER})
    both = [ada(unit_of_work), *of(unit_of_work, "bo")]
    lax = replace(STRICT, version="2", rules=STRICT.rules[1:])
    with unit_of_work.begin() as tx:
        at = NOON + DAY
        store = tx.report_decisions
        entries = put_before_a_person(store, both, threshold=lax, by="ana", note="why", at=at)
        tx.commit(ENTRY, *entries)
    assert {(one.actor, one.reason) for one in entries} == {("ana", "why")}
    first, second = ada(unit_of_work).decision, of(unit_of_work, "bo")[0].decision
    assert (first.state, first.says, first.threshold) == ("undecided", "report", "strict@2")
    assert (first.due_at, second.due_at) == (NOON + 3 * DAY, NOON + 2 * DAY)


def test_overdue_is_told_to_the_record_once_a_version(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))

    def told(days: float) -> list[AuditEntry]:
        with unit_of_work.begin() as tx:
            found = escalated(tx.report_decisions, now=NOON + days * DAY, limit=9)
            tx.commit(ENTRY, *found)
        return found

    assert told(1) == []
    [entry] = told(3)
    assert (entry.action, entry.detail["due"]) == ("report.escalated", "2026-03-03T12:00:00+00:00")
    assert told(4) == []
    say(unit_of_work)
    assert len(told(5)) == 1


def test_a_case_that_still_waits_settles_nothing(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    file_tip(unit_of_work, state=TipState.REFUSED)
    with unit_of_work.begin() as tx:
        assert settle(tx.report_decisions, [CaseId("case-1")], ADA, at=NOON) == []
    assert ada(unit_of_work).decision.state is ReportState.UNDECIDED
