"""Exchanges: set up, switched, fetched, told opinions, removed; the record says by whom."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.exchange.apis import Api
from nightlight.exchange.registry import (
    Credentials,
    Exchange,
    FetchState,
    Vote,
    check_interval,
    check_name,
)
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import Bank, Opinion
from nightlight.services.fetching import Connect, Fetched, Fetcher
from nightlight.services.opinions import Opinions
from nightlight.services.updates import Updates
from nightlight.transaction import Transaction, UnitOfWork

#: With another of these, an exchange is another list.
_PLACES = frozenset({"url", "privacy_group", "only_members"})


class ExchangeStatus(Struct, frozen=True, kw_only=True):
    """How an exchange is, as it may be shown: nothing that opens it."""

    name: str
    api: str
    bank: str
    enabled: bool
    every_s: int
    options: Mapping[str, str]
    checkpoint_at: datetime | None
    running_since: datetime | None
    completed_at: datetime | None
    succeeded: bool | None
    up_to_date: bool
    failure: str
    fetched: int


class Exchanges:
    """Everything that can be asked of exchanges."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        updates: Updates,
        connect: Connect,
        apis: Mapping[str, Api],
        id_key: bytes,
        lease_s: float = 180.0,
        leads_outside: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Keep the parts; see ``Fetcher`` for them.

        ``apis`` are those that are offered; ``leads_outside`` says whether an address is public.
        """
        self._leads_outside = leads_outside
        self._unit_of_work = unit_of_work
        self._clock = clock
        self.apis = apis
        self._fetcher = Fetcher(
            unit_of_work=unit_of_work,
            clock=clock,
            updates=updates,
            connect=connect,
            id_key=id_key,
            lease_s=lease_s,
        )
        self._opinions = Opinions(
            unit_of_work=unit_of_work,
            clock=clock,
            connect=connect,
            names=self._fetcher.names,
            api=self.api,
        )

    def api(self, name: str) -> Api:
        """Return what an API needs to be told.

        Raises:
            NotFound: it is not offered.
        """
        found = self.apis.get(name)
        if found is None:
            raise NotFound(f"no exchange API {name!r}", hint=f"one of {', '.join(self.apis)}")
        return found

    def add(
        self,
        exchange: Exchange,
        credentials: Credentials,
        *,
        actor: str,
        reason: str,
        unopened: bool = False,
    ) -> None:
        """Set up an exchange; its bank is made if there is none, and it is due at once.

        With ``unopened`` it may lack credentials: fetching fails, and says so, until it has some.

        Raises:
            InvalidInput: something is missing or cannot be right.
            NotFound: its API is not offered.
            Conflict: there is one of this name, or another feeds the bank.
        """
        check_name(exchange.name)
        if not exchange.bank:
            raise InvalidInput("is missing", field="bank")
        url = exchange.options.get("url", "")
        if url and exchange.public_only and not self._leads_outside(url):
            hint = "one that is not is set with `nightlight exchange add`"
            raise InvalidInput("not a public address", field="url", hint=hint)
        with self._unit_of_work.begin() as tx:
            for other, _ in tx.exchanges.all():
                if other.name == exchange.name:
                    raise Conflict(f"there is an exchange {exchange.name!r}", field="name")
                if other.bank == exchange.bank:
                    raise Conflict(f"{other.name} feeds the bank {other.bank!r}", field="bank")
            check_interval(exchange.every_s)
            self._check(tx, exchange, credentials, unopened=unopened)
            tx.exchanges.save(exchange, credentials)
            if tx.banks.bank(exchange.bank) is None:
                title = self.api(exchange.api).title
                bank = Bank(name=exchange.bank, provenance=f"{title}, exchange {exchange.name}")
                tx.banks.save_bank(bank, at=self._clock.now())
            tx.commit(_configured(exchange, "added", actor, reason))

    def change(
        self,
        name: str,
        *,
        actor: str,
        reason: str,
        enabled: bool | None = None,
        every_s: int | None = None,
        options: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        unopened: bool = False,
    ) -> Exchange:
        """Return an exchange with other settings; what is None, or not named, stays.

        An option or credential that is given as "" is taken away. An address given here is
        the operator's own, and may be a private one. With another address or group
        it is another list, and fetched from the start. With ``unopened`` it may be left without
        credentials. Options and credentials are checked where some are given.

        Raises:
            NotFound: there is no such exchange.
            InvalidInput: something is missing or cannot be right.
        """
        with self._unit_of_work.begin() as tx:
            before, state = tx.exchanges.get(name)
            own = tx.exchanges.credentials(name, shared=False)
            after = replace(
                before,
                enabled=before.enabled if enabled is None else enabled,
                every_s=before.every_s if every_s is None else every_s,
                options=_merged(before.options, options or {}),
            )
            if options and "url" in options:
                after = replace(after, public_only=False)
            opened = own
            if credentials is not None:
                opened = Credentials(values=_merged(own.values, credentials.values))
            check_interval(after.every_s)
            if options is not None or credentials is not None:
                # What stays as it is may be from before what is checked now: it can be switched.
                self._check(tx, after, opened, unopened=unopened)
            tx.exchanges.save(after, opened)
            if any(before.options.get(one) != after.options.get(one) for one in _PLACES):
                tx.exchanges.rewind(name)
            elif state.failure and state.running_since is None:
                tx.exchanges.forgive(name)
            tx.commit(_configured(after, "changed", actor, reason))
        return after

    def remove(self, name: str, *, actor: str, reason: str, with_bank: bool = False) -> int:
        """Take an exchange away, with its bank if asked; return how many entries were withdrawn.

        Raises:
            NotFound: there is no such exchange.
        """
        with self._unit_of_work.begin() as tx:
            exchange, _ = tx.exchanges.get(name)
            tx.exchanges.remove(name)
            record = [_removed(exchange, actor, reason)]
            withdrawn = 0
            if with_bank:
                withdrawn = tx.banks.remove_bank(exchange.bank)
                record.append(
                    AuditEntry(
                        actor=actor,
                        action="bank.withdrawn",
                        subject=exchange.bank,
                        reason=reason,
                        detail={"entries": withdrawn},
                    )
                )
            tx.commit(*record)
        return withdrawn

    def set_api_credentials(
        self, name: str, credentials: Credentials, *, actor: str, reason: str
    ) -> None:
        """Store what opens every exchange of an API that has no credentials of its own.

        Raises:
            NotFound: the API is not offered.
            InvalidInput: a credential is missing or not known.
        """
        self.api(name).check(_assumed(self.api(name)), credentials.values)
        with self._unit_of_work.begin() as tx:
            tx.exchanges.save_api_credentials(name, credentials)
            for exchange, state in tx.exchanges.all():
                if exchange.api == name and state.failure and state.running_since is None:
                    tx.exchanges.forgive(exchange.name)
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="exchange.configured",
                    subject=f"every {name}",
                    reason=reason,
                    detail={"step": "credentials"},
                )
            )

    def remove_api_credentials(self, name: str, *, actor: str, reason: str) -> None:
        """Take away what opens every exchange of an API that has no credentials of its own.

        Raises:
            NotFound: the API is not offered.
        """
        self.api(name)
        with self._unit_of_work.begin() as tx:
            tx.exchanges.remove_api_credentials(name)
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="exchange.configured",
                    subject=f"every {name}",
                    reason=reason,
                    detail={"step": "credentials removed"},
                )
            )

    def apis_with_credentials(self) -> frozenset[str]:
        """Return the APIs for which ``set_api_credentials`` was called."""
        with self._unit_of_work.read() as tx:
            return tx.exchanges.apis_with_credentials()

    def status(self, name: str) -> ExchangeStatus:
        """Return how an exchange is.

        Raises:
            NotFound: there is no such exchange.
        """
        with self._unit_of_work.read() as tx:
            return _status(*tx.exchanges.get(name))

    def all(self) -> list[ExchangeStatus]:
        """Return how every exchange is, by name."""
        with self._unit_of_work.read() as tx:
            return [_status(*one) for one in tx.exchanges.all()]

    def fetch(
        self,
        name: str,
        *,
        progress: Callable[[Fetched], None] = lambda _: None,
        from_start: bool = False,
        take_over: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> Fetched:
        """Return what came in, as ``Fetcher.fetch`` does."""
        return self._fetcher.fetch(
            name, progress=progress, from_start=from_start, take_over=take_over, stop=stop
        )

    def fetch_due(self, *, stop: Callable[[], bool] = lambda: False) -> list[Fetched]:
        """Return what came of every exchange that is enabled and due; ``stop`` ends it early."""
        return self._fetcher.fetch_due(stop=stop)

    def vote(self, bank: str, entry_id: str, opinion: Opinion, *, actor: str, reason: str) -> Vote:
        """Return this platform's opinion on an entry, which holds here and waits to be sent."""
        return self._opinions.cast(bank, entry_id, opinion, actor=actor, reason=reason)

    def send_votes(self) -> list[Vote]:
        """Return what became of the opinions that were due."""
        return self._opinions.send_due()

    def votes(self, *, exchange: str | None = None, limit: int = 100) -> list[Vote]:
        """Return the newest opinions, newest first."""
        with self._unit_of_work.read() as tx:
            return list(tx.exchanges.votes(exchange=exchange, limit=limit))

    def _check(
        self, tx: Transaction, exchange: Exchange, credentials: Credentials, *, unopened: bool
    ) -> None:
        api = self.api(exchange.api)
        shared = exchange.api in tx.exchanges.apis_with_credentials()
        # Who may only name an address does not learn there what opens the whole API.
        own_only = exchange.public_only and "url" in exchange.options
        elsewhere = not own_only and (shared or unopened)
        given = None if elsewhere and not credentials.values else credentials.values
        api.check(exchange.options, given)


