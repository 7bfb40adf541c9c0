"""What a new entry would match is told as the index in force would tell it."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import HandClock

from nightlight.model.bank import Bank, BankEntry, BankPurpose, HashKind
from nightlight.model.media import MediaHashes, Scan, ScanState, VideoHashes, ViewHash
from nightlight.services.flood import KnownEntries, Traffic
from nightlight.services.matching import Matcher

_PDQ = "0f" * 32
_FRAMES = bytes.fromhex("0f1e2d3c4b5a6978" * 4 + "64" + "00000000") + bytes.fromhex(
    "f0e1d2c3b4a59687" * 4 + "64" + "e8030000"
)
_BANK = Bank(name="quibble")


def entry(value: str, kind: HashKind, *, number: int = 1) -> BankEntry:
    return BankEntry(id=f"e-{number}", bank="quibble", kind=kind, value=value, number=number)


def traffic(*hashes: MediaHashes) -> Traffic:
    return Traffic(Scan(state=ScanState.SCANNED, hashes=one) for one in hashes)


@pytest.mark.parametrize(
    ("kind", "value", "hashes"),
    [
        (HashKind.MD5, md5(1), MediaHashes(md5=md5(1))),
        (HashKind.SHA1, "0a" * 20, MediaHashes(sha1="0a" * 20)),
        (HashKind.SHA256, "0a" * 32, MediaHashes(sha256="0a" * 32)),
        (HashKind.PDQ, _PDQ, MediaHashes(pdq=_PDQ, pdq_quality=50)),
        (
            HashKind.VPDQ,
            _FRAMES.hex(),
            MediaHashes(video=VideoHashes(frames=_FRAMES, duration_ms=2_000)),
        ),
    ],
)
def test_each_kind_of_hash_is_tried(kind: HashKind, value: str, hashes: MediaHashes) -> None:
    tried = traffic(MediaHashes(md5=md5(9)), hashes, hashes)
    assert tried.files == 3
    assert tried.matched([entry(value, kind)], _BANK) == {1: {1, 2}}


def test_a_picture_is_tried_against_the_frames_of_videos() -> None:
    still = bytes.fromhex(_PDQ) + bytes([90]) + bytes(4)
    tried = traffic(MediaHashes(video=VideoHashes(frames=still, duration_ms=1_000)))
    assert tried.matched([entry(_PDQ, HashKind.PDQ)], _BANK) == {1: {0}}


def test_equal_digits_of_another_kind_are_no_match() -> None:
    assert traffic(MediaHashes(sha256=_PDQ)).matched([entry(_PDQ, HashKind.PDQ)], _BANK) == {}


def test_a_file_counts_once_however_many_of_its_views_match() -> None:
    views = tuple(ViewHash(view=name, pdq=_PDQ, quality=90) for name in ("flipped", "turned-90"))
    tried = traffic(MediaHashes(pdq=_PDQ, pdq_quality=90, views=views))
    assert tried.matched([entry(_PDQ, HashKind.PDQ)], _BANK) == {1: {0}}


def test_many_entries_find_what_few_find(monkeypatch: pytest.MonkeyPatch) -> None:
    def near(bits: Iterable[int]) -> list[str]:
        return [f"{int(_PDQ, 16) ^ (1 << bit):064x}" for bit in bits]

    tried = [MediaHashes(pdq=one, pdq_quality=90) for one in near(range(40))]
    entries = [
        entry(value, HashKind.PDQ, number=place) for place, value in enumerate(near(range(50)), 1)
    ]
    few = traffic(*tried).matched(entries, replace(_BANK, threshold_bits=1))
    monkeypatch.setattr("nightlight.services.flood._WORTH_AN_INDEX", 0)
    many = traffic(*tried).matched(entries, replace(_BANK, threshold_bits=1))
    assert few == many
    assert few == {place: {place - 1} for place in range(1, 41)}


def test_known_entries_that_others_match_are_told_by_bank(
    bank_desk: BankDesk, clock: HandClock
) -> None:
    known = KnownEntries(Matcher(unit_of_work=bank_desk.unit_of_work, clock=clock))
    pdq = line(2, kind="pdq", value=_PDQ)
    bank_desk.banks.import_entries("known", [line(1), pdq], **WHO)
    bank_desk.banks.create(Bank(name="aside", purpose=BankPurpose.NEGATIVE), **WHO)
    bank_desk.banks.import_entries("aside", [line(3)], **WHO)
    tried = [
        entry(md5(1), HashKind.MD5),
        entry(_PDQ, HashKind.PDQ),
        entry(md5(3), HashKind.MD5),
        entry(md5(4), HashKind.MD5),
        entry("0a" * 20, HashKind.SHA1),
        entry("0a" * 32, HashKind.SHA256),
        entry(_FRAMES.hex(), HashKind.VPDQ),
    ]
    assert known(tried) == {"known": {1, 2}}
