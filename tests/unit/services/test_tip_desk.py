"""A legal reporter reads, corrects and adds to tips; and each reaches the places of its policy."""

import tarfile
from pathlib import Path

import pyrage
import pytest
from msgspec.structs import replace
from tests.fakes.desk import KNOWN_MD5, Desk
from tests.synthetic.builders import TEXT, event_of
from tests.synthetic.pictures import as_file, drawn

from nightlight.bootstrap import build_services, verify_package
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseStep
from nightlight.model.custody import Access
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.event import AccountCreated, MediaUploaded, PostCreated
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId
from nightlight.review.resolve import Resolution
from nightlight.services.rules import default_policy
from nightlight.settings import read_settings
from nightlight.transaction import let_nothing_be_destroyed


class Office(Desk):
    """A desk with a confirmed case, its tips, and perhaps a hotline."""

    def __init__(
        self, folder: Path, *, pictured: bool = False, recipient: str = "", report_to: str = ""
    ) -> None:
        root = folder / "media"
        root.mkdir()
        (root / "a.png").write_bytes(as_file(drawn(1)))
        policy = default_policy().decode()
        if report_to:
            policy = policy.replace("[confirmed.advert]\n", f"[confirmed.advert]\n{report_to}\n")
        super().__init__(folder / "home", media_root=root, policy=policy.encode())
        if recipient:
            settings = read_settings(
                {
                    "NIGHTLIGHT_HOME": str(folder / "home"),
                    "NIGHTLIGHT_MEDIA_ROOT": str(root),
                    "NIGHTLIGHT_REPORTER_EMAIL": "desk@example.test",
                    "NIGHTLIGHT_HOTLINE_DIRECTORY": str(folder / "box"),
                    "NIGHTLIGHT_HOTLINE_RECIPIENT": recipient,
                }
            )
            self.services = build_services(settings)
        picture = MediaUploaded(media_id="m", account_id="a", url="a.png", md5=KNOWN_MD5)
        post = PostCreated(post_id="p", account_id="a", text=TEXT)
        if pictured:
            post = replace(post, media_ids=("m",))
            self.take_in(event_of(picture, minutes=-1))
        self.take_in(
            event_of(AccountCreated(account_id="a", handle="quib"), minutes=-9), event_of(post)
        )
        for case in self.outcome().cases:
            self.services.review.decide(
                case.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="r")
            )

    def tips(self) -> list[tuple[CyberTip, Filing]]:
        with self.services.unit_of_work.read() as tx:
            return [tx.tips.load(one.tip_id) for one in tx.tips.newest(9)]

    def tip(self, destination: Destination = Destination.NCMEC) -> tuple[CyberTip, Filing]:
        [found] = [one for one in self.tips() if one[0].destination is destination]
        return found

    def save(self, filing: Filing) -> None:
        with self.services.unit_of_work.begin() as tx:
            saved = replace(filing, revision=filing.revision + 1)
            tx.tips.save(saved, at=self.services.clock.now())
            tx.commit(AuditEntry(actor="test", action="tip.filed", subject=filing.tip_id))


@pytest.fixture
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Office:
    office = Office(tmp_path, pictured=getattr(request, "param", False))
    # The desk of a test names nobody who reports.
    office.services.tip_desk._reporter = replace(
        office.services.settings.reporter,
        person=replace(office.services.settings.reporter.person, email="desk@example.test"),
    )
    return office


def correct(office: Office, *changes: tuple[str, str], by: str = "lena") -> CyberTip:
    tip, _ = office.tip()
    return office.services.tip_desk.correct(tip.id, changes, by=by, reason="a quibble")


def test_a_preview_is_the_tip_as_it_would_be_filed(office: Office) -> None:
    tip, filing = office.tip()
    found = office.services.tip_desk.preview(tip.id)
    assert found.filing == filing
    assert b"<screenName>quib</screenName>" in found.document
    assert (found.fault, found.unchecked) == ("", "no CyberTipline is configured")


def test_a_preview_says_what_could_not_be_sent(tmp_path: Path) -> None:
    office = Office(tmp_path)
    tip, _ = office.tip()
    assert "reporter_reachable" in office.services.tip_desk.preview(tip.id).fault


@pytest.mark.parametrize("office", [True], indirect=True)
def test_a_file_that_is_viewed_after_drafting_is_said_to_be_viewed(office: Office) -> None:
    tip, _ = office.tip()
    [file] = tip.files
    assert not file.viewed
    access = Access(person="ana", purpose="to be sure")
    office.services.evidence.view(file.evidence_id, access, exif=True, on_platform=True)
    [now] = office.services.tip_desk.preview(tip.id).tip.files
    assert (now.viewed, now.exif_viewed) == (True, True)


def test_a_correction_is_stored_and_on_the_record_without_what_it_says(office: Office) -> None:
    correct(office, ("narrative", "zorbleflux happened"), ("high_priority", "a danger"))
    tip, filing = office.tip()
    assert (tip.narrative, tip.high_priority) == ("zorbleflux happened", "a danger")
    assert filing.corrected
    with office.services.unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    assert (newest.entry.actor, newest.entry.action) == ("lena", "tip.corrected")
    assert newest.entry.detail["fields"] == ["narrative", "high_priority"]
    assert newest.entry.detail["document"] != newest.entry.detail["document_before"]
    assert "zorbleflux" not in repr(newest)


