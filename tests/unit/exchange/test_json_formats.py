"""StopNCII's and ThreatExchange's JSON: strict with each element, and silent about values."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.errors import InvalidInput
from nightlight.exchange import stopncii_format, threatexchange_format
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.opinion import agreed
from nightlight.exchange.sample import SampleExchange
from nightlight.model.bank import BankEntry, HashKind, Opinion

NAMES = EntryNames(key=b"k", bank="quibbles")
MD5, PDQ = "a1" * 16, "c3" * 32


def record(**fields: Any) -> dict[str, Any]:
    told = {
        "lastModtimestamp": 1_700_000_000,
        "signalType": "ImagePDQ",
        "hashValue": PDQ,
        "hashStatus": "Active",
        "caseNumbers": {"c": "Active"},
    }
    return {**told, **fields}


def stopncii(*records: object, own: str = "Us", **fields: Any) -> Page:
    told = {
        "count": len(records),
        "hashRecords": list(records),
        "nextSetTimestamp": 1,
        "nextPageToken": None,
        "hasMoreRecords": False,
        **fields,
    }
    read = stopncii_format.read_page(msgspec.json.encode(told), NAMES, own=own)
    return read.gathered.page(checkpoint="")


def update(**fields: Any) -> dict[str, Any]:
    descriptor = {"id": "9", "owner": {"id": "555"}, "status": "MALICIOUS"}
    told = {
        "id": "77",
        "indicator": MD5,
        "type": "HASH_MD5",
        "last_updated": 1_700_000_000,
        "should_delete": False,
        "descriptors": {"data": [descriptor]},
    }
    return {**told, **fields}


def threatexchange(*updates: object, own: str = "1") -> Page:
    document = msgspec.json.encode({"data": list(updates)})
    read = threatexchange_format.read_page(document, NAMES, own=own)
    return read.gathered.page(checkpoint="")


@pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
def test_a_hash_that_was_taken_back_at_stopncii_is_withdrawn(status: str) -> None:
    (standing,) = stopncii(record()).entries
    assert stopncii(record(hashStatus=status)).withdrawn == (standing.source_ref,)


def test_a_record_of_stopncii_without_cases_or_with_unknown_feedback_is_taken() -> None:
    voices = [{"source": "X", "feedbackValue": "Undefined", "tags": ["T"]}]
    page = stopncii(record(caseNumbers=[], CSPFeedbacks=voices))
    assert [entry.opinion for entry in page.entries] == [Opinion.POSITIVE]


@pytest.mark.parametrize(
    ("voices", "opinion"),
    [
        ({"X": "Blocked"}, Opinion.POSITIVE),
        ({"X": "NotBlocked"}, Opinion.DISPUTED),
        ({"X": "Blocked", "Us": "NotBlocked"}, Opinion.NEGATIVE),
        ({"X": "NotBlocked", "Us": "Blocked"}, Opinion.POSITIVE),
    ],
)
def test_feedback_at_stopncii_becomes_an_opinion(voices: dict[str, str], opinion: Opinion) -> None:
    told = [{"source": who, "feedbackValue": said} for who, said in voices.items()]
    (entry,) = stopncii(record(CSPFeedbacks=told)).entries
    assert entry.opinion is opinion


def test_a_reference_at_stopncii_does_not_tell_its_hash() -> None:
    (entry,) = stopncii(record()).entries
    assert PDQ not in entry.source_ref
    assert PDQ not in entry.id


@pytest.mark.parametrize(
    "broken",
    [
        record(hashValue="zorbleflux"),
        record(hashStatus="Quibbling"),
        record(signalType=7),
        {"hashValue": PDQ},
        "zorbleflux",
        None,
    ],
)
def test_a_broken_record_is_set_aside_and_the_next_is_taken(broken: object) -> None:
    page = stopncii(broken, record(hashValue="d4" * 32))
    assert [entry.value for entry in page.entries] == ["d4" * 32]
    assert [one.place for one in page.rejected] == [1]
    assert "zorbleflux" not in page.rejected[0].reason
    assert "zorbleflux" not in repr(page.rejected[0])


def test_a_page_of_stopncii_that_has_more_and_says_not_where_is_a_fault() -> None:
    with pytest.raises(InvalidInput, match="not where"):
        stopncii(record(), hasMoreRecords=True)


def test_the_token_is_found_in_a_damaged_page() -> None:
    damaged = b'{"hashRecords":[\x00{"},"nextPageToken":"abc=","hasMoreRecords":true}'
    assert stopncii_format.salvaged_token(damaged) == "abc="
    assert stopncii_format.salvaged_token(damaged.replace(b"true", b"false")) == ""


def test_stopncii_is_told_an_opinion_as_documented() -> None:
    (entry,) = stopncii(record()).entries
    told = msgspec.json.decode(stopncii_format.feedback_document(entry, Opinion.NEGATIVE))
    said = {"feedbackValue": "NotBlocked", "hashValue": PDQ, "tags": []}
    assert told == {"count": 1, "hashFeedbacks": [said]}


@pytest.mark.parametrize("gone", [{"should_delete": True}, {"descriptors": None}])
def test_an_indicator_that_is_gone_at_threatexchange_is_withdrawn(gone: dict[str, Any]) -> None:
    assert threatexchange(update(**gone)).withdrawn == ("77",)


def test_threatexchange_may_write_ids_as_numbers_and_times_as_text() -> None:
    (entry,) = threatexchange(update(id=77, last_updated="1700000000")).entries
    assert entry.source_ref == "77"


@pytest.mark.parametrize(
    ("statuses", "reactions", "opinion"),
    [
        ({"5": "MALICIOUS"}, {}, Opinion.POSITIVE),
        ({"5": "UNKNOWN"}, {}, Opinion.POSITIVE),
        ({"5": "MALICIOUS", "6": "NON_MALICIOUS"}, {}, Opinion.DISPUTED),
        ({"5": "NON_MALICIOUS"}, {}, Opinion.NEGATIVE),
        ({"5": "MALICIOUS"}, {"NON_MALICIOUS": "6,7"}, Opinion.DISPUTED),
        ({"5": "MALICIOUS"}, {"NON_MALICIOUS": "6,1"}, Opinion.NEGATIVE),
        ({"5": "MALICIOUS"}, {"NON_MALICIOUS": "6", "HELPFUL": "1"}, Opinion.POSITIVE),
        ({"5": "MALICIOUS", "1": "MALICIOUS"}, {"NON_MALICIOUS": "1"}, Opinion.POSITIVE),
        ({"5": "MALICIOUS"}, {"SAW_THIS_TOO": "6"}, Opinion.POSITIVE),
        ({"5": "MALICIOUS"}, {"DISAGREE_WITH_TAGS": "6"}, Opinion.DISPUTED),
    ],
)
def test_descriptors_and_reactions_become_an_opinion(
    statuses: dict[str, str], reactions: dict[str, str], opinion: Opinion
) -> None:
    said = [{"key": key, "value": value} for key, value in reactions.items()]
    data = [
        {"id": str(place), "owner": {"id": owner}, "status": status, "reactions": said}
        for place, (owner, status) in enumerate(statuses.items())
    ]
    (entry,) = threatexchange(update(descriptors={"data": data})).entries
    assert entry.opinion is opinion


@pytest.mark.parametrize(
    "broken",
    [
        update(indicator="zorbleflux"),
        update(id="zorbleflux"),
        {"id": "1"},
        update(descriptors=7),
        [],
    ],
)
def test_a_broken_update_is_set_aside_and_the_next_is_taken(broken: object) -> None:
    page = threatexchange(broken, update(id="78"))
    assert [entry.source_ref for entry in page.entries] == ["78"]
    assert [one.place for one in page.rejected] == [1]
    assert "zorbleflux" not in page.rejected[0].reason


def test_the_link_is_found_in_a_damaged_page() -> None:
    damaged = b'{"data":[\x00],"paging":{"next":"https:\\/\\/graph.example.test\\/v1?a=b"}}'
    assert threatexchange_format.salvaged_next(damaged) == "https://graph.example.test/v1?a=b"
    assert threatexchange_format.salvaged_next(b'{"data":[') == ""


def test_only_others_descriptors_are_reacted_to() -> None:
    data = [{"id": "1", "owner": {"id": "7"}}, {"id": "2", "owner": {"id": "8"}}, {"id": "3"}]
    told = msgspec.json.encode({"descriptors": {"data": data}})
    assert threatexchange_format.read_descriptors(told, own="7") == ["2", "3"]


def _read_stopncii(data: bytes) -> object:
    return stopncii_format.read_page(data, NAMES)


def _read_threatexchange(data: bytes) -> object:
    return threatexchange_format.read_page(data, NAMES)


@pytest.mark.parametrize("read", [_read_stopncii, _read_threatexchange])
@given(data=st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_page_or_a_fault(
    read: Callable[[bytes], object], data: bytes
) -> None:
    for document in (data, b'{"data":[' + data + b"]}", b'{"hashRecords":[' + data + b"]}"):
        try:
            read(document)
        except InvalidInput:
            continue


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(Opinion)), st.sampled_from(Opinion))
def test_the_own_opinion_always_holds(claims: dict[str, Opinion], own: Opinion) -> None:
    assert agreed({**claims, "us": own}, own="us") is own


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(Opinion)))
def test_one_negative_voice_never_outweighs_a_positive_one(claims: dict[str, Opinion]) -> None:
    voices = {**claims, "a giver": Opinion.POSITIVE}
    assert agreed(voices) is not Opinion.NEGATIVE


def test_ids_depend_on_the_key_and_the_bank_and_tell_no_hash() -> None:
    others = (EntryNames(key=b"l", bank="quibbles"), EntryNames(key=b"k", bank="others"))
    own = NAMES.entry_id("42/one", HashKind.MD5, MD5)
    assert own == NAMES.entry_id("42/one", HashKind.MD5, MD5)
    assert own not in {one.entry_id("42/one", HashKind.MD5, MD5) for one in others}
    assert MD5 not in own


def test_the_sample_has_the_published_examples_and_takes_no_opinion() -> None:
    sample = SampleExchange(NAMES)
    (page,) = sample.fetch("")
    kinds = [entry.kind for entry in page.entries]
    assert (kinds.count(HashKind.PDQ), kinds.count(HashKind.MD5)) == (16, 2)
    with pytest.raises(InvalidInput):
        sample.vote(BankEntry(id="x", bank="b", kind=HashKind.MD5, value=MD5), Opinion.POSITIVE)
