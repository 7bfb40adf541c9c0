"""Sealed evidence is read by persons for a purpose, and only the view log says what was viewed."""

from pathlib import Path

import pytest
from tests.fakes.blobs import ACCESS
from tests.fakes.desk import Desk
from tests.unit.services.conftest import PICTURE

from nightlight.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from nightlight.model.case import Case, CaseStep, EvidenceKind
from nightlight.model.custody import Access, ReadKind, SeenWhere
from nightlight.review.resolve import Resolution


def the_case(sealed_desk: Desk) -> Case:
    [case] = sealed_desk.outcome().cases
    return case


def the_file(sealed_desk: Desk) -> str:
    sealed = sealed_desk.evidence(the_case(sealed_desk).id)
    [found] = [one.id for one in sealed if one.kind is EvidenceKind.MEDIA]
    return found


def open_it(sealed_desk: Desk, by: str = "ana") -> bytes:
    opened = sealed_desk.services.evidence.open(
        the_file(sealed_desk), Access(person=by, purpose="a look")
    )
    content = b"".join(opened.parts)
    sealed_desk.services.evidence.given(opened)
    return content


def confirm(sealed_desk: Desk, *viewed: str, by: str = "ana") -> bool:
    """Return whether the tip says that the file was viewed."""
    case = the_case(sealed_desk)
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer=by, reason="it is", viewed=viewed)
    sealed_desk.services.review.decide(case.id, resolution)
    with sealed_desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.newest(9)
        [file] = tx.tips.load(stored.tip_id)[0].files
    return bool(file.viewed)


def test_opening_gives_the_bytes_and_says_who_read_them_and_what_for(sealed_desk: Desk) -> None:
    assert open_it(sealed_desk) == PICTURE
    with sealed_desk.services.unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.newest(2)]
    assert [one.action for one in entries] == ["evidence.given", "evidence.opened"]
    entry = entries[1]
    assert (entry.actor, entry.action, entry.subject) == (
        "ana",
        "evidence.opened",
        the_file(sealed_desk),
    )
    assert entry.reason == "a look"
    lines = sealed_desk.services.evidence.log(the_file(sealed_desk))
    assert {(one.person, one.where) for one in lines} == {("ana", SeenWhere.VAULT)}
    assert {one.what for one in lines} == {ReadKind.OPENED, ReadKind.GIVEN}
    assert the_case(sealed_desk).viewed == ()


@pytest.mark.parametrize(
    "access", [Access(person=" ", purpose="a look"), Access(person="ana", purpose="")]
)
def test_without_a_person_and_a_purpose_nothing_is_opened_nor_viewed(
    sealed_desk: Desk, access: Access
) -> None:
    before = sealed_desk.actions()
    with pytest.raises(InvalidInput):
        sealed_desk.services.evidence.open(the_file(sealed_desk), access)
    with pytest.raises(InvalidInput):
        sealed_desk.services.evidence.view(the_file(sealed_desk), access, on_platform=True)
    assert sealed_desk.actions() == before
    assert sealed_desk.services.evidence.log(the_file(sealed_desk)) == []


def test_unknown_evidence_is_not_found(sealed_desk: Desk) -> None:
    for ask in (sealed_desk.services.evidence.open, sealed_desk.services.evidence.view):
        with pytest.raises(NotFound):
            ask("evi-none", ACCESS)
    with pytest.raises(NotFound):
        sealed_desk.services.evidence.log("evi-none")


def test_only_who_opened_a_file_here_can_say_to_have_viewed_it_here(sealed_desk: Desk) -> None:
    open_it(sealed_desk, by="Bo")
    with pytest.raises(Conflict, match="never given all of it here"):
        sealed_desk.services.evidence.view(the_file(sealed_desk), ACCESS)
    [read] = sealed_desk.services.evidence.view(
        the_file(sealed_desk), Access(person="bo ", purpose="review")
    )
    assert (read.what, read.where) == (ReadKind.VIEWED, SeenWhere.VAULT)
    assert the_case(sealed_desk).viewed == (the_file(sealed_desk),)


