"""No account is locked or suspended without a report decision: the database refuses it itself."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from alembic import command
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError
from tests.fakes.cybertip_store import NOON, MemoryMedia, make_tip
from tests.ports.builders import ENTRY, close, make_case, make_effect

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.audit.checkpoint import AuditKey
from nightlight.audit.verification import verify
from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.errors import Conflict, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseState
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import (
    AccountActionId,
    AccountId,
    CaseId,
    DecisionId,
    EffectId,
    TipId,
    keyed_id,
)
from nightlight.model.report_decision import Accounted, Part, ReportState, Says
from nightlight.model.role import Knowledge
from nightlight.preserve.ports import KeyRing
from nightlight.report.account_actions import settle, take_back
from nightlight.report.reconciliation import Ages, Reconciliation, reconcile

DAY = timedelta(days=1)


def lock(name: str, of: str = "ada", kind: EffectKind = EffectKind.LOCK) -> Effect:
    return make_effect(name, kind, of=of, about="account", decision=f"for-{name}")


def ask(unit_of_work: SqlUnitOfWork, *effects: Effect, at: datetime = NOON) -> None:
    with unit_of_work.begin() as tx:
        tx.commit(*close(tx, *effects, at=at), ENTRY)


def of(unit_of_work: SqlUnitOfWork, account: str) -> list[Accounted]:
    with unit_of_work.read() as tx:
        return tx.report_decisions.of_account(AccountId(account))


def reconciled(unit_of_work: SqlUnitOfWork, at: datetime = NOON) -> Reconciliation:
    with unit_of_work.read() as tx:
        return reconcile(tx.report_decisions.count(at), at=at)


def file_tip(unit_of_work: SqlUnitOfWork, *, state: TipState = TipState.FILED) -> TipId:
    """Store a tip of case-1, the case of every effect here."""
    tip = replace(make_tip(MemoryMedia(), name="tip-1"), case_id=CaseId("case-1"))
    filing = Filing(tip_id=tip.id, state=state, receipt="<ok/>", revision=1)
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case("case-1", state=CaseState.CONFIRMED))
        tx.tips.draft(tip, at=NOON)
        tx.tips.save(filing, at=NOON)
        tx.commit(ENTRY)
    return tip.id


def test_an_account_action_comes_back_with_its_decision(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    [one] = of(unit_of_work, "ada")
    assert (one.action.effect, one.action.category, one.action.severity) == ("lock", "advert", 70)
    assert (one.action.at, one.action.asked_by, one.action.month) == (NOON, "policy", "2026-03")
    decision = one.decision
    assert (decision.version, decision.state, decision.says) == (1, "undecided", "person")
    assert (decision.threshold, decision.due_at) == ("own-material@1", NOON + 2 * DAY)
    with unit_of_work.begin() as tx:
        assert tx.report_decisions.get(one.action.id) == one
        assert tx.report_decisions.history(one.action.id) == [decision]
        assert tx.report_decisions.find_threshold("own-material@1") == DEFAULT_THRESHOLD
        assert tx.report_decisions.find_threshold("nowhere@1") is None
        with pytest.raises(NotFound):
            tx.report_decisions.get(AccountActionId("nowhere"))


def recorded(unit_of_work: SqlUnitOfWork) -> list[AuditEntry]:
    """Return what the record says of account actions."""
    with unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.entries()]
    return [one for one in entries if "account_action" in one.detail]


def test_the_record_shows_an_account_action_under_a_name_that_only_the_key_gives(
    unit_of_work: SqlUnitOfWork, keys: KeyRing
) -> None:
    ask(unit_of_work, lock("e1"))
    ask(unit_of_work, lock("e2", kind=EffectKind.SUSPEND), at=NOON + DAY)
    [one] = of(unit_of_work, "ada")
    key = hmac.digest(keys.naming_key(), b"nightlight/record-names", "sha256")
    # The same whenever it is recorded: a replay after a restored backup names it alike.
    assert one.action.record_name == keyed_id("rec", key, one.action.id)
    assert {entry.detail["account_action"] for entry in recorded(unit_of_work)} == {
        one.action.record_name
    }
    assert {entry.subject for entry in recorded(unit_of_work)} == {one.action.id}


def test_what_the_record_knows_by_its_id_goes_on_under_it(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    ask(unit_of_work, lock("e1"))
    with unit_of_work.read() as tx:
        assert not tx.report_decisions.has_former_names()
    with engine.begin() as connection:  # as the upgrade leaves it
        connection.execute(text("UPDATE account_action SET record_name = ''"))
    ask(unit_of_work, lock("e2", kind=EffectKind.SUSPEND), at=NOON + DAY)
    with unit_of_work.begin() as tx:
        tx.commit(*take_back(tx.report_decisions, AccountId("ada"), by="a", note="x", at=NOON))
    with unit_of_work.read() as tx:
        assert tx.report_decisions.has_former_names()
    [one] = of(unit_of_work, "ada")
    assert recorded(unit_of_work)[-1].detail["account_action"] == one.action.id


def test_what_is_asked_for_again_belongs_to_the_action_that_stands(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"), lock("e2"), lock("other", of="bo"))
    ask(unit_of_work, lock("e3", kind=EffectKind.SUSPEND), at=NOON + DAY)
    ask(unit_of_work, lock("e3", kind=EffectKind.SUSPEND), at=NOON + DAY)
    [one] = of(unit_of_work, "ada")
    assert (one.action.effect, one.action.at) == (EffectKind.SUSPEND, NOON)
    assert one.decision.due_at == NOON + 2 * DAY
    with unit_of_work.read() as tx:
        linked = tx.report_decisions.linked([EffectId("e1"), EffectId("e3"), EffectId("none")])
        assert linked == {"e1", "e3"}
    assert reconciled(unit_of_work).total.suspended == 2


def test_an_account_that_was_reinstated_is_acted_on_anew(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    with unit_of_work.begin() as tx:
        store = tx.report_decisions
        entries = take_back(store, AccountId("ada"), by="ana", note="no", at=NOON + DAY)
        tx.commit(*entries)
    ask(unit_of_work, lock("e2"), at=NOON + 40 * DAY)
    first, second = of(unit_of_work, "ada")
    assert (first.action.ended_at, first.decision.reason) == (NOON + DAY, "taken_back")
    assert (second.action.month, second.decision.state) == ("2026-04", ReportState.UNDECIDED)


def test_months_add_up_with_ages_and_what_is_overdue(unit_of_work: SqlUnitOfWork) -> None:
    late = datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=NOON.tzinfo)
    for number, when in enumerate([NOON, late, late + timedelta(microseconds=1)]):
        ask(unit_of_work, lock(f"e{number}", of=f"account-{number}"), at=when)
    with unit_of_work.begin() as tx:
        tx.commit(
            *take_back(tx.report_decisions, AccountId("account-0"), by="a", note="b", at=late)
        )
    found = reconciled(unit_of_work, late + 2.5 * DAY)
    assert [(m.month, m.suspended, m.explained, m.undecided) for m in found.months] == [
        ("2026-03", 2, 1, 1),
        ("2026-04", 1, 0, 1),
    ]
    total = found.total
    assert (total.suspended, total.reported, total.unexplained, found.overdue) == (3, 0, 0, 2)
    assert (total.oldest_undecided_days, total.undecided_ages) == (2, Ages(under_7_days=2))
    assert found.explained_by_reason == {"taken_back": 1}


def test_ages_are_told_apart(unit_of_work: SqlUnitOfWork) -> None:
    for days in (0, 1, 6, 7, 29, 30, 31):
        ask(unit_of_work, lock(f"e{days}", of=f"account-{days}"), at=NOON - days * DAY)
    ages = reconciled(unit_of_work).total.undecided_ages
    assert ages == Ages(under_1_day=1, under_7_days=2, under_30_days=2, older=2)


def test_what_is_due_first_comes_first_and_is_escalated_once(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1", of="later"), at=NOON + timedelta(hours=1))
    ask(unit_of_work, lock("e2", of="sooner"))
    with unit_of_work.begin() as tx:
        store = tx.report_decisions
        assert [one.action.account_id for one in store.undecided(9)] == ["sooner", "later"]
        assert store.overdue(NOON + 2 * DAY, 9) == []
        late = NOON + 2 * DAY + timedelta(minutes=1)
        assert store.count_overdue(late) == 1
        [one] = store.overdue(late, 9)
        store.escalate([one.decision])
        assert store.overdue(late, 9) == []
        assert store.count_overdue(late) == 1
        tx.commit(ENTRY)


def test_pages_go_through_every_account_action_once(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, *(lock(f"e{n}", of=f"account-{n}") for n in range(5)))
    seen, after = [], ""
    with unit_of_work.read() as tx:
        while page := tx.report_decisions.page(after, 2):
            seen += [one.action.account_id for one in page]
            after = page[-1].action.id
    assert sorted(seen) == [f"account-{n}" for n in range(5)]


def test_role_and_knowledge_come_back_as_they_stood(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    [one] = of(unit_of_work, "ada")
    part = Part(
        role="engager",
        acts=2,
        knowledge_for=(Knowledge.KEPT,),
        knowledge_against=(Knowledge.ONCE,),
    )
    after = replace(one.decision, version=2, part=part, says=Says.REPORT, note="a quibble")
    with unit_of_work.begin() as tx:
        tx.report_decisions.decide([after])
        tx.commit(ENTRY)
    assert of(unit_of_work, "ada") == [replace(one, decision=after)]


@pytest.mark.parametrize("state", [TipState.FILED, TipState.REFUSED])
def test_the_tip_of_its_case_is_found(unit_of_work: SqlUnitOfWork, state: TipState) -> None:
    ask(unit_of_work, lock("e1"))
    tip_id = file_tip(unit_of_work, state=state)
    [one] = of(unit_of_work, "ada")
    with unit_of_work.read() as tx:
        assert tx.report_decisions.tips([one.action.id]) == {one.action.id: (tip_id, state)}
        assert tx.report_decisions.tips([]) == {}


def test_cases_of_an_account_tell_how_far_their_tips_came(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), lock("e2"))
    tip_id = file_tip(unit_of_work)
    ada = AccountId("ada")
    with unit_of_work.begin() as tx:
        # What was left open of a case is a case of its own, which has the finding of e2 now.
        left = make_case("left", account_id=ada, decisions=(DecisionId("for-e2"),))
        tx.cases.save(replace(left, opened_at=NOON + DAY))
        more = make_case("other", account_id=ada, decisions=(), state=CaseState.CONFIRMED)
        tx.cases.save(replace(more, opened_at=NOON + 2 * DAY))
        tx.commit(ENTRY)
    [one] = of(unit_of_work, "ada")
    with unit_of_work.read() as tx:
        told = tx.report_decisions.filings(one.action)
    assert [(each.case_id, each.state, each.asked, each.tips) for each in told] == [
        ("case-1", CaseState.CONFIRMED, True, ((tip_id, TipState.FILED),)),
        ("left", CaseState.OPEN, True, ()),
        ("other", CaseState.CONFIRMED, False, ()),
    ]


def test_reported_is_what_has_a_filed_tip(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"), lock("e2", of="bo"))
    file_tip(unit_of_work)
    with unit_of_work.begin() as tx:
        store = tx.report_decisions
        tx.commit(*settle(store, [CaseId("case-1")], AccountId("ada"), at=NOON))
    assert reconciled(unit_of_work).total.reported == 2
    with unit_of_work.begin() as tx:
        store = tx.report_decisions
        assert settle(store, [CaseId("case-1")], AccountId("ada"), at=NOON) == []


def test_reported_without_a_receipt_is_refused(unit_of_work: SqlUnitOfWork) -> None:
    ask(unit_of_work, lock("e1"))
    tip_id = file_tip(unit_of_work, state=TipState.FINISHING)
    with unit_of_work.begin() as tx:
        assert settle(tx.report_decisions, [CaseId("case-1")], AccountId("ada"), at=NOON) == []
    [one] = of(unit_of_work, "ada")
    said = replace(one.decision, version=2, state=ReportState.REPORTED, tip_id=tip_id, due_at=None)
    with pytest.raises(Conflict, match="only of a filed tip"), unit_of_work.begin() as tx:
        tx.report_decisions.decide([said])
    assert reconciled(unit_of_work).total.undecided == 1


def test_a_path_that_forgets_the_account_action_is_refused(unit_of_work: SqlUnitOfWork) -> None:
    with pytest.raises(Conflict, match="only with an account action"), unit_of_work.begin() as tx:
        tx.outbox.put([lock("e1")], at=NOON)
    assert reconciled(unit_of_work).total.suspended == 0


def test_evidence_is_kept_while_the_report_of_its_account_is_undecided(
    unit_of_work: SqlUnitOfWork,
) -> None:
    ask(unit_of_work, lock("e1"))
    case = make_case("case-1", state=CaseState.CONFIRMED, account_id=AccountId("ada"))
    with unit_of_work.begin() as tx:
        tx.cases.save(case)
        tx.cases.save(make_case("case-2", state=CaseState.CONFIRMED))
        found = tx.custody.standings([case.id, CaseId("case-2"), CaseId("none")])
        assert [one.undecided for one in found.values()] == [True, False, False]
        entries = take_back(tx.report_decisions, AccountId("ada"), by="ana", note="x", at=NOON)
        assert not tx.custody.standings([case.id])[case.id].undecided
        tx.commit(*entries)


#: What somebody who speaks SQL to the database may not do, and what it says.
_DECISION = (
    "INSERT INTO report_decision SELECT action_id, {version}, '{state}', says, rule, '{reason}',"
    " '{tip}', part, threshold, '{by}', note, decided_us, {due} FROM report_decision"
    " WHERE action_id = '{action}' AND version = 1"
)
_EFFECT = (
    "INSERT INTO effect SELECT 'by-hand', decision_id, '{kind}', subject_kind, subject_id, case_id,"
    " state, attempts, requested_us, place, next_us, delivered_us, failure FROM effect"
    " WHERE id = 'e1'"
)
_ACTION = (
    "INSERT INTO account_action SELECT '{id}', 'by-hand', effect, category, severity, asked_by,"
    " at_us, ended_us, {version}, 0, '' FROM account_action WHERE account_id = 'ada'"
)


def decision_of(account: str, **changed: object) -> Callable[[dict[str, str]], str]:
    values = {
        "version": 3 if account == "ada" else 2,
        "state": "undecided",
        "reason": "",
        "tip": "",
        "by": "somebody",
        "due": 1,
        **changed,
    }
    return lambda ids: _DECISION.format(action=ids[account], **values)


def over(ids: dict[str, str]) -> str:
    """Return what overwrites rows where the dialect has such a word."""
    return "INSERT" if ids["kind"] == "postgresql" else "INSERT OR REPLACE"


REFUSED: dict[str, Callable[[dict[str, str]], str]] = {
    "a suspension without account action": lambda _: _EFFECT.format(kind="suspend"),
    "a lock without account action": lambda _: _EFFECT.format(kind="lock"),
    "a hide made a suspension": lambda _: "UPDATE effect SET kind = 'suspend' WHERE id = 'hide'",
    "an account action without decision": lambda _: _ACTION.format(id="by-hand", version=1),
    "an account action over another": lambda ids: _ACTION.format(id=ids["bo"], version=1).replace(
        "INSERT", "INSERT" if ids["kind"] == "postgresql" else "INSERT OR REPLACE"
    ),
    "a second action that stands": lambda _: _ACTION.format(id="x", version=1).replace(
        "'by-hand'", "'bo'"
    ),
    "deleting a decision": lambda ids: f"DELETE FROM report_decision WHERE action_id='{ids['bo']}'",
    "deleting an old version": lambda _: "DELETE FROM report_decision WHERE version = 1",
    "deleting an account action": lambda _: "DELETE FROM account_action",
    "deleting a link": lambda _: "DELETE FROM account_action_effect",
    "changing a decision": lambda _: "UPDATE report_decision SET state = 'explained', reason = 'x'",
    "changing a link": lambda ids: f"UPDATE account_action_effect SET action_id = '{ids['bo']}'",
    "going back to an old version": lambda ids: (
        f"UPDATE account_action SET report_version = 1 WHERE id = '{ids['ada']}'"
    ),
    "going on to a version that is not there": lambda _: (
        "UPDATE account_action SET report_version = 9"
    ),
    "moving an account action to another month": lambda _: "UPDATE account_action SET at_us = 1",
    "another account": lambda ids: (
        f"UPDATE account_action SET account_id = 'x' WHERE id = '{ids['bo']}'"
    ),
    "leaving out a version": decision_of("bo", version=3),
    "a version again": decision_of("bo", version=1),
    "undecided without a clock": decision_of("bo", due="NULL"),
    "explained without a reason": decision_of("bo", state="explained", due="NULL"),
    "explained by nobody": decision_of(
        "bo", state="explained", reason="below_threshold", due="NULL", by=""
    ),
    "another state": decision_of("bo", state="forgotten", due="NULL"),
    "reported without a tip": decision_of("bo", state="reported", due="NULL"),
    "reported by a tip that nobody filed": decision_of(
        "bo", state="reported", due="NULL", tip="tip-of-nobody"
    ),
    "undecided after reported": decision_of("ada"),
    "explained after reported": decision_of(
        "ada", state="explained", reason="below_threshold", due="NULL"
    ),
    "an unknown threshold": lambda ids: decision_of("bo")(ids).replace(
        "part, threshold", "part, 'nobody-knows@1'"
    ),
    "unfiling a tip": lambda _: "UPDATE cybertip SET state = 'drafted'",
    "deleting a filed tip": lambda _: "DELETE FROM cybertip",
    "a lock under the account action of somebody else": lambda ids: (
        f"INSERT INTO account_action_effect VALUES ('by-hand', '{ids['ada']}'); "
        + _EFFECT.format(kind="lock").replace("subject_id", "'cy'")
    ),
    "a lock of somebody else": lambda _: "UPDATE effect SET subject_id = 'cy' WHERE id = 'e1'",
    "a link from the account action of somebody else": lambda ids: (
        f"{over(ids)} INTO account_action_effect VALUES ('e1', '{ids['bo']}')"
    ),
    "an account action in place of the one that stands": lambda ids: (
        decision_of("bo", state="explained", reason="below_threshold", due="NULL", version=1)(
            ids
        ).replace("SELECT action_id", "SELECT 'by-hand'")
        + "; "
        + _ACTION.format(id="by-hand", version=1)
        .replace("'by-hand', effect", "account_id, effect")
        .replace("'ada'", "'bo'")
        .replace("INSERT", over(ids))
    ),
    "an account action that ended and stands again": lambda _: (
        "UPDATE account_action SET ended_us = 5; UPDATE account_action SET ended_us = NULL"
    ),
    "a suspension that was a lock all along": lambda _: (
        "UPDATE account_action SET effect = 'suspend'; UPDATE account_action SET effect = 'lock'"
    ),
    "explained by words of one's own": decision_of(
        "bo", state="explained", reason="whim", due="NULL"
    ),
    "reported by the tip of somebody else": lambda ids: (
        "UPDATE effect SET case_id = 'case-9' WHERE id = 'e2'; "
        + decision_of("bo", state="reported", due="NULL", tip="tip-1")(ids)
    ),
    "another threshold under an old name": lambda _: "UPDATE report_threshold SET body = '{}'",
    "another threshold in its place": lambda ids: (
        f"{over(ids)} INTO report_threshold SELECT name, '{{}}', first_us FROM report_threshold"
    ),
    "forgetting a threshold": lambda _: "DELETE FROM report_threshold",
    "a draft in place of a filed tip": lambda ids: (
        f"{over(ids)} INTO cybertip (id, case_id, sealed_tip, state, revision, filing, next_us,"
        " drafted_us, updated_us) SELECT id, case_id, sealed_tip, 'drafted', 0, filing, 1, 1, 1"
        " FROM cybertip WHERE id = 'tip-1'"
        + (
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state"
            if ids["kind"] == "postgresql"
            else ""
        )
    ),
    "emptying the tables": lambda ids: (
        "TRUNCATE account_action, report_decision, account_action_effect"
        if ids["kind"] == "postgresql"
        else "DELETE FROM report_decision"
    ),
}


@pytest.fixture
def by_hand(unit_of_work: SqlUnitOfWork, engine: Engine, kind: str) -> dict[str, str]:
    """Two account actions, of which ada's is reported, and a hidden post."""
    ask(unit_of_work, lock("e1"))
    file_tip(unit_of_work)
    with unit_of_work.begin() as tx:
        store = tx.report_decisions
        tx.commit(*settle(store, [CaseId("case-1")], AccountId("ada"), at=NOON))
    ask(unit_of_work, lock("e2", of="bo"))
    with unit_of_work.begin() as tx:
        tx.outbox.put([make_effect("hide")], at=NOON)
        tx.commit(ENTRY)
    engine.dispose()
    names = {name: of(unit_of_work, name)[0].action.id for name in ("ada", "bo")}
    return {**names, "kind": kind}


