"""The record shows every edit, removal and exchange of its entries."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.synthetic.builders import NOON

from nightlight.audit.chain import GENESIS, Anchor, Verification, entry_hash, link, verify
from nightlight.model.audit import AuditEntry, ChainedEntry

KEY = b"quibble-key"


def record(length: int) -> list[ChainedEntry]:
    chained: list[ChainedEntry] = []
    for seq in range(1, length + 1):
        entry = AuditEntry(actor="ana", action="case.confirmed", subject=f"case-{seq}")
        previous = chained[-1].hash if chained else GENESIS
        chained.append(link(entry, seq=seq, at=NOON + timedelta(minutes=seq), previous=previous))
    return chained


def anchor(entry: ChainedEntry, *, key: bytes = KEY) -> Anchor:
    return Anchor.make(seq=entry.seq, head=entry.hash, at=NOON, key=key)


def head_of(entries: Sequence[ChainedEntry]) -> tuple[int, str]:
    return (entries[-1].seq, entries[-1].hash) if entries else (0, GENESIS)


def check(
    entries: Sequence[ChainedEntry],
    *,
    head: tuple[int, str] | None = None,
    anchors: Sequence[Anchor] = (),
) -> Verification:
    return verify(entries, head=head or head_of(entries), anchors=anchors, anchor_key=KEY)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_untouched_record_is_intact(length: int) -> None:
    entries = record(length)
    found = check(entries, anchors=[anchor(one) for one in entries])
    assert found.intact
    assert (found.entries, found.head, found.anchors) == (length, head_of(entries)[1], length)


EDITS: dict[str, Callable[[AuditEntry], AuditEntry]] = {
    "who": lambda entry: replace(entry, actor="bo"),
    "what": lambda entry: replace(entry, action="case.dismissed"),
    "on what": lambda entry: replace(entry, subject="case-9"),
    "why": lambda entry: replace(entry, reason="quibble"),
    "policy": lambda entry: replace(entry, policy_version="other@1:0"),
    "detail": lambda entry: replace(entry, detail={"count": 1}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_edited_entry_is_found(edit: Callable[[AuditEntry], AuditEntry]) -> None:
    entries = record(5)
    entries[2] = replace(entries[2], entry=edit(entries[2].entry))
    found = check(entries)
    assert [(fault.seq, fault.problem) for fault in found.faults] == [
        (3, "the entry was changed after it was written")
    ]


def test_edited_time_is_found() -> None:
    entries = record(3)
    entries[1] = replace(entries[1], at=NOON)
    assert check(entries).faults[0].seq == 2


def test_edit_with_a_recomputed_hash_breaks_the_entry_after() -> None:
    entries = record(4)
    forged = replace(entries[1].entry, actor="bo")
    entries[1] = link(forged, seq=2, at=entries[1].at, previous=entries[1].previous)
    found = check(entries)
    assert [(fault.seq, fault.problem) for fault in found.faults] == [
        (3, "the entry does not follow the one before it")
    ]


def test_removed_entry_is_found() -> None:
    entries = record(4)
    del entries[1]
    assert check(entries).faults[0].problem == (
        "an entry is missing or out of order: expected number 2"
    )


def test_exchanged_entries_are_found() -> None:
    entries = record(4)
    entries[1], entries[2] = entries[2], entries[1]
    assert not check(entries).intact


def test_lost_newest_entries_are_found_by_the_head() -> None:
    entries = record(4)
    found = check(entries[:2], head=head_of(entries))
    assert [fault.problem for fault in found.faults] == [
        "the newest entries are missing or were replaced"
    ]


def test_lost_newest_entries_with_a_forged_head_are_found_by_an_anchor() -> None:
    entries = record(4)
    found = check(entries[:2], anchors=[anchor(entries[3])])
    assert [(fault.seq, fault.problem) for fault in found.faults] == [
        (4, "an anchored entry is missing")
    ]


def test_rewritten_record_is_found_by_an_anchor() -> None:
    before, rewritten = record(2), record(2)
    forged = replace(rewritten[1].entry, actor="bo")
    rewritten[1] = link(forged, seq=2, at=NOON, previous=rewritten[0].hash)
    found = check(rewritten, anchors=[anchor(before[1])])
    assert [fault.problem for fault in found.faults] == [
        "the entry is not the one that was anchored"
    ]


def test_later_anchor_of_the_same_entry_does_not_outrank_the_first() -> None:
    before, rewritten = record(2), record(2)
    rewritten[1] = link(
        AuditEntry(actor="bo", action="x", subject="y"), seq=2, at=NOON, previous=before[0].hash
    )
    assert not check(rewritten, anchors=[anchor(before[1]), anchor(rewritten[1])]).intact


def test_anchor_under_another_key_is_found() -> None:
    entries = record(2)
    found = check(entries, anchors=[anchor(entries[1], key=b"other")])
    assert [fault.problem for fault in found.faults] == ["an anchor's seal is not genuine"]


@pytest.mark.parametrize("field", ["seq", "hash", "at"])
def test_edited_anchor_is_found(field: str) -> None:
    values = {"seq": 1, "hash": GENESIS, "at": NOON + timedelta(days=1)}
    edited = replace(anchor(record(2)[1]), **{field: values[field]})
    assert not edited.is_genuine(KEY)


def test_thoroughly_broken_record_does_not_drown_the_reader() -> None:
    entries = [replace(one, previous=GENESIS) for one in record(60)]
    assert len(check(entries).faults) == 20


words = st.text(st.characters(blacklist_categories=["Cs"]))
details = st.dictionaries(words, words | st.integers(-(2**60), 2**60) | st.booleans())


@given(words, words, details)
def test_every_entry_that_can_be_written_can_be_verified(
    actor: str, reason: str, detail: dict[str, str | int | float | bool | list[str]]
) -> None:
    entry = AuditEntry(actor=actor, action="x", subject="y", reason=reason, detail=detail)
    chained = link(entry, seq=1, at=NOON, previous=GENESIS)
    assert check([chained]).intact


def test_order_of_details_does_not_matter() -> None:
    one = AuditEntry(actor="a", action="x", subject="y", detail={"b": 1, "a": 2})
    other = replace(one, detail={"a": 2, "b": 1})
    first = entry_hash(seq=1, at=NOON, entry=one, previous=GENESIS)
    assert first == entry_hash(seq=1, at=NOON, entry=other, previous=GENESIS)
