"""Whatever happens in whatever order, all adds up, and the record alone gives the same figures."""

from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, MemoryMedia, make_tip
from tests.ports.builders import ENTRY, make_case, make_decision
from tests.ports.test_report_decisions import lock

import nightlight_verify
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.errors import Conflict, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseState
from nightlight.model.effect import EffectKind
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.report_decision import NOT_TOLD, Part, Says, ThresholdRule
from nightlight.report.account_actions import (
    PersonsWord,
    account_for,
    heard,
    put_before_a_person,
    settle,
    take_back,
    weigh,
)
from nightlight.report.reconciliation import reconcile
from nightlight.transaction import Transaction

ACCOUNTS = [AccountId(name) for name in ("ada", "bo", "cy")]
PARTS = [NOT_TOLD, Part(role="advertiser"), Part(role="engager", acts=1)]
THRESHOLDS = [
    DEFAULT_THRESHOLD,
    replace(
        DEFAULT_THRESHOLD,
        name="other",
        rules=(ThresholdRule(name="all", when="true", says=Says.NOT, reason="below_threshold"),),
        other_matters=("spam",),
    ),
]


class Chance:
    """One thing after another that may happen to accounts."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  a draw to repeat, no secret
        self.number = 0

    def step(self, tx: Transaction) -> list[AuditEntry]:
        """Return what the record says of the next thing that happens."""
        self.number += 1
        at = NOON + timedelta(days=self.number * self.random.choice([0.1, 9]))
        account, threshold = self.random.choice(ACCOUNTS), self.random.choice(THRESHOLDS)
        part, store = self.random.choice(PARTS), tx.report_decisions
        match self.random.randrange(7):
            case 0 | 1:
                kind = self.random.choice([EffectKind.LOCK, EffectKind.SUSPEND])
                effect = replace(
                    lock(f"e{self.number}", of=account, kind=kind), case_id=CaseId(f"of-{account}")
                )
                because = make_decision(
                    "1",
                    id=effect.decision_id,
                    category=self.random.choice(["advert", "spam"]),
                    severity=self.random.randrange(100),
                )
                parts = self.random.choice([{}, {account: part}])
                entries = account_for(
                    store, [effect], [because], threshold=threshold, at=at, parts=parts
                )
                tx.outbox.put([effect], at=at)
                return entries
            case 2:
                return weigh(store, account, part, threshold=threshold, at=at)
            case 3:
                return take_back(store, account, by="ben", note="not so", at=at)
            case 4:
                return self.file(tx, account)
            case 5:
                past = store.of_account(account)[-1:]
                reason = self.random.choice(["", "wrong_account"])
                words = [
                    PersonsWord(action_id=one.action.id, reason=reason, by="ana", note="x")
                    for one in past
                ]
                heard_of = [heard(store, word, threshold=threshold, at=at)[1] for word in words]
                return [entry for entries in heard_of for entry in entries]
            case _:
                open_again = [one for one in store.page("", 9) if one.decision.reason]
                return put_before_a_person(
                    store, open_again, threshold=threshold, by="ana", note="again", at=at
                )

    def file(self, tx: Transaction, account: AccountId) -> list[AuditEntry]:
        tip = make_tip(MemoryMedia(), files=0, name=f"tip-{self.number}")
        tip = replace(tip, case_id=CaseId(f"of-{account}"), account_id=account)
        tx.cases.save(make_case(tip.case_id, account_id=account, state=CaseState.CONFIRMED))
        tx.tips.draft(tip, at=NOON)
        tx.tips.save(Filing(tip_id=tip.id, state=TipState.FILED, revision=1), at=NOON)
        return settle(tx.report_decisions, tip.cases, account, at=NOON)


@pytest.mark.parametrize("seed", range(6))
def test_all_adds_up_and_is_counted_again_from_the_record(
    unit_of_work: SqlUnitOfWork, seed: int
) -> None:
    chance, refused = Chance(seed), 0
    for _ in range(60):
        try:
            with unit_of_work.begin() as tx:
                tx.commit(ENTRY, *chance.step(tx))
        except (Conflict, NotFound):
            refused += 1
    later = NOON + timedelta(days=900)
    with unit_of_work.read() as tx:
        found = reconcile(tx.report_decisions.count(later), at=later)
        recount = nightlight_verify.Recount()
        for stored in tx.audit.stored():
            recount.take(stored.entry)
    total = found.total
    assert total.suspended >= 3
    assert total.unexplained == 0
    assert total.suspended == total.reported + total.explained + total.undecided
    names = ("month", *nightlight_verify.COLUMNS, "explained_by_reason")
    counted = [{name: getattr(month, name) for name in names} for month in found.months]
    assert recount.result() == counted
    assert refused < 50
