"""Exchanges, how far fetching came, and opinions on their way; what opens them is sealed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from nightlight.adapters.sql.rows import (
    Row,
    among,
    from_us,
    from_us_or_none,
    put_over,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import exchange, heartbeat, vote
from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.exchange.registry import (
    Credentials,
    Exchange,
    FetchState,
    Vote,
    VoteState,
)
from nightlight.model.bank import Opinion
from nightlight.preserve.ports import KeyRing

#: Rows that hold what opens a whole API; no exchange can have such a name.
_API_ROW = "api:"
_BEAT = "exchange:"
_NOTHING: Row = {
    "checkpoint": "",
    "checkpoint_us": None,
    "running_us": None,
    "completed_us": None,
    "succeeded": None,
    "up_to_date": False,
    "failure": "",
    "fetched": 0,
}
_KEPT = tuple(_NOTHING)
_UNREADABLE = "its settings cannot be read"
#: The longest that a new opinion waits for one that may be on its way.
_FLIGHT = timedelta(seconds=60)


class _Settings(Struct, frozen=True, kw_only=True):
    """What is sealed of an exchange; ``public_only`` is None where nobody kept who set it up."""

    every_s: int = 0
    options: dict[str, str] = {}
    credentials: dict[str, str] = {}
    public_only: bool | None = None

    @property
    def is_public_only(self) -> bool:
        """Whether its address must be a public one; of unknown origin it may be anybody's."""
        return "url" in self.options if self.public_only is None else self.public_only


_settings = msgspec.json.Decoder(_Settings)