def in_another_program(connection: Connection) -> None:
    """Speak to the database as a shell would: SQLite checks no foreign keys there."""
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def test_the_database_refuses_what_would_leave_anybody_unexplained(
    unit_of_work: SqlUnitOfWork, engine: Engine, by_hand: dict[str, str]
) -> None:
    before = reconciled(unit_of_work)
    let_through = []
    for what, statement in REFUSED.items():
        if what == "an unknown threshold" and by_hand["kind"] == "sqlite":
            continue  # a foreign key, which a shell of SQLite need not check; it leaves no gap
        with engine.connect() as connection:
            in_another_program(connection)
            try:
                for part in statement(by_hand).split("; "):
                    connection.exec_driver_sql(part)
                connection.commit()
            except IntegrityError:
                continue
            let_through.append(what)
    assert let_through == []
    assert reconciled(unit_of_work) == before


def test_a_lock_forced_under_the_account_action_of_somebody_else_is_unexplained(
    unit_of_work: SqlUnitOfWork, engine: Engine, by_hand: dict[str, str]
) -> None:
    on_table = " ON effect" if by_hand["kind"] == "postgresql" else ""
    with engine.connect() as connection:
        connection.execute(text(f"DROP TRIGGER effect_stays_accounted{on_table}"))
        connection.execute(text("UPDATE effect SET subject_id = 'cy' WHERE id = 'e1'"))
        connection.commit()
    assert reconciled(unit_of_work).total.unexplained == 1


