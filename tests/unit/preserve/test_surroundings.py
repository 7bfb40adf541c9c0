"""What was around a finding is sealed with it: the thread, other posts, machines and hashes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fakes.blobs import ACCESS
from tests.fakes.desk import Desk
from tests.synthetic.builders import TEXT, event_of

from nightlight.model.event import AccountCreated, EngagementCreated, Event, PostCreated
from nightlight.preserve.surroundings import ABOVE, OWN


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def post(name: str, *, minutes: float, by: str = "account-1", **more: Any) -> Event:
    return event_of(PostCreated(post_id=name, account_id=by, **more), minutes=minutes)


def around(desk: Desk) -> dict[str, Any]:
    [case] = desk.outcome().cases
    *_, found = [one for one in desk.evidence(case.id) if one.kind == "surroundings"]
    body = desk.services.vault.open(found.digest, ACCESS)
    decoded: dict[str, Any] = msgspec.json.decode(body)
    return decoded


def posts(events: list[dict[str, Any]]) -> list[str]:
    return [one["data"]["post_id"] for one in events]


@pytest.mark.parametrize("size", [1, 1000])
def test_thread_and_own_posts_are_sealed_whether_or_not_they_came_at_once(
    desk: Desk, size: int
) -> None:
    events = [
        post("root", minutes=0, by="somebody", text="a question"),
        post("parent", minutes=1, by="another", text="an answer", reply_to="root"),
        post("before", minutes=2, text="quibbling"),
        post("post-1", minutes=3, text=TEXT, reply_to="parent"),
    ]
    desk.take_in(*events, size=size)
    found = around(desk)
    assert posts(found["above"]) == ["parent", "root"]
    assert posts(found["own"]) == ["before"]
    assert found["account_id"] == "account-1"


def test_replies_are_sealed_where_they_came_before_the_finding(desk: Desk) -> None:
    quiet = post("post-1", minutes=0, text="nothing yet")
    reply = post("reply", minutes=1, by="somebody", text="me", reply_to="post-1")
    desk.take_in(quiet, reply)
    edited = event_of(
        PostCreated(post_id="post-2", account_id="account-1", text=TEXT, reply_to="post-1"),
        minutes=2,
    )
    desk.take_in(edited)
    assert posts(around(desk)["above"]) == ["post-1"]


def test_a_thread_that_goes_round_and_long_ones_end(desk: Desk) -> None:
    long = [
        post(f"up-{n}", minutes=n, by="somebody", text="x", reply_to=f"up-{n - 1}" if n else "up-0")
        for n in range(ABOVE + 4)
    ]
    own = [post(f"own-{n}", minutes=20 + n, text=f"quibble {n}") for n in range(OWN + 5)]
    desk.take_in(*long, *own, post("post-1", minutes=99, text=TEXT, reply_to=long[-1].post_id))
    found = around(desk)
    assert (len(found["above"]), len(found["own"])) == (ABOVE, OWN)
    assert posts(found["own"])[0] == f"own-{OWN + 4}"


def test_machines_are_known_sealed_alone(desk: Desk, tmp_path: Path) -> None:
    desk.take_in(
        post("before", minutes=0, text="quibbling", device="blip-9000"),
        post("post-1", minutes=1, text=TEXT, network="192.0.2.77"),
    )
    seen = [one["machine"] for one in around(desk)["seen"]]
    assert [(one["device"], one["network"]) for one in seen] == [
        ("", "192.0.2.77"), ("blip-9000", ""),
    ]  # fmt: skip
    stored = b"".join(
        path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()
    )
    assert b"192.0.2.77" not in stored
    assert b"blip-9000" not in stored


def test_from_where_the_account_registered_is_sealed_with_its_finding(desk: Desk) -> None:
    created = AccountCreated(account_id="account-1", handle="q", network="192.0.2.1")
    other = AccountCreated(account_id="account-2", handle="z", network="192.0.2.9")
    desk.take_in(
        event_of(created, minutes=-2),
        event_of(other, minutes=-1),
        post("post-1", minutes=1, text=TEXT, device="blip-9000"),
    )
    seen = [(one["event_type"], one["machine"]["network"]) for one in around(desk)["seen"]]
    assert seen == [("post.created", ""), ("account.created", "192.0.2.1")]


def test_machines_are_forgotten_after_their_days_and_evidence_keeps_its_own(desk: Desk) -> None:
    sent = post("post-1", minutes=1, text=TEXT, network="192.0.2.77")
    desk.take_in(sent)
    assert desk.services.retention.forget_machines() == 0
    with desk.services.unit_of_work.begin() as tx:
        assert tx.events.machines([sent.key])[sent.key].network == "192.0.2.77"
        assert tx.events.forget_machines(desk.services.clock.now(), 9) == 1
        tx.commit_unrecorded()
    with desk.services.unit_of_work.read() as tx:
        assert tx.events.machines([sent.key]) == {}
    assert around(desk)["seen"][0]["machine"]["network"] == "192.0.2.77"


def test_where_nothing_was_around_nothing_is_sealed_of_it(desk: Desk) -> None:
    like = EngagementCreated(account_id="somebody", kind="like", post_id="post-1")
    desk.take_in(event_of(like), post("post-1", minutes=1, text=TEXT))
    [case] = desk.outcome().cases
    assert [one.kind for one in desk.evidence(case.id)] == ["post"]
