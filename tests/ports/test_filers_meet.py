"""What filers and a reviewer do to the tips of one case at the same moment, on PostgreSQL.

SQLite has one writer at a time. Each meeting here is brought about: the first goes on once the
second is done, or waits for it.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event, text
from tests.fakes.cybertip_store import NOON, HandClock, MemoryMedia, make_tip
from tests.fakes.drafting import empty_vault
from tests.ports.builders import ENTRY, make_account, make_case, make_decision, make_post

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.decide.policy import Policy
from nightlight.errors import Conflict
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId, DecisionId, TipId
from nightlight.preserve.ports import KeyRing
from nightlight.report.progress import Progress
from nightlight.review.resolve import Resolution
from nightlight.services.deadlines import Deadlines
from nightlight.services.drafting import Drafting
from nightlight.services.filing import StoredTips
from nightlight.services.review import Review
from nightlight.services.sealed_machines import SealedMachines, Told
from nightlight.transaction import Transaction

_ACCOUNT = AccountId("account-1")
_FIRST, _SECOND = CaseId("case-1"), CaseId("case-2")
_APPEAL = Resolution(step=CaseStep.APPEAL, reviewer="ana", reason="they object")
_TIP = replace(
    make_tip(MemoryMedia(), files=0), case_id=_FIRST, account_id=_ACCOUNT, bundled=(_SECOND,)
)
_FINISHING = Filing(
    tip_id=_TIP.id,
    state=TipState.FINISHING,
    remote_id="7000001",
    finish_asked=True,
    revision=1,
)


class Beside:
    """Something that another worker begins when it is called, up to its end or to its wait."""

    def __init__(self, engine: Engine, act: Callable[[], None]) -> None:
        self._engine = engine
        self._act = act
        self._pool = ThreadPoolExecutor(1)
        self._begun: Future[None] | None = None

    def __call__(self) -> None:
        self._begun = self._pool.submit(self._act)
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with self._engine.connect() as connection:
            while not self._begun.done():
                if connection.execute(text(query)).scalar_one():
                    return
                connection.rollback()
                wait([self._begun], timeout=0.01)

    def end(self) -> None:
        """Return once it is done, as it went."""
        assert self._begun is not None
        self._begun.result()
        self._pool.shutdown()


@pytest.fixture
def kind() -> str:
    return "postgresql"


@pytest.fixture
def machines(unit_of_work: SqlUnitOfWork, keys: KeyRing) -> SealedMachines:
    return empty_vault(unit_of_work, keys)


class AtCommit(HandClock):
    """A clock that lets something happen when its transaction is about to be committed."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def now(self) -> datetime:
        self._happens()
        return super().now()


class Interrupted(Drafting):
    """Lets something happen while a reviewer holds the case and has not touched its tip."""

    def __init__(
        self, machines: SealedMachines, happens: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(platform_name="Zorbleflux", classify=False, machines=machines)
        self._happens = happens

    def set_apart(
        self, tx: Transaction, case: Case, *, policy: Policy, now: datetime, told: Told
    ) -> list[AuditEntry]:
        self._happens()
        return super().set_apart(tx, case, policy=policy, now=now, told=told)


def prepare(unit_of_work: SqlUnitOfWork, *tips: CyberTip, state: Filing | None = None) -> None:
    with unit_of_work.begin() as tx:
        tx.context.save(accounts=[make_account(_ACCOUNT)], posts=[make_post("post-one")], media=[])
        tx.decisions.add([make_decision("one")])
        for name in (_FIRST, _SECOND):
            found = (DecisionId("decision-one"),)
            tx.cases.save(
                make_case(name, state=CaseState.CONFIRMED, account_id=_ACCOUNT, decisions=found)
            )
        for one in tips:
            tx.tips.draft(one, at=NOON)
        if state is not None:
            tx.tips.save(state, at=NOON)
        tx.commit(ENTRY)


def filed(tip_id: TipId) -> Filing:
    return Filing(tip_id=tip_id, state=TipState.FILED, receipt="<ok/>", filed_at=NOON, revision=1)


def case_state(unit_of_work: SqlUnitOfWork, case_id: CaseId) -> CaseState:
    with unit_of_work.begin() as tx:
        return tx.cases.get(case_id).state


def test_a_case_is_reported_though_both_its_tips_are_filed_at_the_same_moment(
    unit_of_work: SqlUnitOfWork,
    engine: Engine,
    keys: KeyRing,
    clock: HandClock,
    machines: SealedMachines,
) -> None:
    here = make_tip(MemoryMedia(), files=0, name="tip-here")
    here = replace(here, case_id=_FIRST, account_id=_ACCOUNT)
    there = replace(here, id=TipId("tip-there"), destination=Destination.HOTLINE)
    prepare(unit_of_work, here, there)
    store = StoredTips(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines))
    beside = Beside(engine, lambda: store.save(filed(there.id), action="tip.filed"))

    work = SqlUnitOfWork(engine=engine, clock=AtCommit(beside), keys=keys)
    StoredTips(unit_of_work=work, clock=clock, drafting=Interrupted(machines)).save(
        filed(here.id), action="tip.filed"
    )
    beside.end()
    assert case_state(unit_of_work, _FIRST) is CaseState.REPORTED


