"""Measures what ties accounts at growing numbers of them: ``python -m benchmarks.networks``.

Writes the ties of invented accounts as the pipeline does, batch by batch in one transaction each,
and asks which account a returned one may continue. Posts are ten times the accounts; of every
hundred posts eight show a link, two a handle and a half is worded like another account's, as on
the generated town. What is measured is the store and the questions, not reading texts.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import process_time

import msgspec
from msgspec import Struct

from benchmarks.machine import describe_machine
from nightlight.adapters.clock import SystemClock
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.model.audit import AuditEntry
from nightlight.model.context import AccountContext
from nightlight.model.ids import AccountId
from nightlight.model.link import Link, LinkKind, LinkToken
from nightlight.services.clusters import cluster_of
from nightlight.services.networks import linked_accounts, predecessors_of
from nightlight.transaction import Transaction

_START = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH_ACCOUNTS = 1_000
_POSTS_EACH = 10
_QUESTIONS = 300
_RETURNING_EVERY = 500
#: Names that accounts share, and bios that many copied, as shares of all accounts.
_NAMES, _BIOS = 0.2, 0.02
_WORDING_BANDS, _BIO_BANDS = 9, 4
_ENTRY = AuditEntry(actor="benchmark", action="events.processed", subject="ties")


class Measured(Struct, frozen=True, kw_only=True):
    """What one size came to, in processor time; ``first`` is of the returned accounts."""

    accounts: int
    posts: int
    rows: int
    rows_per_s: float
    last_tenth_rows_per_s: float
    bytes_per_account: float
    predecessors_ms_p50: float
    predecessors_ms_p99: float
    links_ms_p50: float
    links_ms_p99: float
    clusters_ms_p50: float
    clusters_ms_p99: float
    first: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size and print it."""
    parser = argparse.ArgumentParser(description="Measure ties between accounts.")
    parser.add_argument("--accounts", default="100000,300000", help="how many accounts, each size")
    parser.add_argument("--database", help="URL of an empty database; by default a new SQLite file")
    parser.add_argument("--json", action="store_true", help="print one JSON object a size")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
        print(_HEADER)
    for size in (int(one) for one in options.accounts.split(",")):
        with TemporaryDirectory() as folder:
            one = measure(size, Path(folder), options.database)
        print(json.dumps(msgspec.to_builtins(one)) if options.json else _row(one))


