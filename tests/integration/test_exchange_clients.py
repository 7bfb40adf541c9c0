"""Clients of exchanges over real HTTP, against simulators that go wrong on request."""

import re
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from typing import Any

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.exchanges import NAMES, Mirror, Pauses, SimulatedExchange, connected

from nightlight.adapters.exchange_http import ExchangeHttp, HttpLimits
from nightlight.adapters.exchange_ncmec import NcmecExchange, NcmecOptions
from nightlight.errors import InvalidInput, NightlightError, NotPermitted, Unavailable
from nightlight.model.bank import BankEntry, HashKind, Opinion

KINDS = ("ncmec-hashes", "stopncii", "threatexchange")
#: What the path of a call for entries holds, and of one for a page after the first.
PAGE = {"ncmec-hashes": "/entries?", "stopncii": "/FetchHashes", "threatexchange": "/threat_up"}
LATER = {"ncmec-hashes": "start=", "stopncii": "nextPageToken", "threatexchange": "after="}


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest) -> Iterator[SimulatedExchange]:
    with SimulatedExchange(request.param) as started:
        yield started


@pytest.fixture
def exchange(running: SimulatedExchange) -> SimulatedExchange:
    running.reset()
    return running


@pytest.fixture(scope="module")
def running_ncmec() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("ncmec-hashes") as started:
        yield started


@pytest.fixture
def ncmec(running_ncmec: SimulatedExchange) -> SimulatedExchange:
    running_ncmec.reset()
    return running_ncmec


def fetched(exchange: SimulatedExchange, clock: HandClock, **options: Any) -> Mirror:
    mirror = Mirror()
    with connected(exchange, clock, **options) as client:
        mirror.fetch(client)
    return mirror


def pages_asked(exchange: SimulatedExchange) -> list[str]:
    return [one for one in exchange.asked() if PAGE[exchange.kind] in one]


