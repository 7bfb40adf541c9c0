"""Everything of a finding is sealed, and what could not be is said."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from tests.fakes.blobs import ACCESS, MemoryBlobs, fresh_keys
from tests.fakes.cybertip_store import HandClock
from tests.synthetic.builders import TEXT, at, event_of, make_account, make_media

from nightlight.model.case import EvidenceKind
from nightlight.model.context import AccountContext, MediaContext
from nightlight.model.event import PostCreated
from nightlight.model.ids import CaseId, DecisionId
from nightlight.model.media import Scan, ScanState
from nightlight.preserve.seal import Finding, Sealed, Sealer
from nightlight.preserve.vault import Vault

CASE = CaseId("case-1")
POST = event_of(PostCreated(post_id="post-1", account_id="account-1", text=TEXT), minutes=3)
KEPT = b"quibbling"
KEPT_SHA256 = hashlib.sha256(KEPT).hexdigest()
SEALED_BEFORE = Scan(state=ScanState.SCANNED, byte_count=9, sealed_digest=KEPT_SHA256)


class Desk:
    """A sealer with its vault, and what was fetched late."""

    def __init__(self, folder: Path) -> None:
        self.blobs = MemoryBlobs()
        self.vault = Vault(blobs=self.blobs, keys=fresh_keys(folder))
        self.vault.seal(KEPT)
        self.fetched: dict[str, Scan] = {}
        self.sealer = Sealer(vault=self.vault, clock=HandClock(at(9)))

    def seal(self, *media: MediaContext, account: AccountContext | None = None) -> Sealed:
        finding = Finding(
            case_id=CASE,
            decision_id=DecisionId("decision-1"),
            events=(POST,),
            account=account,
            media=media,
            at=at(4),
        )
        return self.sealer.seal(finding, fetched=self.fetched)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_post_and_profile_are_sealed_as_they_were(desk: Desk) -> None:
    account = make_account(handle="quib", bio="nothing")
    sealed = desk.seal(account=account)
    assert sealed.complete
    post, profile = sealed.evidence
    assert (post.kind, profile.kind) == (EvidenceKind.POST, EvidenceKind.PROFILE)
    assert (post.captured_at, profile.captured_at, post.sealed_at) == (at(3), at(4), at(9))
    kept = msgspec.json.decode(desk.vault.open(post.digest, ACCESS))
    assert kept["data"]["text"] == TEXT
    kept = msgspec.json.decode(desk.vault.open(profile.digest, ACCESS))
    assert kept["bio"] == "nothing"


def test_media_sealed_before_is_not_fetched_again(desk: Desk) -> None:
    sealed = desk.seal(make_media(scan=SEALED_BEFORE, content_type="image/png"))
    media = sealed.evidence[-1]
    assert (media.kind, media.content_id) == (EvidenceKind.MEDIA, "media-1")
    assert (media.digest, media.byte_count) == (KEPT_SHA256, 9)
    assert media.content_type == "image/png"
    assert sealed.wanted == ()


def test_media_not_sealed_before_is_wanted_and_sealed_once_it_was_fetched(desk: Desk) -> None:
    first = desk.seal(make_media(url="folder/a.png"))
    assert (first.complete, first.wanted) == (False, ("folder/a.png",))
    desk.fetched["folder/a.png"] = SEALED_BEFORE
    sealed = desk.seal(make_media(url="folder/a.png"))
    assert (sealed.complete, sealed.wanted) == (True, ())
    assert sealed.evidence[-1].content_type == "application/octet-stream"


def test_media_that_was_asked_for_in_vain_is_not_wanted_again(desk: Desk) -> None:
    desk.fetched["folder/a.png"] = Scan(state=ScanState.UNREACHABLE, reason="gone")
    sealed = desk.seal(make_media(url="folder/a.png"))
    assert (sealed.complete, sealed.wanted) == (False, ())


def test_an_evidence_id_says_nothing_of_what_was_sealed(desk: Desk) -> None:
    digest = desk.vault.seal(b"another")
    other = Scan(state=ScanState.SCANNED, byte_count=7, sealed_digest=digest)
    first = desk.seal(make_media(scan=SEALED_BEFORE)).evidence[-1]
    second = desk.seal(make_media(scan=other)).evidence[-1]
    assert first.digest != second.digest
    assert first.id == second.id


def test_media_that_cannot_be_had_makes_it_incomplete(desk: Desk) -> None:
    sealed = desk.seal(make_media("lost"), make_media("kept", scan=SEALED_BEFORE))
    assert not sealed.complete
    assert [one.content_id for one in sealed.evidence if one.kind is EvidenceKind.MEDIA] == ["kept"]


def test_full_vault_makes_it_incomplete_and_stops_nothing(desk: Desk) -> None:
    desk.blobs.full = True
    sealed = desk.seal(make_media(scan=SEALED_BEFORE))
    assert not sealed.complete
    assert [one.kind for one in sealed.evidence] == [EvidenceKind.MEDIA]


def test_sealing_again_gives_the_same_evidence(desk: Desk) -> None:
    assert desk.seal(make_media(scan=SEALED_BEFORE)) == desk.seal(make_media(scan=SEALED_BEFORE))


def test_media_that_was_destroyed_since_it_was_fetched_is_wanted_again(desk: Desk) -> None:
    desk.fetched["folder/a.png"] = SEALED_BEFORE
    desk.vault.destroy(KEPT_SHA256)
    sealed = desk.seal(make_media(url="folder/a.png"))
    assert (sealed.complete, sealed.wanted) == (False, ("folder/a.png",))
    assert [one.kind for one in sealed.evidence] == [EvidenceKind.POST]


def test_media_whose_vault_file_is_damaged_is_wanted_again(desk: Desk) -> None:
    desk.blobs.kept[desk.vault.name_of(KEPT_SHA256)] = b""
    sealed = desk.seal(make_media(scan=SEALED_BEFORE, url="folder/a.png"))
    assert (sealed.complete, sealed.wanted) == (False, ("folder/a.png",))


def test_media_that_was_destroyed_since_it_was_sealed_is_wanted_again(desk: Desk) -> None:
    desk.vault.destroy(KEPT_SHA256)
    sealed = desk.seal(make_media(scan=SEALED_BEFORE, url="folder/a.png"))
    assert (sealed.complete, sealed.wanted) == (False, ("folder/a.png",))
