"""The outbox: claimed by one worker at a time, settled once, in order for each subject."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, close, make_decision, make_effect, settled

from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.enforce.ports import Delivery
from nightlight.model.effect import DeliveryState, Effect, EffectKind
from nightlight.model.ids import AccountId
from nightlight.preserve.ports import KeyRing

LEASE_S = 60.0


def put(unit_of_work: SqlUnitOfWork, *effects: Effect, after_s: float = 0) -> None:
    with unit_of_work.begin() as tx:
        tx.outbox.put(effects, at=NOON + timedelta(seconds=after_s))
        tx.commit(ENTRY)


def claim(unit_of_work: SqlUnitOfWork, *, after_s: float = 0, limit: int = 100) -> list[Delivery]:
    with unit_of_work.begin() as tx:
        now = NOON + timedelta(seconds=after_s)
        claimed = tx.outbox.claim(now=now, lease_s=LEASE_S, limit=limit)
        tx.commit_unrecorded()
    return claimed


def settle(unit_of_work: SqlUnitOfWork, delivery: Delivery, state: DeliveryState) -> None:
    with unit_of_work.begin() as tx:
        tx.outbox.settle([settled(delivery, state)])
        tx.commit(ENTRY)


def ids(deliveries: list[Delivery]) -> list[str]:
    return [one.effect.id for one in deliveries]


def test_an_effect_comes_out_as_it_was_put_in(unit_of_work: SqlUnitOfWork) -> None:
    effect = make_effect("effect-1")
    put(unit_of_work, effect)
    (delivery,) = claim(unit_of_work)
    assert delivery == Delivery(
        effect=effect,
        state=DeliveryState.PENDING,
        attempts=0,
        requested_at=NOON,
        next_attempt_at=NOON,
    )


def test_an_effect_that_is_there_is_not_queued_again(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("effect-1"))
    (delivery,) = claim(unit_of_work)
    settle(unit_of_work, delivery, DeliveryState.DELIVERED)
    put(unit_of_work, make_effect("effect-1"), after_s=5)
    assert claim(unit_of_work, after_s=1000) == []
    with unit_of_work.read() as tx:
        assert [one.state for one in tx.outbox.newest(5)] == [DeliveryState.DELIVERED]


def test_a_claimed_effect_is_hidden_until_its_lease_ends(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("effect-1"))
    assert ids(claim(unit_of_work)) == ["effect-1"]
    assert claim(unit_of_work, after_s=LEASE_S - 1) == []
    assert ids(claim(unit_of_work, after_s=LEASE_S)) == ["effect-1"]


def test_a_claim_that_is_rolled_back_hides_nothing(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("effect-1"))
    with unit_of_work.begin() as tx:
        assert len(tx.outbox.claim(now=NOON, lease_s=LEASE_S, limit=5)) == 1
    assert ids(claim(unit_of_work)) == ["effect-1"]


def test_a_claim_keeps_to_its_limit(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, *(make_effect(f"effect-{n}", of=f"post-{n}") for n in range(5)))
    assert len(claim(unit_of_work, limit=3)) == 3
    assert len(claim(unit_of_work, limit=3)) == 2


def test_an_effect_waits_until_its_next_attempt_is_due(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("effect-1"))
    (delivery,) = claim(unit_of_work)
    settle(unit_of_work, delivery, DeliveryState.PENDING)
    assert claim(unit_of_work, after_s=29) == []
    (again,) = claim(unit_of_work, after_s=30)
    assert (again.attempts, again.failure) == (1, "no answer")


def test_delivered_and_dead_effects_are_never_claimed_again(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("good", of="post-1"), make_effect("bad", of="post-2"))
    for delivery in claim(unit_of_work):
        good = delivery.effect.id == "good"
        settle(unit_of_work, delivery, DeliveryState.DELIVERED if good else DeliveryState.DEAD)
    assert claim(unit_of_work, after_s=10_000) == []
    with unit_of_work.read() as tx:
        assert tx.outbox.pending() == 0
        assert {one.effect.id: one.state.value for one in tx.outbox.newest(5)} == {
            "good": "delivered",
            "bad": "dead",
        }


def test_a_late_settlement_does_not_undo_a_delivery(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("effect-1"))
    (slow,) = claim(unit_of_work)
    (quick,) = claim(unit_of_work, after_s=LEASE_S)
    settle(unit_of_work, quick, DeliveryState.DELIVERED)
    settle(unit_of_work, slow, DeliveryState.DEAD)
    with unit_of_work.read() as tx:
        assert [one.state for one in tx.outbox.newest(5)] == [DeliveryState.DELIVERED]


def test_a_later_effect_on_a_subject_waits_for_the_earlier_one(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, make_effect("hide"))
    put(unit_of_work, make_effect("restore", EffectKind.RESTORE), after_s=10)
    (first,) = claim(unit_of_work, after_s=20)
    assert first.effect.id == "hide"
    settle(unit_of_work, first, DeliveryState.PENDING)
    assert ids(claim(unit_of_work, after_s=40)) == ["hide"]
    settle(unit_of_work, first, DeliveryState.DELIVERED)
    assert ids(claim(unit_of_work, after_s=41)) == ["restore"]


def test_a_dead_effect_does_not_hold_up_later_ones(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("hide"))
    put(unit_of_work, make_effect("restore", EffectKind.RESTORE), after_s=10)
    (first,) = claim(unit_of_work, after_s=20)
    settle(unit_of_work, first, DeliveryState.DEAD)
    assert ids(claim(unit_of_work, after_s=21)) == ["restore"]


def test_effects_of_one_request_are_delivered_in_its_order(unit_of_work: SqlUnitOfWork) -> None:
    put(
        unit_of_work,
        make_effect("z-first"),
        make_effect("a-second", EffectKind.LIMIT_REACH),
        make_effect("m-third", EffectKind.REMOVE),
    )
    order = []
    while claimed := claim(unit_of_work):
        (delivery,) = claimed
        order.append(delivery.effect.id)
        settle(unit_of_work, delivery, DeliveryState.DELIVERED)
    assert order == ["z-first", "a-second", "m-third"]


def test_effects_of_one_transaction_are_delivered_in_the_order_of_their_requests(
    unit_of_work: SqlUnitOfWork,
) -> None:
    with unit_of_work.begin() as tx:
        tx.outbox.put([make_effect("z-first")], at=NOON)
        tx.outbox.put([make_effect("a-second", EffectKind.LIMIT_REACH)], at=NOON)
        tx.commit(ENTRY)
    assert ids(claim(unit_of_work)) == ["z-first"]


def test_subjects_of_another_kind_with_the_same_id_do_not_wait(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, make_effect("on-post", of="same"))
    account = make_effect("on-account", EffectKind.LOCK, of="same", about="account")
    with unit_of_work.begin() as tx:
        close(tx, account, at=NOON + timedelta(seconds=1))
        tx.commit(ENTRY)
    assert set(ids(claim(unit_of_work, after_s=2))) == {"on-post", "on-account"}


def test_requests_are_counted_by_kind_and_time(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, make_effect("old", of="post-1"))
    put(unit_of_work, make_effect("new", of="post-2"), after_s=100)
    put(unit_of_work, make_effect("other", EffectKind.REMOVE, of="post-3"), after_s=100)
    with unit_of_work.read() as tx:
        assert tx.outbox.count_since(EffectKind.HIDE, NOON + timedelta(seconds=50)) == 1
        assert tx.outbox.count_since(EffectKind.HIDE, NOON) == 2


def test_two_workers_never_claim_the_same_effect(
    database_url: str, keys: KeyRing, unit_of_work: SqlUnitOfWork
) -> None:
    effects = [make_effect(f"effect-{n}", of=f"post-{n // 2}") for n in range(120)]
    put(unit_of_work, *effects)
    start = Barrier(3)

    def work() -> list[str]:
        engine = open_engine(database_url)
        own = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
        start.wait()
        mine: list[str] = []
        idle = 0
        while idle < 20:
            claimed = claim(own, limit=4)
            idle = 0 if claimed else idle + 1
            for delivery in claimed:
                mine.append(delivery.effect.id)
                settle(own, delivery, DeliveryState.DELIVERED)
        engine.dispose()
        return mine

    with ThreadPoolExecutor(3) as pool:
        found = [name for one in [pool.submit(work) for _ in range(3)] for name in one.result()]
    assert sorted(found) == sorted(effect.id for effect in effects)


def test_the_last_that_the_platform_confirmed_about_an_account_is_told(
    unit_of_work: SqlUnitOfWork,
) -> None:
    kinds = (EffectKind.SUSPEND, EffectKind.REINSTATE)

    def last() -> str:
        with unit_of_work.read() as tx:
            found = tx.outbox.last_delivered(AccountId("account-1"), kinds)
        return found.effect.id if found else ""

    with unit_of_work.begin() as tx:
        tx.decisions.add([make_decision("1")])
        suspend = make_effect("gone", EffectKind.SUSPEND, of="account-1", about="account")
        close(tx, suspend, at=NOON)
        back = make_effect("back", EffectKind.REINSTATE, of="account-1", about="account")
        tx.outbox.put([back], at=NOON + timedelta(seconds=1))
        tx.commit(ENTRY)
    assert last() == ""
    for name in ("gone", "back"):
        (delivery,) = claim(unit_of_work, after_s=5)
        settle(unit_of_work, delivery, DeliveryState.DELIVERED)
        assert last() == name
