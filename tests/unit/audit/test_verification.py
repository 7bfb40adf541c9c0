"""The record shows every edit, removal and exchange of its entries."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.record_stores import FORMER, FORMER_ANCHOR, KEY, chain
from tests.synthetic.builders import NOON

from nightlight.audit.chain import GENESIS, StoredEntry, hash_of, link
from nightlight.audit.checkpoint import Anchor, AuditKey
from nightlight.audit.verification import Verification, verify
from nightlight.model.audit import AuditEntry

KEYS = AuditKey(KEY, origin="example.test")
CHANGED = "the entry was changed after it was written"


def record(length: int) -> list[StoredEntry]:
    return chain(
        [
            AuditEntry(actor="ana", action="case.confirmed", subject=f"case-{seq}")
            for seq in range(1, length + 1)
        ]
    )


def anchor(entry: StoredEntry, *, key: AuditKey = KEYS) -> Anchor:
    return key.checkpoint(seq=entry.seq, head=entry.hash, at=NOON)


def head_of(entries: Sequence[StoredEntry]) -> tuple[int, str]:
    return (entries[-1].seq, entries[-1].hash) if entries else (0, GENESIS)


def check(
    entries: Sequence[StoredEntry],
    *,
    head: tuple[int, str] | None = None,
    anchors: Sequence[Anchor] = (),
    since: tuple[int, str] = (0, GENESIS),
    known: Sequence[tuple[int, str]] = (),
) -> Verification:
    head = head or head_of(entries)
    return verify(entries, head=head, anchors=anchors, key=KEYS, since=since, known=known)


def problems(found: Verification) -> list[tuple[int, str]]:
    return [(fault.seq, fault.problem) for fault in found.faults]


@pytest.mark.parametrize("length", [0, 1, 5])
def test_untouched_record_is_intact(length: int) -> None:
    entries = record(length)
    found = check(entries, anchors=[anchor(one) for one in entries])
    assert found.intact
    assert (found.entries, found.head, found.anchors) == (length, head_of(entries)[1], length)
    assert found.seq == length


@pytest.mark.parametrize(
    "change",
    [
        {"at_us": 5},
        {"entry": '{"action":"case.dismissed","policy_version":"","detail":{}}'},
        {"private": '"bo"\n"case-3"\n""\n{}'},
        {"private": '"ana"\n"case-3"\n""\n{} '},
        {"salt": "00" * 16},
        {"hash": "f" * 64},
        {"private": None},
        {"salt": "zz"},
    ],
)
def test_edited_entry_is_found(change: dict[str, Any]) -> None:
    entries = record(5)
    entries[2] = entries[2]._replace(**change)
    assert problems(check(entries))[0] == (3, CHANGED)


def test_edit_with_a_recomputed_hash_breaks_the_entry_after() -> None:
    entries = record(4)
    forged = AuditEntry(actor="bo", action="x", subject="y")
    entries[1] = link(
        forged, seq=2, at_us=entries[1].at_us, previous=entries[0].hash, salt=b"s" * 16
    )
    assert problems(check(entries)) == [(3, "the entry does not follow the one before it")]


def test_removed_entry_is_found() -> None:
    entries = record(4)
    del entries[1]
    assert problems(check(entries))[0][1] == (
        "an entry is missing or out of order: expected number 2"
    )


def test_exchanged_entries_are_found() -> None:
    entries = record(4)
    entries[1], entries[2] = entries[2], entries[1]
    assert not check(entries).intact


def test_lost_newest_entries_are_found_by_the_head() -> None:
    entries = record(4)
    assert problems(check(entries[:2], head=head_of(entries))) == [
        (4, "the newest entries are missing or were replaced")
    ]


def test_lost_newest_entries_with_a_forged_head_are_found_by_an_anchor() -> None:
    entries = record(4)
    assert problems(check(entries[:2], anchors=[anchor(entries[3])])) == [
        (4, "an anchored entry is missing")
    ]


def rewritten(before: Sequence[StoredEntry]) -> list[StoredEntry]:
    return [before[0], *chain([AuditEntry(actor="bo", action="x", subject="y")], before[0])]


def test_rewritten_record_is_found_by_an_anchor() -> None:
    before = record(2)
    assert problems(check(rewritten(before), anchors=[anchor(before[1])])) == [
        (2, "the entry is not the one that was anchored")
    ]


def test_later_anchor_of_the_same_entry_does_not_outrank_the_first() -> None:
    before = record(2)
    after = rewritten(before)
    found = check(after, anchors=[anchor(before[1]), anchor(after[1])])
    assert [one for _, one in problems(found)] == [
        "two anchors name different entries",
        "the entry is not the one that was anchored",
    ]


def test_anchor_under_another_key_is_found() -> None:
    entries = record(2)
    forged = anchor(entries[1], key=AuditKey(b"other", origin="example.test"))
    assert problems(check(entries, anchors=[forged])) == [(2, "an anchor's seal is not genuine")]


def test_thoroughly_broken_record_does_not_drown_the_reader() -> None:
    entries = [one._replace(previous=GENESIS) for one in record(60)]
    assert len(check(entries).faults) == 20


def test_record_that_began_in_the_former_form_goes_on_in_the_newer_one() -> None:
    entries = [*FORMER, *chain([AuditEntry(actor="a", action="x", subject="y")] * 2, FORMER[1])]
    assert check(entries, anchors=[FORMER_ANCHOR, anchor(entries[3])]).intact
    edited = [FORMER[0]._replace(entry=FORMER[0].entry.replace("ana", "bo")), *entries[1:]]
    assert problems(check(edited)) == [(1, CHANGED)]
    salted = [FORMER[0], FORMER[1]._replace(salt="00" * 16), *entries[2:]]
    assert problems(check(salted)) == [(2, CHANGED)]


def test_entry_of_the_former_form_cannot_follow_a_newer_one() -> None:
    first = record(1)[0]
    late = FORMER[1]._replace(previous=first.hash)
    found = check([first, late._replace(hash=hash_of(late))])
    assert problems(found) == [(2, "an entry of the former kind follows a newer one")]


def test_verifying_goes_on_where_it_was_found_right_before() -> None:
    entries = record(6)
    since = (4, entries[3].hash)
    found = check(entries[4:], since=since, anchors=[anchor(entries[3]), anchor(entries[5])])
    assert found.intact
    assert (found.entries, found.since, found.seq) == (2, 4, 6)


def test_entry_of_the_former_form_cannot_follow_what_was_verified_before() -> None:
    found = check(FORMER[1:], since=(1, FORMER[0].hash))
    assert problems(found) == [(2, "an entry of the former kind follows a newer one")]


def test_nothing_new_since_is_intact_only_if_the_head_is_still_the_same() -> None:
    entries = record(6)
    since = head_of(entries)
    assert check([], since=since, head=since).intact
    assert not check([], since=since, head=head_of(entries[:5])).intact


def test_what_was_verified_before_is_held_against_an_anchor_of_it() -> None:
    entries = record(3)
    other = rewritten(record(2))[1]
    found = check(entries[2:], since=(2, entries[1].hash), anchors=[anchor(other)])
    assert problems(found) == [(2, "the entry is not the one that was anchored")]


def test_entries_rewritten_after_the_place_verified_before_do_not_follow_it() -> None:
    entries = record(3)
    forged = (2, "f" * 64)
    assert problems(check(entries[2:], since=forged)) == [
        (3, "the entry does not follow the one before it")
    ]


def test_what_was_known_before_has_to_be_there() -> None:
    entries = record(5)
    right = [(3, entries[2].hash), (5, ""), (0, GENESIS)]
    assert check(entries, known=right).intact
    missing = "an entry that was verified or published before is missing"
    assert problems(check(entries, known=[*right, (7, ""), (6, "ab")])) == [
        (6, missing),
        (7, missing),
    ]
    other = "the entry is not the one that was verified or published before"
    assert problems(check(entries, known=[(3, "ab" * 32), *right])) == [(3, other)]


def test_what_was_known_of_the_place_to_begin_at_has_to_fit() -> None:
    entries = record(5)
    since = (3, entries[2].hash)
    assert check(entries[3:], since=since, known=[since, (1, "ab" * 32)]).intact
    other = "the entry is not the one that was verified or published before"
    found = check(entries[3:], since=since, known=[(3, "ab" * 32)])
    assert problems(found) == [(3, other)]
