"""The record is anchored outside the database, so that losing its end shows."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.fakes.record_stores import FORMER, MemoryAnchors, record_over
from tests.synthetic.builders import TEXT, event_of

from nightlight.adapters.checkpoint_places import CheckpointFolder
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.sql.schema import audit_entry
from nightlight.audit.checkpoint import Anchor
from nightlight.errors import InvalidInput, NightlightError, NotFound, Unavailable
from nightlight.ingest.lines import Rejected
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseStep
from nightlight.model.event import PostCreated
from nightlight.review.resolve import Resolution
from nightlight.services.intake import quarantine
from nightlight.services.record import Record
from nightlight.services.record_export import disclose, export
from nightlight.services.record_notes import Published


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
    path.write_text(path.read_text().replace("\\n2\\n", "\\n1\\n"))
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


def test_names_that_can_be_traced_are_exported_only_when_asked_for(desk: Desk) -> None:
    services = desk.services
    desk.take_in(
        event_of(PostCreated(post_id="post-1", account_id="zorble", text=TEXT)),
    )
    [case] = desk.outcome().cases
    step = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="a test")
    services.review.decide(case.id, step)
    assert list(export(services.record, services.unit_of_work))
    with sqlite3.connect(services.settings.home / "nightlight.db") as database:  # as upgraded
        assert database.execute("UPDATE account_action SET record_name = ''").rowcount == 1
    database.close()
    with pytest.raises(InvalidInput, match="can be traced"):
        list(export(services.record, services.unit_of_work))
    assert list(export(services.record, services.unit_of_work, former_names=True))


class Places:
    """Where checkpoints go; it may refuse them."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.failing: NightlightError | None = None

    def publish(self, checkpoint: Anchor) -> None:
        if self.failing is not None:
            raise self.failing
        self.taken.append(checkpoint.seq)


@pytest.fixture
def place() -> Places:
    return Places()


@pytest.fixture
def published(
    unit_of_work: SqlUnitOfWork, clock: HandClock, place: Places
) -> tuple[Record, SqlUnitOfWork]:
    record = record_over(
        unit_of_work, anchors=MemoryAnchors(), clock=clock, destinations=(place, place)
    )
    return record, unit_of_work


def add(unit_of_work: SqlUnitOfWork, count: int = 1) -> None:
    with unit_of_work.begin() as tx:
        tx.commit(*[AuditEntry(actor="a", action="test.acted", subject="s")] * count)


def test_newest_checkpoint_is_published_once_everywhere(
    published: tuple[Record, SqlUnitOfWork], place: Places, clock: HandClock
) -> None:
    record, unit_of_work = published
    assert record.publish() is None, "there is no checkpoint yet"
    add(unit_of_work, 3)
    made = record.anchor()
    assert made is not None
    for _ in range(2):
        assert record.publish() == Published(seq=3, at=clock.now(), hash=made.hash)
    assert place.taken == [3, 3]
    assert record.published() == Published(seq=3, at=clock.now(), hash=made.hash)


@pytest.mark.parametrize("failure", [Unavailable("no answer"), InvalidInput("not here")])
def test_place_that_does_not_take_a_checkpoint_is_noted_and_tried_again(
    published: tuple[Record, SqlUnitOfWork],
    place: Places,
    clock: HandClock,
    failure: NightlightError,
) -> None:
    record, unit_of_work = published
    add(unit_of_work)
    made = record.anchor()
    assert made is not None
    place.failing = failure
    kept = record.publish()
    assert kept == Published(seq=0, at=None, failure=f"{failure}; {failure}")
    place.failing = None
    assert record.publish() == Published(seq=1, at=clock.now(), hash=made.hash)


def test_without_a_place_nothing_is_published(desk: Desk) -> None:
    record = desk.services.record
    record.anchor()
    assert not record.publishes
    assert record.publish() is None


