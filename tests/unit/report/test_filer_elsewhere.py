"""A report that was opened at another line is never asked about at this one."""

from typing import Any

import pytest
from tests.fakes.cybertip_store import NOON, HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.cybertipline import FakeCyberTipline

from nightlight.model.filing import Filing, Line, TipState
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer

HERE, ELSEWHERE = "http://127.0.0.1:9/here", "http://127.0.0.1:9/elsewhere"


def resumed(line: FakeCyberTipline, **stored: Any) -> Filing:
    """Return what becomes here of a filing whose report was opened elsewhere."""
    media = MemoryMedia()
    tip = make_tip(media)
    store = MemoryTipStore(tip)
    store.filings[tip.id] = Filing(
        tip_id=tip.id, remote_id="7000001", opened_at=NOON, line=ELSEWHERE, **stored
    )
    filer = Filer(
        store=store,
        destination=line,
        media=media,
        reporter=Reporter(person=Contact(email="desk@example.test")),
        clock=HandClock(),
        line=Line(address=HERE),
    )
    return filer.advance(tip.id)


@pytest.mark.parametrize(
    "state", [TipState.OPENED, TipState.UPLOADING, TipState.DESCRIBING, TipState.RETRACTING]
)
def test_what_is_unfinished_there_is_filed_in_a_new_report_here(state: TipState) -> None:
    line = FakeCyberTipline()
    after = resumed(line, state=state)
    assert (after.state, after.line) == (TipState.FILED, HERE)
    assert len(line.in_state("finished")) == 1
    assert "retract" not in line.calls


def test_what_is_to_be_withdrawn_is_withdrawn_without_asking_here() -> None:
    line = FakeCyberTipline()
    assert resumed(line, state=TipState.WITHDRAWING).state is TipState.WITHDRAWN
    assert line.calls == []


def test_what_was_refused_stays_refused_without_asking_here() -> None:
    line = FakeCyberTipline()
    after = resumed(line, state=TipState.RETRACTING, refusal="a quibble")
    assert (after.state, after.failure, after.remote_id) == (TipState.REFUSED, "a quibble", "")
    assert line.calls == []


@pytest.mark.parametrize(
    ("state", "retry_from"),
    [
        (TipState.FINISHING, TipState.FINISHING),
        (TipState.RETRACTING, TipState.FINISHING),
        (TipState.WITHDRAWING, TipState.WITHDRAWING),
    ],
)
def test_what_may_be_finished_there_waits_for_a_person(
    state: TipState, retry_from: TipState
) -> None:
    line = FakeCyberTipline()
    after = resumed(line, state=state, finish_asked=True)
    assert (after.state, after.retry_from) == (TipState.REFUSED, retry_from)
    assert f"report 7000001 was opened at {ELSEWHERE}" in after.failure
    assert line.calls == []
