"""Heads of the chain, kept outside the database: signed checkpoints, and the anchors before them.

A checkpoint is a signed note (c2sp.org/signed-note) whose text names the log, the place, the hash
and the time, so it can be published, and verified by anybody who has the public key. It looks like
c2sp.org/tlog-checkpoint, but its hash is the head of a chain and not the root of a Merkle tree.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

#: What an export and its signed manifest are called.
EXPORT_FORMAT = "nightlight-audit-export-2"

_HASH_BYTES = 32
_KEY_ID_BYTES = 4
_ED25519 = b"\x01"
_SIGNATURE = "\N{EM DASH} "
_LINES = 4
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Anchor(Struct, frozen=True, kw_only=True):
    """A chain head as it once was, under a key that the database does not hold.

    Attributes:
        seal: hex of the HMAC that anchors of the former kind carry; "" in a checkpoint.
        note: the signed note of a checkpoint; "" in the former kind.
    """

    seq: int
    hash: str
    at: datetime
    seal: str = ""
    note: str = ""


class Export(Struct, frozen=True, kw_only=True):
    """What an export of the record holds.

    Attributes:
        after: the entry after which it begins; 0 for the whole record.
        previous: that entry's hash.
        seq: the newest entry.
        head: its hash.
        former: up to which entry the record is of the former form, of which no text is shown.
    """

    after: int
    previous: str
    seq: int
    head: str
    former: int


class AuditKey:
    """Signs checkpoints, and tells genuine ones from forged ones.

    The signing key is derived from the audit key in the key file, so there is no other secret to
    keep, and it never changes without it.
    """

    def __init__(self, key: bytes, *, origin: str) -> None:
        """Keep the audit key and the name under which the record is published."""
        self._key = key
        self._origin = origin
        seed = hmac.new(key, b"nightlight checkpoint signing key 1", hashlib.sha256).digest()
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()

    @property
    def verifier_key(self) -> str:
        """The public key in the form that verifiers of signed notes take: name, id and key."""
        raw = self._public.public_bytes_raw()
        shown = base64.b64encode(_ED25519 + raw).decode()
        return f"{self._origin}+{_key_id(self._origin, raw).hex()}+{shown}"

    def checkpoint(self, *, seq: int, head: str, at: datetime) -> Anchor:
        """Return the signed checkpoint of a head."""
        at = at.astimezone(UTC).replace(microsecond=0)
        shown = base64.b64encode(bytes.fromhex(head)).decode()
        note = self._note(str(seq), shown, f"{at:{_TIME}}")
        return Anchor(seq=seq, hash=head, at=at, note=note)

    def manifest(self, export: Export, *, at: datetime) -> str:
        """Return the signed note that says what an export holds, from which entry to which."""
        return self._note(
            EXPORT_FORMAT,
            f"after {export.after} {export.previous}",
            f"head {export.seq} {export.head}",
            f"former {export.former}",
            f"{at.astimezone(UTC):{_TIME}}",
        )

    def _note(self, *lines: str) -> str:
        text = "".join(f"{one}\n" for one in (self._origin, *lines))
        key_id = _key_id(self._origin, self._public.public_bytes_raw())
        signed = base64.b64encode(key_id + self._private.sign(text.encode())).decode()
        return f"{text}\n{_SIGNATURE}{self._origin} {signed}\n"

    def is_genuine(self, anchor: Anchor) -> bool:
        """Return whether this anchor was made with this key."""
        if not anchor.note:
            body = f"{anchor.seq}:{anchor.hash}:{anchor.at.isoformat()}".encode()
            expected = hmac.new(self._key, body, hashlib.sha256).hexdigest()
            return hmac.compare_digest(anchor.seal.encode(), expected.encode())
        return _verified(anchor.note, self._public) and read_note(anchor.note) == anchor


def read_note(note: str) -> Anchor:
    """Return the checkpoint that a note states, whether or not anybody signed it.

    Raises:
        ValueError: it states none.
    """
    lines, _ = _parts(note)
    head = base64.b64decode(lines[2], validate=True)
    at = datetime.strptime(lines[3], _TIME).replace(tzinfo=UTC)
    seq = int(lines[1])
    if len(head) != _HASH_BYTES or str(seq) != lines[1] or f"{at:{_TIME}}" != lines[3]:
        raise ValueError("not a checkpoint")
    return Anchor(seq=seq, hash=head.hex(), at=at, note=note)


def _verified(note: str, public: Ed25519PublicKey) -> bool:
    """Return whether the note's one signature is by this key, under the name it states."""
    try:
        lines, signature = _parts(note)
        origin = lines[0]
        encoded = signature.removeprefix(f"{_SIGNATURE}{origin} ")
        signed = base64.b64decode(encoded, validate=True)
        is_ours = signed[:_KEY_ID_BYTES] == _key_id(origin, public.public_bytes_raw())
        if not is_ours or base64.b64encode(signed).decode() != encoded:
            return False
        public.verify(signed[_KEY_ID_BYTES:], "".join(f"{one}\n" for one in lines).encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def _parts(note: str) -> tuple[list[str], str]:
    """Return the lines of a checkpoint's text and its signature line."""
    lines = note.split("\n")
    if len(lines) != _LINES + 3 or lines[_LINES] or lines[-1] or not all(lines[:_LINES]):
        raise ValueError("not a checkpoint")
    return lines[:_LINES], lines[_LINES + 1]


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(f"{name}\n".encode() + _ED25519 + public).digest()[:_KEY_ID_BYTES]
