"""Viewed is true of a file whose very bytes a person viewed in the reported account's own cases.

Equal bytes that another account sent are another file: who viewed those did not view these
(Wilson, 9th Cir. 2021, turns on that).
"""

import pytest
from msgspec.structs import replace
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock, MemoryMedia, make_file, make_tip
from tests.fakes.evidence_room import EvidenceRoom
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.case import CaseState
from nightlight.model.ids import CaseId, TipId
from nightlight.model.reported_file import ReportedFile
from nightlight.preserve.ports import KeyRing
from nightlight.services.drafting import Drafting
from nightlight.services.filing import StoredTips
from nightlight.services.sealed_machines import SealedMachines


@pytest.fixture
def room(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> EvidenceRoom:
    """One file that an account sent twice, and another account once."""
    room = EvidenceRoom(unit_of_work, clock, keys)
    room.case("case-1", CaseState.CONFIRMED)
    room.case("case-2", CaseState.CONFIRMED)
    for name, case in (("one", "case-1"), ("again", "case-1"), ("elsewhere", "case-2")):
        room.seal(name, case)
    assert len(room.blobs.kept) == 1, "sealed once"
    file = replace(
        make_file(MemoryMedia(), 1), evidence_id="one", digest=room.evidence("one").digest
    )
    tip = replace(make_tip(MemoryMedia(), files=0), case_id=CaseId("case-1"), files=(file,))
    with unit_of_work.begin() as tx:
        tx.tips.draft(tip, at=clock.now())
        tx.commit(ENTRY)
    return room


def filed(room: EvidenceRoom) -> ReportedFile:
    """Return the tip's file as it would be filed now."""
    machines = SealedMachines(unit_of_work=room.unit_of_work, vault=room.vault)
    drafting = Drafting(platform_name="Zorbleflux", classify=False, machines=machines)
    tips = StoredTips(unit_of_work=room.unit_of_work, clock=room.clock, drafting=drafting)
    [file] = tips.load(TipId("tip-1"))[0].files
    return file


def view(room: EvidenceRoom, evidence_id: str, *, exif: bool = False) -> None:
    opened = room.desk.open(evidence_id, ACCESS)
    b"".join(opened.parts)
    room.desk.given(opened)
    room.desk.view(evidence_id, ACCESS, exif=exif)


def test_a_file_that_nobody_viewed_is_not_viewed(room: EvidenceRoom) -> None:
    room.desk.open("one", ACCESS)
    assert (filed(room).viewed, filed(room).exif_viewed) == (False, None)


def test_who_viewed_the_second_copy_of_an_account_viewed_the_file(room: EvidenceRoom) -> None:
    view(room, "again")
    assert (filed(room).viewed, filed(room).exif_viewed) == (True, False)
    view(room, "again", exif=True)
    assert filed(room).exif_viewed is True
    assert room.desk.log("one") == [], "the log stays that of the file that was opened"


def test_who_viewed_equal_bytes_of_another_account_did_not_view_this_file(
    room: EvidenceRoom,
) -> None:
    view(room, "elsewhere", exif=True)
    assert (filed(room).viewed, filed(room).exif_viewed) == (False, None)
