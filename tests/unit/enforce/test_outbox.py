"""An effect is delivered until it is confirmed, and never given up for want of an answer."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.builders import NOON, make_effect

from nightlight.enforce.outbox import OutboxOptions, attempt
from nightlight.enforce.ports import Delivery
from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.model.effect import DeliveryState, Effect


class Answering:
    """A platform that answers as told, and remembers what it was asked."""

    def __init__(self, fault: NightlightError | None = None) -> None:
        self.fault = fault
        self.asked: list[tuple[Effect, datetime]] = []

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        self.asked.append((effect, at))
        if self.fault is not None:
            raise self.fault

    def is_reachable(self) -> bool:
        return self.fault is None


def waiting(attempts: int = 0, failure: str = "") -> Delivery:
    return Delivery(
        effect=make_effect(),
        state=DeliveryState.PENDING,
        attempts=attempts,
        requested_at=NOON,
        next_attempt_at=NOON,
        failure=failure,
    )


def tried(fault: NightlightError | None, *, attempts: int = 0) -> Delivery:
    before = waiting(attempts, "an earlier failure")
    return attempt(before, platform=Answering(fault), now=NOON, options=OutboxOptions())


def test_confirmed_effect_is_delivered() -> None:
    platform = Answering()
    after = attempt(waiting(failure="x"), platform=platform, now=NOON, options=OutboxOptions())
    assert after.state is DeliveryState.DELIVERED
    assert (after.delivered_at, after.attempts, after.failure) == (NOON, 1, "")
    assert platform.asked == [(make_effect(), NOON)]


def test_effect_without_an_answer_waits_and_says_why() -> None:
    after = tried(Unavailable("no answer"))
    assert after.state is DeliveryState.PENDING
    assert after.failure == "no answer"
    assert after.delivered_at is None


def test_effect_that_the_platform_refuses_for_good_is_dead() -> None:
    after = tried(InvalidInput("no such post"))
    assert (after.state, after.failure) == (DeliveryState.DEAD, "no such post")


@pytest.mark.parametrize(
    ("attempts", "wait_s"), [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (10_000, 300)]
)
def test_waiting_doubles_up_to_five_minutes(attempts: int, wait_s: int) -> None:
    after = tried(Unavailable("no answer"), attempts=attempts)
    assert after.next_attempt_at - NOON == timedelta(seconds=wait_s)


@given(st.integers(0, 10**9))
def test_effect_is_never_given_up_for_want_of_an_answer(attempts: int) -> None:
    assert tried(Unavailable("no answer"), attempts=attempts).state is DeliveryState.PENDING