def test_what_somebody_forced_past_the_database_is_counted_as_unexplained(
    unit_of_work: SqlUnitOfWork, engine: Engine, by_hand: dict[str, str]
) -> None:
    on_table = " ON effect" if by_hand["kind"] == "postgresql" else ""
    with engine.connect() as connection:
        connection.execute(text(f"DROP TRIGGER effect_accounted{on_table}"))
        connection.execute(text(_EFFECT.format(kind="suspend")))
        connection.commit()
    found = reconciled(unit_of_work)
    assert (found.total.suspended, found.total.unexplained) == (3, 1)
    assert [month.unexplained for month in found.months] == [1]


PAST = (
    (
        "INSERT INTO decision VALUES ('dec-1', 'key', 'ada', 'account', 'ada', 'ana', 'p',"
        " 'advert', 70, '[]', '[]', 1, 1)"
    ),
    *(
        f"INSERT INTO effect VALUES ('{name}', 'dec-1', '{kind}', '{about}', '{of}', '{case}',"
        f" 'pending', 0, {us}, 0, {us}, NULL, '')"
        for name, kind, about, of, case, us in (
            ("e1", "lock", "account", "ada", "case-1", 1_700_000_000_000_000),
            ("e2", "suspend", "account", "ada", "case-1", 1_700_000_001_000_000),
            ("e3", "reinstate", "account", "ada", "case-1", 1_700_000_002_000_000),
            ("e4", "suspend", "account", "ada", "case-2", 1_710_000_000_000_000),
            ("e5", "lock", "account", "bo", "case-3", 1_720_000_000_000_000),
            ("e6", "hide", "post", "post-1", "case-3", 1_720_000_000_000_000),
            ("e7", "reinstate", "account", "cy", "case-4", 1_720_000_000_000_000),
        )
    ),
)


