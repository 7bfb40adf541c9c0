"""Hash banks: numbered in order, versioned by change, unreadable to a thief."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text, update
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql import schema
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, IntegrityFailure
from nightlight.exchange.ports import Held, Put
from nightlight.exchange.registry import Credentials, Exchange
from nightlight.model.bank import (
    Bank,
    BankEntry,
    BankPurpose,
    BankVersion,
    EntryState,
    HashKind,
    Opinion,
)

_PDQ = "0123456789abcdef" * 4
BANK = "quibbles"


def entry(name: str, *, bank: str = BANK, value: str = _PDQ) -> BankEntry:
    return BankEntry(id=name, bank=bank, kind=HashKind.PDQ, value=value, classification="B2")


def put(unit_of_work: SqlUnitOfWork, *entries: BankEntry) -> Put:
    with unit_of_work.begin() as tx:
        done = tx.banks.put(entries, at=NOON)
        tx.commit(ENTRY)
    return done


def change(unit_of_work: SqlUnitOfWork, number: int, **fields: object) -> int:
    with unit_of_work.begin() as tx:
        changed = tx.banks.change([number], **fields)  # type: ignore[arg-type]  # a test's own
        tx.commit(ENTRY)
    return changed


def stored(unit_of_work: SqlUnitOfWork, **conditions: object) -> list[BankEntry]:
    with unit_of_work.read() as tx:
        return list(tx.banks.entries(**conditions))  # type: ignore[arg-type]  # a test's own


def ids(entries: Sequence[BankEntry]) -> list[str]:
    return [one.id for one in entries]


def version(unit_of_work: SqlUnitOfWork) -> int:
    with unit_of_work.read() as tx:
        return tx.banks.version()


def test_entries_come_back_as_they_were_put_in_the_order_of_their_numbers(
    unit_of_work: SqlUnitOfWork,
) -> None:
    first = replace(
        entry("two", value="ff" * 32),
        view="flipped",
        quality=81,
        opinion=Opinion.DISPUTED,
        note="seen before",
        source="a partner",
        source_ref="zorble-7",
    )
    second = replace(entry("one", bank="zorbles"), classification="")
    put(unit_of_work, first, second)
    assert stored(unit_of_work) == [
        replace(first, number=1, content=1),
        replace(second, number=2, content=2),
    ]


def test_a_video_hash_of_any_length_comes_back(unit_of_work: SqlUnitOfWork) -> None:
    frames = "5e" * 37 * 40
    put(unit_of_work, replace(entry("film", value=frames), kind=HashKind.VPDQ))
    assert stored(unit_of_work)[0].value == frames


def test_put_tells_new_changed_and_unchanged_apart(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("one"), entry("two"))
    done = put(
        unit_of_work,
        entry("one"),
        replace(entry("two"), classification="A1"),
        entry("one", bank="zorbles"),
    )
    assert (done.added, done.changed, done.unchanged) == (1, 1, 1)
    assert [(one.id, one.bank) for one in done.arrived] == [("one", "zorbles")]
    assert [one.classification for one in stored(unit_of_work, bank=BANK)] == ["B2", "A1"]


def test_more_entries_than_one_statement_takes_are_put_and_read(
    unit_of_work: SqlUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightlight.adapters.sql.bank_rows.CHUNK", 50)
    many = [entry(f"entry-{number}", value=f"{number:064x}") for number in range(201)]
    assert put(unit_of_work, *many).added == len(many)
    assert put(unit_of_work, *many).unchanged == len(many)
    assert ids(stored(unit_of_work)) == ids(many)
    assert ids(stored(unit_of_work, changed_after=0)) == ids(many)
    assert ids(stored(unit_of_work, changed_in=1)) == ids(many)
    assert len(stored(unit_of_work, ids=ids(many))) == len(many)
    assert ids(stored(unit_of_work, limit=170)) == ids(many)[:170]
    with unit_of_work.begin() as tx:
        assert tx.banks.change(range(1, 202), opinion=Opinion.DISPUTED) == len(many)
        tx.commit(ENTRY)
    assert ids(stored(unit_of_work, changed_after=1)) == ids(many)


def test_hashes_of_one_picture_share_the_number_of_the_first(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("zero"))
    put(
        unit_of_work,
        replace(entry("plain"), content=-1),
        replace(entry("other"), content=-2),
        replace(entry("turned", value="aa" * 32), content=-1, view="turned-90"),
    )
    put(unit_of_work, replace(entry("added later"), content=2))
    assert [(one.id, one.content) for one in stored(unit_of_work)] == [
        ("zero", 1),
        ("plain", 2),
        ("other", 3),
        ("turned", 2),
        ("added later", 2),
    ]
    assert ids(stored(unit_of_work, bank=BANK, content=2)) == ["plain", "turned", "added later"]


def test_entries_are_found_by_each_condition_and_by_all_together(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, replace(entry("one"), source_ref="r-1"), entry("two"))
    put(unit_of_work, replace(entry("three", bank="zorbles"), source_ref="r-1"))
    change(unit_of_work, 2, state=EntryState.DISABLED)
    assert ids(stored(unit_of_work, source_refs=["r-1"])) == ["one", "three"]
    assert ids(stored(unit_of_work, source_refs=["r-1"], bank=BANK)) == ["one"]
    assert ids(stored(unit_of_work, numbers=[3, 2, 99])) == ["two", "three"]
    assert ids(stored(unit_of_work, numbers=[1, 2], ids=["two", "three"])) == ["two"]
    assert ids(stored(unit_of_work, states=[EntryState.DISABLED])) == ["two"]
    assert ids(stored(unit_of_work, changed_after=1)) == ["two", "three"]
    assert ids(stored(unit_of_work, changed_in=2)) == ["three"]
    assert ids(stored(unit_of_work, after_number=1, limit=1)) == ["two"]
    assert stored(unit_of_work, numbers=[]) == []


def test_reader_that_asks_what_changed_is_told_each_change_once(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("one"), entry("two"))
    seen = version(unit_of_work)
    assert stored(unit_of_work, changed_after=seen) == []
    change(unit_of_work, 1, opinion=Opinion.NEGATIVE)
    assert ids(stored(unit_of_work, changed_after=seen)) == ["one"]
    assert stored(unit_of_work, changed_after=version(unit_of_work)) == []


def test_a_withdrawn_entry_stays_without_its_hash(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    put(unit_of_work, entry("one"), entry("two", value="aa" * 32))
    seen = version(unit_of_work)
    assert change(unit_of_work, 1, state=EntryState.WITHDRAWN) == 1
    (gone,) = stored(unit_of_work, changed_after=seen)
    assert (gone.id, gone.state, gone.value) == ("one", EntryState.WITHDRAWN, "")
    with engine.connect() as connection:
        sealed = connection.execute(
            text("SELECT sealed_value FROM bank_entry WHERE number = 1")
        ).scalar_one()
    assert bytes(sealed) == b""
    assert change(unit_of_work, 1, state=EntryState.ACTIVE) == 0, "its hash is gone"


def test_a_withdrawn_entry_that_is_given_again_comes_back_as_a_new_one(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("one"))
    change(unit_of_work, 1, state=EntryState.WITHDRAWN)
    seen = version(unit_of_work)
    done = put(unit_of_work, entry("one"))
    assert (done.added, done.changed, ids(done.arrived)) == (1, 0, ["one"])
    assert [(one.id, one.number, one.value) for one in stored(unit_of_work)] == [
        ("one~1", 1, ""),
        ("one", 2, _PDQ),
    ]
    assert ids(stored(unit_of_work, changed_after=seen)) == ["one"]


@pytest.mark.parametrize("state", [EntryState.DISABLED, EntryState.HELD])
def test_a_list_that_names_it_again_does_not_undo_what_a_person_decides(
    unit_of_work: SqlUnitOfWork, state: EntryState
) -> None:
    put(unit_of_work, entry("one"))
    change(unit_of_work, 1, state=state, note="looks wrong")
    done = put(unit_of_work, replace(entry("one"), classification="A1"))
    assert done.arrived == ()
    (kept,) = stored(unit_of_work)
    assert (kept.state, kept.classification, kept.note) == (state, "A1", "looks wrong")
    put(unit_of_work, replace(entry("one"), state=EntryState.WITHDRAWN))
    assert stored(unit_of_work)[0].state is EntryState.WITHDRAWN


@pytest.mark.parametrize("name", ["one", "x" * 128])
def test_under_a_number_the_hash_never_changes(unit_of_work: SqlUnitOfWork, name: str) -> None:
    put(unit_of_work, entry(name))
    seen = version(unit_of_work)
    done = put(unit_of_work, entry(name, value="ee" * 32))
    assert [(one.number, one.value) for one in done.arrived] == [(2, "ee" * 32)]
    before, after = stored(unit_of_work, changed_after=seen)
    assert (before.number, before.state, before.value) == (1, EntryState.WITHDRAWN, "")
    assert before.id.endswith("~1")
    assert (after.number, after.id) == (2, name)
    with unit_of_work.read() as tx:
        was = tx.banks.entry_at(1, seen)
    assert was is not None
    assert was.state is EntryState.ACTIVE


def test_entries_that_gave_up_an_id_are_still_found_by_it(unit_of_work: SqlUnitOfWork) -> None:
    for value in ("aa", "bb", "cc"):
        put(unit_of_work, entry("one", value=value * 32), entry("one~", value=value * 32))
        put(unit_of_work, entry("One", value=value * 32), entry("one-more", value=value * 32))
    with unit_of_work.read() as tx:
        assert tx.banks.retired("one") == [1, 5]
        assert tx.banks.retired("nothing") == []


def test_withdrawing_what_is_withdrawn_changes_nothing(unit_of_work: SqlUnitOfWork) -> None:
    gone = replace(entry("one"), state=EntryState.WITHDRAWN)
    put(unit_of_work, entry("one"))
    assert put(unit_of_work, gone).changed == 1
    assert put(unit_of_work, gone).unchanged == 1


def test_a_disabled_entry_says_until_when_and_acts_again_after_that(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("one"))
    until = NOON + timedelta(hours=1)
    change(unit_of_work, 1, state=EntryState.DISABLED, disabled_until=until)
    (disabled,) = stored(unit_of_work)
    assert disabled.disabled_until == until
    assert (disabled.acts_at(NOON), disabled.acts_at(until)) == (False, True)
    with unit_of_work.read() as tx:
        assert list(tx.banks.all()) == []
    change(unit_of_work, 1, state=EntryState.ACTIVE)
    assert stored(unit_of_work)[0].disabled_until is None


def test_a_past_decision_finds_entry_and_bank_as_they_were(unit_of_work: SqlUnitOfWork) -> None:
    settings = Bank(name=BANK, threshold_bits=20)

    def note(number: int, now: Bank | None) -> BankVersion:
        return BankVersion(
            number=number, bank=BANK, at=NOON, actor="ana", reason="to see", settings=now
        )

    with unit_of_work.begin() as tx:
        first = tx.banks.next_version()
        tx.banks.save_bank(settings, at=NOON)
        tx.banks.put([entry("one")], at=NOON)
        tx.banks.note_version(note(first, settings))
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        second = tx.banks.next_version()
        tx.banks.change([1], opinion=Opinion.NEGATIVE)
        tx.banks.change([1], state=EntryState.DISABLED)
        tx.banks.save_bank(replace(settings, threshold_bits=10), at=NOON)
        tx.banks.note_version(note(second, replace(settings, threshold_bits=10)))
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        third = tx.banks.next_version()
        assert tx.banks.remove_bank(BANK) == 1
        tx.banks.note_version(note(third, None))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        past = [tx.banks.entry_at(1, number) for number in (first - 1, first, second, third)]
        thresholds = [
            bank and bank.threshold_bits
            for bank in (tx.banks.bank_at(BANK, number) for number in (0, first, second, third))
        ]
        assert [one.number for one in tx.banks.versions(BANK, limit=2)] == [third, second]
        assert tx.banks.noted(second, BANK) == note(second, replace(settings, threshold_bits=10))
        assert tx.banks.noted(second, "other") is None
    assert [one and (one.opinion, one.state, one.value) for one in past] == [
        None,
        (Opinion.POSITIVE, EntryState.ACTIVE, ""),
        (Opinion.NEGATIVE, EntryState.DISABLED, ""),
        (Opinion.NEGATIVE, EntryState.WITHDRAWN, ""),
    ]
    assert thresholds == [None, 20, 10, None]


def test_settings_of_banks_come_back_and_unknown_banks_are_made_with_defaults(
    unit_of_work: SqlUnitOfWork,
) -> None:
    settings = Bank(
        name="aside", purpose=BankPurpose.NEGATIVE, threshold_bits=4, enabled_ratio=0.25
    )
    with unit_of_work.begin() as tx:
        tx.banks.save_bank(settings, at=NOON)
        tx.commit(ENTRY)
    put(unit_of_work, entry("one"), entry("one", bank="aside"))
    with unit_of_work.read() as tx:
        assert tx.banks.banks() == [settings, Bank(name=BANK)]
        assert tx.banks.bank("nowhere") is None


def test_a_renamed_bank_takes_its_entries_along_and_readers_are_told(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("one"), entry("other", bank="zorbles"))
    seen = version(unit_of_work)
    with unit_of_work.begin() as tx:
        tx.banks.rename_bank(BANK, "flibbets")
        tx.commit(ENTRY)
    assert [(one.id, one.bank) for one in stored(unit_of_work, changed_after=seen)] == [
        ("one", "flibbets")
    ]
    with unit_of_work.read() as tx:
        assert [one.name for one in tx.banks.banks()] == ["flibbets", "zorbles"]


def test_a_bank_can_have_its_earlier_name_back(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("one"))
    with unit_of_work.begin() as tx:
        tx.banks.rename_bank(BANK, "flibbets")
        tx.banks.rename_bank("flibbets", BANK)
        tx.commit(ENTRY)

    assert [(one.id, one.bank) for one in stored(unit_of_work)] == [("one", BANK)]


def test_a_bank_cannot_take_the_name_of_another(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("one"), entry("x", bank="zorbles"))
    with unit_of_work.begin() as tx, pytest.raises(Conflict):
        tx.banks.rename_bank(BANK, "zorbles")


def test_a_bank_can_take_the_name_of_one_that_was_and_nothing_is_mixed_up(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("one"), entry("one", bank="withdrawn"))
    with unit_of_work.begin() as tx:
        tx.banks.remove_bank("withdrawn")
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        tx.banks.rename_bank(BANK, "withdrawn")
        tx.commit(ENTRY)

    with unit_of_work.read() as tx:
        assert [one.id for one in tx.banks.entries(bank="withdrawn")] == ["one"]
        (left,) = tx.banks.summaries()
    assert (left.bank.name, left.entries) == ("withdrawn", {EntryState.ACTIVE: 1})


def test_an_exchange_goes_on_filling_a_renamed_bank(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("one"))
    with unit_of_work.begin() as tx:
        tx.exchanges.save(Exchange(name="x", api="ncmec", bank=BANK), Credentials(values={}))
        tx.banks.rename_bank(BANK, "flibbets")
        tx.commit(ENTRY)

    with unit_of_work.read() as tx:
        assert tx.exchanges.get("x")[0].bank == "flibbets"


def test_a_withdrawn_bank_is_gone_and_others_stay(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("one"), entry("two"), entry("one", bank="zorbles"))
    change(unit_of_work, 2, state=EntryState.WITHDRAWN)
    seen = version(unit_of_work)
    with unit_of_work.begin() as tx:
        assert tx.banks.remove_bank(BANK) == 1
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        (left,) = tx.banks.summaries()
        assert [one.bank for one in tx.banks.all()] == ["zorbles"]
    assert left.bank.name == "zorbles"
    assert ids(stored(unit_of_work, changed_after=seen)) == ["one"]


def test_summary_counts_by_state_and_active_entries_by_kind_and_opinion(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(
        unit_of_work,
        entry("one"),
        replace(entry("two", value="ab" * 16), kind=HashKind.MD5, opinion=Opinion.DISPUTED),
        entry("three"),
    )
    change(unit_of_work, 3, state=EntryState.DISABLED)
    noted = BankVersion(
        number=9, bank=BANK, at=NOON, actor="ana", reason="to see", settings=Bank(name=BANK)
    )
    with unit_of_work.begin() as tx:
        tx.banks.note_version(noted)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        (summary,) = tx.banks.summaries()
    assert summary.entries == {EntryState.ACTIVE: 2, EntryState.DISABLED: 1}
    assert summary.kinds == {HashKind.PDQ: 1, HashKind.MD5: 1}
    assert summary.opinions == {Opinion.POSITIVE: 1, Opinion.DISPUTED: 1}
    assert (summary.updated_at, summary.version) == (NOON, 9)


def test_held_entries_are_told_by_the_version_that_brought_them(
    unit_of_work: SqlUnitOfWork,
) -> None:
    put(unit_of_work, entry("fine"))
    held = [replace(entry(name), state=EntryState.HELD) for name in ("one", "two")]
    put(unit_of_work, *held)
    with unit_of_work.read() as tx:
        assert tx.banks.held() == [Held(version=2, bank=BANK, entries=2)]
        assert ids(list(tx.banks.all())) == ["fine"]
    change(unit_of_work, 2, state=EntryState.ACTIVE)
    with unit_of_work.read() as tx:
        assert tx.banks.held() == [Held(version=2, bank=BANK, entries=1)]


def test_one_transaction_has_one_version_however_much_it_changes(
    unit_of_work: SqlUnitOfWork,
) -> None:
    with unit_of_work.begin() as tx:
        tx.banks.put([entry("one")], at=NOON)
        tx.banks.change([1], opinion=Opinion.NEGATIVE)
        assert tx.banks.next_version() == tx.banks.version() == 1
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.banks.version() == 1
        assert tx.lists_version()[0] == 1


def test_what_is_not_committed_leaves_no_entry_no_number_and_no_version(
    unit_of_work: SqlUnitOfWork,
) -> None:
    with unit_of_work.begin() as tx:
        tx.banks.put([entry("one")], at=NOON)
    assert (stored(unit_of_work), version(unit_of_work)) == ([], 0)
    put(unit_of_work, entry("two"))
    assert stored(unit_of_work)[0].number == 1


def test_writers_at_once_get_numbers_and_versions_of_their_own(
    unit_of_work: SqlUnitOfWork,
) -> None:
    start = Barrier(3)

    def write(name: str) -> None:
        start.wait()
        for turn in range(10):
            put(unit_of_work, *(entry(f"{name}-{turn}-{one}") for one in range(5)))

    def read() -> list[int]:
        """Follow the versions as an index does, and return every number in the order told."""
        start.wait()
        seen, told = 0, []
        while seen < 20:
            with unit_of_work.read() as tx:
                newest = tx.banks.version()
                told += [one.number for one in tx.banks.entries(changed_after=seen)]
                seen = newest
        return told

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, name) for name in ("left", "right")]
        reader = pool.submit(read)
        for writer in writers:
            writer.result()
        told = reader.result()
    assert told == list(range(1, 101)), "in the order of versions, none missed, none twice"
    assert version(unit_of_work) == 20


def test_hashes_stand_nowhere_in_the_database(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    secret = "7e5a" * 16
    put(unit_of_work, entry("one", value=secret))
    everything = raw_bytes(engine)
    assert BANK.encode() in everything, "the search would find what is there"
    assert secret.encode() not in everything
    assert bytes.fromhex(secret) not in everything


def test_a_hash_that_was_changed_is_refused(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    put(unit_of_work, entry("one"))
    with engine.begin() as connection:
        sealed = connection.execute(text("SELECT sealed_value FROM bank_entry")).scalar_one()
        flipped = bytes(sealed)[:-1] + bytes([bytes(sealed)[-1] ^ 1])
        connection.execute(update(schema.bank_entry).values(sealed_value=flipped))
    with unit_of_work.read() as tx, pytest.raises(IntegrityFailure):
        list(tx.banks.all())


def test_what_is_said_of_a_picture_is_sealed_and_goes_when_nothing_is_said(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    said = b'{"content_id": "zorbleflux"}'
    with unit_of_work.begin() as tx:
        tx.banks.describe(7, b"before")
        tx.banks.describe(7, said)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert (tx.banks.described(7), tx.banks.described(8)) == (said, b"")
    assert b"zorbleflux" not in raw_bytes(engine)

    with unit_of_work.begin() as tx:
        tx.banks.describe(7, b"")
        tx.commit(ENTRY)

    with unit_of_work.read() as tx:
        assert tx.banks.described(7) == b""


def test_what_is_said_of_what_is_not_let_in_goes_with_it(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        staged = tx.banks.next_version()
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        tx.banks.put([replace(entry("one"), content=-1)], at=NOON, staged=staged)
        [held] = tx.banks.entries(ids=["one"])
        tx.banks.describe(held.content, b"{}")
        tx.commit(ENTRY)

    with unit_of_work.begin() as tx:
        assert tx.banks.discard(staged) == 1
        tx.commit(ENTRY)

    with unit_of_work.read() as tx:
        assert tx.banks.described(held.content) == b""


def test_what_is_said_of_a_picture_goes_with_its_last_hash(unit_of_work: SqlUnitOfWork) -> None:
    def described() -> list[bool]:
        with unit_of_work.read() as tx:
            return [bool(tx.banks.described(number)) for number in contents]

    pair = [replace(entry(name), content=-1) for name in ("one", "two")]
    alone = [replace(entry(name), content=0) for name in ("three", "four")]
    put(unit_of_work, *pair, *alone)
    stays = replace(entry("five"), bank="another")
    put(unit_of_work, stays)
    [one, two, three, four, five] = stored(unit_of_work)
    contents = [one.content, three.content, four.content, five.content]
    with unit_of_work.begin() as tx:
        for number in contents:
            tx.banks.describe(number, b"{}")
        tx.commit(ENTRY)

    change(unit_of_work, one.number, state=EntryState.WITHDRAWN)
    assert described() == [True] * 4
    change(unit_of_work, two.number, state=EntryState.WITHDRAWN)
    assert described() == [False, True, True, True]
    put(unit_of_work, replace(three, state=EntryState.WITHDRAWN))
    assert described() == [False, False, True, True]
    with unit_of_work.begin() as tx:
        tx.banks.remove_bank(BANK)
        tx.commit(ENTRY)

    assert described() == [False, False, False, True]


def test_disabled_entries_wake_in_time_bank_by_bank(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, entry("late"), entry("never"), entry("due", bank="other"), entry("also due"))
    ends = {"late": 9, "due": 1, "also due": 2}
    for one in stored(unit_of_work):
        until = NOON + timedelta(hours=ends[one.id]) if one.id in ends else None
        change(unit_of_work, one.number, state=EntryState.DISABLED, disabled_until=until)
    with unit_of_work.read() as tx:
        assert ids(tx.banks.waking(NOON, 9)) == []
        assert ids(tx.banks.waking(NOON + timedelta(hours=2), 9)) == ["due", "also due"]
        assert ids(tx.banks.waking(NOON + timedelta(hours=2), 1)) == ["due"]
    for one in stored(unit_of_work):
        change(unit_of_work, one.number, state=EntryState.ACTIVE)
    with unit_of_work.read() as tx:
        assert tx.banks.waking(NOON + timedelta(days=9), 9) == []


def test_banks_that_changed_since_a_version_are_named(unit_of_work: SqlUnitOfWork) -> None:
    for number, name in enumerate(("one", "two", "one"), start=1):
        with unit_of_work.begin() as tx:
            noted = BankVersion(
                number=number, bank=name, at=NOON, actor="ana", reason="x", settings=None
            )
            tx.banks.note_version(noted)
            tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert [tx.banks.changed_banks(after) for after in range(4)] == [
            ["one", "two"],
            ["one", "two"],
            ["one"],
            [],
        ]
