"""The record is anchored outside the database, so that losing its end shows."""

from pathlib import Path

import pytest
from tests.fakes.desk import Desk

from nightlight.ingest.lines import Rejected
from nightlight.services.intake import quarantine


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_record_is_intact_and_anchored_once_for_each_new_end(desk: Desk) -> None:
    record = desk.services.record
    first = record.anchor()
    assert first is not None
    assert record.anchor() is None
    desk.services.banks.remove("quibble", actor="ana", reason="x")
    second = record.anchor()
    assert second is not None
    assert second.seq > first.seq
    found = record.verify()
    assert found.intact
    assert found.anchors == 2


def test_empty_record_is_not_anchored(tmp_path: Path) -> None:
    record = Desk(tmp_path, lists=False).services.record
    assert record.anchor() is None
    assert record.verify().intact


def test_anchor_that_was_edited_is_found(desk: Desk) -> None:
    record = desk.services.record
    record.anchor()
    path = desk.services.settings.anchors_file
    path.write_text(path.read_text().replace('"seq":2', '"seq":1'))
    assert [fault.problem for fault in record.verify().faults] == [
        "an anchor's seal is not genuine"
    ]


def rejected(reason: str = "id: is missing", *, line: int = 4) -> Rejected:
    return Rejected(line_number=line, reason=reason, raw=b"zorbleflux", byte_count=10)


def kept(desk: Desk) -> int:
    with desk.services.unit_of_work.read() as tx:
        return tx.events.quarantine_size()


def test_unreadable_line_is_kept_and_the_record_says_why_but_not_what(desk: Desk) -> None:
    services = desk.services
    quarantine(
        [rejected(), rejected(line=5)],
        origin="file:events.jsonl",
        unit_of_work=services.unit_of_work,
        clock=services.clock,
    )
    assert kept(desk) == 2
    with services.unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    assert (newest.entry.action, newest.entry.subject) == (
        "events.quarantined",
        "file:events.jsonl",
    )
    assert newest.entry.detail == {"lines": 2, "reasons": ["id: is missing"]}


def test_same_line_of_the_same_file_is_kept_once(desk: Desk) -> None:
    services = desk.services
    for _ in range(2):
        quarantine(
            [rejected()], origin="file:a", unit_of_work=services.unit_of_work, clock=services.clock
        )
    assert kept(desk) == 1


def test_nothing_unreadable_leaves_no_entry(desk: Desk) -> None:
    services, before = desk.services, desk.actions()
    quarantine([], origin="http", unit_of_work=services.unit_of_work, clock=services.clock)
    assert desk.actions() == before
