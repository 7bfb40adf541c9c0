"""A record that lost what was known of it stays broken until a person settles that."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.fakes.cybertip_store import HandClock
from tests.fakes.record_stores import KEY, MemoryState

from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.audit.checkpoint import Anchor
from nightlight.errors import Conflict, IntegrityFailure, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.services.record import Record
from nightlight.services.record_notes import Published, Verified


class Home:
    """A record of ten entries, anchored and published at five and at ten, and verified."""

    def __init__(
        self, unit_of_work: SqlUnitOfWork, engine: Engine, clock: HandClock, folder: Path
    ) -> None:
        self.unit_of_work = unit_of_work
        self.engine = engine
        self.anchors = folder / "audit" / "anchors.ndjson"
        self.verified: MemoryState[Verified] = MemoryState()
        self.published: MemoryState[Published] = MemoryState()
        self.record = Record(
            unit_of_work=unit_of_work,
            anchors=FileAnchorStore(self.anchors),
            key=KEY,
            clock=clock,
            verified=self.verified,
            published=self.published,
            destinations=(self,),
        )
        for _ in range(2):
            self.add(5)
            self.record.anchor()
            self.record.publish()
        assert self.record.verify().intact
        assert self.record.verify(since_last=True).intact

    def publish(self, checkpoint: Anchor) -> None:
        """Take a checkpoint, as a place where they are published does."""

    def add(self, count: int) -> None:
        with self.unit_of_work.begin() as tx:
            tx.commit(*[AuditEntry(actor="a", action="test.acted", subject="s")] * count)

    def roll_back(self, seq: int) -> None:
        """Bring the database back to an entry, as restoring a backup does."""
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM audit_entry WHERE seq > :seq"), {"seq": seq})
            connection.execute(
                text(
                    "UPDATE audit_head SET seq = :seq,"
                    " hash = (SELECT hash FROM audit_entry WHERE seq = :seq)"
                ),
                {"seq": seq},
            )

    def keep_anchors(self, count: int) -> None:
        lines = self.anchors.read_bytes().splitlines(keepends=True)
        self.anchors.write_bytes(b"".join(lines[:count]))

    def problems(self, *, since_last: bool = False) -> list[str]:
        return [one.problem for one in self.record.verify(since_last=since_last).faults]

    def entries(self) -> list[AuditEntry]:
        with self.unit_of_work.read() as tx:
            return [one.entry for one in tx.audit.entries()]


@pytest.fixture
def home(unit_of_work: SqlUnitOfWork, engine: Engine, clock: HandClock, tmp_path: Path) -> Home:
    return Home(unit_of_work, engine, clock, tmp_path)


MISSING = "an entry that was verified or published before is missing"


@pytest.mark.parametrize("order", [(True, True, False), (False, True, False)])
def test_an_end_cut_off_with_its_anchors_is_found_again_and_again(
    home: Home, order: tuple[bool, ...]
) -> None:
    home.roll_back(5)
    home.keep_anchors(1)
    for since_last in order:
        found = home.problems(since_last=since_last)
        assert found
        assert found[0] in (MISSING, "the newest entries are missing or were replaced")
    verified = home.record.verified()
    assert verified is not None
    assert verified.broken


def test_a_record_that_grew_again_after_it_was_cut_short_is_found(home: Home) -> None:
    home.roll_back(5)
    home.keep_anchors(1)
    home.add(9)
    assert "the entry is not the one that was verified or published before" in home.problems()


def test_what_was_published_has_to_be_there_where_nothing_else_is_known(home: Home) -> None:
    home.roll_back(5)
    home.keep_anchors(1)
    home.verified.forget()
    assert MISSING in home.problems()


def test_what_was_published_by_a_former_version_has_to_be_there_too(home: Home) -> None:
    home.verified.forget()
    home.published.save(Published(seq=10, at=None))
    assert home.problems() == []
    home.roll_back(5)
    home.keep_anchors(1)
    home.verified.forget()
    assert MISSING in home.problems()


def test_anchors_that_are_gone_are_a_fault_though_new_ones_come(home: Home) -> None:
    whole = home.anchors.read_bytes()
    home.anchors.unlink()
    assert home.problems() == ["anchors are missing: 0 are left of 2"]
    home.add(1)
    home.record.anchor()
    home.add(1)
    home.record.anchor()
    assert home.problems(since_last=True) == [
        "anchors were changed, or others were put in their place"
    ]
    home.anchors.write_bytes(whole)
    assert home.problems(since_last=True) == []


def test_the_note_of_a_former_version_is_enough(home: Home) -> None:
    note = home.verified.load()
    assert note is not None
    former = Verified(seq=note.seq, hash=note.hash, at=note.at, whole_at=note.whole_at)
    home.verified.save(former.sealed(KEY))
    home.roll_back(5)
    home.keep_anchors(1)
    home.published.forget()
    for _ in range(2):
        assert home.problems()
    assert MISSING in home.problems()


@pytest.mark.parametrize("name", ["nightlight", "policy", "\u200b", " "])
def test_no_automation_settles_what_is_lost(home: Home, name: str) -> None:
    home.roll_back(7)
    with pytest.raises(InvalidInput):
        home.record.settle(by=name, reason="nothing to see")
    assert home.problems()


def test_a_restored_database_goes_on_once_a_person_settled_what_is_lost(
    home: Home,
) -> None:
    home.roll_back(7)
    home.add(1)
    assert home.record.anchor() is None
    settled = home.record.settle(by="ana", reason="restored the backup of Sunday")
    assert (settled.lost_from, settled.lost_to, settled.set_aside) == (6, 10, 1)
    assert home.problems() == home.problems(since_last=True) == []
    entry = home.entries()[-1]
    assert (entry.actor, entry.action, entry.reason) == (
        "ana",
        "record.settled",
        "restored the backup of Sunday",
    )
    assert (entry.detail["lost_from"], entry.detail["lost_to"]) == (6, 10)
    # Signed and published again at once, and the anchors before are kept.
    last = home.record.last_checkpoint()
    assert last is not None
    assert last.seq == len(home.entries()) == 9
    published = home.record.publish()
    assert published is not None
    assert published.seq == 9
    [aside] = home.anchors.parent.glob("anchors-until-*.ndjson")
    assert len(list(FileAnchorStore(aside).all())) == 2


def test_later_faults_show_after_settling(home: Home) -> None:
    home.roll_back(5)
    home.record.settle(by="ana", reason="restored")
    home.add(3)
    home.record.anchor()
    assert home.problems() == []
    home.roll_back(7)
    assert MISSING not in home.problems(since_last=True)
    assert home.problems()


def test_a_torn_anchor_is_settled_and_nothing_is_lost(home: Home) -> None:
    with home.anchors.open("ab") as file:
        file.write(b'{"note":"cut o')
    assert home.problems() == ["an anchor's seal is not genuine"]
    settled = home.record.settle(by="ana", reason="a power cut")
    assert (settled.lost_from, settled.lost_to, settled.set_aside) == (0, 0, 1)
    assert home.problems() == []
    assert [one.seq for one in FileAnchorStore(home.anchors).all()] == [5, 10, 11]


def test_anchors_that_are_gone_are_settled(home: Home) -> None:
    home.anchors.unlink()
    settled = home.record.settle(by="ana", reason="the disk was replaced")
    assert (settled.lost_to, settled.set_aside) == (0, 0)
    assert home.problems() == []


def test_a_note_that_is_not_genuine_is_settled(home: Home) -> None:
    note = home.verified.load()
    assert note is not None
    home.verified.save(note.sealed(b"another key"))
    assert home.problems() == ["the note of how far the record was verified is not genuine"]
    home.record.settle(by="ana", reason="looked at it")
    assert home.problems() == []


def test_what_contradicts_itself_is_never_settled(home: Home) -> None:
    with home.engine.begin() as connection:
        connection.execute(text("UPDATE audit_entry SET at_us = 1 WHERE seq = 3"))
    with pytest.raises(IntegrityFailure, match="entry 3"):
        home.record.settle(by="ana", reason="never mind")
    assert home.problems()


def test_an_intact_record_has_nothing_to_settle(home: Home) -> None:
    with pytest.raises(Conflict):
        home.record.settle(by="ana", reason="to be sure")
    assert len(home.entries()) == 10


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("ana", " ")])
def test_settling_needs_a_name_and_words(home: Home, by: str, reason: str) -> None:
    home.roll_back(5)
    with pytest.raises(InvalidInput):
        home.record.settle(by=by, reason=reason)
    assert len(home.entries()) == 5


def test_looking_at_what_would_be_settled_changes_nothing(home: Home) -> None:
    home.roll_back(5)
    found = home.record.unsettled()
    assert (found.lost_from, found.lost_to, found.set_aside) == (6, 10, 1)
    assert home.problems()
    assert len(home.entries()) == 5
