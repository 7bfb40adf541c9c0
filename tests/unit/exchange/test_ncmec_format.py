"""NCMEC's XML: strict with each item, deaf to entities, and silent about values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.errors import InvalidInput
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.ncmec_format import (
    Reading,
    feedback_document,
    feedback_path,
    read_member,
    read_page,
    read_reasons,
    salvaged_next,
)
from nightlight.model.bank import HashKind, Opinion

NAMES = EntryNames(key=b"k", bank="quibbles")
MD5, SHA1, PDQ = "a1" * 16, "b2" * 20, "c3" * 32
_NS = 'xmlns="https://hashsharing.ncmec.org/hashsharing/v2"'


def document(items: str, *, kind: str = "images", paging: str = "") -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f"{head}<queryResult {_NS}><{kind}>{items}</{kind}>{paging}</queryResult>".encode()


def item(
    name: str = "one", *, tag: str = "image", hashes: str = f"<md5>{MD5}</md5>", more: str = ""
) -> str:
    member = '<member id="42">Example Member</member>'
    prints = f"<fingerprints>{hashes}</fingerprints>"
    return f"<{tag}>{member}<id>{name}</id>{more}{prints}</{tag}>"


def read(document: bytes, *, own: str = "") -> Page:
    reading = Reading(names=NAMES, own=own)
    return read_page(document, reading).gathered.page(checkpoint="")


def test_every_hash_of_pictures_and_of_videos_is_taken() -> None:
    hashes = f"<md5>{MD5}</md5><sha1>{SHA1}</sha1><pdq>{PDQ}</pdq>"
    for kind, tag in (("images", "image"), ("videos", "video")):
        page = read(document(item(tag=tag, hashes=hashes), kind=kind))
        found = {(entry.kind, entry.value) for entry in page.entries}
        assert found == {
            (HashKind.MD5, MD5),
            (HashKind.SHA1, SHA1),
            (HashKind.PDQ, PDQ),
        }
        assert {entry.source_ref for entry in page.entries} == {"42/one"}


def test_upper_case_hashes_are_the_same_hashes() -> None:
    (entry,) = read(document(item(hashes=f"<md5>{MD5.upper()}</md5>"))).entries
    assert entry.value == MD5


@pytest.mark.parametrize("given", ["A1", "A2", "B1", "B2"])
def test_the_classification_is_taken(given: str) -> None:
    classified = f"<classification>{given}</classification>"
    (entry,) = read(document(item(more=classified))).entries
    assert entry.classification == given


def test_an_unknown_classification_is_none_and_the_hash_is_taken() -> None:
    (entry,) = read(document(item(more="<classification>Z9</classification>"))).entries
    assert entry.classification == ""


def test_kinds_that_are_not_matched_are_counted() -> None:
    hashes = f'<md5>{MD5}</md5><pdna>x</pdna><tmk-pdqf rel="self" href="/v2"/><newton>y</newton>'
    page = read(document(item(hashes=hashes)))
    assert page.ignored == {"PDNA": 1, "TMK_PDQF": 1, "NEWTON": 1}
    assert len(page.entries) == 1


def test_an_item_that_lost_all_its_hashes_is_withdrawn() -> None:
    assert read(document(item(hashes=""))).withdrawn == ("42/one",)


@pytest.mark.parametrize("tag", ["deletedImage", "deletedVideo"])
def test_a_tombstone_withdraws(tag: str) -> None:
    assert read(document(item(tag=tag))).withdrawn == ("42/one",)


def test_the_last_word_on_an_item_in_a_page_holds() -> None:
    page = read(document(item() + item(tag="deletedImage")))
    assert (page.entries, page.withdrawn) == ((), ("42/one",))
    page = read(document(item(tag="deletedImage") + item()))
    assert (len(page.entries), page.withdrawn) == (1, ())


@pytest.mark.parametrize(
    "broken",
    [
        "<image><id>one</id></image>",
        '<image><member id="x">m</member><id>one</id></image>',
        '<image><member id="42">m</member></image>',
        "<sculpture/>",
    ],
)
def test_an_item_that_cannot_be_named_is_set_aside_and_the_next_is_taken(broken: str) -> None:
    page = read(document(broken + item("two")))
    assert [entry.source_ref for entry in page.entries] == ["42/two"]
    assert [one.place for one in page.rejected] == [1]


def test_a_broken_hash_is_set_aside_beside_a_good_one_and_withdraws_nothing() -> None:
    page = read(document(item(hashes=f"<md5>{MD5}</md5><pdq>zorbleflux</pdq>")))
    assert [entry.kind for entry in page.entries] == [HashKind.MD5]
    assert page.incomplete == {"42/one"}
    assert page.withdrawn == ()
    assert page.rejected[0].reason == "pdq: not 64 hex digits"


def feedback(*voices: str) -> str:
    return f"<feedback>{''.join(voices)}</feedback>"


def yes(kind: str, member: str) -> str:
    who = f'<members><member id="{member}">m</member></members>'
    return f'<affirmativeFeedback type="{kind}">{who}</affirmativeFeedback>'


def no(kind: str, member: str) -> str:
    who = f'<members><member id="{member}">m</member></members>'
    reason = f'<reason guid="g" name="n" type="{kind}"/>'
    return f'<negativeFeedback type="{kind}"><reasons>{reason}{who}</reasons></negativeFeedback>'


@pytest.mark.parametrize(
    ("voices", "opinion"),
    [
        ((), Opinion.POSITIVE),
        ((yes("Md5", "7"),), Opinion.POSITIVE),
        ((no("Md5", "7"),), Opinion.DISPUTED),
        ((yes("Md5", "7"), no("Md5", "8")), Opinion.DISPUTED),
        ((no("Md5", "42"),), Opinion.NEGATIVE),
        ((no("Sha1", "7"),), Opinion.POSITIVE),
        ((no("Md5", "1"),), Opinion.NEGATIVE),
        ((yes("Md5", "1"), no("Md5", "8")), Opinion.POSITIVE),
    ],
    ids=["none", "yes", "no", "both", "its-own-giver", "of-another-hash", "ours-no", "ours-yes"],
)
def test_feedback_becomes_an_opinion(voices: tuple[str, ...], opinion: Opinion) -> None:
    (entry,) = read(document(item(more=feedback(*voices))), own="1").entries
    assert entry.opinion is opinion


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE q [<!ENTITY e SYSTEM "file:///etc/hostname">]><q>&e;</q>',
        b'<!DOCTYPE q [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><queryResult>&b;</queryResult>',
        b'<!DOCTYPE q SYSTEM "http://127.0.0.1/x.dtd"><queryResult/>',
    ],
)
def test_a_page_with_a_document_type_is_not_read(hostile: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(hostile)


@pytest.mark.parametrize("page", [b"", b"<html/>", b"\x00\xff", b"<queryResult>", b"{}"])
def test_what_is_no_page_is_said_without_its_text(page: bytes) -> None:
    with pytest.raises(InvalidInput) as fault:
        read(page)
    assert page.decode(errors="replace") not in str(fault.value) or not page


_NEXT = "/v2/entries?from=a&amp;to=b&amp;start=11&amp;size=10&amp;max=50"


def test_the_next_link_is_found_in_a_damaged_page() -> None:
    whole = document(item(), paging=f"<paging><next>{_NEXT}</next></paging>")
    damaged = whole.replace(b"<id>", b'<id\x00"')
    assert salvaged_next(damaged, "") == "/v2/entries?from=a&to=b&start=11&size=10&max=50"


def test_the_next_link_follows_from_the_rows_where_a_page_is_cut_off() -> None:
    query = "from=2017-10-20T00%3A00%3A00Z&start=11&size=10&max=25"
    assert salvaged_next(b"<queryResult><images>", query) == (
        "/v2/entries?from=2017-10-20T00%3A00%3A00Z&start=21&size=10&max=25"
    )
    assert salvaged_next(b"<queryResult>", query.replace("=11", "=21")) == ""


def test_where_to_go_on_is_unknown_after_a_first_page_that_is_cut_off() -> None:
    assert salvaged_next(b"<queryResult><images>", "") is None
    assert salvaged_next(b"<queryResult>\x00</queryResult>", "") == ""


def test_the_own_member_and_the_reasons_are_read() -> None:
    status = f'<status {_NS}><ipAddress>1</ipAddress><member id="7">Us</member></status>'.encode()
    assert read_member(status) == "7"
    reasons = (
        f'<availableFeedbackReasons {_NS}><reason guid="g" name="n"/></availableFeedbackReasons>'
    )
    nested = f"<x {_NS}>{reasons}</x>"
    assert read_reasons(reasons.encode()) == read_reasons(nested.encode()) == {"g": "n"}


def test_feedback_is_written_as_documented() -> None:
    assert re.search(rb"<affirmative\s*/>", feedback_document())
    assert b"<negative><reasonIds><guid>g</guid></reasonIds></negative>" in feedback_document(
        reason_guid="g"
    )
    assert feedback_path("42/a%2Fb", HashKind.SHA1) == "/v2/entries/42/a%2Fb/SHA1/feedback"


@given(st.binary(max_size=300))
def test_no_bytes_end_in_anything_but_a_page_or_a_fault(data: bytes) -> None:
    for page in (data, document(data.decode(errors="replace"))):
        try:
            read(page)
        except InvalidInput:
            continue
