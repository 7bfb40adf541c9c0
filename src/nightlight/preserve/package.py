"""What goes to an authority: sealed members, a signed manifest, and how it was all kept."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.model.ids import keyed_id
from nightlight.model.masked import Masked

VERSION = 1
#: The member that lists what the others are; encrypted like them.
CONTENTS = "contents.json"


class Custody(Struct, frozen=True, kw_only=True):
    """One step in the life of the evidence, as the audit chain has it."""

    entry: int
    hash: str
    at: datetime
    action: str
    person: str
    subject: str
    reason: str


class PackedEvidence(Masked, frozen=True, kw_only=True):
    """One sealed thing in a package, told only to who can open it."""

    id: str
    member: str
    kind: str
    content_id: str
    content_type: str
    byte_count: int
    sha256: str
    sealed_at: datetime
    captured_at: datetime


class Contents(Masked, frozen=True, kw_only=True):
    """What a package holds and how it was kept; encrypted."""

    version: int
    case_id: str
    account_id: str
    reference: str
    reason: str
    proposed_by: str
    approved_by: str
    made_at: datetime
    chain_head: str
    evidence: tuple[PackedEvidence, ...]
    custody: tuple[Custody, ...]


class Member(Struct, frozen=True, kw_only=True):
    """One encrypted member, as the manifest lists it; the digest is of the encrypted bytes."""

    name: str
    byte_count: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What everybody may know of a package; signed."""

    version: int
    package: str
    made_at: datetime
    recipient: str
    members: tuple[Member, ...]


class Packed(Struct, frozen=True, kw_only=True):
    """A package that was written."""

    manifest: Manifest
    sha256: str


class SigningKey:
    """Signs manifests; derived from the audit key, so that there is no other secret to keep."""

    def __init__(self, audit_key: bytes) -> None:
        seed = hmac.new(audit_key, b"nightlight package signing key 1", hashlib.sha256).digest()
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._names = hmac.digest(audit_key, b"nightlight package names 1", "sha256")

    def name_of(self, what: str) -> str:
        """Return what the package of something is called: its id can be computed from public ids.

        The same every time, so that a package written again is in place of the one before.
        """
        return keyed_id("pack", self._names, what)

    @property
    def public(self) -> str:
        """The public key, base64: tell it to who receives packages, by another way."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, body: bytes) -> bytes:
        """Return the Ed25519 signature of a manifest, 64 bytes."""
        return self._private.sign(body)


def is_signed(body: bytes, signature: bytes, public: str) -> bool:
    """Return whether a manifest was signed by who has this public key.

    Raises:
        InvalidInput: that is no public key.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
    except ValueError as error:
        raise InvalidInput("not a public key: 32 bytes in base64", field="key") from error
    try:
        key.verify(signature, body)
    except InvalidSignature:
        return False
    return True


class Packer(Protocol):
    """Writes packages."""

    def check_recipient(self, recipient: str) -> None:
        """Return only if something can be encrypted to this public key.

        Raises:
            InvalidInput: it is no public key.
        """
        ...

    def pack(
        self,
        to: Path,
        *,
        members: Iterator[tuple[str, Iterator[bytes]]],
        recipient: str,
        passphrase: str,
        manifest: Callable[[tuple[Member, ...]], Manifest],
        sign: Callable[[bytes], bytes],
    ) -> Packed:
        """Write a package to a new file that only its owner can read; whole, or not at all.

        Args:
            to: the new file.
            members: names and bytes.
            recipient: the public key that members are encrypted to; "" for a passphrase.
            passphrase: used where there is no public key.
            manifest: makes the manifest of what was encrypted.
            sign: signs the manifest.

        Raises:
            InvalidInput: the file is there, or cannot be made.
            Unavailable: the disk cannot be written.
        """
        ...
