"""Effects go out under a lease; what arrived, or never will, is on the record."""

from datetime import datetime
from pathlib import Path

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.synthetic.builders import TEXT, event_of

from nightlight.enforce.outbox import OutboxOptions
from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.model.effect import DeliveryState, Effect
from nightlight.model.event import PostCreated
from nightlight.services.delivery import Dispatcher


class Platform:
    """Confirms every effect, or answers with the fault it is given."""

    def __init__(self) -> None:
        self.fault: NightlightError | None = None
        self.asked: list[str] = []

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        assert at.tzinfo is not None
        self.asked.append(effect.id)
        if self.fault is not None:
            raise self.fault

    def is_reachable(self) -> bool:
        return self.fault is None


class Post(Desk):
    """A desk with one effect to deliver, on a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.platform = Platform()
        self.take_in(event_of(PostCreated(post_id="p", account_id="a", text=TEXT)))
        self.clock = HandClock(self.services.clock.now())
        self.clock.advance(seconds=1)
        self.dispatcher = Dispatcher(
            unit_of_work=self.services.unit_of_work,
            platform=self.platform,
            clock=self.clock,
            options=OutboxOptions(),
        )

    def run(self) -> list[DeliveryState]:
        return [delivery.state for delivery in self.dispatcher.run_due()]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def test_effect_is_delivered_once_and_the_record_says_so(post: Post) -> None:
    assert post.run() == [DeliveryState.DELIVERED]
    assert post.run() == []
    assert post.actions()[-1] == "effect.delivered"


def test_effect_without_an_answer_is_tried_again_under_the_same_id_without_a_record(
    post: Post,
) -> None:
    post.platform.fault = Unavailable("no answer")
    before = post.actions()
    assert post.run() == [DeliveryState.PENDING]
    assert post.run() == []
    post.clock.advance(seconds=2)
    assert post.run() == [DeliveryState.PENDING]
    assert len(set(post.platform.asked)) == 1
    assert post.actions() == before
    assert not post.dispatcher.is_reachable()


def test_refused_effect_is_dead_and_on_the_record(post: Post) -> None:
    post.platform.fault = InvalidInput("no such post")
    assert post.run() == [DeliveryState.DEAD]
    assert post.run() == []
    assert post.actions()[-1] == "effect.dead"


def test_effect_that_a_dead_worker_claimed_is_tried_again_after_its_lease(post: Post) -> None:
    with post.services.unit_of_work.begin() as tx:
        tx.outbox.claim(now=post.clock.now(), lease_s=60, limit=9)
        tx.commit_unrecorded()
    assert post.run() == []
    post.clock.advance(seconds=61)
    assert post.run() == [DeliveryState.DELIVERED]
