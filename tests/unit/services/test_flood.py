"""What a new entry would match is told as the index in force would tell it."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Unavailable
from nightlight.model.bank import Bank, BankEntry, BankPurpose, HashKind
from nightlight.model.media import MediaHashes, Scan, ScanState, VideoHashes, ViewHash
from nightlight.services.banks import Banks
from nightlight.services.flood import KnownEntries, Traffic
from nightlight.services.matching import Matcher
from nightlight.transaction import Transaction

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
    work = bank_desk.unit_of_work
    known = KnownEntries(Matcher(unit_of_work=work, clock=clock), unit_of_work=work)
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
    known.prepare()
    assert known(tried) == {"known": {1, 2}}


class Watched:
    """A database.

    Attributes:
        first: what is done, once, just before others have to wait.
    """

    def __init__(self, work: SqlUnitOfWork) -> None:
        self.first: Callable[[], object] = object
        self._work = work

    def begin(self) -> AbstractContextManager[Transaction]:
        first, self.first = self.first, object
        first()
        return self._work.begin()

    def read(self) -> AbstractContextManager[Transaction]:
        return self._work.read()


class Vetoes:
    """A negative bank beside a known list that takes many pieces."""

    def __init__(self, desk: BankDesk, clock: HandClock) -> None:
        self.desk = desk
        self.watched = Watched(desk.unit_of_work)
        matcher = Matcher(unit_of_work=desk.unit_of_work, clock=clock, piece=2)
        known = KnownEntries(matcher, unit_of_work=desk.unit_of_work)
        self.banks = Banks(unit_of_work=self.watched, clock=clock, id_key=b"k", known=known)
        desk.banks.create(Bank(name="aside", purpose=BankPurpose.NEGATIVE), **WHO)
        matcher.refresh()
        self.matcher = matcher

    def grow(self) -> None:
        """Let a list come in that takes many pieces."""
        self.desk.banks.import_entries("known", [line(place) for place in range(40)], **WHO)
        with self.desk.unit_of_work.read() as tx:
            self.matcher.advance(tx)
        assert not self.matcher.is_whole

    def add(self, place: int = 1) -> int:
        return self.banks.add_content("aside", [(HashKind.MD5, md5(place), "", 100)], **WHO)


@pytest.fixture
def vetoes(bank_desk: BankDesk, clock: HandClock) -> Vetoes:
    return Vetoes(bank_desk, clock)


def test_nobody_waits_to_write_while_a_list_is_read_that_a_veto_is_tried_against(
    vetoes: Vetoes,
) -> None:
    vetoes.grow()
    seen: list[bool] = []
    vetoes.watched.first = lambda: seen.append(vetoes.matcher.is_whole)
    vetoes.add()
    assert seen == [True]


def test_a_veto_that_meets_a_list_just_stored_is_refused_and_stored_on_the_next_try(
    vetoes: Vetoes,
) -> None:
    vetoes.watched.first = vetoes.grow
    with pytest.raises(Unavailable, match="a large change of another bank is being read"):
        vetoes.add()
    assert len(vetoes.desk.entries()) == 40, "nothing of it was stored"
    vetoes.add()
    assert len(vetoes.desk.entries()) == 41


def test_a_veto_of_what_was_never_looked_up_is_refused(bank_desk: BankDesk) -> None:
    work = bank_desk.unit_of_work
    known = KnownEntries(Matcher(unit_of_work=work, clock=HandClock()), unit_of_work=work)
    with pytest.raises(Unavailable):
        known([entry(md5(1), HashKind.MD5)])


def test_disabling_a_veto_waits_for_no_list(vetoes: Vetoes) -> None:
    content = vetoes.add()
    vetoes.grow()
    assert vetoes.banks.disable_content("aside", content, None, **WHO) == 1
    assert not vetoes.matcher.is_whole


def test_a_large_file_of_vetoes_is_tried_though_it_grows_the_index_itself(
    vetoes: Vetoes,
) -> None:
    vetoes.grow()
    vetoes.banks._at_once = 5
    lines = [line(place, id=f"veto-{place}") for place in range(30)]
    assert vetoes.banks.import_entries("aside", lines, **WHO).held == 30
