"""What a case sealed of a post before its deletion counts if all is there, and nothing is new."""

from pathlib import Path

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.ports.builders import ENTRY
from tests.ports.test_kept_posts import deleted, edited, keeper, kept, post
from tests.synthetic.builders import event_of, policy_text

from nightlight.model.case import EvidenceKind
from nightlight.model.event import MediaUploaded, UserReportCreated
from nightlight.model.ids import CaseId
from nightlight.model.media import Scan, ScanState

FIRST = policy_text({"when": "term_severity >= 90", "severity": 90, "asks": ["preserve", "review"]})
BOTH = "zorbleflux beside plimquat"
FILE = event_of(MediaUploaded(media_id="m", account_id="ana", url="m.png"), minutes=-1)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Desk:
    return Desk(tmp_path / "home", policy=FIRST, database_url=database_url)


def kinds(desk: Desk, case_id: CaseId) -> set[EvidenceKind]:
    return {one.kind for one in desk.evidence(case_id)}


def destroy(desk: Desk) -> None:
    """Let what is sealed be gone, as a destruction that was carried out leaves it."""
    services = desk.services
    whose = [*(one.id for one in desk.outcome().cases), *(one.id for one in kept(desk))]
    with services.unit_of_work.begin() as tx:
        for one in tx.evidence.of_cases(whose):
            tx.evidence.destroyed(one.id, at=services.clock.now())
        tx.commit(ENTRY)


def hunt(desk: Desk, word: str, severity: int = 10) -> None:
    line = f'{{"text": "{word}", "kind": "term", "severity": {severity}}}'
    desk.services.lists.import_lexicon("late", [line], actor="ana", reason="news")
    while desk.services.hunts.step() is not None:
        pass


def test_file_that_could_not_be_had_for_the_case_is_sealed_once_it_is_there(desk: Desk) -> None:
    desk.take_in(FILE, post(media="m"))
    [case] = desk.outcome().cases
    assert EvidenceKind.MEDIA not in kinds(desk, case.id)
    desk.take_in(deleted())
    [one] = desk.services.kept_posts.newest(9)
    found = Scan(state=ScanState.SCANNED, sealed_digest=desk.services.vault.seal(b"drawn"))
    keeper(desk, HandClock(desk.services.clock.now()), lambda _: found).run_due()
    assert kinds(desk, one.id) == {EvidenceKind.POST, EvidenceKind.PROFILE, EvidenceKind.MEDIA}
    assert [each.complete for each in kept(desk)] == [True]


def test_post_that_its_case_sealed_with_its_file_is_not_sealed_again(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "m.png").write_bytes(b"no picture at all")
    desk = Desk(tmp_path / "h", media_root=tmp_path, policy=FIRST, database_url=database_url)
    desk.take_in(FILE, post(media="m"))
    [case] = desk.outcome().cases
    assert EvidenceKind.MEDIA in kinds(desk, case.id)
    desk.take_in(deleted())
    assert kept(desk) == []


def test_finding_after_what_was_sealed_is_destroyed_keeps_the_post_anew(desk: Desk) -> None:
    desk.take_in(post(said=BOTH))
    destroy(desk)
    hunt(desk, "plimquat")
    desk.take_in(deleted())
    [one] = kept(desk)
    assert kinds(desk, one.id) == {EvidenceKind.POST, EvidenceKind.PROFILE}
    desk.take_in(deleted(minutes=20))
    assert kept(desk) == [one]


def test_hunt_after_deletion_and_destruction_keeps_the_post_anew_each_time(desk: Desk) -> None:
    desk.take_in(post(said=BOTH + " and quombit"), deleted())
    for number, word in enumerate(("plimquat", "quombit"), start=1):
        destroy(desk)
        assert kept(desk)[number - 1 :] == []
        hunt(desk, word)
        assert sum(bool(desk.evidence(one.id)) for one in kept(desk)) == 1
        assert len(kept(desk)) == number


def test_report_of_a_user_after_the_destruction_keeps_the_last_words_anew(desk: Desk) -> None:
    desk.take_in(post(said=BOTH), edited("tea at noon"), deleted())
    destroy(desk)
    report = UserReportCreated(user_report_id="r", account_id="ben", post_id="p", reason="x")
    desk.take_in(event_of(report, minutes=30))
    assert [bool(desk.evidence(one.id)) for one in kept(desk)].count(True) == 1


def test_destroyed_post_in_which_nothing_new_was_found_is_not_kept(desk: Desk) -> None:
    desk.take_in(post())
    destroy(desk)
    desk.take_in(deleted())
    assert kept(desk) == []