def test_verifying_since_last_reads_only_what_is_new(
    published: tuple[Record, SqlUnitOfWork], clock: HandClock
) -> None:
    record, unit_of_work = published
    add(unit_of_work, 5)
    record.anchor()
    told: list[int] = []
    assert record.verify(progress=told.append).entries == 5
    assert told == [1]
    whole = clock.now()
    clock.advance(seconds=60)
    add(unit_of_work, 2)
    record.anchor()
    found = record.verify(since_last=True)
    assert (found.entries, found.since, found.anchors, found.intact) == (2, 5, 2, True)
    verified = record.verified()
    assert verified is not None
    assert (verified.seq, verified.at, verified.whole_at) == (7, clock.now(), whole)
    assert record.verify(since_last=True).entries == 0


def test_first_verification_since_last_is_of_the_whole(
    published: tuple[Record, SqlUnitOfWork],
) -> None:
    record, unit_of_work = published
    add(unit_of_work, 5)
    assert record.verify(since_last=True).entries == 5


def test_broken_record_is_not_remembered_as_verified(
    published: tuple[Record, SqlUnitOfWork], engine: Engine
) -> None:
    record, unit_of_work = published
    add(unit_of_work, 3)
    record.verify()
    add(unit_of_work, 3)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_entry SET at_us = 1 WHERE seq = 5"))
    for _ in range(2):
        assert not record.verify(since_last=True).intact
    verified = record.verified()
    assert verified is not None
    assert (verified.seq, verified.broken.startswith("entry 5: ")) == (0, True)


def test_end_cut_off_since_the_last_verification_is_found(
    published: tuple[Record, SqlUnitOfWork], engine: Engine
) -> None:
    record, unit_of_work = published
    add(unit_of_work, 6)
    record.verify()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE seq > 3"))
        statement = (
            "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit_entry WHERE seq = 3)"
        )
        connection.execute(text(statement))
    assert not record.verify(since_last=True).intact


def test_note_of_what_was_verified_that_somebody_changed_is_a_fault(desk: Desk) -> None:
    record = desk.services.record
    record.verify()
    path = desk.services.settings.verified_file
    whole = path.read_text()
    path.write_text(whole.replace('"seq":2', '"seq":1'))
    for _ in range(2):
        verified = record.verified()
        assert verified is not None
        assert (verified.seq, "not genuine" in verified.broken) == (0, True)
        found = record.verify(since_last=True)
        assert (found.since, [one.seq for one in found.faults]) == (0, [0])
    path.write_text(whole)  # as where another key file was in its place
    assert record.verify(since_last=True).intact


@pytest.mark.parametrize("damaged", ["", "quibble"])
def test_note_of_what_was_verified_that_cannot_be_read_counts_for_nothing(
    desk: Desk, damaged: str
) -> None:
    record = desk.services.record
    record.verify()
    desk.services.settings.verified_file.write_text(damaged)
    assert record.verified() is None
    assert record.verify(since_last=True).since == 0


def test_unknown_entry_or_part_is_not_disclosed(desk: Desk) -> None:
    unit_of_work = desk.services.unit_of_work
    for seq in (0, -1, 99):
        with pytest.raises(NotFound):
            disclose(unit_of_work, seq, ["actor"], actor="ana", reason="asked")
    for fields in ([], ["quibble"]):
        with pytest.raises(InvalidInput):
            disclose(unit_of_work, 1, fields, actor="ana", reason="asked")
    with pytest.raises(NotFound):
        next(export(desk.services.record, unit_of_work, after=99))


def test_entry_of_the_former_form_is_not_disclosed_in_part(
    published: tuple[Record, SqlUnitOfWork], engine: Engine
) -> None:
    _, unit_of_work = published
    with engine.begin() as connection:
        connection.execute(insert(audit_entry), [one._asdict() for one in FORMER])
    with pytest.raises(InvalidInput, match="former form"):
        disclose(unit_of_work, 1, ["actor"], actor="ana", reason="asked")


def test_checkpoints_are_published_to_a_folder(tmp_path: Path, desk: Desk) -> None:
    made = desk.services.record.anchor()
    assert made is not None
    folder = CheckpointFolder(tmp_path / "public" / "record")
    for _ in range(2):
        folder.publish(made)
    [one] = (tmp_path / "public" / "record").glob("*-*/*.txt")
    assert one.name == "000000000002.txt"
    latest = tmp_path / "public" / "record" / "latest.txt"
    assert one.read_text("utf-8") == latest.read_text("utf-8") == made.note
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        CheckpointFolder(tmp_path / "file").publish(made)