def test_a_correction_that_could_not_be_sent_is_not_stored(office: Office) -> None:
    before = office.tips()
    with pytest.raises(InvalidInput, match="time_past"):
        correct(office, ("incident_at", "2999-01-01T00:00:00Z"))
    assert office.tips() == before


def test_a_correction_needs_a_person(office: Office) -> None:
    with pytest.raises(InvalidInput):
        correct(office, ("narrative", "x"), by=" ")


@pytest.mark.parametrize("state", [TipState.OPENING, TipState.OPENED, TipState.FILED])
def test_what_may_have_been_sent_is_not_corrected(office: Office, state: TipState) -> None:
    office.save(replace(office.tip()[1], state=state))
    with pytest.raises(Conflict):
        correct(office, ("narrative", "x"))


def test_a_refused_tip_is_corrected_and_ordered_again(office: Office) -> None:
    refused = replace(
        office.tip()[1], state=TipState.REFUSED, retry_from=TipState.DRAFTED, failure="4100"
    )
    office.save(refused)
    tip = correct(office, ("narrative", "x"))
    office.services.tip_desk.retry(tip.id, by="lena", reason="mended")
    assert office.tip()[1].state is TipState.DRAFTED


@pytest.mark.parametrize("office", [True], indirect=True)
def test_a_supplement_names_the_report_and_adds_what_is_new(office: Office) -> None:
    tip, filing = office.tip()
    desk = office.services.tip_desk
    with pytest.raises(Conflict):
        desk.supplement(tip.case_id, "more", by="lena", reason="r")
    office.save(replace(filing, state=TipState.FILED, remote_id="7000009"))
    with pytest.raises(InvalidInput):
        desk.supplement(tip.case_id, " ", by="lena", reason="r")
    for by, reason in (("", "r"), ("lena", " ")):
        with pytest.raises(InvalidInput):
            desk.supplement(tip.case_id, "They wrote again.", by=by, reason=reason)
    [further] = desk.supplement(tip.case_id, "They wrote again.", by="lena", reason="r").tips
    assert further.id != tip.id
    assert further.reported[0].prior_reports == (7000009,)
    assert further.narrative.startswith("They wrote again.")
    assert further.files == ()
    assert {one.id for one, _ in office.tips()} == {tip.id, further.id}
    assert office.actions()[-1] == "tip.supplemented"
    with pytest.raises(Conflict, match=further.id):
        desk.supplement(tip.case_id, "They wrote again.", by="lena", reason="r")
    desk.supplement(tip.case_id, "They wrote", by="lena", reason="r")


def test_a_supplement_says_of_a_file_that_was_reported_and_destroyed_nothing_again(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path, pictured=True)
    tip, filing = office.tip()
    assert len(tip.files) == 1
    office.save(replace(filing, state=TipState.FILED, remote_id="4711"))
    with office.services.unit_of_work.begin() as tx:
        let_nothing_be_destroyed(tx)
        for one in tx.evidence.of_case(tip.case_id):
            tx.evidence.destroyed(one.id, at=office.services.clock.now())
        tx.commit_unrecorded()
    desk = office.services.tip_desk
    [further] = desk.supplement(tip.case_id, "more", by="lena", reason="r").tips
    assert (further.files, further.unattached) == ((), ())


def test_what_does_not_stand_is_not_supplemented(office: Office) -> None:
    tip, _ = office.tip()
    resolution = Resolution(step=CaseStep.APPEAL, reviewer="a", reason="r")
    office.services.review.decide(tip.case_id, resolution)
    with pytest.raises(Conflict):
        office.services.tip_desk.supplement(CaseId(tip.case_id), "m", by="lena", reason="r")


def test_a_tip_is_filed_with_the_places_of_its_policy_and_no_other(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    office = Office(
        tmp_path,
        pictured=True,
        recipient=str(identity.to_public()),
        report_to='report_to = ["ncmec", "hotline"]',
    )
    ncmec, hotline = office.tip(), office.tip(Destination.HOTLINE)
    assert ncmec[0].id != hotline[0].id
    assert office.services.filer is not None
    [filing] = office.services.filer.run_due(9)
    assert (filing.tip_id, filing.state) == (hotline[0].id, TipState.FILED)
    [package] = (tmp_path / "box").glob("*.tar")
    assert package.name in filing.receipt
    with office.services.unit_of_work.read() as tx:
        assert tx.tips.load(ncmec[0].id)[1].state is TipState.DRAFTED
    check_package(office, package, identity, filing)
    again = office.services.filer.run_due(9)
    assert again == []


def check_package(
    office: Office, package: Path, identity: pyrage.x25519.Identity, filing: Filing
) -> None:
    """Hold when the hotline can open the package and see by whom it was made."""
    manifest = verify_package(package, public=office.services.exports.public_key)
    # Neither its name nor what lies in it in clear leads to the case.
    assert f"{manifest.package}.tar" == package.name
    assert filing.tip_id.encode() not in package.name.encode() + package.read_bytes()
    assert all(one.sha256 in filing.receipt for one in manifest.members)
    with tarfile.open(package) as tar:
        sealed = tar.extractfile("report.xml.age")
        assert sealed is not None
        document = pyrage.decrypt(sealed.read(), [identity])
        picture = tar.extractfile("file-1.age")
        assert picture is not None
        data = pyrage.decrypt(picture.read(), [identity])
    assert b"<screenName>quib</screenName>" in document
    assert data == as_file(drawn(1))