def test_everything_comes_in_pages_and_is_then_up_to_date(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(exchange, clock)
    assert len(mirror.pages) == 5
    assert [page.up_to_date for page in mirror.pages] == [False] * 4 + [True]
    assert len(mirror.hashes()) > 25


def test_hashes_of_other_kinds_are_counted_and_no_fault(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(exchange, clock)
    assert sum(sum(page.ignored.values()) for page in mirror.pages) > 10
    assert not any(page.rejected for page in mirror.pages)


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_a_fetch_goes_on_after_the_last_page_that_is_in(
    exchange: SimulatedExchange, clock: HandClock, pages: int
) -> None:
    undisturbed = fetched(exchange, clock).hashes()
    exchange.reset()
    mirror = Mirror()
    with connected(exchange, clock) as client:
        mirror.fetch(client, pages=pages)
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert mirror.hashes() == undisturbed
    assert len(pages_asked(exchange)) == 5


def test_the_next_fetch_asks_only_for_what_came_since(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(exchange, clock)
    clock.advance(days=1)
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert len(mirror.pages[-1].entries) < 8
    assert mirror.pages[-1].up_to_date


def test_a_damaged_page_is_set_aside_and_the_rest_goes_on(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    undisturbed = fetched(exchange, clock).hashes()
    exchange.reset()
    exchange.fault(kind="corrupt_page", path=PAGE[exchange.kind], after=1, times=4)
    mirror = fetched(exchange, clock)
    rejected = [one for page in mirror.pages for one in page.rejected]
    assert len(rejected) == 1
    assert rejected[0].raw
    assert rejected[0].place == 0
    assert mirror.pages[-1].missing
    assert undisturbed > mirror.hashes()
    assert len(mirror.hashes()) > 0.7 * len(undisturbed)


def test_what_a_damaged_page_held_is_asked_for_again_later(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    undisturbed = fetched(exchange, clock).hashes()
    exchange.reset()
    exchange.fault(kind="corrupt_page", path=PAGE[exchange.kind], after=1, times=4)
    mirror = fetched(exchange, clock)
    clock.advance(hours=7)
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert mirror.hashes() == undisturbed
    assert mirror.pages[-1].missing == ""


def test_a_page_that_was_damaged_once_is_read_when_asked_for_again(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    undisturbed = fetched(exchange, clock).hashes()
    exchange.reset()
    exchange.fault(kind="corrupt_page", path=PAGE[exchange.kind], after=2)
    exchange.fault(kind="truncated", path=PAGE[exchange.kind], after=3)
    mirror = fetched(exchange, clock)
    assert mirror.hashes() == undisturbed
    assert not any(page.rejected for page in mirror.pages)


def test_a_damaged_entry_is_set_aside_and_its_page_goes_on(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    undisturbed = fetched(exchange, clock).hashes()
    exchange.reset()
    exchange.fault(kind="corrupt_entry", path=PAGE[exchange.kind], after=1)
    mirror = fetched(exchange, clock)
    (rejected,) = (one for page in mirror.pages for one in page.rejected)
    assert "zorbleflux" in rejected.raw.decode()
    assert "zorbleflux" not in rejected.reason
    assert len(undisturbed - mirror.hashes()) == 1
    assert mirror.hashes() < undisturbed


def test_a_damaged_entry_takes_away_nothing_that_was_known(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(exchange, clock)
    before = mirror.hashes()
    mirror.checkpoint = ""
    exchange.fault(kind="corrupt_entry", path=PAGE[exchange.kind])
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert mirror.hashes() == before


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "drop_answer"},
        {"kind": "too_many", "wait_s": 3},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_trouble_that_passes_is_borne(
    exchange: SimulatedExchange, clock: HandClock, fault: dict[str, str | int]
) -> None:
    pauses, mirror = Pauses(), Mirror()
    exchange.fault(path=PAGE[exchange.kind], after=2, times=2, **fault)
    with connected(exchange, clock, pauses=pauses) as client:
        mirror.fetch(client)
    assert len(mirror.pages) == 5
    assert len(pauses) == 2
    assert min(pauses) >= (3 if fault["kind"] == "too_many" else 0.5)


def test_trouble_that_stays_ends_the_fetch_and_keeps_what_came(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    exchange.fault(kind="status", path=PAGE[exchange.kind], after=2, times=99)
    mirror = Mirror()
    with connected(exchange, clock) as client, pytest.raises(Unavailable):
        mirror.fetch(client)
    assert len(mirror.pages) == 2
    exchange.clear_faults()
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert mirror.hashes() == fetched(exchange, clock).hashes()


def test_a_long_wait_is_left_to_a_later_fetch(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    pauses = Pauses()
    exchange.fault(kind="too_many", path=PAGE[exchange.kind], wait_s=3600)
    with (
        connected(exchange, clock, pauses=pauses) as client,
        pytest.raises(Unavailable, match="3600 s"),
    ):
        Mirror().fetch(client)
    assert not pauses


def test_a_slow_exchange_is_given_up(exchange: SimulatedExchange, clock: HandClock) -> None:
    exchange.fault(kind="slow", path=PAGE[exchange.kind], wait_s=1, times=9)
    limits = HttpLimits(timeout_s=0.2)
    with (
        connected(exchange, clock, limits=limits) as client,
        pytest.raises(Unavailable, match="ReadTimeout"),
    ):
        Mirror().fetch(client)


def test_an_answer_without_end_is_not_read_to_the_end(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    exchange.fault(kind="endless", path=PAGE[exchange.kind], times=9)
    limits = HttpLimits(answer_bytes=1_000_000)
    with (
        connected(exchange, clock, limits=limits) as client,
        pytest.raises(Unavailable, match="more than is taken"),
    ):
        Mirror().fetch(client)


def test_a_cursor_that_expired_lets_the_range_begin_again(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    exchange.fault(kind="expired_cursor", path=LATER[exchange.kind], after=2)
    mirror = fetched(exchange, clock)
    assert mirror.hashes() == fetched(exchange, clock).hashes()


def test_an_old_cursor_is_not_used(exchange: SimulatedExchange, clock: HandClock) -> None:
    mirror = Mirror()
    with connected(exchange, clock) as client:
        mirror.fetch(client, pages=2)
    clock.advance(hours=13)
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    asked = pages_asked(exchange)
    assert [LATER[exchange.kind] in one for one in asked[:3]] == [False, True, False]
    assert mirror.hashes() == fetched(exchange, clock).hashes()


def test_pages_that_lead_in_a_circle_end_the_fetch(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    exchange.fault(kind="repeated_page", path=LATER[exchange.kind], after=1, times=99)
    with connected(exchange, clock) as client, pytest.raises(Unavailable, match="circle"):
        Mirror().fetch(client)
    assert len(pages_asked(exchange)) < 8


@pytest.mark.parametrize("running", ["ncmec-hashes", "threatexchange"], indirect=True)
def test_a_link_to_another_host_is_not_followed(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    exchange.fault(kind="foreign_next", path=PAGE[exchange.kind], after=1)
    mirror = Mirror()
    with connected(exchange, clock) as client, pytest.raises(Unavailable, match="another host"):
        mirror.fetch(client)
    assert len(mirror.pages) in (1, 2)


def test_wrong_credentials_are_refused_and_not_shown(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    names = exchange.credentials().values
    wrong = exchange.credentials(**dict.fromkeys(names, "12345678|quibbleton"))
    with (
        connected(exchange, clock, credentials=wrong) as client,
        pytest.raises(NotPermitted, match="credentials refused") as refusal,
    ):
        Mirror().fetch(client)
    assert "quibbleton" not in f"{refusal.value!r} {refusal.value} {refusal.value.__cause__!r}"


def test_errors_and_checkpoints_show_no_credentials(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    told: list[str] = []
    for kind in ("status", "drop_answer", "truncated", "corrupt_page"):
        exchange.fault(kind=kind, path=PAGE[exchange.kind], after=1, times=9)
        mirror = Mirror()
        try:
            with connected(exchange, clock) as client:
                mirror.fetch(client)
        except NightlightError as error:
            told += [str(error), repr(error), repr(error.__cause__)]
        told += [page.checkpoint for page in mirror.pages]
        exchange.clear_faults()
    assert told
    assert not [one for one in told if "99999999|sim" in one or "99999999%7Csim" in one]


def test_a_withdrawal_takes_the_entry_away(exchange: SimulatedExchange, clock: HandClock) -> None:
    mirror = fetched(exchange, clock)
    now = int(clock.now().timestamp()) - 60
    state = exchange.state()
    if exchange.kind == "ncmec-hashes":
        item = state["items"][1]
        gone = set(item["fingerprints"].values())
        exchange.delete(item["id"], now)
    elif exchange.kind == "stopncii":
        record = state["records"][1]
        gone = {record["hashValue"]}
        exchange.put({**record, "hashStatus": "Withdrawn", "lastModtimestamp": now})
    else:
        indicator = state["indicators"][1]
        gone = {indicator["indicator"]}
        exchange.put({**indicator, "should_delete": True, "last_updated": now})
    assert gone & {value for _, _, value in mirror.hashes()}
    clock.advance(minutes=5)
    with connected(exchange, clock) as client:
        mirror.fetch(client)
    assert not gone & {value for _, _, value in mirror.hashes()}


def entry_to_vote_on(mirror: Mirror) -> BankEntry:
    found = sorted(mirror.hashes())
    return next(mirror.entry(value) for _, kind, value in found if kind == HashKind.MD5)


@pytest.mark.parametrize("opinion", [Opinion.POSITIVE, Opinion.NEGATIVE])
def test_an_opinion_comes_back_as_ours(
    exchange: SimulatedExchange, clock: HandClock, opinion: Opinion
) -> None:
    mirror = fetched(exchange, clock)
    entry = entry_to_vote_on(mirror)
    options = {"negative_reason": "Not what it is said to be"}
    given: dict[str, Any] = options if exchange.kind == "ncmec-hashes" else {}
    with connected(exchange, clock, **given) as client:
        client.vote(entry, opinion)
        client.vote(entry, opinion)
    assert fetched(exchange, clock).entry(entry.value).opinion is opinion


def test_an_opinion_that_cannot_be_told_is_refused(
    exchange: SimulatedExchange, clock: HandClock
) -> None:
    entry = entry_to_vote_on(fetched(exchange, clock))
    unknown = BankEntry(
        id=entry.id, bank=entry.bank, kind=HashKind.VPDQ, value="", source_ref="zorbleflux"
    )
    with connected(exchange, clock) as client, pytest.raises(InvalidInput):
        client.vote(unknown, Opinion.POSITIVE)


def test_ncmec_wants_a_reason_against_an_entry(ncmec: SimulatedExchange, clock: HandClock) -> None:
    entry = entry_to_vote_on(fetched(ncmec, clock))
    with connected(ncmec, clock) as client, pytest.raises(InvalidInput, match="negative_reason"):
        client.vote(entry, Opinion.NEGATIVE)


def test_an_entry_that_appears_late_at_ncmec_is_not_missed(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(ncmec, clock)
    late = int(clock.now().timestamp()) - 1800
    md5 = "ab" * 16
    item = {"id": "late", "member": "42", "kind": "video", "updated_s": late}
    ncmec.put({**item, "fingerprints": {"md5": md5}})
    clock.advance(minutes=5)
    with connected(ncmec, clock) as client:
        mirror.fetch(client)
    assert md5 in mirror.values("md5")


def test_times_are_told_to_ncmec_in_utc(ncmec: SimulatedExchange, clock: HandClock) -> None:
    fetched(ncmec, clock)
    first = pages_asked(ncmec)[0]
    assert "from=1970-01-01T00%3A00%3A00Z" in first
    assert "to=2026-03-01T11%3A59%3A55Z" in first


def test_every_hash_of_an_item_shares_its_content(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    page = fetched(ncmec, clock).pages[0]
    contents: dict[str, set[int]] = {}
    for entry in page.entries:
        contents.setdefault(entry.source_ref, set()).add(entry.content)
    assert {len(found) for found in contents.values()} == {1}
    assert len(set.union(*contents.values())) == len(contents)


def test_a_fingerprint_that_ncmec_drops_is_withdrawn(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(ncmec, clock)
    item = next(one for one in ncmec.state()["items"] if one["kind"] == "image")
    pdq = item["fingerprints"].pop("pdq")
    now = int(clock.now().timestamp()) - 60
    ncmec.put({**item, "updated_s": now})
    clock.advance(minutes=5)
    with connected(ncmec, clock) as client:
        mirror.fetch(client)
    assert pdq not in mirror.values("pdq")
    assert item["fingerprints"]["md5"] in mirror.values("md5")


def test_only_the_members_that_are_wanted_come_in(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    mirror = fetched(ncmec, clock, only_members="43, 44")
    assert {ref.partition("/")[0] for ref, _, _ in mirror.hashes()} == {"43", "44"}


def ncmec_in_parts(ncmec: SimulatedExchange, clock: HandClock, most_rows: int) -> NcmecExchange:
    http = ExchangeHttp(
        name="NCMEC",
        base_url=ncmec.url + "/hashsharing",
        clock=clock,
        pause=Pauses(),
        auth=("sim", "sim"),
    )
    options = NcmecOptions(most_rows=most_rows)
    return NcmecExchange(http=http, names=NAMES, clock=clock, options=options)


@pytest.mark.parametrize("places", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], []])
def test_a_name_that_leads_inside_when_it_is_called_is_not_called(
    exchange: SimulatedExchange, clock: HandClock, places: list[str]
) -> None:
    before = pages_asked(exchange)
    http = ExchangeHttp(
        name="Zorble",
        base_url=exchange.url.replace("127.0.0.1", "localhost"),
        clock=clock,
        pause=Pauses(),
        public_only=True,
        resolve=lambda _host, _port: [ip_address(one) for one in places],
    )
    with pytest.raises(Unavailable, match="no public address"):
        http.get("/anything")
    assert pages_asked(exchange) == before


def test_a_range_that_is_too_big_is_asked_for_in_parts(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    whole = fetched(ncmec, clock).hashes()
    ncmec.reset()
    mirror = Mirror()
    with closing(ncmec_in_parts(ncmec, clock, most_rows=8)) as client:
        mirror.fetch(client)
    assert mirror.hashes() == whole
    ranges = {re.search("from=[^&]*&to=[^&]*", one)[0] for one in pages_asked(ncmec)}  # type: ignore[index]  # a page names its range
    assert 10 < len(ranges) < 80
    assert mirror.pages[-1].up_to_date


def test_a_fetch_in_parts_goes_on_in_the_part_where_it_was(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    whole = fetched(ncmec, clock).hashes()
    ncmec.reset()
    mirror = Mirror()
    for _ in range(60):
        with closing(ncmec_in_parts(ncmec, clock, most_rows=8)) as client:
            mirror.fetch(client, pages=1)
        if mirror.pages[-1].up_to_date:
            break
    assert mirror.pages[-1].up_to_date
    assert mirror.hashes() == whole


def test_a_first_page_that_leads_nowhere_makes_the_ranges_smaller(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    whole = fetched(ncmec, clock).hashes()
    ncmec.reset()
    ncmec.fault(kind="truncated", path="/entries?", times=3)
    mirror = fetched(ncmec, clock)
    assert [len(page.rejected) for page in mirror.pages].count(1) == 1
    assert mirror.hashes() == whole
    assert mirror.pages[-1].up_to_date


def test_a_service_that_answers_something_else_is_given_up(
    ncmec: SimulatedExchange, clock: HandClock
) -> None:
    ncmec.fault(kind="truncated", path="/entries?", times=9_999)
    with connected(ncmec, clock) as client, pytest.raises(Unavailable, match="nothing leads past"):
        Mirror().fetch(client)
    assert len(pages_asked(ncmec)) < 150
