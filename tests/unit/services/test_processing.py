"""No single event stops the stream, and none is passed unseen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.desk import Desk
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import IntegrityFailure, Unavailable
from nightlight.model.context import Context
from nightlight.model.effect import EffectKind
from nightlight.model.event import Event, PostCreated
from nightlight.model.signal import Fact, Signal
from nightlight.pipeline import Pipeline, Rules
from nightlight.services.processing import Processor


class Stumbling:
    """A detector that fails on one post, as often as told."""

    name = "stumbling"
    facts: Mapping[str, Fact] = {}

    def __init__(self, fault: Exception, *, times: int = 1_000) -> None:
        self.fault = fault
        self.left = times

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        assert isinstance(context, Context)
        if event.post_id == "bad" and self.left > 0:
            self.left -= 1
            raise self.fault
        return ()


def post(name: str, *, minutes: float = 0) -> Event:
    return event_of(PostCreated(post_id=name, account_id=f"by-{name}", text=TEXT), minutes=minutes)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def processor_with(desk: Desk, detector: Stumbling) -> Processor:
    rules = desk.services.rules()
    stumbling: Rules = replace(rules, detectors=(detector, *rules.detectors))
    pipeline: Pipeline = desk.services.pipeline
    pipeline._rules = lambda: stumbling
    return Processor(pipeline=pipeline)


def test_event_that_no_attempt_can_judge_is_held_and_shown_to_a_person(desk: Desk) -> None:
    processor = processor_with(desk, Stumbling(KeyError("zorbleflux")))
    batches = processor.run([post("one"), post("bad", minutes=1), post("two", minutes=2)])
    assert sum(batch.events for batch in batches) == 3
    outcome = desk.outcome()
    held = [one for one in outcome.decisions if one.category == "unknown"]
    assert [decision.subject.id for decision in held] == ["bad"]
    assert held[0].reasons[0].text == "The event could not be judged: KeyError."
    assert {effect.kind for effect in outcome.effects if effect.decision_id == held[0].id} == {
        EffectKind.HOLD
    }
    assert {case.account_id for case in outcome.cases} == {"by-one", "by-bad", "by-two"}


def test_fault_that_passes_holds_nothing(desk: Desk) -> None:
    processor = processor_with(desk, Stumbling(KeyError("x"), times=2))
    processor.run([post("one"), post("bad")])
    assert {one.category for one in desk.outcome().decisions} == {"advert"}
    assert len(desk.outcome().decisions) == 2


def test_stream_goes_on_where_a_fault_left_it(desk: Desk) -> None:
    events = [post("one"), post("bad")]
    desk.services.pipeline.accept(events)
    processor = processor_with(desk, Stumbling(KeyError("x")))
    processor.process(limit=10)
    assert len(desk.outcome().decisions) == 2
    assert processor.process(limit=10) == []


def test_accepted_events_wait_and_are_processed_in_their_order(desk: Desk) -> None:
    assert desk.services.pipeline.accept([post("one"), post("two", minutes=1)]) == 2
    assert desk.outcome().decisions == []
    [batch] = desk.services.processor.process(limit=10)
    assert (batch.events, batch.last_seq) == (2, 2)
    assert len(desk.outcome().decisions) == 2


def test_new_events_wait_for_those_accepted_before(desk: Desk) -> None:
    desk.services.pipeline.accept([post("one")])
    before, batch = desk.services.processor.run([post("two", minutes=1)])
    assert (before.last_seq, batch.last_seq) == (1, 2)
    assert len(before.judged) == 1, "what is caught up with is told too"
    assert len(desk.outcome().decisions) == 2


@pytest.mark.parametrize("fault", [Unavailable("no database"), IntegrityFailure("contradiction")])
def test_fault_of_the_store_is_not_taken_for_a_fault_of_the_event(
    desk: Desk, fault: Exception
) -> None:
    processor = processor_with(desk, Stumbling(fault))
    with pytest.raises(type(fault)):
        processor.run([post("bad")])
    desk.services.pipeline.accept([post("bad")])
    with pytest.raises(type(fault)):
        processor.process(limit=1)
    assert desk.outcome().decisions == []


def test_nothing_to_set_aside_is_nothing(desk: Desk) -> None:
    assert desk.services.pipeline.set_aside(why="quibble").events == 0
