import json
from collections.abc import Iterable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.exchange.bank_file import format_bank, format_bank_csv, parse_bank, read_bank
from nightlight.exchange.seen import Seen
from nightlight.model.bank import HASH_DIGITS, BankEntry, EntryState, HashKind, Opinion

BANK = "local"
MD5 = "0a" * 16
PDQ = "c3" * 32
DIGITS = "0123456789abcdef"
FRAME = "c3" * 32 + "50" + "e8030000"
TOO_GOOD = "c3" * 32 + "7f" + "e8030000"
WORDS = st.text("abc xyz,\"'{}\N{SNOWMAN}", max_size=12).map(str.strip)


def values(kind: HashKind) -> st.SearchStrategy[str]:
    if kind is HashKind.VPDQ:
        return st.integers(1, 3).map(lambda frames: FRAME * frames)
    return st.text(DIGITS, min_size=HASH_DIGITS[kind], max_size=HASH_DIGITS[kind])


ENTRIES = st.sampled_from(HashKind).flatmap(
    lambda kind: st.builds(
        BankEntry,
        id=st.text("abcxyz-_.:#", min_size=1, max_size=20).map(lambda text: f"zorble{text}"),
        bank=st.just(BANK),
        kind=st.just(kind),
        value=values(kind),
        classification=st.sampled_from(("", "A1", "A2", "B1", "B2")),
        opinion=st.sampled_from(Opinion),
        state=st.sampled_from([one for one in EntryState if one is not EntryState.WITHDRAWN]),
        source=WORDS,
        source_ref=WORDS,
        note=WORDS,
        view=WORDS,
        quality=st.integers(0, 100),
    )
)


def line(**fields: object) -> str:
    return json.dumps(fields)


def only_entry(lines: Iterable[str]) -> BankEntry:
    entries, reasons = parse_bank(lines, bank=BANK)
    assert reasons == []
    (entry,) = entries
    return entry


def only_reason(lines: Iterable[str]) -> str:
    entries, reasons = parse_bank(lines, bank=BANK)
    assert entries == []
    (reason,) = reasons
    return reason


@given(st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry.id))
def test_written_bank_reads_back_the_same(entries: list[BankEntry]) -> None:
    assert parse_bank(format_bank(entries), bank=BANK) == (entries, [])
    assert parse_bank(format_bank_csv(entries), bank=BANK) == (entries, [])


def test_ndjson_line_becomes_an_entry() -> None:
    entry = only_entry([line(kind="pdq", value=PDQ, classification="A2", id="zorble-1")])
    assert entry == BankEntry(
        id="zorble-1", bank=BANK, kind=HashKind.PDQ, value=PDQ, classification="A2"
    )


def test_csv_line_becomes_an_entry() -> None:
    entry = only_entry(["kind,value,classification,id\r\n", f'md5,"{MD5}",B1,zorble-2\r\n'])
    assert entry == BankEntry(
        id="zorble-2", bank=BANK, kind=HashKind.MD5, value=MD5, classification="B1"
    )


def test_csv_columns_may_stand_in_any_order_and_be_left_out() -> None:
    assert only_entry(["Value,Kind", f"{MD5},md5"]).value == MD5


def test_upper_case_is_read_as_lower_case() -> None:
    entry = only_entry([line(kind="MD5", value=MD5.upper(), classification="a1")])
    assert (entry.kind, entry.value, entry.classification) == (HashKind.MD5, MD5, "A1")


def test_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    assert only_entry(["\ufeff\n", "\n", line(kind="md5", value=MD5) + "\n", "  "]).value == MD5


def test_mark_before_the_header_does_not_hide_it() -> None:
    assert only_entry(["\ufeffkind,value", f"md5,{MD5}"]).value == MD5


def test_entry_without_id_gets_the_same_one_every_time() -> None:
    lines = [line(kind="md5", value=MD5)]
    assert only_entry(lines).id == only_entry(lines).id != ""


def test_same_hash_in_another_bank_gets_another_id() -> None:
    lines = [line(kind="md5", value=MD5)]
    (other,), _ = parse_bank(lines, bank="partner")
    assert other.id != only_entry(lines).id


