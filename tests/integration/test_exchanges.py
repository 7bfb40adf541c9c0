"""Exchanges into banks and opinions back, over HTTP, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import Told
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.exchanges import KEY, NAMES, Pauses, SimulatedExchange
from tests.ports.builders import ENTRY, make_media

from nightlight.adapters.exchanges import Connector
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted, Unavailable
from nightlight.exchange.apis import offered
from nightlight.exchange.registry import Credentials, Exchange, VoteState
from nightlight.model.bank import BankEntry, EntryState, HashKind, Opinion
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.services.banks import Banks
from nightlight.services.exchanges import Exchanges

BANK = NAMES.bank
BY: dict[str, Any] = {"actor": "a test", "reason": "to see"}


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("ncmec-hashes") as started:
        yield started


@pytest.fixture
def ncmec(running: SimulatedExchange) -> SimulatedExchange:
    running.reset()
    return running


@pytest.fixture
def banks(unit_of_work: SqlUnitOfWork, clock: HandClock) -> Banks:
    return Banks(unit_of_work=unit_of_work, clock=clock, id_key=KEY, known=Told())


@pytest.fixture
def exchanges(unit_of_work: SqlUnitOfWork, clock: HandClock, banks: Banks) -> Exchanges:
    return Exchanges(
        unit_of_work=unit_of_work,
        clock=clock,
        updates=banks,
        connect=Connector(clock=clock, pause=Pauses()),
        apis=offered(sample=True),
        id_key=KEY,
    )


@pytest.fixture
def set_up(exchanges: Exchanges, ncmec: SimulatedExchange) -> Exchanges:
    exchanges.add(
        ncmec.exchange(negative_reason="Not what it is said to be"), ncmec.credentials(), **BY
    )
    return exchanges


def held(unit_of_work: SqlUnitOfWork) -> dict[str, BankEntry]:
    with unit_of_work.read() as tx:
        found = tx.banks.entries(bank=BANK, states=[EntryState.ACTIVE])
        return {entry.value: entry for entry in found}


def expected(ncmec: SimulatedExchange) -> set[str]:
    return {
        value
        for item in ncmec.state()["items"]
        for kind, value in item["fingerprints"].items()
        if kind in ("md5", "sha1", "pdq")
    }


def audited(unit_of_work: SqlUnitOfWork) -> list[str]:
    with unit_of_work.read() as tx:
        return [one.entry.action for one in tx.audit.entries()]


def test_a_fetch_brings_every_entry_into_the_bank(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    done = set_up.fetch("Exampleton")
    assert set(held(unit_of_work)) == expected(ncmec)
    assert (done.added, done.up_to_date, done.rejected) == (140, True, 0)
    assert done.ignored == {"PDNA": 40, "TMK_PDQF": 10}
    status = set_up.status("Exampleton")
    assert (status.succeeded, status.up_to_date, status.fetched) == (True, True, 140)
    assert status.running_since is None


def test_the_hashes_of_one_item_share_their_content(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    set_up.fetch("Exampleton")
    found = held(unit_of_work)
    for item in ncmec.state()["items"]:
        own = [found[v] for k, v in item["fingerprints"].items() if k in ("md5", "sha1", "pdq")]
        assert len({entry.content for entry in own}) == 1


def test_fetching_again_changes_and_records_nothing(
    set_up: Exchanges, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    before = audited(unit_of_work)
    with unit_of_work.read() as tx:
        version = tx.banks.version()
    clock.advance(minutes=5)
    done = set_up.fetch("Exampleton")
    with unit_of_work.read() as tx:
        assert tx.banks.version() == version
    assert (done.added, done.changed, done.withdrawn) == (0, 0, 0)
    assert audited(unit_of_work) == before


def test_a_deletion_withdraws_and_erases(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    ncmec.delete("image1", int(clock.now().timestamp()))
    clock.advance(minutes=5)
    done = set_up.fetch("Exampleton")
    assert done.withdrawn == 3
    assert set(held(unit_of_work)) == expected(ncmec)
    with unit_of_work.read() as tx:
        gone = [e for e in tx.banks.entries(bank=BANK) if e.state is EntryState.WITHDRAWN]
    assert [entry.value for entry in gone] == ["", "", ""]


def test_a_changed_hash_takes_the_place_of_the_old_one(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    item = ncmec.state()["items"][1]
    item["fingerprints"]["md5"] = "ab" * 16
    ncmec.put({**item, "updated_s": int(clock.now().timestamp())})
    clock.advance(minutes=5)
    set_up.fetch("Exampleton")
    assert set(held(unit_of_work)) == expected(ncmec)


def test_what_a_person_disabled_stays_disabled(
    set_up: Exchanges, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    some = next(iter(held(unit_of_work).values()))
    with unit_of_work.begin() as tx:
        tx.banks.change([some.number], state=EntryState.DISABLED)
        tx.commit_unrecorded()
    clock.advance(minutes=5)
    set_up.fetch("Exampleton", from_start=True)
    assert some.value not in held(unit_of_work)


def test_a_damaged_entry_is_quarantined_once_and_the_rest_comes_in(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    ncmec.fault(kind="corrupt_entry", path="/entries?", times=2)
    first = set_up.fetch("Exampleton")
    set_up.fetch("Exampleton", from_start=True)
    assert (first.rejected, first.added) == (2, 138)
    with unit_of_work.read() as tx:
        found = tx.events.quarantined(10)
    assert len(found) == 2
    assert {one.origin for one in found} == {"exchange:Exampleton"}
    assert set(held(unit_of_work)) == expected(ncmec)


def test_a_damaged_page_is_quarantined_and_told_as_missing(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    ncmec.fault(kind="corrupt_page", path="/entries?", after=1, times=4)
    done = set_up.fetch("Exampleton")
    assert done.rejected == 1
    assert "could not be read" in done.missing
    assert set_up.status("Exampleton").failure == done.missing
    assert len(held(unit_of_work)) > 100
    with unit_of_work.read() as tx:
        assert tx.events.quarantine_size() == 1


def test_a_fetch_that_breaks_off_keeps_its_pages_and_says_why(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    ncmec.fault(kind="status", path="/entries?", after=2, times=99)
    with pytest.raises(Unavailable):
        set_up.fetch("Exampleton")
    status = set_up.status("Exampleton")
    assert (status.succeeded, status.up_to_date, status.running_since) == (False, False, None)
    assert "answered 500" in status.failure
    kept = len(held(unit_of_work))
    assert 0 < kept < 140
    ncmec.clear_faults()
    assert set_up.fetch("Exampleton").added == 140 - kept


def test_refused_credentials_are_not_tried_again_until_there_are_new_ones(
    exchanges: Exchanges, ncmec: SimulatedExchange, clock: HandClock
) -> None:
    exchanges.add(ncmec.exchange(), ncmec.credentials(password="quibble"), **BY)
    (first,) = exchanges.fetch_due()
    assert first.failure.startswith("credentials refused")
    clock.advance(days=1)
    assert exchanges.fetch_due() == []
    new = Credentials(values={"password": "sim"})
    exchanges.change("Exampleton", credentials=new, **BY)
    (second,) = exchanges.fetch_due()
    assert second.failure == ""


def test_an_exchange_is_due_when_its_time_has_come_and_it_is_enabled(
    set_up: Exchanges, clock: HandClock
) -> None:
    assert len(set_up.fetch_due()) == 1
    clock.advance(seconds=299)
    assert set_up.fetch_due() == []
    clock.advance(seconds=1)
    assert len(set_up.fetch_due()) == 1
    set_up.change("Exampleton", enabled=False, **BY)
    clock.advance(days=1)
    assert set_up.fetch_due() == []


def test_a_fetch_that_was_asked_to_end_goes_on_at_once(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    pages: list[int] = []
    set_up.fetch("Exampleton", stop=lambda: bool(pages), progress=lambda d: pages.append(d.pages))
    assert len(held(unit_of_work)) < 140
    (done,) = set_up.fetch_due()
    assert done.failure == ""
    assert set(held(unit_of_work)) == expected(ncmec)


def test_a_fetch_from_the_start_withdraws_what_is_no_longer_there(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    item = {"id": "lost", "member": "42", "kind": "video", "updated_s": 1_700_000_000}
    ncmec.put({**item, "fingerprints": {"md5": "cd" * 16}})
    set_up.fetch("Exampleton")
    assert "cd" * 16 in held(unit_of_work)
    ncmec.reset()
    clock.advance(minutes=5)
    done = set_up.fetch("Exampleton", from_start=True)
    assert done.withdrawn == 1
    assert set(held(unit_of_work)) == expected(ncmec)


def test_nothing_is_withdrawn_for_missing_when_a_page_could_not_be_read(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    clock.advance(minutes=5)
    ncmec.fault(kind="corrupt_page", path="/entries?", after=1, times=4)
    with pytest.raises(Unavailable, match="what is gone cannot be told"):
        set_up.fetch("Exampleton", from_start=True)
    assert set(held(unit_of_work)) == expected(ncmec)


def let_many_post(unit_of_work: SqlUnitOfWork, md5: str, *, files: int = 10) -> None:
    """Let one harmless file be posted again and again."""
    scan = Scan(state=ScanState.SCANNED, hashes=MediaHashes(md5=md5))
    media = [
        replace(make_media(f"media-{place}", uploaded_at=NOON), scan=scan) for place in range(files)
    ]
    with unit_of_work.begin() as tx:
        tx.context.save(accounts=[], posts=[], media=media)
        tx.commit(ENTRY)


def test_what_would_match_much_harmless_traffic_waits_for_a_person(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, banks: Banks
) -> None:
    md5 = ncmec.state()["items"][1]["fingerprints"]["md5"]
    let_many_post(unit_of_work, md5)
    assert set_up.fetch("Exampleton").held == 1
    assert set(held(unit_of_work)) == expected(ncmec) - {md5}
    (waiting,) = banks.held_updates()
    banks.release(waiting.version, **BY)
    assert set(held(unit_of_work)) == expected(ncmec)


def test_what_a_person_rejected_does_not_come_back_from_the_same_list(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, banks: Banks
) -> None:
    md5 = ncmec.state()["items"][1]["fingerprints"]["md5"]
    let_many_post(unit_of_work, md5)
    set_up.fetch("Exampleton")
    (waiting,) = banks.held_updates()
    banks.reject(waiting.version, **BY)
    assert set_up.fetch("Exampleton", from_start=True).added == 0
    assert set(held(unit_of_work)) == expected(ncmec) - {md5}
    assert banks.held_updates() == []


def test_two_fetches_of_one_exchange_do_not_run_at_once(set_up: Exchanges) -> None:
    refusals: list[str] = []

    def meanwhile(_: object) -> None:
        with pytest.raises(Conflict):
            set_up.fetch("Exampleton")
        refusals.append("refused")

    set_up.fetch("Exampleton", progress=meanwhile)
    assert len(refusals) == 5


def test_an_exchange_set_up_twice_or_into_a_fed_bank_is_refused(
    set_up: Exchanges, ncmec: SimulatedExchange
) -> None:
    with pytest.raises(Conflict, match="there is an exchange"):
        set_up.add(ncmec.exchange(), ncmec.credentials(), **BY)
    with pytest.raises(Conflict, match="feeds the bank"):
        set_up.add(ncmec.exchange(name="another"), ncmec.credentials(), **BY)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"url": "http://elsewhere.example.test/hashsharing"}, "url"),
        ({"url": "https://user:quibble@elsewhere.example.test/"}, "url"),
        ({"zorbleflux": "1"}, "not an? option"),
        ({"url": "ftp://127.0.0.1/"}, "url"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    exchanges: Exchanges, ncmec: SimulatedExchange, options: dict[str, str], fault: str
) -> None:
    wrong = Exchange(name="wrong", api="ncmec", bank=BANK, options=options)
    with pytest.raises(InvalidInput, match=fault):
        exchanges.add(wrong, ncmec.credentials(), **BY)


def test_the_sample_brings_the_published_examples(
    exchanges: Exchanges, unit_of_work: SqlUnitOfWork
) -> None:
    exchanges.add(Exchange(name="sample", api="sample", bank=BANK), Credentials(), **BY)
    assert exchanges.fetch("sample").added == 18
    assert exchanges.fetch("sample").added == 0
    assert len(held(unit_of_work)) == 18


def test_the_sample_is_not_offered_without_test_hooks() -> None:
    assert "sample" not in offered(sample=False)


def test_a_removed_exchange_leaves_its_entries_or_takes_its_bank_along(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    set_up.fetch("Exampleton")
    assert set_up.remove("Exampleton", **BY) == 0
    assert len(held(unit_of_work)) == 140
    set_up.add(ncmec.exchange(), ncmec.credentials(), **BY)
    assert set_up.remove("Exampleton", with_bank=True, **BY) == 140
    assert held(unit_of_work) == {}
    with pytest.raises(NotFound):
        set_up.status("Exampleton")


def some_entry(unit_of_work: SqlUnitOfWork, kind: HashKind = HashKind.MD5) -> BankEntry:
    found = (entry for entry in held(unit_of_work).values() if entry.kind is kind)
    return min(found, key=lambda entry: entry.id)


def test_an_opinion_holds_here_at_once_and_reaches_the_exchange_once(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    entry = some_entry(unit_of_work)
    set_up.vote(BANK, entry.id, Opinion.NEGATIVE, **BY)
    assert held(unit_of_work)[entry.value].opinion is Opinion.NEGATIVE
    (sent,) = set_up.send_votes()
    assert sent.state is VoteState.SENT
    assert set_up.send_votes() == []
    set_up.vote(BANK, entry.id, Opinion.NEGATIVE, **BY)
    clock.advance(hours=1)
    assert set_up.send_votes() == []
    assert len(ncmec.state()["feedback"]) == 1
    assert audited(unit_of_work).count("exchange.voted") == 1


def test_an_opinion_outlives_an_exchange_that_does_not_answer(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    entry = some_entry(unit_of_work)
    set_up.vote(BANK, entry.id, Opinion.POSITIVE, **BY)
    ncmec.fault(kind="status", path="/feedback", times=4)
    (waiting,) = set_up.send_votes()
    assert waiting.state is VoteState.PENDING
    assert set_up.send_votes() == []
    clock.advance(seconds=31)
    (sent,) = set_up.send_votes()
    assert sent.state is VoteState.SENT


def test_an_opinion_whose_answer_was_lost_stands_once_at_the_exchange(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    set_up.fetch("Exampleton")
    entry = some_entry(unit_of_work)
    set_up.vote(BANK, entry.id, Opinion.POSITIVE, **BY)
    ncmec.fault(kind="drop_answer", path="/feedback")
    (sent,) = set_up.send_votes()
    assert sent.state is VoteState.SENT
    item_id = entry.source_ref.partition("/")[2]
    (item,) = (one for one in ncmec.state()["items"] if one["id"] == item_id)
    own = [by for voices in item["feedback"].values() for by in voices if by == "7"]
    assert own == ["7"]


def test_our_opinion_holds_against_what_the_list_says(
    set_up: Exchanges, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    set_up.fetch("Exampleton")
    entry = some_entry(unit_of_work)
    set_up.vote(BANK, entry.id, Opinion.NEGATIVE, **BY)
    clock.advance(minutes=5)
    set_up.fetch("Exampleton", from_start=True)
    assert held(unit_of_work)[entry.value].opinion is Opinion.NEGATIVE


def test_an_opinion_that_the_exchange_refuses_is_shown_as_refused(
    set_up: Exchanges, ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork
) -> None:
    set_up.fetch("Exampleton")
    set_up.vote(BANK, some_entry(unit_of_work).id, Opinion.POSITIVE, **BY)
    ncmec.fault(kind="status", path="/feedback", status=404)
    (refused,) = set_up.send_votes()
    assert refused.state is VoteState.REFUSED
    assert "404" in refused.failure
    assert set_up.votes() == [refused]


def test_an_opinion_that_cannot_be_told_is_refused_at_once(
    set_up: Exchanges, unit_of_work: SqlUnitOfWork
) -> None:
    set_up.fetch("Exampleton")
    with pytest.raises(InvalidInput, match="cannot be told"):
        set_up.vote(BANK, some_entry(unit_of_work).id, Opinion.DISPUTED, **BY)
    with pytest.raises(NotFound):
        set_up.vote(BANK, "be_unknown", Opinion.POSITIVE, **BY)


def test_wrong_credentials_end_a_fetch_by_hand_with_a_refusal(
    exchanges: Exchanges, ncmec: SimulatedExchange
) -> None:
    exchanges.add(ncmec.exchange(), ncmec.credentials(user="quibble"), **BY)
    with pytest.raises(NotPermitted):
        exchanges.fetch("Exampleton")


def test_an_exchange_from_before_addresses_were_kept_apart_can_be_switched_off(
    set_up: Exchanges, unit_of_work: SqlUnitOfWork, ncmec: SimulatedExchange
) -> None:
    name = ncmec.exchange().name
    set_up.set_api_credentials(ncmec.exchange().api, ncmec.credentials(), **BY)
    with unit_of_work.begin() as tx:
        before, _ = tx.exchanges.get(name)
        tx.exchanges.save(replace(before, public_only=True), Credentials(values={}))
        tx.commit(ENTRY)
    changed = set_up.change(name, enabled=False, every_s=7_200, **BY)
    assert (changed.enabled, changed.every_s) == (False, 7_200)
    with pytest.raises(InvalidInput):
        set_up.change(name, every_s=0, **BY)
    with pytest.raises(InvalidInput, match="is missing"):
        set_up.change(name, credentials=Credentials(values={}), **BY)
