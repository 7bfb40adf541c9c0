"""Invented hashes, and bank entries at chosen distances from them."""

from datetime import UTC, datetime

from nightlight.model.bank import BankEntry, Classification, HashKind
from nightlight.model.media import MediaHashes, ViewHash

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MD5, SHA1, SHA256 = "0a" * 16, "0b" * 20, "0c" * 32
PDQ = "0" * 64


def pdq_at(distance_bits: int) -> str:
    """Return a PDQ hash that differs from ``PDQ`` in this many bits."""
    return f"{(1 << distance_bits) - 1:064x}"


def entry(
    kind: HashKind, value: str, *, bank: str = "local", classification: Classification = ""
) -> BankEntry:
    return BankEntry(
        id=f"be-{bank}-{kind.value}-{value.count('f')}",
        bank=bank,
        kind=kind,
        value=value,
        classification=classification,
    )


def near(distance_bits: int, bank: str = "local") -> BankEntry:
    return BankEntry(
        id=f"be-{bank}-{distance_bits}", bank=bank, kind=HashKind.PDQ, value=pdq_at(distance_bits)
    )


def hashes(
    *,
    pdq: str = PDQ,
    quality: int = 100,
    md5: str = "",
    sha1: str = "",
    views: tuple[ViewHash, ...] = (),
) -> MediaHashes:
    return MediaHashes(md5=md5, sha1=sha1, pdq=pdq, pdq_quality=quality, views=views)