@pytest.mark.parametrize("appealed", [_FIRST, _SECOND])
def test_a_receipt_that_comes_while_a_reviewer_takes_the_bundle_back_is_kept_word_for_word(
    unit_of_work: SqlUnitOfWork,
    engine: Engine,
    clock: HandClock,
    machines: SealedMachines,
    appealed: CaseId,
) -> None:
    prepare(unit_of_work, _TIP, state=_FINISHING)
    store = StoredTips(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines))
    run = Progress(store=store, clock=clock, filing=_FINISHING, lease=timedelta(minutes=5))
    beside = Beside(engine, lambda: run.file("<verbatim/>"))

    review = Review(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines, beside))
    review.decide(appealed, _APPEAL)
    beside.end()
    with unit_of_work.read() as tx:
        [stored] = tx.tips.newest(9)
    assert (stored.filing.state, stored.filing.receipt) == (TipState.FILED, "<verbatim/>")
    assert "tell the authority if that is overturned" in stored.filing.failure
    assert case_state(unit_of_work, appealed) is CaseState.APPEALED


@pytest.mark.parametrize("appealed", [_FIRST, _SECOND])
def test_an_appeal_wins_over_the_opening_of_the_report_whichever_case_of_the_bundle_it_is(
    unit_of_work: SqlUnitOfWork,
    engine: Engine,
    clock: HandClock,
    machines: SealedMachines,
    appealed: CaseId,
) -> None:
    prepare(unit_of_work, _TIP)
    store = StoredTips(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines))
    opening = Filing(tip_id=_TIP.id, state=TipState.OPENING, revision=1)
    beside = Beside(engine, lambda: store.save(opening, action="tip.open_requested"))

    review = Review(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines, beside))
    review.decide(appealed, _APPEAL)
    with pytest.raises(Conflict):
        beside.end()
    with unit_of_work.read() as tx:
        left = [
            tx.tips.load(one.tip_id)[0].cases
            for one in tx.tips.newest(9)
            if one.filing.state is TipState.DRAFTED
        ]
    assert sorted(left) == [(_FIRST,), (_SECOND,)]


def test_tips_that_are_told_to_be_late_while_a_reviewer_takes_them_back_block_nobody(
    unit_of_work: SqlUnitOfWork, engine: Engine, clock: HandClock, machines: SealedMachines
) -> None:
    prepare(unit_of_work)
    # The reviewer takes them in the order of drafting, and the one drafted last is due first.
    elsewhere = replace(_TIP, id=TipId("tip-elsewhere"), destination=Destination.HOTLINE)
    with unit_of_work.begin() as tx:
        for place, one in enumerate((_TIP, elsewhere)):
            drafted = NOON - timedelta(hours=9 - place)
            tx.tips.draft(one, at=drafted, deadline_at=NOON - timedelta(hours=1 + place))
        tx.commit(ENTRY)
    review = Review(unit_of_work=unit_of_work, clock=clock, drafting=Interrupted(machines))

    def appeal() -> None:
        review.decide(_FIRST, _APPEAL)

    beside = Beside(engine, appeal)
    told: list[str] = []

    @event.listens_for(engine, "after_cursor_execute")
    def tell(*executed: object) -> None:
        if "SET alarmed_us" in str(executed[2]):
            told.append(str(executed[2]))
            if len(told) == 1:
                beside()

    late = Deadlines(unit_of_work=unit_of_work, clock=clock).notice()
    beside.end()
    assert [one.tip_id for one in late] == [elsewhere.id, _TIP.id]
    assert case_state(unit_of_work, _FIRST) is CaseState.APPEALED
    with unit_of_work.read() as tx:
        states = {one.tip_id: one.filing.state for one in tx.tips.newest(9)}
    assert states[_TIP.id] is states[elsewhere.id] is TipState.WITHDRAWN
