"""A hunt goes by the terms and the policy of each step, not by those of its first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.desk import Desk
from tests.synthetic.builders import policy_text
from tests.unit.services.test_hunts import (
    SEVERE,
    WHO,
    WORD,
    arrive,
    carry_out,
    hidden,
    post,
    weighing,
)

from nightlight.detect.hunting import HuntState

MILD = policy_text({"when": "term_severity >= 30", "severity": 30, "asks": ["preserve", "review"]})
ALL = {"p0", "p1", "p2", "p3", "p4", "p5"}


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Desk:
    desk = Desk(tmp_path / "home", lists=False, database_url=database_url)
    desk.services.lists.activate_policy(SEVERE, **WHO)
    return desk


@pytest.fixture
def begun(desk: Desk) -> Desk:
    """A hunt that hid the first two of six posts."""
    desk.take_in(*(post(f"p{number}", minutes=number) for number in range(6)))
    arrive(desk, weighing(90))
    desk.services.hunts.step(limit=2)
    assert hidden(desk) == {"p0", "p1"}
    return desk


def go_on(desk: Desk) -> None:
    while desk.services.hunts.step(limit=2) is not None:
        pass


def withdraw(desk: Desk) -> None:
    desk.services.lexicons.withdraw_alone("late", **WHO)


def lower(desk: Desk) -> None:
    arrive(desk, weighing(40))


def soften(desk: Desk) -> None:
    desk.services.lists.activate_policy(MILD, **WHO)


CHANGES = pytest.mark.parametrize("change", [withdraw, lower, soften])


@CHANGES
def test_hunt_acts_no_further_by_what_was_changed_between_its_steps(
    begun: Desk, change: Callable[[Desk], None]
) -> None:
    change(begun)
    go_on(begun)
    assert hidden(begun) == {"p0", "p1"}


@CHANGES
def test_hunt_does_not_act_by_what_was_changed_within_its_step(
    begun: Desk, change: Callable[[Desk], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = begun.services.pipeline
    judge_again = pipeline.judge_again

    def after_the_change(*args: Any, **named: Any) -> None:
        monkeypatch.undo()
        change(begun)
        judge_again(*args, **named)

    monkeypatch.setattr(pipeline, "judge_again", after_the_change)
    go_on(begun)
    assert hidden(begun) == {"p0", "p1"}
    assert {one.state for one in begun.services.hunts.newest(9)} <= {
        HuntState.DONE,
        HuntState.CANCELLED,
    }


def test_hunt_whose_lists_stay_goes_on_to_its_end(begun: Desk) -> None:
    go_on(begun)
    assert hidden(begun) == ALL


def test_withdrawal_cancels_the_hunts_of_its_lexicon_alone(begun: Desk) -> None:
    arrive(begun, WORD, name="other")
    withdraw(begun)
    states = {one.name: one.state for one in begun.services.hunts.newest(9)}
    assert states == {"late": HuntState.CANCELLED, "other": HuntState.WAITING}
    assert begun.actions()[-2:] == ["lexicon.withdrawn", "hunt.cancelled"]


def test_approved_withdrawal_cancels_them_too(begun: Desk) -> None:
    waiting = begun.services.lexicons.propose_withdrawal("late", **WHO)
    begun.services.lexicons.approve(waiting.change.id, actor="bo", reason="a test")
    assert [one.state for one in begun.services.hunts.newest(9)] == [HuntState.CANCELLED]


@pytest.mark.parametrize(("then", "is_hidden"), [(90, True), (40, False), (10, False)])
def test_term_that_comes_back_severer_is_decided_anew(
    desk: Desk, then: int, *, is_hidden: bool
) -> None:
    arrive(desk, weighing(40))
    desk.take_in(post("up"))
    withdraw(desk)
    arrive(desk, weighing(then))
    hunt = carry_out(desk)
    assert (hunt.found, hunt.known_before, hunt.graver) == (1, 1, int(is_hidden))
    assert hidden(desk) == ({"up"} if is_hidden else set())