def test_suspensions_of_the_past_are_undecided_or_reported_and_on_the_record(
    blank_url: str, keys: KeyRing, clock: object
) -> None:
    engine = open_engine(blank_url)
    with engine.connect() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
        for statement in PAST:
            connection.exec_driver_sql(statement)
        connection.execute(
            text(
                "INSERT INTO cybertip (id, case_id, sealed_tip, state, revision, filing, next_us,"
                " drafted_us, updated_us) VALUES ('tip-2', 'case-2', :sealed, 'filed', 1, '{}', 1,"
                " 1, 1)"
            ),
            {"sealed": b""},
        )
        connection.commit()
    migrate(engine)
    work = SqlUnitOfWork(engine=engine, clock=clock, keys=keys)  # type: ignore[arg-type]  # the fixture's
    first, second = of(work, "ada")
    assert (first.action.effect, first.action.asked_by) == (EffectKind.SUSPEND, "ana")
    assert first.action.ended_at is not None
    assert (first.decision.state, second.decision.state) == ("undecided", "reported")
    assert second.decision.tip_id == "tip-2"
    found = reconciled(work)
    assert [(one.month, one.suspended) for one in found.months] == [
        ("2023-11", 1),
        ("2024-03", 1),
        ("2024-07", 1),
    ]
    assert (found.total.reported, found.total.undecided, found.total.unexplained) == (1, 2, 0)
    with work.read() as tx:
        entries = list(tx.audit.entries())
        assert verify(
            tx.audit.stored(), head=tx.audit.head(), key=AuditKey(b"a key", origin="example.test")
        ).intact
    actions = [one.entry.action for one in entries]
    assert (actions.count("account.actioned"), actions.count("report.decided")) == (3, 4)
    names = {one.entry.detail.get("account_action") for one in entries} - {None}
    assert names == {one.action.record_name for one in (first, second, *of(work, "bo"))}
    assert all(str(one).startswith("rec_") for one in names)
    engine.dispose()


_BEFORE = "0007"


def test_an_accounts_cases_come_with_the_tips_that_are_not_filed_yet(
    unit_of_work: SqlUnitOfWork,
) -> None:
    file_tip(unit_of_work)
    with unit_of_work.begin() as tx:
        account = tx.cases.get(CaseId("case-1")).account_id
        graver = replace(make_case("case-0", state=CaseState.UPHELD), account_id=account)
        tx.cases.save(replace(graver, severity=99))
        tip = replace(make_tip(MemoryMedia(), name="tip-2"), case_id=CaseId("case-1"))
        tx.tips.draft(tip, at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        found = tx.report_decisions.cases_of([account])[account]
    assert [(one.case_id, one.state.value, one.tip) for one in found] == [
        ("case-0", "upheld", None),
        ("case-1", "confirmed", (tip.id, TipState.DRAFTED)),
    ]
