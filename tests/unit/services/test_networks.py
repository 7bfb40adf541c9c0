"""Accounts are tied by what few show, and a returned one is led back to the one before."""

from pathlib import Path

import pytest
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of

from nightlight.errors import NotFound
from nightlight.model.case import CaseStep
from nightlight.model.event import AccountCreated, AccountUpdated, Event, PostCreated
from nightlight.model.ids import AccountId
from nightlight.review.resolve import Resolution
from nightlight.services.networks import linked_accounts, predecessors_of

A_DAY = 24 * 60.0
OFFER = "zorbleflux and kleptic plonk, ask for the list, 9 coins, dm @plonk_seller_77"
NEW, OLD = AccountId("new"), AccountId("old")


def registered(name: str, *, day: float, **told: str) -> Event:
    values = {"handle": f"{name}_quibble", **told}
    return event_of(AccountCreated(account_id=name, **values), minutes=day * A_DAY)


def posted(name: str, *, day: float, text: str) -> Event:
    data = PostCreated(post_id=f"{name}-{day}", account_id=name, text=text)
    return event_of(data, minutes=day * A_DAY)


BEFORE = [
    registered("old", day=-50, handle="zorble_gate", device="blip-9000", network="192.0.2.7"),
    registered("fan", day=-40, handle="zorble_gates"),
    *(registered(f"other-{number}", day=-40) for number in range(5)),
    posted("old", day=-30, text=OFFER),
]
AFTER = [
    registered("new", day=1, handle="zorble.gate2"),
    posted("new", day=2, text=OFFER.replace("9", "12")),
]


def confirm(desk: Desk) -> None:
    [case] = desk.outcome().cases
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="nonsense is sold")
    desk.services.review.decide(case.id, resolution)


def test_returned_account_is_led_back_and_the_finding_names_the_one_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take_in(*BEFORE)
    confirm(desk)
    desk.take_in(*AFTER)
    signals = [one for one in desk.outcome(AFTER).signals if one.detector == "returning"]
    assert [one.evidence["predecessors"] for one in signals][-1] == ["old"]
    with desk.services.unit_of_work.read() as tx:
        first, *others = predecessors_of(tx, NEW, 10)
    assert (first.account_id, first.standing.value) == (OLD, "confirmed")
    assert all(one.score < first.score / 2 for one in others)


def test_accounts_of_one_machine_are_tied_and_its_name_is_nowhere(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    desk.take_in(*BEFORE, registered("new", day=1, device="Blip-9000"), registered("cy", day=2))
    with desk.services.unit_of_work.read() as tx:
        [tied] = linked_accounts(tx, NEW, 10)
        logged = [one.event for one in tx.events.read_after(0, 99)]
    assert (tied.account_id, [tie.kind.value for tie in tied.ties]) == (OLD, ["device"])
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*.db*"))
    assert b"blip-9000" not in stored.lower()
    assert b"192.0.2.7" not in stored
    assert all(not getattr(one.data, "device", "") or one.data != BEFORE[0].data for one in logged)


def test_what_was_shown_before_a_restart_still_counts(tmp_path: Path) -> None:
    Desk(tmp_path).take_in(*BEFORE)
    desk = Desk(tmp_path, lists=False)
    desk.take_in(*AFTER)
    with desk.services.unit_of_work.read() as tx:
        assert predecessors_of(tx, NEW, 1)[0].account_id == OLD


def test_event_that_is_told_twice_counts_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    desk.take_in(*BEFORE)
    desk.take_in(*BEFORE)
    with desk.services.unit_of_work.read() as tx:
        assert {one.count for one in tx.links.of_account(OLD, 99)} == {1}


def test_changed_name_ties_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    changed = AccountUpdated(account_id="other-1", handle="zorblegate")
    desk.take_in(*BEFORE, event_of(changed))
    with desk.services.unit_of_work.read() as tx:
        tied = linked_accounts(tx, OLD, 10)
    assert [one.account_id for one in tied] == ["other-1"]


def test_account_that_nobody_named_is_not_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lists=False)
    with desk.services.unit_of_work.read() as tx, pytest.raises(NotFound):
        predecessors_of(tx, NEW, 1)
