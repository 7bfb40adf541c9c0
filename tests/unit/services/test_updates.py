"""Updates of banks come in whole, and what would match everything waits for a person."""

from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import HandClock

from nightlight.errors import InvalidInput, NotFound
from nightlight.model.bank import Bank, BankEntry, BankPurpose, HashKind, Opinion
from nightlight.model.media import MediaHashes, ViewHash

_FILES = 1_000
_PDQ = "0f" * 32


def plain_traffic() -> list[MediaHashes]:
    return [MediaHashes(md5=md5(place)) for place in range(_FILES)]


def entry(name: str, value: str, *, kind: HashKind = HashKind.MD5) -> BankEntry:
    return BankEntry(id=name, bank="quibble", kind=kind, value=value, source_ref=f"ref-{name}")


def test_record_says_who_and_how_many_but_not_what(bank_desk: BankDesk) -> None:
    done = bank_desk.banks.import_entries("quibble", [line(1), line(2), "{}"], **WHO)
    assert (done.read, done.added, len(done.rejected), done.held) == (2, 2, 1, 0)
    (told,) = bank_desk.record()
    assert (told.actor, told.action, told.subject, told.reason) == (
        *("ana", "bank.imported", "quibble"),
        "to see",
    )
    assert told.detail == {
        "version": 1,
        "read": 2,
        "added": 2,
        "changed": 0,
        "withdrawn": 0,
        "rejected": 1,
    }
    assert md5(1) not in repr(told)


def test_importing_again_adds_nothing_and_brings_what_changed_up_to_date(
    bank_desk: BankDesk,
) -> None:
    bank_desk.banks.import_entries("quibble", [line(1), line(2, classification="B1")], **WHO)
    again = bank_desk.banks.import_entries(
        "quibble", [line(1, classification="A1", opinion="disputed"), line(2)], **WHO
    )
    assert (again.added, again.changed) == (0, 1)
    assert [(one.classification, one.opinion) for one in bank_desk.entries()] == [
        ("A1", Opinion.DISPUTED),
        ("B1", Opinion.POSITIVE),
    ], "a file that is silent takes nothing away"