class SqlExchangeStore:
    """The exchange and vote tables."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def save(self, settings: Exchange, credentials: Credentials) -> None:
        """Store a new exchange or the changed settings of one; its progress stays."""
        sealed = _Settings(
            every_s=settings.every_s,
            options=dict(settings.options),
            credentials=dict(credentials.values),
            public_only=settings.public_only,
        )
        self._put(settings.name, settings.api, settings.bank, settings.enabled, sealed)

    def _put(self, name: str, api: str, bank: str, enabled: bool, sealed: _Settings) -> None:  # noqa: FBT001  a column
        row = {
            "name": name,
            "api": api,
            "bank": bank,
            "enabled": enabled,
            "sealed_settings": self._keys.wrap(msgspec.json.encode(sealed)),
        }
        put_over(self._connection, exchange, [row | _NOTHING], keep=_KEPT)

    def get(self, name: str) -> tuple[Exchange, FetchState]:
        """Return an exchange and how far fetching came.

        Raises:
            NotFound: there is none of this name.
        """
        return self._read(self._row(name))

    def all(self) -> list[tuple[Exchange, FetchState]]:
        """Return every exchange, by name; one that cannot be read says so, and is not fetched."""
        rows = self._connection.execute(self._joined().order_by(exchange.c.name))
        return [self._listed(row) for row in rows if not row.name.startswith(_API_ROW)]

    def credentials(self, name: str, *, shared: bool = True) -> Credentials:
        """Return what opens an exchange; its API's, if ``shared``, where it has none of its own.

        What opens a whole API does not go to an address that may be a token holder's.

        Raises:
            NotFound: there is no exchange of this name.
        """
        row = self._row(name)
        opened = self._opened(row)
        own = opened.credentials
        is_elsewhere = opened.is_public_only and "url" in opened.options
        if shared and not own and not is_elsewhere:
            statement = select(exchange).where(exchange.c.name == _API_ROW + row.api)
            of_api = self._connection.execute(statement).one_or_none()
            own = self._opened(of_api).credentials if of_api is not None else {}
        return Credentials(values=own)

    def save_api_credentials(self, api: str, credentials: Credentials) -> None:
        """Store what opens every exchange of an API that has no credentials of its own."""
        sealed = _Settings(credentials=dict(credentials.values))
        self._put(_API_ROW + api, api, "", False, sealed)

    def remove_api_credentials(self, api: str) -> None:
        """Forget what opens every exchange of an API that has no credentials of its own."""
        self._connection.execute(delete(exchange).where(exchange.c.name == _API_ROW + api))

    def apis_with_credentials(self) -> frozenset[str]:
        """Return the APIs for which credentials are stored."""
        statement = select(exchange.c.api).where(exchange.c.name.startswith(_API_ROW))
        return frozenset(self._connection.execute(statement).scalars())

    def remove(self, name: str) -> bool:
        """Take an exchange and its opinions under way away; return whether there was one."""
        self._connection.execute(delete(vote).where(vote.c.exchange == name))
        self._connection.execute(delete(heartbeat).where(heartbeat.c.name == _BEAT + name))
        gone = self._connection.execute(delete(exchange).where(exchange.c.name == name))
        return gone.rowcount > 0

    def start(self, name: str, *, now: datetime, lease_s: float) -> FetchState:
        """Return the progress, with ``running_since`` now: this fetch is the only one.

        Raises:
            NotFound: there is no exchange of this name.
            Conflict: another fetch is under way and was heard of within ``lease_s``.
        """
        lock = select(exchange.c.name).where(exchange.c.name == name).with_for_update()
        self._connection.execute(lock)
        _, state = self.get(name)
        heard = state.alive_at or state.running_since
        if state.running_since and heard and heard > now - timedelta(seconds=lease_s):
            raise Conflict(f"{name} is being fetched", hint="wait for that to end")
        self._connection.execute(
            update(exchange).where(exchange.c.name == name).values(running_us=to_us(now))
        )
        self._beat(name, now)
        return replace(state, running_since=now, alive_at=now)

    def progress(self, name: str, state: FetchState, *, at: datetime) -> None:
        """Store how far the fetch came that began at ``state.running_since``.

        Raises:
            Conflict: another fetch took over, or the exchange was removed or set anew.
        """
        self._save(name, state, running_us=to_us_or_none(state.running_since))
        self._beat(name, at)

    def finish(self, name: str, state: FetchState, *, at: datetime) -> None:
        """Store how the fetch ended that began at ``state.running_since``.

        Raises:
            Conflict: as for ``progress``.
        """
        self._save(name, replace(state, completed_at=at), running_us=None)

    def _save(self, name: str, state: FetchState, *, running_us: int | None) -> None:
        changed = self._connection.execute(
            update(exchange)
            .where(
                exchange.c.name == name,
                exchange.c.running_us == to_us_or_none(state.running_since),
            )
            .values(
                checkpoint=state.checkpoint,
                checkpoint_us=to_us_or_none(state.checkpoint_at),
                running_us=running_us,
                completed_us=to_us_or_none(state.completed_at),
                succeeded=state.succeeded,
                up_to_date=state.up_to_date,
                failure=state.failure,
                fetched=state.fetched,
            )
        )
        if changed.rowcount != 1:
            raise Conflict(f"another fetch of {name} took over, or it was set anew")

    def _beat(self, name: str, at: datetime) -> None:
        put_over(
            self._connection,
            heartbeat,
            [{"name": _BEAT + name, "at_us": to_us(at), "detail": "fetching"}],
        )

    def rewind(self, name: str) -> None:
        """Forget how far fetching came: the next fetch begins at the beginning, and is due."""
        anew = {"checkpoint": "", "checkpoint_us": None, "running_us": None, "up_to_date": False}
        self._connection.execute(update(exchange).where(exchange.c.name == name).values(anew))
        self.forgive(name)

    def forgive(self, name: str) -> None:
        """Forget how the last fetch ended: the next one is due."""
        forgiven = {"completed_us": None, "succeeded": None, "failure": ""}
        self._connection.execute(update(exchange).where(exchange.c.name == name).values(forgiven))

    def cast(self, opinion: Vote) -> Vote:
        """Store an opinion to be sent and return it as stored; the same one is not sent again."""
        statement = select(vote).where(vote.c.id == opinion.id).with_for_update()
        row = self._connection.execute(statement).one_or_none()
        stored = opinion
        if row is not None:
            before = _vote(row)
            if before.opinion is opinion.opinion and before.state is not VoteState.REFUSED:
                return before
            if before.state is VoteState.PENDING and before.attempts:
                # One that may be on its way arrives first.
                latest = min(before.next_attempt_at, opinion.requested_at + _FLIGHT)
                stored = replace(opinion, next_attempt_at=max(latest, opinion.next_attempt_at))
        put_over(self._connection, vote, [_vote_row(stored)])
        return stored

    def claim_votes(self, *, now: datetime, lease_s: float, limit: int) -> Sequence[Vote]:
        """Return opinions that are due, counted as tried and hidden for ``lease_s`` seconds."""
        due = (
            select(vote)
            .where(vote.c.state == VoteState.PENDING.value, vote.c.next_us <= to_us(now))
            .order_by(vote.c.next_us, vote.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        hidden = now + timedelta(seconds=lease_s)
        claimed = [
            replace(one, attempts=one.attempts + 1, next_attempt_at=hidden)
            for one in map(_vote, self._connection.execute(due))
        ]
        put_over(self._connection, vote, [_vote_row(one) for one in claimed])
        return claimed

    def settle(self, settled: Vote) -> bool:
        """Store what became of a claimed opinion; return False where a later one came meanwhile."""
        changed = self._connection.execute(
            update(vote)
            .where(
                vote.c.id == settled.id,
                vote.c.state == VoteState.PENDING.value,
                vote.c.opinion == settled.opinion.value,
                vote.c.attempts == settled.attempts,
                vote.c.requested_us == to_us(settled.requested_at),
            )
            .values(
                state=settled.state.value,
                next_us=to_us(settled.next_attempt_at),
                failure=settled.failure,
            )
        )
        return changed.rowcount == 1

    def votes(self, *, exchange: str | None = None, limit: int = 100) -> Sequence[Vote]:
        """Return the newest opinions, newest first."""
        statement = select(vote).order_by(vote.c.requested_us.desc(), vote.c.id).limit(limit)
        if exchange is not None:
            statement = statement.where(vote.c.exchange == exchange)
        return [_vote(row) for row in self._connection.execute(statement)]

    def own_opinions(self, exchange: str, entry_ids: Collection[str]) -> Mapping[str, Opinion]:
        """Return what this platform says of these entries, as far as it said anything."""
        rows = self._connection.execute(
            select(vote.c.entry_id, vote.c.opinion).where(
                vote.c.exchange == exchange,
                vote.c.state != VoteState.REFUSED.value,
                among(self._connection, vote.c.entry_id, entry_ids),
            )
        )
        return {row.entry_id: Opinion(row.opinion) for row in rows}

    def _joined(self) -> Any:
        beat = heartbeat.c.name == _BEAT + exchange.c.name
        joined = exchange.outerjoin(heartbeat, beat)
        return select(exchange, heartbeat.c.at_us.label("alive_us")).select_from(joined)

    def _row(self, name: str) -> Any:
        found = self._joined().where(exchange.c.name == name)
        row = self._connection.execute(found).one_or_none()
        if row is None or name.startswith(_API_ROW):
            raise NotFound(f"no exchange {name!r}", hint="`nightlight exchange list`")
        return row

    def _opened(self, row: Any) -> _Settings:
        try:
            return _settings.decode(self._keys.unwrap(row.sealed_settings))
        except msgspec.DecodeError as error:
            raise IntegrityFailure("the settings of an exchange cannot be read") from error

    def _listed(self, row: Any) -> tuple[Exchange, FetchState]:
        try:
            return self._read(row)
        except IntegrityFailure:
            settings, state = self._as(row, _Settings())
            why = f"{_UNREADABLE}: restore what is stored of it from a backup, or remove it"
            return replace(settings, enabled=False), replace(state, failure=why)

    def _read(self, row: Any) -> tuple[Exchange, FetchState]:
        return self._as(row, self._opened(row))

    def _as(self, row: Any, opened: _Settings) -> tuple[Exchange, FetchState]:
        settings = Exchange(
            name=row.name,
            api=row.api,
            bank=row.bank,
            enabled=row.enabled,
            every_s=opened.every_s,
            public_only=opened.is_public_only,
            options=opened.options,
        )
        state = FetchState(
            checkpoint=row.checkpoint,
            checkpoint_at=from_us_or_none(row.checkpoint_us),
            running_since=from_us_or_none(row.running_us),
            alive_at=from_us_or_none(row.alive_us),
            completed_at=from_us_or_none(row.completed_us),
            succeeded=row.succeeded,
            up_to_date=row.up_to_date,
            failure=row.failure,
            fetched=row.fetched,
        )
        return settings, state


def _vote(row: Any) -> Vote:
    return Vote(
        id=row.id,
        exchange=row.exchange,
        entry_id=row.entry_id,
        source_ref=row.source_ref,
        opinion=Opinion(row.opinion),
        state=VoteState(row.state),
        attempts=row.attempts,
        requested_at=from_us(row.requested_us),
        next_attempt_at=from_us(row.next_us),
        failure=row.failure,
    )


def _vote_row(one: Vote) -> Row:
    return {
        "id": one.id,
        "exchange": one.exchange,
        "entry_id": one.entry_id,
        "source_ref": one.source_ref,
        "opinion": one.opinion.value,
        "state": one.state.value,
        "attempts": one.attempts,
        "requested_us": to_us(one.requested_at),
        "next_us": to_us(one.next_attempt_at),
        "failure": one.failure,
    }
