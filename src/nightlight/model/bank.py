"""Hash banks: known sets of hashes, kept secret."""

from enum import StrEnum
from typing import Literal, TypeAlias

from msgspec import Struct

from nightlight.model.masked import Masked

#: NCMEC's industry classification; "" where the list gives none.
Classification: TypeAlias = Literal["", "A1", "A2", "B1", "B2"]


class HashKind(StrEnum):
    """The hash kinds that a bank entry may hold."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"


#: Hex digits of each kind.
HASH_DIGITS: dict[HashKind, int] = {
    HashKind.MD5: 32,
    HashKind.SHA1: 40,
    HashKind.SHA256: 64,
    HashKind.PDQ: 64,
}


class BankEntry(Masked, frozen=True, kw_only=True):
    """One known hash; ``id`` is opaque and may be shown, ``value`` (lower-case hex) may not."""

    id: str
    bank: str
    kind: HashKind
    value: str
    classification: Classification = ""

    def __repr__(self) -> str:
        return f"<BankEntry {self.id}: masked>"


class BankMatch(Struct, frozen=True, kw_only=True):
    """A bank entry that matches a file, and how closely (0 bits for equal hashes)."""

    entry_id: str
    bank: str
    kind: HashKind
    classification: Classification
    distance_bits: int
