"""This platform's opinions go to exchanges: stored first, sent until they are taken, once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, NightlightError, NotFound, NotPermitted
from nightlight.exchange.apis import Api
from nightlight.exchange.client import EntryNames, ExchangeClient
from nightlight.exchange.registry import Exchange, Vote, VoteState, vote_id
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankEntry, BankVersion, EntryState, Opinion
from nightlight.services.fetching import Connect
from nightlight.services.updates import let_in
from nightlight.transaction import Transaction, UnitOfWork

_BATCH = 20
_LEASE_S = 600.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
_GONE = EntryState.WITHDRAWN


class Opinions:
    """Takes opinions on entries that came through an exchange, and sends them there."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        connect: Connect,
        names: Callable[[str], EntryNames],
        api: Callable[[str], Api],
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._connect = connect
        self._names = names
        self._api = api

    def cast(self, bank: str, entry_id: str, opinion: Opinion, *, actor: str, reason: str) -> Vote:
        """Return the opinion as it waits to be sent; it holds here at once.

        Raises:
            NotFound: there is no such entry, or no exchange feeds this bank.
            InvalidInput: the exchange cannot be told this.
        """
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            exchange = _feeding(tx, bank)
            api = self._api(exchange.api)
            if opinion not in api.opinions:
                known = ", ".join(sorted(api.opinions)) or "none at all"
                raise InvalidInput(
                    f"{api.title} cannot be told {opinion}", hint=f"it takes {known}"
                )
            entry = _standing(tx, bank, entry_id)
            if entry is None or not entry.source_ref:
                raise NotFound(f"no entry {entry_id} that came through {exchange.name}")
            vote = tx.exchanges.cast(
                Vote(
                    id=vote_id(exchange.name, entry.id),
                    exchange=exchange.name,
                    entry_id=entry.id,
                    source_ref=entry.source_ref,
                    opinion=opinion,
                    requested_at=now,
                    next_attempt_at=now,
                )
            )
            self._hold(tx, entry, opinion, actor=actor, reason=reason)
            tx.commit(_cast(vote, bank, actor, reason))
        return vote

    def _hold(
        self, tx: Transaction, entry: BankEntry, opinion: Opinion, *, actor: str, reason: str
    ) -> None:
        if entry.opinion is opinion:
            return
        changed = tx.banks.change([entry.number], opinion=opinion)
        now = self._clock.now()
        matched = let_in(tx, entry.bank, now=now)
        tx.banks.note_version(
            BankVersion(
                number=tx.banks.next_version(),
                bank=entry.bank,
                at=now,
                actor=actor,
                reason=reason,
                settings=tx.banks.bank(entry.bank),
                changed=changed,
                let_in_files=matched.files,
                let_in_entries=matched.entries,
            )
        )

    def send_due(self) -> list[Vote]:
        """Return what became of the opinions that were due."""
        with self._unit_of_work.begin() as tx:
            claimed = tx.exchanges.claim_votes(
                now=self._clock.now(), lease_s=_LEASE_S, limit=_BATCH
            )
            if not claimed:
                return []
            tx.commit_unrecorded()
        clients: dict[str, ExchangeClient] = {}
        latest = self._clock.now() + timedelta(seconds=_LEASE_S / 2)
        try:
            # What would outlast the lease is left: another worker may then have claimed it.
            return [
                self._settled(self._attempt(vote, clients))
                for vote in claimed
                if self._clock.now() < latest
            ]
        finally:
            for client in clients.values():
                client.close()

    def _attempt(self, vote: Vote, clients: dict[str, ExchangeClient]) -> Vote:
        now = self._clock.now()
        try:
            with self._unit_of_work.read() as tx:
                exchange, _ = tx.exchanges.get(vote.exchange)
                credentials = tx.exchanges.credentials(vote.exchange)
                entry = _standing(tx, exchange.bank, vote.entry_id)
            if entry is None:
                return replace(vote, state=VoteState.REFUSED, failure="the entry was withdrawn")
            if vote.exchange not in clients:
                names = self._names(exchange.bank)
                clients[vote.exchange] = self._connect(exchange, credentials, names)
            clients[vote.exchange].vote(entry, vote.opinion)
        except (InvalidInput, NotFound) as refusal:
            return replace(vote, state=VoteState.REFUSED, failure=str(refusal))
        except NotPermitted as refusal:
            wait = timedelta(seconds=_LONGEST_WAIT_S)
            return replace(vote, next_attempt_at=now + wait, failure=str(refusal))
        except NightlightError as failure:
            return replace(vote, next_attempt_at=_next(vote, now), failure=str(failure))
        return replace(vote, state=VoteState.SENT, failure="")

    def _settled(self, vote: Vote) -> Vote:
        with self._unit_of_work.begin() as tx:
            if tx.exchanges.settle(vote) and vote.state is not VoteState.PENDING:
                tx.commit(_sent(vote))
            else:
                tx.commit_unrecorded()
        return vote


def _feeding(tx: Transaction, bank: str) -> Exchange:
    for exchange, _ in tx.exchanges.all():
        if exchange.bank == bank:
            return exchange
    raise NotFound(f"no exchange feeds the bank {bank!r}", hint="`nightlight exchange list`")


def _standing(tx: Transaction, bank: str, entry_id: str) -> BankEntry | None:
    found = tx.banks.entries(bank=bank, ids=[entry_id])
    return next((entry for entry in found if entry.state is not _GONE), None)


def _next(vote: Vote, now: datetime) -> datetime:
    wait_s = _FIRST_WAIT_S * 2.0 ** min(vote.attempts - 1, 20)
    return now + timedelta(seconds=min(wait_s, _LONGEST_WAIT_S))


def _cast(vote: Vote, bank: str, actor: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="bank.entry_changed",
        subject=vote.entry_id,
        reason=reason,
        detail={"bank": bank, "opinion": vote.opinion.value, "exchange": vote.exchange},
    )


def _sent(vote: Vote) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="exchange.voted",
        subject=vote.entry_id,
        reason=vote.failure,
        detail={
            "exchange": vote.exchange,
            "opinion": vote.opinion.value,
            "state": vote.state.value,
            "attempts": vote.attempts,
        },
    )
