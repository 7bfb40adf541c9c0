"""The hash chain over audit entries: how an entry is written, hashed and read back.

Each entry's hash is SHA-256 over the entry before and over its own stored text, so an edit, a
removal or a change of order breaks the chain at the first entry concerned (after Crosby and
Wallach, "Efficient Data Structures for Tamper-Evident Logging", 2009). What may be personal enters
the hash as salted commitments, so the chain verifies where those are withheld. The format is
written down in ``docs/record-format.md``; ``nightlight_verify.py`` reads it on its own.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from nightlight.model.audit import DISCLOSED, AuditEntry

#: The ``previous`` of the first entry.
GENESIS = "0" * 64
#: What is committed to one by one, in the order of the lines of ``StoredEntry.private``.
PRIVATE = ("actor", "subject", "reason", "detail")
SALT_BYTES = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What comes of reading text, numbers or times that were made unreadable behind the record's back.
UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError)
_encoder = msgspec.json.Encoder()
_sorted_encoder = msgspec.json.Encoder(order="sorted")
_former_decoder = msgspec.json.Decoder(AuditEntry)


class StoredEntry(NamedTuple):
    """One entry as it is stored and hashed, text for text.

    Attributes:
        at_us: microseconds since 1970.
        entry: what everybody may see, as JSON; in the former form (version 1) everything.
        private: actor, subject, reason and the rest of the detail, a line of JSON each; None in
            the former form.
        salt: 32 hex digits that hide the private lines in their commitments; None in the former.
    """

    seq: int
    at_us: int
    entry: str
    private: str | None
    salt: str | None
    previous: str
    hash: str


class _Public(msgspec.Struct, frozen=True, kw_only=True):
    action: str
    policy_version: str
    detail: dict[str, Any]


_public_decoder = msgspec.json.Decoder(_Public)


def link(entry: AuditEntry, *, seq: int, at_us: int, previous: str, salt: bytes) -> StoredEntry:
    """Return ``entry`` in its place in the chain.

    Args:
        entry: what is recorded.
        seq: its place.
        at_us: its time, in microseconds since 1970.
        previous: the hash of the entry before.
        salt: 16 fresh random bytes.
    """
    shown = DISCLOSED.get(entry.action, frozenset())
    public = _encoder.encode(
        _Public(
            action=entry.action,
            policy_version=entry.policy_version,
            detail={name: value for name, value in entry.detail.items() if name in shown},
        )
    ).decode()
    rest = {name: value for name, value in entry.detail.items() if name not in shown}
    private = b"\n".join(
        _encoder.encode(value) for value in (entry.actor, entry.subject, entry.reason, rest)
    ).decode()
    digest = _digest(seq, at_us, previous, public, _commitments(salt, private.split("\n")))
    return StoredEntry(seq, at_us, public, private, salt.hex(), previous, digest)


def read_entry(stored: StoredEntry) -> AuditEntry:
    """Return what a stored entry says.

    Raises:
        Exception: one of ``UNREADABLE``, where it was made so.
    """
    if stored.private is None:
        return _former_decoder.decode(stored.entry)
    public = _public_decoder.decode(stored.entry)
    actor, subject, reason, rest = (msgspec.json.decode(one) for one in stored.private.split("\n"))
    return msgspec.convert(
        {
            "actor": actor,
            "action": public.action,
            "subject": subject,
            "reason": reason,
            "policy_version": public.policy_version,
            "detail": {**public.detail, **rest},
        },
        AuditEntry,
    )


def field_salts(salt: bytes) -> list[bytes]:
    """Return the salt of each private line; one of them tells nothing of the others."""
    spread = hashlib.sha512(salt).digest()
    return [spread[start : start + SALT_BYTES] for start in range(0, 64, SALT_BYTES)]


def commitments(stored: StoredEntry) -> tuple[str, ...]:
    """Return what stands for each private line where it is withheld; () in the former form.

    Raises:
        Exception: one of ``UNREADABLE``, where they were made so.
    """
    if stored.private is None or stored.salt is None:
        return ()
    return _commitments(bytes.fromhex(stored.salt), stored.private.split("\n"))


def hash_of(stored: StoredEntry) -> str:
    """Return the hash that an entry with this place, text and predecessor has.

    Raises:
        Exception: one of ``UNREADABLE``, where it was made so.
    """
    seq, at_us, entry, private, salt, previous, _ = stored
    if private is None or salt is None:
        return _former_digest(stored)
    kept = _commitments(bytes.fromhex(salt), private.split("\n"))
    return _digest(seq, at_us, previous, entry, kept)


def _commitments(salt: bytes, lines: list[str]) -> tuple[str, ...]:
    if len(lines) != len(PRIVATE) or len(salt) != SALT_BYTES:
        raise ValueError("not the private part of an entry")
    spread, digest = hashlib.sha512(salt).digest(), hashlib.sha256
    actor, subject, reason, detail = lines
    return (
        digest(spread[:16] + b"actor:" + actor.encode()).hexdigest(),
        digest(spread[16:32] + b"subject:" + subject.encode()).hexdigest(),
        digest(spread[32:48] + b"reason:" + reason.encode()).hexdigest(),
        digest(spread[48:] + b"detail:" + detail.encode()).hexdigest(),
    )


def _digest(seq: int, at_us: int, previous: str, public: str, kept: tuple[str, ...]) -> str:
    a, b, c, d = kept
    body = f"nightlight-audit-2\n{seq}\n{at_us}\n{previous}\n{public}\n{a}\n{b}\n{c}\n{d}\n"
    return hashlib.sha256(body.encode()).hexdigest()


def _former_digest(stored: StoredEntry) -> str:
    """Return the hash of version 1, which covers the meaning of an entry as sorted JSON."""
    found = _former_decoder.decode(stored.entry)
    # Words that mean nothing may not be added either.
    if _encoder.encode(found).decode() != stored.entry:
        raise ValueError("not an entry as it was written")
    body = {
        "seq": stored.seq,
        "at": _EPOCH + timedelta(0, 0, stored.at_us),
        "entry": found,
        "previous": stored.previous,
    }
    return hashlib.sha256(_sorted_encoder.encode(body)).hexdigest()
