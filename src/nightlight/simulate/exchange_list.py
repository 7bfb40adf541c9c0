"""The invented lists of simulated exchanges: digests of numbers, which no file has."""

from datetime import UTC, datetime
from hashlib import blake2b

from msgspec import Struct

_BASE_S = 1_700_000_000


class ListedHash(Struct, frozen=True, kw_only=True):
    """One hash, with the time at which its exchange says that it last changed."""

    value: str
    updated_s: int


def invented(seed: str, number: int, digits: int) -> str:
    """Return hex digits that depend on the seed and the number."""
    digest = blake2b(f"{seed}/{number}".encode(), digest_size=32).hexdigest()
    return digest[:digits]


def moment(number: int, *, step_s: int = 60) -> int:
    """Return when the entry of this number came, in seconds since 1970."""
    return _BASE_S + number * step_s


def shuffled(count: int, seed: str) -> list[int]:
    """Return the numbers below ``count`` in an order that is no order, and always the same."""
    return sorted(range(count), key=lambda number: invented(seed, number, 16))


def zulu(seconds: int) -> str:
    """Return a time as NCMEC writes it."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_zulu(text: str) -> int:
    """Return the time that NCMEC's own form, or one with milliseconds, names.

    Raises:
        ValueError: it names none.
    """
    return int(datetime.fromisoformat(text).timestamp())
