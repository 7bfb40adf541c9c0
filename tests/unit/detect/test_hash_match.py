from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.synthetic.known_media import MD5, NOON, PDQ, entry, hashes, near, pdq_at

from nightlight.detect.bank_index import BankIndex
from nightlight.detect.hash_match import AlreadyAsked, HashMatch
from nightlight.model.bank import BankEntry, HashKind, Opinion
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
from nightlight.model.media import MediaHashes, Scan, ScanState, ViewHash
from nightlight.model.signal import Subject, SubjectKind


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
        "hash_view": "",
        "hash_video": False,
        "hash_disputed": False,
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
        "bank_numbers": ["1", "2"],
        "banks": ["local", "partner"],
        "kinds": ["md5", "pdq"],
        "distances_bits": ["0", "4"],
        "views": ["as it is", "as it is"],
        "media": ["m1", "m1"],
        "bank_version": 0,
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


def test_signal_tells_which_view_of_the_picture_matched() -> None:
    turned = hashes(pdq="f" * 64, views=(ViewHash(view="turned-90", pdq=PDQ, quality=90),))
    context = Context(media=(media("m1", turned),))
    (signal,) = HashMatch(index=BankIndex([near(4)])).detect(upload(), context)
    assert (signal.facts["hash_view"], signal.facts["hash_distance_bits"]) == ("turned-90", 4)
    assert signal.evidence["views"] == ["turned-90"]


@pytest.mark.parametrize(
    ("opinions", "disputed"),
    [
        ([Opinion.DISPUTED], True),
        ([Opinion.DISPUTED, Opinion.DISPUTED], True),
        ([Opinion.DISPUTED, Opinion.POSITIVE], False),
    ],
)
def test_match_counts_as_disputed_only_where_no_entry_is_undisputed(
    opinions: list[Opinion], *, disputed: bool
) -> None:
    index = BankIndex(replace(near(n), opinion=given) for n, given in enumerate(opinions))
    (signal,) = HashMatch(index=index).detect(upload(), Context(media=(media("m1", hashes()),)))
    assert signal.facts["hash_disputed"] is disputed


def test_evidence_names_the_version_of_the_banks() -> None:
    index = BankIndex([near(0)])
    index.version = 17
    (signal,) = HashMatch(index=index).detect(upload(), Context(media=(media("m1", hashes()),)))
    assert signal.evidence["bank_version"] == 17


def test_an_index_that_was_asked_answers_as_it_did_and_about_another_file_as_it_is() -> None:
    index = BankIndex([near(2)])
    asked = AlreadyAsked(index, hashes=hashes(), matches=index.match(hashes()), version=4)
    index.apply([replace(near(4), id="since", number=9)])
    detector = HashMatch(index=asked)
    (signal,) = detector.detect(upload(), Context(media=(media("m1", hashes()),)))
    other = replace(hashes(), md5=MD5)
    (about_another,) = detector.detect(upload(), Context(media=(media("m1", other),)))
    assert (signal.evidence["matches"], about_another.evidence["matches"]) == (1, 2)
    assert signal.evidence["bank_version"] == 4
