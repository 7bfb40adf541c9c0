"""Tips and their progress: one a case, sealed, and never moved on by two filers."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON, MemoryMedia, make_tip
from tests.ports.builders import ENTRY, make_case
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.sql.tip_format import decode_tip, encode_tip
from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.model.case import CaseState
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import SETTLED, UNFINISHED, Filing, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.incident import Annotation, WebPage
from nightlight.model.person import Disabled
from nightlight.model.reported_file import Classification, FileHash


def tip(name: str) -> CyberTip:
    return make_tip(MemoryMedia(), files=2, name=name)


def draft(unit_of_work: SqlUnitOfWork, *tips: CyberTip) -> None:
    with unit_of_work.begin() as tx:
        for one in tips:
            tx.cases.save(make_case(one.case_id, state=CaseState.CONFIRMED))
            tx.tips.draft(one, at=NOON)
        tx.commit(ENTRY)


def save(unit_of_work: SqlUnitOfWork, filing: Filing) -> None:
    with unit_of_work.begin() as tx:
        tx.tips.save(filing, at=NOON)
        tx.commit(ENTRY)


def moved(name: str, state: TipState, revision: int, *, wait_s: float | None = None) -> Filing:
    return Filing(
        tip_id=TipId(name),
        state=state,
        remote_id="7000001",
        uploaded=("file-1",),
        described=1,
        receipt="<ok/>",
        failure="no answer",
        attempts=2,
        restarts=1,
        filed_at=NOON,
        revision=revision,
        next_attempt_at=None if wait_s is None else NOON + timedelta(seconds=wait_s),
    )


def test_a_drafted_tip_is_due_at_once(unit_of_work: SqlUnitOfWork) -> None:
    one = tip("tip-1")
    draft(unit_of_work, one)
    with unit_of_work.read() as tx:
        assert tx.tips.load(one.id) == (
            one,
            Filing(tip_id=one.id, state=TipState.DRAFTED, next_attempt_at=NOON),
        )
        assert tx.tips.due(NOON, 5, destination="ncmec") == [one.id]


@pytest.mark.parametrize("state", [CaseState.APPEALED, CaseState.OVERTURNED, CaseState.DISMISSED])
def test_a_tip_is_not_due_while_its_case_does_not_stand(
    unit_of_work: SqlUnitOfWork, state: CaseState
) -> None:
    one = tip("tip-1")
    draft(unit_of_work, one)
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case(one.case_id, state=state))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.tips.due(NOON, 5, destination="ncmec") == []


def test_a_tip_that_is_there_stays_as_it_is(unit_of_work: SqlUnitOfWork) -> None:
    first = tip("tip-1")
    draft(unit_of_work, first)
    draft(unit_of_work, replace(first, narrative="another"))
    with unit_of_work.read() as tx:
        assert tx.tips.load(first.id)[0] == first


def test_a_tip_of_several_cases_waits_for_each_of_them(unit_of_work: SqlUnitOfWork) -> None:
    both = replace(tip("tip-1"), bundled=(CaseId("case-2"),))
    draft(unit_of_work, both)
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case("case-2", state=CaseState.APPEALED))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.tips.due(NOON, 5, destination="ncmec") == []
        assert [one.tip_id for one in tx.tips.of_case(CaseId("case-2"))] == ["tip-1"]


def test_a_tip_that_is_to_be_withdrawn_is_due_though_its_case_does_not_stand(
    unit_of_work: SqlUnitOfWork,
) -> None:
    one = tip("tip-1")
    draft(unit_of_work, one)
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case(one.case_id, state=CaseState.OVERTURNED))
        tx.tips.save(moved("tip-1", TipState.WITHDRAWING, 1), at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.tips.due(NOON, 5, destination="ncmec") == ["tip-1"]
        assert tx.tips.due(NOON, 5, destination="hotline") == []


@pytest.mark.parametrize("state", sorted(TipState))
def test_while_a_case_is_appealed_a_tip_is_due_only_where_a_report_may_be_open(
    unit_of_work: SqlUnitOfWork, state: TipState
) -> None:
    both = replace(tip("tip-1"), bundled=(CaseId("case-2"),))
    draft(unit_of_work, both, tip("tip-2"))
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case("case-2", state=CaseState.CONFIRMED))
        tx.tips.save(moved("tip-1", state, 1), at=NOON)
        assert tx.tips.stands(both.id)
        tx.cases.save(make_case("case-2", state=CaseState.APPEALED))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        due = tx.tips.due(NOON, 5, destination="ncmec")
        assert ("tip-1" in due) == (state in UNFINISHED)
        assert (tx.tips.stands(both.id), tx.tips.stands(TipId("tip-2"))) == (False, True)
        waiting = [] if state in SETTLED else ["tip-1"]
        assert [one.tip_id for one in tx.tips.waiting_for_appeals()] == waiting
        [stored] = tx.tips.of_case(both.case_id)
        assert (stored.appealed, stored.overturned) == ("case-2", None)


def test_reports_that_are_open_for_long_and_what_was_filed_in_vain_are_found(
    unit_of_work: SqlUnitOfWork,
) -> None:
    names = ("old", "new", "done", "vain")
    draft(unit_of_work, *(tip(name) for name in names))
    with unit_of_work.begin() as tx:
        for name, hours in (("old", 2), ("new", 1)):
            opened = moved(name, TipState.OPENED, 1)
            tx.tips.save(replace(opened, opened_at=NOON - timedelta(hours=hours)), at=NOON)
        for name in ("done", "vain"):
            tx.tips.save(moved(name, TipState.FILED, 1), at=NOON)
        tx.cases.save(make_case(tip("vain").case_id, state=CaseState.OVERTURNED))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        found = tx.tips.unfinished(NOON - timedelta(hours=1))
        assert [one.tip_id for one in found] == ["old"]
        [vain] = tx.tips.filed_in_vain(NOON)
        assert (vain.tip_id, vain.overturned) == ("vain", tip("vain").case_id)
        assert tx.tips.filed_in_vain(NOON + timedelta(seconds=1)) == []


def test_a_tip_is_written_anew_only_over_the_revision_before(unit_of_work: SqlUnitOfWork) -> None:
    one = tip("tip-1")
    draft(unit_of_work, one)
    other = replace(one, narrative="another")
    with unit_of_work.begin() as tx:
        tx.tips.rewrite(other, moved("tip-1", TipState.DRAFTED, 1), at=NOON)
        tx.commit(ENTRY)
    with pytest.raises(Conflict), unit_of_work.begin() as tx:
        tx.tips.rewrite(one, moved("tip-1", TipState.DRAFTED, 1), at=NOON)
    with unit_of_work.read() as tx:
        assert tx.tips.load(one.id)[0] == other


def test_a_tip_past_its_deadline_is_told_of_once_until_it_is_filed(
    unit_of_work: SqlUnitOfWork,
) -> None:
    one = tip("tip-1")
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case(one.case_id, state=CaseState.CONFIRMED))
        tx.tips.draft(one, at=NOON, deadline_at=NOON + timedelta(hours=9))
        tx.tips.rewrite(
            one, moved("tip-1", TipState.REFUSED, 1), at=NOON, deadline_at=NOON + timedelta(hours=2)
        )
        tx.commit(ENTRY)
    late = NOON + timedelta(hours=2)
    with unit_of_work.begin() as tx:
        assert tx.tips.overdue(late - timedelta(seconds=1)) == []
        assert [found.tip_id for found in tx.tips.overdue(late, unalarmed=True)] == ["tip-1"]
        assert [found.tip_id for found in tx.tips.refused()] == ["tip-1"]
        tx.tips.alarmed(one.id, at=late)
        assert tx.tips.overdue(late, unalarmed=True) == []
        assert len(tx.tips.overdue(late)) == 1
        tx.tips.save(moved("tip-1", TipState.FILED, 2), at=late)
        assert tx.tips.overdue(late) == []


def test_tips_of_an_account_are_found_oldest_first(unit_of_work: SqlUnitOfWork) -> None:
    draft(unit_of_work, tip("tip-1"), tip("tip-2"))
    with unit_of_work.begin() as tx:
        first, second = (tx.cases.get(tip(name).case_id) for name in ("tip-1", "tip-2"))
        tx.cases.save(replace(second, account_id=first.account_id))
        assert [one.tip_id for one in tx.tips.of_account(first.account_id)] == ["tip-1", "tip-2"]
        assert tx.tips.of_account(AccountId("nobody")) == []


def test_an_unknown_tip_is_not_found(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx, pytest.raises(NotFound):
        tx.tips.load(TipId("none"))


def test_progress_comes_back_as_it_was_saved(unit_of_work: SqlUnitOfWork) -> None:
    draft(unit_of_work, tip("tip-1"))
    filing = moved("tip-1", TipState.OPENED, 1, wait_s=60)
    save(unit_of_work, filing)
    with unit_of_work.read() as tx:
        assert tx.tips.load(TipId("tip-1"))[1] == filing


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_progress_over_anything_but_the_revision_before_is_a_conflict(
    unit_of_work: SqlUnitOfWork, revision: int
) -> None:
    draft(unit_of_work, tip("tip-1"))
    save(unit_of_work, moved("tip-1", TipState.OPENING, 1))
    with pytest.raises(Conflict), unit_of_work.begin() as tx:
        tx.tips.save(moved("tip-1", TipState.OPENED, revision), at=NOON)
    with unit_of_work.read() as tx:
        assert tx.tips.load(TipId("tip-1"))[1].state is TipState.OPENING


def test_tips_are_due_longest_due_first_and_settled_ones_never(
    unit_of_work: SqlUnitOfWork,
) -> None:
    names = ("later", "sooner", "waiting", "filed", "refused")
    draft(unit_of_work, *(tip(name) for name in names))
    save(unit_of_work, moved("later", TipState.OPENED, 1, wait_s=20))
    save(unit_of_work, moved("sooner", TipState.FINISHING, 1, wait_s=10))
    save(unit_of_work, moved("waiting", TipState.OPENED, 1, wait_s=500))
    save(unit_of_work, moved("filed", TipState.FILED, 1))
    save(unit_of_work, moved("refused", TipState.REFUSED, 1))
    with unit_of_work.read() as tx:
        assert tx.tips.due(NOON + timedelta(seconds=20), 5, destination="ncmec") == [
            "sooner",
            "later",
        ]
        assert tx.tips.due(NOON + timedelta(seconds=20), 1, destination="ncmec") == ["sooner"]


def test_what_a_tip_says_is_sealed_at_rest(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    one = tip("tip-1")
    draft(unit_of_work, one)
    stored = raw_bytes(engine)
    for secret in (one.reported[0].handle, one.narrative, one.files[0].digest, one.reported[0].bio):
        assert secret.encode() not in stored


def test_a_tip_of_the_first_format_reads_as_the_same_tip_today() -> None:
    old = {
        "id": "tip-1",
        "case_id": "case-1",
        "account_id": "account-1",
        "incident_type": "csam",
        "incident_at": "2026-03-01T12:00:00Z",
        "platform": "Zorbleflux",
        "handle": "quib",
        "display_name": "Quib",
        "bio": "nothing",
        "profile_url": "https://z.example.test/quib",
        "urls": ["https://z.example.test/1"],
        "narrative": "Found.",
        "files": [
            {
                "evidence_id": "e",
                "digest": "d",
                "file_name": "f",
                "content_type": "image/png",
                "viewed": True,
                "uploaded_at": None,
                "location": "",
                "classification": "A1",
                "match": "near",
                "md5": "0a" * 16,
                "sha1": "",
                "sha256": "",
                "pdq": "",
            }
        ],
        "suspended_at": "2026-03-01T12:00:00Z",
        "suspended_permanently": True,
        "solicitation": True,
    }
    tip = decode_tip(msgspec.json.encode(old))
    assert decode_tip(encode_tip(tip)) == tip
    [account], [file] = tip.reported, tip.files
    assert (account.handle, account.display_names, account.bio) == ("quib", ("Quib",), "nothing")
    assert account.disabled == Disabled(permanently=True, at=NOON)
    assert tip.annotations == (Annotation.CSAM_SOLICITATION,)
    assert tip.places == (WebPage(urls=("https://z.example.test/1",)),)
    assert file.viewed
    assert file.classification is Classification.A1
    assert file.hashes == (FileHash(kind="MD5", value="0a" * 16),)
    empty = {**old, "urls": [], "display_name": "", "profile_url": "", "suspended_at": None}
    tip = decode_tip(msgspec.json.encode({**empty, "solicitation": False, "files": []}))
    assert (tip.places, tip.annotations, tip.files) == ((), (), ())


@pytest.mark.parametrize("sealed", [b"{}", b"[]", b"nonsense", b'{"format": 2}'])
def test_a_tip_that_cannot_be_read_is_not_guessed(sealed: bytes) -> None:
    with pytest.raises(IntegrityFailure):
        decode_tip(sealed)
