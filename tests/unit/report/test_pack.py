"""Tips as packages: one a tip, whatever happens on the way, and none for what was withdrawn."""

import contextlib
from collections.abc import Iterator

import pytest
from lxml import etree
from msgspec import structs
from tests.fakes.cybertip_store import HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.cybertipline import Killed

from nightlight.errors import Conflict, Unavailable
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import Filing, TipState
from nightlight.report.pack import PackageFiler
from nightlight.report.ports import Sent
from nightlight.report.progress import retried, withdrawn
from nightlight.report.reporter import Contact, Reporter


class MemoryBox:
    """A ``PackageBox`` that can fail or die at the next call."""

    def __init__(self) -> None:
        self.packages: dict[str, dict[str, bytes]] = {}
        self.fetched: dict[str, None] = {}
        self.away = False
        self.dies = ""

    def put(self, name: str, members: Iterator[tuple[str, Iterator[bytes]]]) -> str:
        self._meet("before")
        self.packages[name] = {member: b"".join(parts) for member, parts in members}
        self._meet("after")
        return f"receipt of {name}"

    def fetch(self) -> None:
        """Let the hotline take what is there."""
        self.fetched = dict.fromkeys(self.packages)
        self.packages.clear()

    def remove(self, name: str) -> str:
        self._meet("before")
        self.packages.pop(name, None)
        return f"receipt of {name}" if name in self.fetched else ""

    def _meet(self, when: str) -> None:
        if self.away:
            raise Unavailable("no disk")
        if self.dies == when:
            self.dies = ""
            raise Killed


class World:
    def __init__(self) -> None:
        self.media, self.box, self.clock = MemoryMedia(), MemoryBox(), HandClock()
        self.tip = structs.replace(make_tip(self.media, files=2), destination=Destination.HOTLINE)
        self.store = MemoryTipStore(self.tip)

    def run(self) -> Filing:
        filer = PackageFiler(
            store=self.store,
            box=self.box,
            media=self.media,
            reporter=Reporter(person=Contact(email="desk@example.test")),
            clock=self.clock,
            name=Destination.HOTLINE,
        )
        with contextlib.suppress(Killed):
            filer.run_due(limit=9)
        return self.store.filings[self.tip.id]

    def replace_tip(self, tip: CyberTip) -> None:
        self.store.tips[tip.id] = tip


def test_a_package_holds_the_report_the_files_and_their_details() -> None:
    world = World()
    filing = world.run()
    assert (filing.state, filing.receipt) == (TipState.FILED, "receipt of tip-1")
    [package] = world.box.packages.values()
    assert list(package) == ["report.xml", "file-1.xml", "file-1", "file-2.xml", "file-2"]
    assert package["file-2"] == world.media.files[world.tip.files[1].digest]
    assert etree.fromstring(package["file-2.xml"]).findtext("fileId") == "2"
    assert world.store.actions == ["tip.packing_requested", "tip.filed"]
    assert world.media.purposes[0] == "report tip-1 to hotline"


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_package_if_the_process_dies_while_it_is_written(when: str) -> None:
    world = World()
    world.box.dies = when
    assert world.run().state is TipState.PACKING
    world.clock.advance(minutes=11)
    assert world.run().state is TipState.FILED
    assert len(world.box.packages) == 1


def test_a_place_that_cannot_be_written_is_tried_again() -> None:
    world = World()
    world.box.away = True
    filing = world.run()
    assert (filing.state, filing.attempts) == (TipState.PACKING, 1)
    world.box.away = False
    world.clock.advance(minutes=1)
    assert world.run().state is TipState.FILED


def test_a_document_that_breaks_a_rule_is_not_packed_until_a_person_mended_it() -> None:
    world = World()
    ahead = structs.replace(world.tip, incident_at=world.clock.at.replace(year=2999))
    world.replace_tip(ahead)
    filing = world.run()
    assert filing.state is TipState.REFUSED
    assert "time_past" in filing.failure
    world.replace_tip(world.tip)
    world.store.save(retried(filing), action="tip.retried")
    assert world.run().state is TipState.FILED


def test_a_file_missing_from_the_vault_waits_for_a_person() -> None:
    world = World()
    world.media.files.clear()
    filing = world.run()
    assert filing.state is TipState.REFUSED
    assert world.tip.files[0].digest not in filing.failure


def test_a_withdrawn_tip_leaves_no_package() -> None:
    world = World()
    world.box.dies = "after"
    filing = world.run()
    world.store.save(withdrawn(filing), action="tip.withdrawn")
    world.box.away = True
    assert world.run().state is TipState.WITHDRAWING
    world.box.away = False
    world.clock.advance(minutes=1)
    assert world.run().state is TipState.WITHDRAWN
    assert world.box.packages == {}


def test_a_tip_that_was_fetched_before_it_was_withdrawn_says_to_tell_the_authority() -> None:
    world = World()
    world.box.dies = "after"
    filing = world.run()
    world.box.fetch()
    world.store.save(withdrawn(filing), action="tip.withdrawn")
    filed = world.run()
    assert (filed.state, filed.receipt) == (TipState.FILED, "receipt of tip-1")
    assert "tell the authority" in filed.failure


def test_a_tip_that_another_filer_took_is_left_to_it() -> None:
    class Stale(MemoryTipStore):
        def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
            del sent
            raise Conflict(f"another filer went on with {filing.tip_id}: {action}")

    world = World()
    world.store = Stale(world.tip)
    assert world.run().state is TipState.DRAFTED


def test_a_filed_tip_is_left_alone() -> None:
    world = World()
    first = world.run()
    filer = PackageFiler(
        store=world.store, box=world.box, media=world.media, clock=world.clock,
        reporter=Reporter(person=Contact()), name=Destination.HOTLINE,
    )  # fmt: skip
    assert filer.advance(world.tip.id) == first