def test_empty_file_holds_nothing_and_is_no_error() -> None:
    assert parse_bank(["", "\n"], bank=BANK) == ([], [])


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('{"kind": "md5", "value": ', "not JSON"),
        ("{nonsense", "not JSON"),
        (line(kind="md5", value=7), "fields are all text"),
        (line(kind="md5"), "fields are missing"),
        (line(kind="md5", value=MD5, colour="red"), "not known"),
        (line(kind="zorble", value=MD5), "not a hash kind (one of md5, sha1, sha256, pdq, vpdq)"),
        (line(kind="md5", value=MD5[1:]), "value: not 32 hex digits (give the md5 hash)"),
        (line(kind="md5", value="zz" * 16), "value: not 32 hex digits"),
        (line(kind="sha1", value=MD5), "value: not 40 hex digits"),
        (line(kind="md5", value=MD5, classification="Z9"), "classification: not a"),
        (line(kind="md5", value=MD5, id="two words"), "id: not an id"),
        (line(kind="md5", value=MD5, id=f"x-{MD5.upper()}"), "id: the id holds the hash"),
        (line(kind="md5", value=MD5, note=f"see {MD5.upper()}"), "note: holds the hash"),
        (line(kind="md5", value=MD5, note="x" * 1_001), "note: too long"),
        (line(kind="md5", value=MD5, opinion="zorble"), "opinion: not one that is known"),
        (line(kind="md5", value=MD5, state="zorble"), "state: not one that is known"),
        (line(kind="md5", value=MD5, quality="101"), "quality: not 0 to 100"),
        (line(kind="md5", value=MD5, quality=-1), "quality: not 0 to 100"),
        (line(kind="md5", value=MD5, note=7), "fields are all text"),
        (line(kind="md5", value="", state="withdrawn"), "value: not 32 hex digits"),
        (line(kind="vpdq", value=""), "value: not 74 hex digits a frame"),
        (line(kind="vpdq", value=FRAME[1:]), "value: not 74 hex digits a frame"),
        (line(kind="vpdq", value="zz" * 37), "value: not 74 hex digits a frame"),
        (line(kind="vpdq", value=FRAME + TOO_GOOD), "value: the quality of a frame is over 100"),
    ],
)
def test_bad_ndjson_line_is_told_with_its_number_and_a_remedy(bad: str, told: str) -> None:
    entries, (reason,) = parse_bank([line(kind="pdq", value=PDQ), bad], bank=BANK)
    assert reason.startswith("line 2: ")
    assert told in reason
    assert reason.endswith(")")
    assert len(entries) == 1


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (f"md5,{MD5},A1", "3 cells where the header names 2"),
        ("md5", "1 cells where the header names 2"),
        (f'md5,"{MD5}', "not CSV"),
        (f"zorble,{MD5}", "not a hash kind"),
    ],
)
def test_bad_csv_line_is_told_and_the_lines_around_it_count(bad: str, told: str) -> None:
    lines = ["kind,value", f"md5,{MD5}", bad, f"pdq,{PDQ}"]
    entries, (reason,) = parse_bank(lines, bank=BANK)
    assert reason.startswith("line 3: ")
    assert told in reason
    assert [entry.value for entry in entries] == [MD5, PDQ]


@pytest.mark.parametrize(
    "header", [f"md5,{MD5}", "kind", "kind,value,value", "kind,value,colour", '"kind']
)
def test_csv_without_a_usable_header_yields_one_reason_and_nothing_else(header: str) -> None:
    reason = only_reason([header, f"md5,{MD5}", f"pdq,{PDQ}"])
    assert reason.startswith("line 1: ")
    assert MD5 not in reason


@pytest.mark.parametrize(
    "bad",
    [
        line(kind="md5", value=MD5 + "0"),
        line(kind=MD5, value="x"),
        line(kind="md5", value=MD5, classification=MD5),
        line(kind="md5", value=MD5, id=MD5),
        line(**{MD5: "x", "kind": "md5", "value": MD5}),
        '{"value": "' + MD5,
    ],
)
def test_reason_never_shows_the_hash(bad: str) -> None:
    assert MD5[:8] not in only_reason([bad])


def test_repeated_hash_is_kept_once_and_told() -> None:
    entries, (reason,) = parse_bank([line(kind="md5", value=MD5)] * 2, bank=BANK)
    assert len(entries) == 1
    assert reason == "line 2: repeats the hash or id of line 1 (remove one)"


def test_id_of_another_hash_is_refused() -> None:
    lines = [line(kind="md5", value=MD5, id="a"), line(kind="pdq", value=PDQ, id="a")]
    entries, reasons = parse_bank(lines, bank=BANK)
    assert ([entry.value for entry in entries], len(reasons)) == ([MD5], 1)


def test_text_that_cannot_be_encoded_is_a_bad_line_and_no_error() -> None:
    assert only_reason(['{"kind": "\udcff"}']).startswith("line 1: ")


def test_withdrawn_line_needs_no_hash_where_it_has_an_id() -> None:
    gone = only_entry([line(kind="md5", value="", id="zorble-1", state="withdrawn")])
    assert (gone.id, gone.state, gone.value) == ("zorble-1", EntryState.WITHDRAWN, "")


def test_withdrawn_line_without_id_withdraws_what_its_hash_stands_for() -> None:
    known = only_entry([line(kind="md5", value=MD5)])
    gone = only_entry([line(kind="md5", value=MD5, state="withdrawn")])
    assert (gone.id, gone.value) == (known.id, "")


@pytest.mark.parametrize(
    ("lines", "silent"),
    [
        ([line(kind="md5", value=MD5)], ("classification", "opinion")),
        ([line(kind="md5", value=MD5, classification="")], ("opinion",)),
        (["kind,value,opinion", f"md5,{MD5},"], ("classification",)),
    ],
)
def test_line_tells_what_it_is_silent_about(lines: list[str], silent: tuple[str, ...]) -> None:
    (read,) = read_bank(lines, bank=BANK)
    assert read.silent == silent


def test_lines_are_read_only_as_they_are_asked_for() -> None:
    def endless() -> Iterator[str]:
        for number in count():
            yield line(kind="md5", value=f"{number:032x}")

    first = next(read_bank(endless(), bank=BANK))
    assert first.entry is not None
    assert first.entry.value == "0" * 32


def test_repeated_ids_are_seen_however_many_came_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightlight.exchange.seen._RECENT", 8)
    seen = Seen()
    assert [seen.before(f"entry-{number}", number) for number in range(1_000)] == [None] * 1_000
    assert [seen.before(f"entry-{number}", 5_000) for number in range(1_000)] == [*range(1_000)]
    assert len(seen._older) < 12