def _merged(before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**before, **given}.items() if value}


def _assumed(api: Api) -> dict[str, str]:
    """Return options that are enough, where only credentials are looked at."""
    return {field.name: field.default or "1" for field in api.options if field.required}


def _status(exchange: Exchange, state: FetchState) -> ExchangeStatus:
    return ExchangeStatus(
        name=exchange.name,
        api=exchange.api,
        bank=exchange.bank,
        enabled=exchange.enabled,
        every_s=exchange.every_s,
        options=exchange.options,
        checkpoint_at=state.checkpoint_at,
        running_since=state.running_since,
        completed_at=state.completed_at,
        succeeded=state.succeeded,
        up_to_date=state.up_to_date,
        failure=state.failure,
        fetched=state.fetched,
    )


def _configured(exchange: Exchange, step: str, actor: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="exchange.configured",
        subject=exchange.name,
        reason=reason,
        detail={
            "step": step,
            "api": exchange.api,
            "bank": exchange.bank,
            "enabled": exchange.enabled,
            "every_s": exchange.every_s,
            "options": sorted(exchange.options),
        },
    )


def _removed(exchange: Exchange, actor: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="exchange.removed",
        subject=exchange.name,
        reason=reason,
        detail={"api": exchange.api, "bank": exchange.bank},
    )
