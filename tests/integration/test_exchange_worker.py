"""The worker fetches exchanges and sends opinions by itself, in a thread of its own."""

import time
from collections.abc import Callable, Iterator
from threading import Event as Stop
from typing import Any

import pytest
from tests.fakes.bank_desk import Told
from tests.fakes.cybertip_store import HandClock
from tests.fakes.exchanges import KEY, NAMES, Pauses, SimulatedExchange

from nightlight.adapters.exchanges import Connector
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.exchange.apis import offered
from nightlight.exchange.client import EntryNames, ExchangeClient
from nightlight.exchange.registry import Credentials, Exchange, VoteState
from nightlight.model.bank import Opinion
from nightlight.services.banks import Banks
from nightlight.services.exchanges import Exchanges
from nightlight.services.fetching import Connect
from nightlight.worker.exchanges import ExchangeLoop

BY: dict[str, Any] = {"actor": "a test", "reason": "to see"}


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture(scope="module")
def ncmec() -> Iterator[SimulatedExchange]:
    with SimulatedExchange("ncmec-hashes") as started:
        yield started


def exchanges_with(unit_of_work: SqlUnitOfWork, clock: HandClock, connect: Connect) -> Exchanges:
    banks = Banks(unit_of_work=unit_of_work, clock=clock, id_key=KEY, known=Told())
    return Exchanges(
        unit_of_work=unit_of_work,
        clock=clock,
        updates=banks,
        connect=connect,
        apis=offered(sample=False),
        id_key=KEY,
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    latest = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < latest, "it did not come to that"
        time.sleep(0.01)


def test_what_is_due_is_done_until_told_to_stop(
    ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    connect = Connector(clock=clock, pause=Pauses())
    exchanges = exchanges_with(unit_of_work, clock, connect)
    exchanges.add(ncmec.exchange(), ncmec.credentials(), **BY)
    stop = Stop()
    loop = ExchangeLoop(exchanges=exchanges, stop=stop, pause_s=0.01)
    loop.start()
    wait_until(lambda: exchanges.status("Exampleton").up_to_date)
    with unit_of_work.read() as tx:
        entry = next(iter(tx.banks.entries(bank=NAMES.bank, limit=1)))
    exchanges.vote(NAMES.bank, entry.id, Opinion.POSITIVE, **BY)
    wait_until(lambda: exchanges.votes()[0].state is VoteState.SENT)
    stop.set()
    loop.join(timeout=10)
    assert (loop.is_alive(), loop.failed) == (False, False)
    assert len(ncmec.state()["feedback"]) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_foresaw_ends_the_loop_and_shows(
    ncmec: SimulatedExchange, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    def broken(_: Exchange, __: Credentials, ___: EntryNames) -> ExchangeClient:
        raise ZeroDivisionError

    exchanges = exchanges_with(unit_of_work, clock, broken)
    exchanges.add(ncmec.exchange(), ncmec.credentials(), **BY)
    loop = ExchangeLoop(exchanges=exchanges, stop=Stop(), pause_s=0.01)
    loop.start()
    loop.join(timeout=10)
    assert (loop.is_alive(), loop.failed) == (False, True)
