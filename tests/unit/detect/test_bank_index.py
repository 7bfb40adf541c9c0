from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.synthetic.known_media import MD5, PDQ, SHA1, SHA256, entry, hashes, near, pdq_at

from nightlight.detect import bank_index
from nightlight.detect.bank_index import BankIndex
from nightlight.errors import IntegrityFailure, InvalidInput
from nightlight.kernel.hamming import pack, unpack
from nightlight.model.bank import (
    Bank,
    BankEntry,
    BankPurpose,
    EntryState,
    HashKind,
    Opinion,
)
from nightlight.model.media import MediaHashes, ViewHash


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
        [near(12, "strict"), near(8, "strict"), near(20)],
        banks=[Bank(name="strict", threshold_bits=8)],
    )
    assert [(m.bank, m.distance_bits) for m in index.match(hashes())] == [
        ("strict", 8),
        ("local", 20),
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


@pytest.mark.parametrize("value", ["", "0" * 63, "z" * 64])
def test_entry_that_is_no_hash_stops_the_index(value: str) -> None:
    with pytest.raises(IntegrityFailure):
        BankIndex([BankEntry(id="be-1", bank="local", kind=HashKind.PDQ, value=value)])


def test_pdq_hash_of_wrong_form_is_an_error_and_not_a_silent_no_match() -> None:
    with pytest.raises(InvalidInput, match="pdq"):
        BankIndex([near(0)]).match(hashes(pdq="zorbleflux"))


def test_confidence_falls_from_one_to_a_half_at_the_threshold() -> None:
    index = BankIndex([near(0), near(10), near(20)], banks=[Bank(name="local", threshold_bits=20)])
    found = index.match(hashes())
    assert [index.confidence(match) for match in found] == [1.0, 0.75, 0.5]


def test_threshold_of_zero_still_gives_full_confidence_to_equal_hashes() -> None:
    index = BankIndex([near(0), near(1)], banks=[Bank(name="local", threshold_bits=0)])
    assert [index.confidence(match) for match in index.match(hashes())] == [1.0]


def numbered(*entries: BankEntry) -> list[BankEntry]:
    """Return the entries as a store gives them: each with its number."""
    return [replace(one, number=number) for number, one in enumerate(entries, start=1)]


def test_view_that_comes_closer_than_the_picture_as_it_is_is_told() -> None:
    found = hashes(
        pdq=pdq_at(9),
        views=(
            ViewHash(view="flipped", pdq=pdq_at(40), quality=90),
            ViewHash(view="turned-90", pdq=pdq_at(2), quality=90),
        ),
    )
    (match,) = BankIndex([near(0)]).match(found)
    assert (match.view, match.distance_bits) == ("turned-90", 2)


def test_of_equally_close_views_the_picture_as_it_is_is_told() -> None:
    found = hashes(views=(ViewHash(view="flipped", pdq=PDQ, quality=90),))
    (match,) = BankIndex([near(3)]).match(found)
    assert match.view == ""


@pytest.mark.parametrize(("quality", "matches"), [(49, 0), (50, 1)])
def test_view_is_compared_only_where_its_quality_is_enough(quality: int, matches: int) -> None:
    found = MediaHashes(views=(ViewHash(view="turned-90", pdq=PDQ, quality=quality),))
    assert len(BankIndex([near(0)]).match(found)) == matches


def test_match_tells_which_view_of_the_known_picture_the_entry_holds() -> None:
    (match,) = BankIndex([replace(near(0), view="turned-90")]).match(hashes())
    assert match.bank_view == "turned-90"


@pytest.mark.parametrize("state", [EntryState.HELD, EntryState.DISABLED, EntryState.WITHDRAWN])
@pytest.mark.parametrize("known", [near(0), entry(HashKind.MD5, MD5)])
def test_only_active_entries_match(known: BankEntry, state: EntryState) -> None:
    assert BankIndex([replace(known, state=state)]).match(hashes(md5=MD5)) == ()


@pytest.mark.parametrize("known", [near(2), entry(HashKind.MD5, MD5), entry(HashKind.SHA1, SHA1)])
def test_entry_counts_and_stops_counting_for_the_very_next_file(known: BankEntry) -> None:
    asked = hashes(md5=MD5, sha1=SHA1)
    (one,) = numbered(known)
    index = BankIndex()
    seen = []
    for state in ("active", "disabled", "active", "withdrawn", "active", "held"):
        value = "" if state == "withdrawn" else one.value
        index.apply([replace(one, state=EntryState(state), value=value)])
        seen.append(len(index.match(asked)))
    assert seen == [1, 0, 1, 0, 1, 0]


def test_disabled_entry_counts_again_once_its_time_has_come() -> None:
    index = BankIndex(numbered(replace(near(0), state=EntryState.DISABLED)))
    index.enable([1])
    assert len(index.match(hashes())) == 1


def test_withdrawn_entry_does_not_count_again_by_waiting() -> None:
    (one,) = numbered(near(0))
    index = BankIndex([one])
    index.apply([replace(one, state=EntryState.WITHDRAWN, value="")])
    index.enable([1])
    assert index.match(hashes()) == ()


def test_changed_opinion_classification_and_bank_are_told_with_the_next_match() -> None:
    (one,) = numbered(near(0))
    index = BankIndex([one])
    index.apply([replace(one, opinion=Opinion.DISPUTED, classification="B2", bank="renamed")])
    (match,) = index.match(hashes())
    assert (match.opinion, match.classification, match.bank) == (Opinion.DISPUTED, "B2", "renamed")


def test_entry_whose_hash_changes_under_the_same_number_stops_the_index() -> None:
    (one,) = numbered(near(0))
    index = BankIndex([one])
    with pytest.raises(IntegrityFailure, match=one.id):
        index.apply([replace(one, value="f" * 64)])


def test_entry_that_somebody_calls_wrong_does_not_match() -> None:
    assert BankIndex([replace(near(0), opinion=Opinion.NEGATIVE)]).match(hashes()) == ()


def test_bank_classifies_what_its_entries_leave_open() -> None:
    index = BankIndex(
        [near(0), replace(near(1), classification="A1")],
        banks=[Bank(name="local", classification="B2")],
    )
    assert [match.classification for match in index.match(hashes())] == ["B2", "A1"]


def negative(bank: str = "cleared") -> Bank:
    return Bank(name=bank, purpose=BankPurpose.NEGATIVE)


def test_negative_bank_alone_matches_nothing() -> None:
    assert BankIndex([near(0, "cleared")], banks=[negative()]).match(hashes()) == ()


@pytest.mark.parametrize(("veto_bits", "left"), [(3, 0), (5, 0), (6, 1)])
def test_negative_entry_takes_back_matches_that_are_no_closer(veto_bits: int, left: int) -> None:
    index = BankIndex([near(5), near(veto_bits, "cleared")], banks=[negative()])
    looked = index.look(hashes())
    assert (len(looked.matches), len(looked.taken_back), len(looked.vetoes)) == (left, 1 - left, 1)


def test_negative_picture_does_not_take_back_the_same_bytes_as_known_media() -> None:
    index = BankIndex([entry(HashKind.MD5, MD5), near(0, "cleared")], banks=[negative()])
    assert len(index.match(hashes(md5=MD5))) == 1


def test_negative_bytes_take_back_every_match_of_the_file() -> None:
    cleared = entry(HashKind.SHA256, SHA256, bank="cleared")
    index = BankIndex([entry(HashKind.MD5, MD5), near(0), cleared], banks=[negative()])
    assert index.match(replace(hashes(md5=MD5), sha256=SHA256)) == ()


@pytest.mark.parametrize(
    ("kind", "value", "left"),
    [
        (HashKind.MD5, MD5, [HashKind.SHA1, HashKind.SHA256, HashKind.PDQ]),
        (HashKind.SHA1, SHA1, [HashKind.SHA256, HashKind.PDQ]),
    ],
)
def test_negative_hash_that_two_files_can_share_takes_back_none_stronger(
    kind: HashKind, value: str, left: list[HashKind]
) -> None:
    known = [
        entry(HashKind.MD5, MD5),
        entry(HashKind.SHA1, SHA1),
        entry(HashKind.SHA256, SHA256),
        near(0),
    ]
    index = BankIndex([*known, entry(kind, value, bank="cleared")], banks=[negative()])
    looked = index.look(replace(hashes(md5=MD5, sha1=SHA1), sha256=SHA256))
    assert sorted(match.kind for match in looked.matches) == sorted(left)
    assert kind in [match.kind for match in looked.taken_back]


def test_negative_bank_counts_also_where_only_another_bank_is_asked() -> None:
    index = BankIndex([near(5), near(5, "cleared")], banks=[negative()])
    assert index.match(hashes(), banks=["local"]) == ()


def test_a_renamed_bank_stays_what_it_is_before_its_entries_are_told_of() -> None:
    cleared, known = numbered(near(0, "cleared"), near(5))
    numbers = {"cleared": 1, "local": 2}
    index = BankIndex([cleared, known], banks=[negative(), Bank(name="local")], numbers=numbers)
    renamed, new = negative("harmless"), Bank(name="cleared")
    index.set_banks([renamed, new, Bank(name="local")], {"harmless": 1, "local": 2, "cleared": 3})
    looked = index.look(hashes())
    assert (looked.matches, [one.bank for one in looked.vetoes]) == ((), ["harmless"])


def test_who_takes_the_name_of_a_negative_bank_takes_nothing_back_by_it() -> None:
    known, other = numbered(near(5), near(0, "quibbles"))
    banks = [Bank(name="local"), Bank(name="quibbles")]
    index = BankIndex([known, other], banks=banks, numbers={"local": 1, "quibbles": 2})
    taken = [Bank(name="local"), negative("quibbles"), Bank(name="flibbets")]
    index.set_banks(taken, {"local": 1, "flibbets": 2, "quibbles": 3})
    assert [match.bank for match in index.match(hashes())] == ["flibbets", "local"]


def test_entries_of_a_bank_that_is_gone_match_no_more_before_they_are_told_of() -> None:
    cleared, known = numbered(near(0, "cleared"), near(5))
    numbers = {"cleared": 1, "local": 2}
    index = BankIndex([cleared, known], banks=[negative(), Bank(name="local")], numbers=numbers)
    index.set_banks([Bank(name="local")], {"local": 2})
    assert [match.bank for match in index.match(hashes())] == ["local"]
    index.set_banks([])
    assert [match.bank for match in index.match(hashes())] == []


def test_only_the_banks_asked_for_match() -> None:
    index = BankIndex([near(0), near(1, "partner")])
    assert [match.bank for match in index.match(hashes(), banks=["partner"])] == ["partner"]


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0.0, 0, 0), (0.25, 60, 140), (1.0, 400, 400)]
)
def test_bank_is_asked_about_its_share_of_files_and_always_about_the_same(
    ratio: float, least: int, most: int
) -> None:
    index = BankIndex([near(0)], banks=[Bank(name="local", enabled_ratio=ratio)])
    files = [replace(hashes(), sha256=f"{n:064x}") for n in range(400)]
    first = [len(index.match(file)) for file in files]
    assert least <= sum(first) <= most
    assert [len(index.match(file)) for file in files] == first


