"""An entry's hash covers every character of it, and stays the same where parts are withheld."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.record_stores import FORMER, chain

from nightlight.audit.chain import (
    GENESIS,
    PRIVATE,
    UNREADABLE,
    StoredEntry,
    commitments,
    field_salts,
    hash_of,
    link,
    read_entry,
)
from nightlight.model.audit import AuditEntry

DECIDED = AuditEntry(
    actor="ana",
    action="report.decided",
    subject="act_0123",
    reason="seen by a person",
    policy_version="p@1",
    detail={"account_action": "act_0123", "month": "2026-03", "state": "reported", "by": "ana"},
)
SALT = bytes(range(16))


def stored(entry: AuditEntry = DECIDED) -> StoredEntry:
    return link(entry, seq=7, at_us=1_772_366_400_000_000, previous=GENESIS, salt=SALT)


def test_what_counts_is_public_and_the_rest_is_apart() -> None:
    found = stored()
    assert found.entry == (
        '{"action":"report.decided","policy_version":"p@1","detail":'
        '{"account_action":"act_0123","month":"2026-03","state":"reported"}}'
    )
    assert found.private == '"ana"\n"act_0123"\n"seen by a person"\n{"by":"ana"}'


def test_detail_of_an_action_that_discloses_nothing_is_withheld_whole() -> None:
    found = stored(AuditEntry(actor="a", action="token.made", subject="t", detail={"name": "n"}))
    assert '"detail":{}' in found.entry
    assert found.private is not None
    assert found.private.endswith('{"name":"n"}')


def test_hash_is_the_one_that_the_format_describes() -> None:
    """Written out again, from the description: a change of the format breaks this test."""
    found = stored()
    assert found.private is not None
    spread = hashlib.sha512(SALT).digest()
    lines = ["nightlight-audit-2", "7", "1772366400000000", GENESIS, found.entry]
    for number, (name, value) in enumerate(zip(PRIVATE, found.private.split("\n"), strict=True)):
        salt = spread[16 * number : 16 * number + 16]
        lines.append(hashlib.sha256(salt + f"{name}:{value}".encode()).hexdigest())
    body = "".join(f"{line}\n" for line in lines)
    assert found.hash == hashlib.sha256(body.encode()).hexdigest()


def test_commitment_of_a_part_is_proved_by_its_own_salt_alone() -> None:
    found = stored()
    salts = field_salts(SALT)
    assert len(set(salts)) == 4
    proof = hashlib.sha256(salts[0] + b'actor:"ana"').hexdigest()
    assert commitments(found)[0] == proof


def test_equal_parts_of_two_entries_have_different_commitments() -> None:
    first, second = chain([DECIDED, DECIDED])
    assert not set(commitments(first)) & set(commitments(second))


def test_entry_of_the_former_form_has_its_former_hash_and_no_commitments() -> None:
    for one in FORMER:
        assert hash_of(one) == one.hash
        assert commitments(one) == ()
    assert read_entry(FORMER[0]).detail == {"z": 1, "a": 0.5, "flag": True, "ids": ["x", "y"]}


@pytest.mark.parametrize(
    "change",
    [
        {"private": '"ana"\n"act_0123"\n"seen by a person"'},
        {"private": ""},
        {"salt": "00"},
        {"salt": "no digits"},
        {"private": None, "salt": None},
        {"private": None},
        {"salt": None},
    ],
)
def test_what_was_made_unreadable_says_so(change: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        hash_of(stored()._replace(**change))


def test_former_entry_with_words_added_that_mean_nothing_is_unreadable() -> None:
    with pytest.raises(ValueError, match="as it was written"):
        hash_of(FORMER[1]._replace(entry=FORMER[1].entry.removesuffix("}") + " }"))


words = st.text(st.characters(blacklist_categories=["Cs"]))
details = st.dictionaries(
    words | st.sampled_from(["month", "state"]),
    words | st.integers(-(2**60), 2**60) | st.booleans() | st.lists(words, max_size=3),
)


@given(words, words, words, details)
def test_every_entry_that_can_be_written_is_read_back_and_verified(
    actor: str, subject: str, reason: str, detail: dict[str, str | int | float | bool | list[str]]
) -> None:
    entry = AuditEntry(
        actor=actor, action="report.decided", subject=subject, reason=reason, detail=detail
    )
    found = stored(entry)
    assert read_entry(found) == entry
    assert hash_of(found) == found.hash