def measure(size: int, folder: Path, database: str | None) -> Measured:
    """Return what storing the ties of so many accounts took, and asking about them."""
    file = folder / "links.db"
    engine = open_engine(database or f"sqlite:///{file}")
    migrate(engine)
    work = SqlUnitOfWork(engine=engine, clock=SystemClock(), keys=FileKeyRing(folder / "keys.json"))
    rows, took = 0, []
    for accounts, links in _batches(size, Random(size)):  # noqa: S311  a draw to repeat, no secret
        begun = process_time()
        with work.begin() as tx:
            tx.context.save(accounts=accounts, posts=(), media=())
            tx.links.add(links)
            tx.commit(_ENTRY)
        took.append((len(links), process_time() - begun))
        rows += len(links)
    tenth = took[-max(1, len(took) // 10) :]
    returned = range(_RETURNING_EVERY, size, _RETURNING_EVERY)
    asked = Random(1).sample(  # noqa: S311  a draw to repeat, no secret
        returned, min(_QUESTIONS, len(returned))
    )
    right, predecessor_ms = _ask_predecessors(work, asked)
    links_ms = _ask(work, asked, lambda tx, one: linked_accounts(tx, one, 50))
    clusters_ms = _ask(work, asked, cluster_of)
    engine.dispose()
    return Measured(
        accounts=size,
        posts=size * _POSTS_EACH,
        rows=rows,
        rows_per_s=rows / sum(seconds for _, seconds in took),
        last_tenth_rows_per_s=sum(n for n, _ in tenth) / sum(seconds for _, seconds in tenth),
        bytes_per_account=file.stat().st_size / size if file.exists() else 0.0,
        predecessors_ms_p50=_at(predecessor_ms, 50),
        predecessors_ms_p99=_at(predecessor_ms, 99),
        links_ms_p50=_at(links_ms, 50),
        links_ms_p99=_at(links_ms, 99),
        clusters_ms_p50=_at(clusters_ms, 50),
        clusters_ms_p99=_at(clusters_ms, 99),
        first=right / max(1, len(asked)),
    )


def _ask_predecessors(work: SqlUnitOfWork, asked: Sequence[int]) -> tuple[int, list[float]]:
    right, took = 0, []
    for number in asked:
        begun = process_time()
        with work.read() as tx:
            found = predecessors_of(tx, _name(number), 5)
        took.append(1000 * (process_time() - begun))
        right += bool(found) and found[0].account_id == _name(number - _RETURNING_EVERY // 2)
    return right, took


def _ask(
    work: SqlUnitOfWork, asked: Sequence[int], question: Callable[[Transaction, AccountId], object]
) -> list[float]:
    took = []
    for number in asked:
        begun = process_time()
        with work.read() as tx:
            question(tx, _name(number))
        took.append(1000 * (process_time() - begun))
    return took


def _batches(size: int, rng: Random) -> Iterator[tuple[list[AccountContext], list[Link]]]:
    for start in range(0, size, _BATCH_ACCOUNTS):
        numbers = range(start, min(size, start + _BATCH_ACCOUNTS))
        accounts = [_account(number) for number in numbers]
        yield accounts, [link for number in numbers for link in _links(number, size, rng)]


def _account(number: int) -> AccountContext:
    at = _START + timedelta(minutes=number)
    returned_later = (number + _RETURNING_EVERY // 2) % _RETURNING_EVERY == 0
    return AccountContext(
        account_id=_name(number),
        handle=f"quibble{number}",
        created_at=at,
        first_seen=at,
        profile_at=at,
        suspended=returned_later,
    )


def _links(number: int, size: int, rng: Random) -> Iterator[Link]:
    """Yield what one account and its posts show."""
    at = _START + timedelta(minutes=number)
    shown: list[tuple[LinkKind, str]] = [
        (LinkKind.HANDLE, f"whole {number}"),
        (LinkKind.HANDLE, f"core {rng.randrange(max(1, int(size * _NAMES)))}"),
        (LinkKind.NAME, f"{rng.randrange(max(1, int(size * _NAMES)))}"),
    ]
    bio = rng.randrange(max(1, int(size * _BIOS)))
    shown += [(LinkKind.BIO, f"{bio}.{band}") for band in range(_BIO_BANDS)]
    for _ in range(_POSTS_EACH):
        share = rng.random()
        if share < 0.1:
            kind = LinkKind.LINK_TARGET if share < 0.08 else LinkKind.OFF_PLATFORM_HANDLE
            # One in ten leads to where many lead.
            known = f"known {rng.randrange(1000)}" if rng.random() < 0.1 else f"{rng.random()}"
            shown.append((kind, known))
            wording = f"{rng.randrange(size)}" if share < 0.005 else f"{rng.random()}"
            bands = range(_WORDING_BANDS)
            shown += [(LinkKind.TEMPLATE, f"{wording}.{band}") for band in bands]
    seller = number + _RETURNING_EVERY // 2 if _is_stopped(number) else number
    if seller % _RETURNING_EVERY == 0:
        shown.append((LinkKind.OFF_PLATFORM_HANDLE, f"seller {seller}"))
        shown += [(LinkKind.TEMPLATE, f"of {seller}.{band}") for band in range(_WORDING_BANDS)]
    for kind, text in shown:
        token = LinkToken(kind=kind, value=hash((kind.value, text)))
        yield Link(token=token, account_id=_name(number), first_at=at, last_at=at)


def _is_stopped(number: int) -> bool:
    return (number + _RETURNING_EVERY // 2) % _RETURNING_EVERY == 0


def _name(number: int) -> AccountId:
    return AccountId(f"account-{number:09d}")


def _at(times: list[float], percent: int) -> float:
    return quantiles(times, n=100)[percent - 1] if len(times) > 1 else times[0]


_HEADER = (
    f"{'accounts':>10} {'posts':>11} {'rows':>11} {'rows/s':>8} {'last tenth':>10}"
    f" {'bytes/account':>13} {'predecessors p50/p99 ms':>24} {'links p50/p99 ms':>18}"
    f" {'clusters p50/p99 ms':>20} {'first':>7}"
)


def _row(one: Measured) -> str:
    asked = f"{one.predecessors_ms_p50:.1f}/{one.predecessors_ms_p99:.1f}"
    clustered = f"{one.clusters_ms_p50:.1f}/{one.clusters_ms_p99:.1f}"
    linked = f"{one.links_ms_p50:.1f}/{one.links_ms_p99:.1f}"
    return (
        f"{one.accounts:>10,} {one.posts:>11,} {one.rows:>11,} {one.rows_per_s:>8,.0f}"
        f" {one.last_tenth_rows_per_s:>10,.0f} {one.bytes_per_account:>13,.0f} {asked:>24}"
        f" {linked:>18} {clustered:>20} {one.first:>7.1%}"
    )


if __name__ == "__main__":
    main()