def test_plain_hashes_are_looked_up_many_at_once() -> None:
    index = BankIndex([near(3)])
    rows = pack([pdq_at(0), "f" * 64, pdq_at(5)])
    assert [[m.distance_bits for m in one] for one in index.near(rows)] == [[3], [], [2]]


def test_known_picture_is_told_once_by_the_closest_of_its_views() -> None:
    known = [
        replace(near(9), content=1),
        replace(near(2), content=1, view="cropped-5"),
        replace(near(2, "partner"), content=2, view="cropped-5"),
        replace(near(4), content=3),
    ]
    found = BankIndex(numbered(*known)).match(hashes())
    assert [(one.bank, one.content, one.bank_view, one.distance_bits) for one in found] == [
        ("local", 1, "cropped-5", 2),
        ("partner", 2, "cropped-5", 2),
        ("local", 3, "", 4),
    ]


def test_room_of_withdrawn_entries_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_index, "_WITHDRAWN_AT_MOST", 50)
    index = BankIndex(numbered(near(0)))
    for first in range(2, 4_000, 20):  # 200 lists of 20 entries that come and go
        known = [
            replace(
                near(1),
                id=f"be-{n}",
                number=n,
                value=sha256(bytes([n % 251, n // 251])).hexdigest(),
            )
            for n in range(first, first + 20)
        ]
        index.apply(known)
        assert len(index.match(hashes(pdq=known[7].value))) == 1
        index.apply([replace(one, state=EntryState.WITHDRAWN, value="") for one in known])
    assert index._table.rows < 1 + 20 + 50 + 20
    assert [match.number for match in index.match(hashes())] == [1]