def vault_file(sealed_desk: Desk, tmp_path: Path) -> Path:
    [kept] = [
        one
        for one in sealed_desk.evidence(the_case(sealed_desk).id)
        if one.id == the_file(sealed_desk)
    ]
    name = sealed_desk.services.vault.name_of(kept.digest)
    return tmp_path / "home" / "vault" / name[:2] / name[2:4] / name


def test_who_asked_for_a_file_that_did_not_come_has_viewed_nothing(
    sealed_desk: Desk, tmp_path: Path
) -> None:
    desk = sealed_desk.services.evidence
    path = vault_file(sealed_desk, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    damaged = desk.open(the_file(sealed_desk), ACCESS)
    with pytest.raises(IntegrityFailure):
        list(damaged.parts)
    path.write_bytes(whole)
    begun = desk.open(the_file(sealed_desk), ACCESS)
    next(iter(begun.parts))
    path.unlink()
    gone = desk.open(the_file(sealed_desk), ACCESS)
    with pytest.raises(NotFound):
        list(gone.parts)
    for one in (damaged, begun, gone):
        with pytest.raises(Conflict, match="not given whole"):
            desk.given(one)
    with pytest.raises(Conflict, match="never given all of it here"):
        desk.view(the_file(sealed_desk), ACCESS)
    assert "evidence.given" not in sealed_desk.actions()


@pytest.mark.parametrize("name", ["nightlight", " Policy ", "night\u200blight", "nightlight demo"])
def test_a_program_views_nothing(sealed_desk: Desk, name: str) -> None:
    access = Access(person=name, purpose="review")
    for ask in (
        lambda: sealed_desk.services.evidence.open(the_file(sealed_desk), access),
        lambda: sealed_desk.services.evidence.view(the_file(sealed_desk), access, on_platform=True),
        lambda: confirm(sealed_desk, the_file(sealed_desk), by=name),
    ):
        with pytest.raises(InvalidInput, match="name of automation"):
            ask()
    assert sealed_desk.services.evidence.log(the_file(sealed_desk)) == []


def test_what_was_seen_on_the_platform_is_said_to_be(sealed_desk: Desk) -> None:
    [read] = sealed_desk.services.evidence.view(the_file(sealed_desk), ACCESS, on_platform=True)
    assert read.where is SeenWhere.PLATFORM
    assert sealed_desk.actions()[-1] == "evidence.viewed"


def test_metadata_counts_as_viewed_only_where_that_was_said(sealed_desk: Desk) -> None:
    open_it(sealed_desk)
    sealed_desk.services.evidence.view(the_file(sealed_desk), ACCESS)
    assert the_case(sealed_desk).exif_viewed == ()
    sealed_desk.services.evidence.view(the_file(sealed_desk), ACCESS, exif=True)
    assert the_case(sealed_desk).exif_viewed == (the_file(sealed_desk),)


def test_a_file_that_was_only_opened_is_not_reported_as_viewed(sealed_desk: Desk) -> None:
    open_it(sealed_desk)
    assert not confirm(sealed_desk)


def test_a_view_in_the_log_is_reported_whoever_decides_the_case(sealed_desk: Desk) -> None:
    open_it(sealed_desk, by="bo")
    sealed_desk.services.evidence.view(the_file(sealed_desk), Access(person="bo", purpose="review"))
    assert confirm(sealed_desk, by="ana")


@pytest.mark.parametrize("opened", [True, False])
def test_what_a_reviewer_says_when_deciding_goes_into_the_view_log(
    sealed_desk: Desk, *, opened: bool
) -> None:
    if opened:
        open_it(sealed_desk)
    assert confirm(sealed_desk, the_file(sealed_desk))
    line = sealed_desk.services.evidence.log(the_file(sealed_desk))[-1]
    assert line.what is ReadKind.VIEWED
    assert line.where is (SeenWhere.VAULT if opened else SeenWhere.PLATFORM)
    assert (line.person, line.purpose) == ("ana", "it is")
    assert sealed_desk.actions()[-2:] == ["case.confirmed", "evidence.viewed"]
