from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlight.detect import hash_match
from nightlight.detect.hash_match import BankIndex, HashMatch
from nightlight.errors import IntegrityFailure, InvalidInput
from nightlight.kernel.hamming import unpack
from nightlight.model.bank import BankEntry, Classification, HashKind
from nightlight.model.context import Context, MediaContext
from nightlight.model.event import (
    EngagementCreated,
    Event,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.ids import AccountId, EventKey, MediaId
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.model.signal import Subject, SubjectKind

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MD5, SHA1, SHA256 = "0a" * 16, "0b" * 20, "0c" * 32
PDQ = "0" * 64


def pdq_at(distance_bits: int) -> str:
    """Return a PDQ hash that differs from ``PDQ`` in this many bits."""
    return f"{(1 << distance_bits) - 1:064x}"


def entry(
    kind: HashKind, value: str, *, bank: str = "local", classification: Classification = ""
) -> BankEntry:
    return BankEntry(
        id=f"be-{bank}-{kind.value}-{value.count('f')}",
        bank=bank,
        kind=kind,
        value=value,
        classification=classification,
    )


def near(distance_bits: int, bank: str = "local") -> BankEntry:
    return BankEntry(
        id=f"be-{bank}-{distance_bits}", bank=bank, kind=HashKind.PDQ, value=pdq_at(distance_bits)
    )


def hashes(*, pdq: str = PDQ, quality: int = 100, md5: str = "") -> MediaHashes:
    return MediaHashes(md5=md5, pdq=pdq, pdq_quality=quality)


def media(media_id: str, found: MediaHashes, state: ScanState = ScanState.SCANNED) -> MediaContext:
    return MediaContext(
        media_id=MediaId(media_id),
        account_id=AccountId("a1"),
        scan=Scan(state=state, hashes=found),
        uploaded_at=NOON,
    )


def event(kind: EventType, data: EventData) -> Event:
    return Event(key=EventKey("k1"), source="test", id="1", type=kind, time=NOON, data=data)


def upload(media_id: str = "m1", post_id: str = "") -> Event:
    data = MediaUploaded(media_id=media_id, account_id="a1", post_id=post_id)
    return event(EventType.MEDIA_UPLOADED, data)


def post(*media_ids: str) -> Event:
    data = PostCreated(post_id="p1", account_id="a1", media_ids=media_ids)
    return event(EventType.POST_CREATED, data)


def distances(index: BankIndex, found: MediaHashes) -> list[int]:
    return [match.distance_bits for match in index.match(found)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [(HashKind.MD5, MD5), (HashKind.SHA1, SHA1), (HashKind.SHA256, SHA256)],
)
def test_equal_hash_of_any_exact_kind_matches(kind: HashKind, value: str) -> None:
    known = entry(kind, value)
    (match,) = BankIndex([known]).match(MediaHashes(md5=MD5, sha1=SHA1, sha256=SHA256))
    assert (match.entry_id, match.kind, match.distance_bits) == (known.id, kind, 0)


def test_pdq_hash_at_the_threshold_matches_and_one_bit_beyond_does_not() -> None:
    assert distances(BankIndex([near(31), near(32)]), hashes()) == [31]


def test_each_bank_has_its_own_threshold() -> None:
    index = BankIndex(
        [near(12, "strict"), near(40, "wide"), near(20), near(40)],
        threshold_bits={"strict": 8, "wide": 48},
    )
    assert [(m.bank, m.distance_bits) for m in index.match(hashes())] == [
        ("local", 20),
        ("wide", 40),
    ]


@pytest.mark.parametrize(("quality", "matches"), [(49, 0), (50, 1)])
def test_pdq_hash_is_compared_only_where_its_quality_is_enough(quality: int, matches: int) -> None:
    assert len(BankIndex([near(0)]).match(hashes(quality=quality))) == matches


def test_picture_of_no_quality_still_matches_by_its_exact_hash() -> None:
    index = BankIndex([entry(HashKind.MD5, MD5), near(0)])
    (match,) = index.match(hashes(quality=0, md5=MD5))
    assert match.kind is HashKind.MD5


def test_same_bytes_come_before_the_same_picture_and_then_by_distance() -> None:
    index = BankIndex([near(9), near(0), near(3), entry(HashKind.MD5, MD5)])
    found = index.match(hashes(md5=MD5))
    assert [(m.kind, m.distance_bits) for m in found] == [
        (HashKind.MD5, 0),
        (HashKind.PDQ, 0),
        (HashKind.PDQ, 3),
        (HashKind.PDQ, 9),
    ]


def test_equally_close_entries_come_gravest_classification_first() -> None:
    index = BankIndex(
        [
            entry(HashKind.MD5, MD5, bank="a"),
            entry(HashKind.MD5, MD5, bank="b", classification="B1"),
            entry(HashKind.MD5, MD5, bank="c", classification="A1"),
        ]
    )
    assert [m.classification for m in index.match(hashes(md5=MD5))] == ["A1", "B1", ""]


def test_unknown_file_matches_nothing() -> None:
    index = BankIndex([near(60), entry(HashKind.MD5, MD5)])
    assert index.match(hashes(md5="ff" * 16)) == ()


def test_file_without_hashes_matches_nothing() -> None:
    assert BankIndex([near(0), entry(HashKind.MD5, MD5)]).match(MediaHashes()) == ()


def test_empty_index_matches_nothing() -> None:
    assert BankIndex([]).match(hashes(md5=MD5)) == ()


def test_index_counts_its_entries() -> None:
    assert len(BankIndex([near(0), near(1), entry(HashKind.MD5, MD5)])) == 3


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_only_the_planted_neighbour_is_found_among_many(seed: int, distance: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.integers(0, 2**64, (200, 4), dtype=np.uint64)
    values = unpack(rows)
    index = BankIndex(
        BankEntry(id=str(n), bank="local", kind=HashKind.PDQ, value=value)
        for n, value in enumerate(values)
    )
    asked = int(values[77], 16)
    for bit in random.choice(256, distance, replace=False).tolist():
        asked ^= 1 << bit
    found = [m.entry_id for m in index.match(hashes(pdq=f"{asked:064x}"))]
    assert found == (["77"] if distance <= 31 else [])


def test_repeated_question_is_answered_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    index = BankIndex([near(3)])
    first = index.match(hashes())
    monkeypatch.setattr(hash_match, "within", None)
    assert index.match(hashes()) is first


def test_answers_kept_are_bounded() -> None:
    index = BankIndex([near(3)], remembered=2)
    for quality in range(60, 70):
        index.match(hashes(quality=quality))
    assert index._match.cache_info().currsize == 2


@pytest.mark.parametrize("bits", [-1, 257])
def test_threshold_that_no_distance_can_have_is_refused(bits: int) -> None:
    with pytest.raises(InvalidInput, match="0 to 256"):
        BankIndex([], threshold_bits={"local": bits})


@pytest.mark.parametrize("value", ["", "0" * 63, "z" * 64])
def test_stored_entry_that_is_no_hash_stops_the_index(value: str) -> None:
    with pytest.raises(IntegrityFailure):
        BankIndex([BankEntry(id="be-1", bank="local", kind=HashKind.PDQ, value=value)])


def test_pdq_hash_of_wrong_form_is_an_error_and_not_a_silent_no_match() -> None:
    with pytest.raises(InvalidInput, match="pdq"):
        BankIndex([near(0)]).match(hashes(pdq="zorbleflux"))


def test_confidence_falls_from_one_to_a_half_at_the_threshold() -> None:
    index = BankIndex([near(0), near(10), near(20)], threshold_bits={"local": 20})
    found = index.match(hashes())
    assert [index.confidence(match) for match in found] == [1.0, 0.75, 0.5]


def test_threshold_of_zero_still_gives_full_confidence_to_equal_hashes() -> None:
    index = BankIndex([near(0), near(1)], threshold_bits={"local": 0})
    assert [index.confidence(match) for match in index.match(hashes())] == [1.0]


def test_matching_upload_gives_one_signal_about_the_media_even_where_the_post_is_known() -> None:
    detector = HashMatch(index=BankIndex([near(6)]))
    (signal,) = detector.detect(upload(post_id="p1"), Context(media=(media("m1", hashes()),)))
    assert signal.subject == Subject(kind=SubjectKind.MEDIA, id="m1")
    assert (signal.account_id, signal.event_key) == ("a1", "k1")
    assert signal.facts == {
        "hash_matched": True,
        "hash_exact": False,
        "hash_distance_bits": 6,
        "hash_bank": "local",
        "hash_classification": "",
    }


@pytest.mark.parametrize(
    "shown",
    [
        post("m0", "m1"),
        event(EventType.POST_EDITED, PostEdited(post_id="p1", account_id="a1")),
    ],
)
def test_post_with_any_matching_media_gives_one_signal_about_the_post(shown: Event) -> None:
    detector = HashMatch(index=BankIndex([near(0)]))
    harmless, known = media("m0", hashes(pdq="f" * 64)), media("m1", hashes())
    (signal,) = detector.detect(shown, Context(media=(harmless, known)))
    assert signal.subject == Subject(kind=SubjectKind.POST, id="p1")
    assert signal.evidence["media"] == ["m1"]


def test_same_bytes_are_told_as_exact_with_their_classification() -> None:
    index = BankIndex([entry(HashKind.MD5, MD5, classification="A1"), near(3)])
    context = Context(media=(media("m1", hashes(md5=MD5)),))
    (signal,) = HashMatch(index=index).detect(upload(), context)
    assert signal.facts["hash_exact"] is True
    assert signal.facts["hash_distance_bits"] == 0
    assert signal.facts["hash_classification"] == "A1"
    assert signal.confidence == 1.0


def test_same_picture_at_distance_zero_is_not_called_the_same_file() -> None:
    context = Context(media=(media("m1", hashes()),))
    (signal,) = HashMatch(index=BankIndex([near(0)])).detect(upload(), context)
    assert signal.facts["hash_exact"] is False


def test_classification_of_a_further_match_is_told_where_the_closest_has_none() -> None:
    grave = BankEntry(
        id="be-2", bank="ncmec", kind=HashKind.PDQ, value=pdq_at(5), classification="A2"
    )
    context = Context(media=(media("m1", hashes()),))
    (signal,) = HashMatch(index=BankIndex([near(1), grave])).detect(upload(), context)
    assert (signal.facts["hash_bank"], signal.facts["hash_classification"]) == ("local", "A2")


def test_closest_match_of_all_media_of_a_post_is_told() -> None:
    context = Context(media=(media("far", hashes(pdq=pdq_at(8))), media("close", hashes())))
    (signal,) = HashMatch(index=BankIndex([near(2)])).detect(post("far", "close"), context)
    assert signal.facts["hash_distance_bits"] == 2
    assert signal.evidence["media"] == ["close", "far"]
    assert signal.evidence["distances_bits"] == ["2", "6"]


def test_failed_scan_still_matches_by_the_hashes_it_has() -> None:
    broken = media("m1", MediaHashes(md5=MD5), ScanState.FAILED)
    detector = HashMatch(index=BankIndex([entry(HashKind.MD5, MD5)]))
    assert len(detector.detect(upload(), Context(media=(broken,)))) == 1


def test_evidence_names_entries_banks_and_distances_and_never_a_hash() -> None:
    index = BankIndex([entry(HashKind.MD5, MD5), near(4, "partner")])
    context = Context(media=(media("m1", hashes(md5=MD5)),))
    (signal,) = HashMatch(index=index).detect(upload(), context)
    assert signal.evidence == {
        "matches": 2,
        "bank_entries": ["be-local-md5-0", "be-partner-4"],
        "banks": ["local", "partner"],
        "kinds": ["md5", "pdq"],
        "distances_bits": ["0", "4"],
        "media": ["m1", "m1"],
    }
    assert not any(value in repr(signal) for value in (MD5, PDQ, pdq_at(4)))


def test_evidence_of_a_flood_of_matches_stays_short_and_counts_them_all() -> None:
    index = BankIndex(near(0, f"bank-{n}") for n in range(100))
    context = Context(media=(media("m1", hashes()),))
    (signal,) = HashMatch(index=index).detect(upload(), context)
    entries = signal.evidence["bank_entries"]
    assert isinstance(entries, list)
    assert (len(entries), signal.evidence["matches"]) == (20, 100)


NOTHING: Sequence[tuple[Event, Context]] = [
    (upload(), Context()),
    (post(), Context()),
    (upload("m2"), Context(media=(media("m1", hashes()),))),
    (post("m1"), Context(media=(media("m1", hashes(pdq="f" * 64)),))),
    (
        event(EventType.ENGAGEMENT_CREATED, EngagementCreated(account_id="a1", kind="like")),
        Context(media=(media("m1", hashes()),)),
    ),
]


@pytest.mark.parametrize(("shown", "context"), NOTHING)
def test_event_that_shows_no_known_media_gives_no_signal(shown: Event, context: Context) -> None:
    assert HashMatch(index=BankIndex([near(0)])).detect(shown, context) == ()


def test_signal_carries_exactly_the_declared_facts_with_their_types() -> None:
    detector = HashMatch(index=BankIndex([near(0)]))
    (signal,) = detector.detect(upload(), Context(media=(media("m1", hashes()),)))
    assert {name: type(fact) for name, fact in signal.facts.items()} == {
        name: type(fact) for name, fact in detector.facts.items()
    }
    assert signal.detector == detector.name
