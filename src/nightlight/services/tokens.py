"""API tokens: made once and shown once, kept as digests, revoked within a second.

A token is 32 random bytes, so a plain SHA-256 of it gives nothing away and cannot be guessed
backwards; that is what the store holds and what a token is looked up by.
"""

import hashlib
import secrets
from collections.abc import Collection
from enum import StrEnum
from time import monotonic

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.transaction import ApiToken, UnitOfWork

_PREFIX = "nlt_"
_SECRET_BYTES = 32
_ID_BYTES = 6
_LONGEST_NAME = 100
_FASTEST = 1_000_000.0


class Scope(StrEnum):
    """What a token may be used for."""

    EVENTS = "events"
    """Send events."""
    SCREEN = "screen"
    """Have a file judged before it is shown."""
    MATCH = "match"
    """Ask what a hash or file matches: with enough questions, what the lists hold."""
    HASH = "hash"
    """Have a file hashed."""
    BANKS = "banks"
    """Read and change banks and what is in them."""
    EXCHANGES = "exchanges"
    """Read and change exchanges and their credentials."""
    READ = "read"
    """Read names, counts and how things are; never what is in a list."""


EVERY_SCOPE = tuple(Scope)


class MadeToken(Struct, frozen=True, kw_only=True):
    """A new token: the only time that anybody sees it."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        return f"<MadeToken {self.token.id}: masked>"

    __str__ = __repr__


class Tokens:
    """Makes, lists and revokes tokens."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def make(
        self,
        name: str,
        *,
        scopes: Collection[str],
        per_second: float,
        actor: str,
        reason: str,
    ) -> MadeToken:
        """Return a new token with its secret.

        Raises:
            InvalidInput: the name, a scope or the rate is not one.
        """
        wanted = _checked(name, scopes, per_second)
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        token = ApiToken(
            id=f"tok_{secrets.token_hex(_ID_BYTES)}",
            name=name,
            digest=digest_of(secret),
            scopes=wanted,
            per_second=per_second,
            created_at=self._clock.now(),
            created_by=actor,
        )
        with self._unit_of_work.begin() as tx:
            tx.tokens.add(token)
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="token.made",
                    subject=token.id,
                    reason=reason,
                    detail={"name": name, "scopes": list(wanted), "per_second": per_second},
                )
            )
        return MadeToken(token=token, secret=secret)

    def list(self) -> list[ApiToken]:
        """Return every token ever made, oldest first."""
        with self._unit_of_work.read() as tx:
            return tx.tokens.all()

    def revoke(self, token_id: str, *, actor: str, reason: str) -> None:
        """Let a token be good no more; every process refuses it within a second.

        Raises:
            NotFound: there is no such token, or it was revoked before.
        """
        with self._unit_of_work.begin() as tx:
            if not tx.tokens.revoke(token_id, at=self._clock.now()):
                raise NotFound(f"no good token {token_id!r}", hint="`nightlight token list`")
            tx.commit(
                AuditEntry(actor=actor, action="token.revoked", subject=token_id, reason=reason)
            )

    def good(self) -> dict[str, ApiToken]:
        """Return the tokens that are good now, by digest."""
        return {one.digest: one for one in self.list() if one.revoked_at is None}


class Bucket:
    """Lets so many requests a second through, and some at once."""

    def __init__(self, per_second: float, *, at_once: float = 0.0) -> None:
        """Begin full.

        Args:
            per_second: how many are let through in the long run; 0 for as many as come.
            at_once: how many are let through at once; by default a second's worth.
        """
        self._rate = per_second
        self._most = max(1.0, at_once or per_second)
        self._left = self._most
        self._at_s = monotonic()

    def take(self) -> float:
        """Take one; return 0.0, or how many seconds to wait where none is left."""
        wait_s = self.wait_s()
        if not wait_s:
            self._left -= 1.0
        return wait_s

    def wait_s(self) -> float:
        """Return after how many seconds one can be taken, 0.0 for now."""
        if self._rate <= 0:
            return 0.0
        now_s = monotonic()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        return 0.0 if self._left >= 1.0 else (1.0 - self._left) / self._rate


def digest_of(secret: str) -> str:
    """Return what the store knows a token by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked(name: str, scopes: Collection[str], per_second: float) -> tuple[str, ...]:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        hint = f"1 to {_LONGEST_NAME} printable characters"
        raise InvalidInput("not a name for a token", field="name", hint=hint)
    unknown = set(scopes) - set(Scope)
    if unknown or not scopes:
        hint = f"one or more of {', '.join(Scope)}"
        raise InvalidInput("not a scope", field="scope", hint=hint)
    if not 0 <= per_second <= _FASTEST:
        raise InvalidInput("not a rate", field="per-second", hint="0 for no limit")
    return tuple(scope.value for scope in Scope if scope in scopes)