def test_a_file_that_gives_no_opinion_leaves_a_persons_as_it_is(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    bank_desk.banks.set_opinion("quibble", "entry-1", Opinion.NEGATIVE, **WHO)
    bank_desk.banks.import_entries("quibble", [line(1)], **WHO)
    assert bank_desk.entries()[0].opinion is Opinion.NEGATIVE


def test_a_withdrawn_line_withdraws_the_entry(bank_desk: BankDesk) -> None:
    bank_desk.banks.import_entries("quibble", [line(1), line(2)], **WHO)
    bank_desk.banks.import_entries(
        "quibble", [line(1, state="withdrawn").replace(md5(1), "")], **WHO
    )
    assert bank_desk.states() == {"entry-1": "withdrawn", "entry-2": "active"}


def test_a_dry_run_tells_what_would_be_and_stores_nothing(bank_desk: BankDesk) -> None:
    done = bank_desk.banks.preview_import("quibble", [line(1)])
    assert done.added == 1
    assert (bank_desk.entries(), bank_desk.record()) == ([], [])


@pytest.mark.parametrize("name", ["", "two words", "7up", "-x", "a/b", "x" * 65])
def test_a_bank_of_a_wrong_name_is_not_made_on_the_way(bank_desk: BankDesk, name: str) -> None:
    with pytest.raises(InvalidInput, match="name: not a name"):
        bank_desk.banks.import_entries(name, [line(1)], **WHO)


def test_an_id_made_here_tells_nothing_to_somebody_with_a_list_of_their_own(
    bank_desk: BankDesk, clock: HandClock
) -> None:
    bare = f'{{"kind": "md5", "value": "{md5(1)}"}}'
    bank_desk.banks.import_entries("ours", [bare], **WHO)
    other = BankDesk(bank_desk.unit_of_work, clock, key=b"another")
    other.banks.import_entries("ours", [bare], **WHO)
    assert len(bank_desk.states()) == 2, "the same entry has another id under another key"


def test_an_exchange_puts_and_withdraws_in_one_version(bank_desk: BankDesk) -> None:
    bank_desk.banks.put("quibble", [entry("one", md5(1)), entry("two", md5(2))], **WHO)
    taken = bank_desk.banks.put(
        "quibble", [entry("three", md5(3))], withdrawn_refs=["ref-one", "ref-unknown"], **WHO
    )
    assert (taken.version, taken.added, taken.withdrawn) == (2, 1, 1)
    assert bank_desk.states() == {"one": "withdrawn", "two": "active", "three": "active"}
    (newest, _) = bank_desk.banks.history("quibble")
    assert (newest.number, newest.added, newest.withdrawn, newest.actor) == (2, 1, 1, "ana")


def test_a_page_that_changes_nothing_leaves_no_trace(bank_desk: BankDesk) -> None:
    bank_desk.banks.put("quibble", [entry("one", md5(1))], **WHO)
    taken = bank_desk.banks.put("quibble", [entry("one", md5(1))], **WHO)
    assert taken.unchanged == 1
    assert len(bank_desk.record()) == 1
    with bank_desk.unit_of_work.read() as tx:
        assert tx.banks.version() == 1


def test_an_update_that_matches_much_of_recent_traffic_waits_whole(bank_desk: BankDesk) -> None:
    bank_desk.traffic(*plain_traffic())
    flood = [line(place) for place in range(6)]
    done = bank_desk.banks.import_entries("quibble", [*flood, line(5_000)], **WHO)
    assert (done.added, done.held, done.matched_files, done.looked_at) == (7, 7, 6, _FILES)
    assert set(bank_desk.states().values()) == {"held"}
    (held,) = bank_desk.banks.held_updates()
    assert (held.version, held.bank, held.entries, held.share) == (1, "quibble", 7, 0.006)
    assert (held.actor, held.reason) == ("ana", "to see")
    assert [one.action for one in bank_desk.record()][1:] == ["bank.imported", "bank.held"]


@pytest.mark.parametrize("matches", [0, 4, 5])
def test_an_update_that_matches_little_acts_at_once(bank_desk: BankDesk, matches: int) -> None:
    bank_desk.traffic(*plain_traffic())
    done = bank_desk.banks.import_entries(
        "quibble", [line(place) for place in range(_FILES - matches, 2 * _FILES)], **WHO
    )
    assert (done.held, done.matched_files) == (0, matches)


def test_without_traffic_nothing_waits(bank_desk: BankDesk) -> None:
    assert bank_desk.banks.import_entries("quibble", [line(1)], **WHO).held == 0


def test_a_flood_in_slices_waits_from_where_it_is_too_much(bank_desk: BankDesk) -> None:
    bank_desk.traffic(*plain_traffic())
    held = [
        bank_desk.banks.put(
            "quibble",
            [entry(f"{page}-{at}", md5(_FILES * at + page)) for at in range(2)],
            **WHO,
        ).held
        for page in range(10)
    ]
    assert held == [0] * 5 + [1] * 5, (
        "more than five files are too many, and what matches none acts"
    )


def test_a_flood_of_single_additions_waits_whatever_stands_between(bank_desk: BankDesk) -> None:
    bank_desk.traffic(*plain_traffic())
    banks = bank_desk.banks
    banks.create(Bank(name="quibble"), **WHO)
    for place in range(8):
        number = banks.add_content("quibble", [(HashKind.MD5, md5(place), "", 100)], **WHO)
        banks.disable_content("quibble", number, None, **WHO)
        banks.add_content("quibble", [(HashKind.MD5, md5(9_000 + place), "", 100)], **WHO)
    banks.change("quibble", new_name="other", **WHO)
    banks.add_content("other", [(HashKind.MD5, md5(20), "", 100)], **WHO)
    states = Counter(bank_desk.states().values())
    assert states == {"disabled": 5, "active": 8, "held": 4}


def test_what_came_in_disabled_is_tried_when_it_is_enabled(bank_desk: BankDesk) -> None:
    bank_desk.traffic(*plain_traffic())
    banks = bank_desk.banks
    banks.import_entries("quibble", [line(place, state="disabled") for place in range(10)], **WHO)
    enabled = [banks.enable_entry("quibble", f"entry-{place}", **WHO) for place in range(10)]
    assert enabled == [1] * 5 + [0] * 5
    assert Counter(bank_desk.states().values()) == {"active": 5, "held": 5}
    first, *_ = banks.held_updates()
    assert (first.entries, first.actor) == (1, WHO["actor"])
    assert [one.action for one in bank_desk.record()[-2:]] == ["bank.entry_changed", "bank.held"]
    banks.release(first.version, **WHO)
    assert bank_desk.states()["entry-5"] == "active", "a person looked: it is not tried again"


def test_a_flooding_picture_that_came_in_disabled_waits_also_where_a_time_is_set(
    bank_desk: BankDesk, clock: HandClock
) -> None:
    bank_desk.traffic(*[MediaHashes(md5=md5(1))] * _FILES)
    banks, soon = bank_desk.banks, clock.now() + timedelta(hours=1)
    banks.import_entries("quibble", [line(1, state="disabled")], **WHO)
    banks.import_entries("flibbet", [line(2, state="disabled")], **WHO)
    assert banks.disable_entry("quibble", "entry-1", soon, **WHO) == 0
    assert banks.disable_entry("flibbet", "entry-2", soon, **WHO) == 1
    assert bank_desk.states() == {"entry-1": "held", "entry-2": "disabled"}


def test_what_a_person_released_goes_on_acting_when_the_rest_of_its_picture_is_enabled(
    bank_desk: BankDesk,
) -> None:
    banks = bank_desk.banks
    banks.create(Bank(name="quibble"), **WHO)
    kinds = ((HashKind.MD5, md5(1)), (HashKind.SHA1, "0b" * 20))
    number = banks.add_content("quibble", [(*one, "", 100) for one in kinds], **WHO)
    first, second = banks.content("quibble", number).entries
    banks.disable_entry("quibble", second.id, None, **WHO)
    bank_desk.traffic(*[MediaHashes(md5=md5(1))] * _FILES)
    assert banks.enable_content("quibble", number, **WHO) == 1
    assert bank_desk.states() == {first.id: "active", second.id: "active"}


def test_what_acted_before_is_not_tried_when_it_is_disabled_for_a_while(
    bank_desk: BankDesk, clock: HandClock
) -> None:
    banks, soon = bank_desk.banks, clock.now() + timedelta(hours=1)
    banks.import_entries("quibble", [line(1)], **WHO)
    bank_desk.traffic(*[MediaHashes(md5=md5(1))] * _FILES)
    assert banks.disable_entry("quibble", "entry-1", soon, **WHO) == 1
    assert bank_desk.states() == {"entry-1": "disabled"}


def test_a_slow_list_does_not_wait(bank_desk: BankDesk, clock: HandClock) -> None:
    bank_desk.traffic(*plain_traffic())
    for place in range(20):
        clock.advance(hours=8)
        done = bank_desk.banks.put("quibble", [entry(f"{place}", md5(place))], **WHO)
        assert (done.held, done.matched_files) == (0, 1)


def test_a_known_bank_is_not_vetoed_entry_by_entry(bank_desk: BankDesk) -> None:
    known = [line(place) for place in range(100)]
    bank_desk.banks.import_entries("known", known, **WHO)
    bank_desk.banks.create(Bank(name="aside", purpose=BankPurpose.NEGATIVE), **WHO)
    for place in range(30):
        bank_desk.known.entries = {"known": {place}}
        bank_desk.banks.add_content("aside", [(HashKind.MD5, md5(place), "", 100)], **WHO)
    states = [one.state.value for one in bank_desk.entries() if one.bank == "aside"]
    assert states == ["active"] * 19 + ["held"] * 11


def near(bits: int) -> str:
    """Return a PDQ hash so many bits from ``_PDQ``."""
    return f"{int(_PDQ, 16) ^ ((1 << bits) - 1):064x}"


def test_a_single_entry_that_matches_everything_waits_alone(bank_desk: BankDesk) -> None:
    blank = [MediaHashes(pdq=near(place), pdq_quality=80) for place in range(5)]
    bank_desk.traffic(*plain_traffic()[5:], *blank)
    done = bank_desk.banks.import_entries(
        "quibble", [line(5_000), line(1, kind="pdq", value=_PDQ)], **WHO
    )
    assert (done.held, done.matched_files) == (1, 5)
    assert bank_desk.states() == {"entry-5000": "active", "entry-1": "held"}


@pytest.mark.parametrize(("threshold", "held"), [(31, 1), (3, 0)])
def test_a_bank_is_tried_at_its_own_threshold(
    bank_desk: BankDesk, threshold: int, held: int
) -> None:
    bank_desk.banks.create(Bank(name="quibble", threshold_bits=threshold), **WHO)
    bank_desk.traffic(*[MediaHashes(pdq=near(10), pdq_quality=80)] * 5)
    done = bank_desk.banks.import_entries("quibble", [line(1, kind="pdq", value=_PDQ)], **WHO)
    assert done.held == held


@pytest.mark.parametrize(("quality", "held"), [(80, 1), (49, 0)])
def test_other_views_of_recent_files_count_if_they_would_be_matched(
    bank_desk: BankDesk, quality: int, held: int
) -> None:
    turned = ViewHash(view="turned-90", pdq=_PDQ, quality=quality)
    bank_desk.traffic(*[MediaHashes(pdq="f0" * 32, pdq_quality=80, views=(turned,))] * 5)
    done = bank_desk.banks.import_entries("quibble", [line(1, kind="pdq", value=_PDQ)], **WHO)
    assert done.held == held


def test_what_acts_already_is_not_held_because_a_list_names_it_again(
    bank_desk: BankDesk,
) -> None:
    old = [line(place) for place in range(6)]
    bank_desk.banks.import_entries("quibble", old, **WHO)
    bank_desk.traffic(*plain_traffic())
    again = bank_desk.banks.import_entries(
        "quibble", [line(place, classification="A1") for place in range(6)], **WHO
    )
    assert (again.changed, again.held) == (6, 0)


def test_a_put_is_held_like_an_import(bank_desk: BankDesk) -> None:
    bank_desk.traffic(*plain_traffic())
    entries = [entry(f"e-{place}", md5(place)) for place in range(6)]
    assert bank_desk.banks.put("quibble", entries, **WHO).held == 6


def flood(bank_desk: BankDesk) -> int:
    bank_desk.traffic(*plain_traffic())
    bank_desk.banks.import_entries("quibble", [line(place) for place in range(6)], **WHO)
    (held,) = bank_desk.banks.held_updates()
    return held.version


def test_a_released_update_acts(bank_desk: BankDesk) -> None:
    version = flood(bank_desk)
    done = bank_desk.banks.release(version, actor="bo", reason="it is right")
    assert (done.entries, done.bank) == (6, "quibble")
    assert set(bank_desk.states().values()) == {"active"}
    assert bank_desk.banks.held_updates() == []
    told = bank_desk.record()[-1]
    assert (told.action, told.actor, told.detail["update"]) == ("bank.released", "bo", version)


def test_a_rejected_update_is_withdrawn(bank_desk: BankDesk) -> None:
    bank_desk.banks.reject(flood(bank_desk), **WHO)
    assert set(bank_desk.states().values()) == {"withdrawn"}
    assert {one.value for one in bank_desk.entries()} == {""}
    assert bank_desk.record()[-1].action == "bank.rejected"


def test_a_held_update_is_looked_at_by_its_version(bank_desk: BankDesk) -> None:
    version = flood(bank_desk)
    assert bank_desk.banks.held_update(version).entries == 6
    assert set(bank_desk.states().values()) == {"held"}


def test_only_an_update_that_waits_can_be_released_or_rejected(bank_desk: BankDesk) -> None:
    version = flood(bank_desk)
    bank_desk.banks.reject(version, **WHO)
    for decide in (bank_desk.banks.release, bank_desk.banks.reject):
        for number in (version, 99):
            with pytest.raises(NotFound):
                decide(number, **WHO)


@pytest.mark.parametrize(
    ("matched", "known", "held"), [(20, 100, 1), (19, 100, 0), (20, 2_000, 0), (21, 2_000, 1)]
)
def test_a_negative_bank_that_would_switch_a_known_one_off_waits(
    bank_desk: BankDesk, matched: int, known: int, held: int
) -> None:
    bank_desk.banks.import_entries("known", [line(place) for place in range(known)], **WHO)
    bank_desk.banks.create(Bank(name="aside", purpose=BankPurpose.NEGATIVE), **WHO)
    bank_desk.known.entries = {"known": set(range(matched))}
    assert bank_desk.banks.import_entries("aside", [line(1)], **WHO).held == held


def test_traffic_is_read_again_after_a_while(bank_desk: BankDesk, clock: HandClock) -> None:
    assert bank_desk.banks.import_entries("first", [line(1)], **WHO).looked_at == 0
    bank_desk.traffic(*plain_traffic())
    clock.advance(minutes=10)
    done = bank_desk.banks.import_entries("second", [line(2)], **WHO)
    assert (done.looked_at, done.matched_files) == (_FILES, 1)


def test_an_entry_that_a_list_corrects_is_tried_anew(bank_desk: BankDesk) -> None:
    bank_desk.banks.put("quibble", [entry("one", _PDQ, kind=HashKind.PDQ)], **WHO)
    bank_desk.traffic(*[MediaHashes(pdq="3c" * 32, pdq_quality=80)] * 5)
    bank_desk.banks._traffic = None
    corrected = replace(entry("one", "3c" * 32, kind=HashKind.PDQ))
    assert bank_desk.banks.put("quibble", [corrected], **WHO).held == 1
