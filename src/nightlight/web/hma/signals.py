"""HMA's names for hash kinds (signal types) and for what is hashed (content types)."""

from collections.abc import Mapping

from nightlight.model.bank import HASH_DIGITS, HashKind
from nightlight.model.media import MediaHashes
from nightlight.web.hma.answers import bad

PHOTO, VIDEO = "photo", "video"
#: What HMA has as it is delivered: listed, and answered where nothing else is asked for.
SIGNAL_TYPES: Mapping[str, HashKind] = {"pdq": HashKind.PDQ, "video_md5": HashKind.MD5}
#: Taken as well where somebody names them.
_FURTHER = {kind.value: kind for kind in (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)}
_BY_CONTENT: Mapping[str, tuple[str, ...]] = {PHOTO: ("pdq",), VIDEO: ("video_md5",)}
_HEX = "0123456789abcdef"


def kind_of(signal_type: str) -> HashKind:
    """Return the hash kind of a signal type.

    Raises:
        Refused: there is none of this name.
    """
    kind = SIGNAL_TYPES.get(signal_type) or _FURTHER.get(signal_type)
    if kind is None:
        raise bad(f"No such SignalType '{signal_type[:40]}'")
    return kind


def value_of(kind: HashKind, signal: object, *, message: str = "invalid signal") -> str:
    """Return a signal in lower-case hex.

    Raises:
        Refused: it is none of its kind; the message does not repeat it.
    """
    value = signal.strip().lower() if isinstance(signal, str) else ""
    if len(value) != HASH_DIGITS[kind] or value.strip(_HEX):
        raise bad(f"{message}: {kind.value} is {HASH_DIGITS[kind]} hex digits")
    return value


def hashes_of(kind: HashKind, value: str) -> MediaHashes:
    """Return the hashes of a file of which one is known."""
    match kind:
        case HashKind.MD5:
            return MediaHashes(md5=value)
        case HashKind.SHA1:
            return MediaHashes(sha1=value)
        case HashKind.SHA256:
            return MediaHashes(sha256=value)
        case _:
            return MediaHashes(pdq=value, pdq_quality=100)


def content_type_of(name: str) -> str:
    """Return a content type.

    Raises:
        Refused: there is none of this name.
    """
    if name not in _BY_CONTENT:
        raise bad(f"no such content_type: '{name[:40]}'")
    return name


def types_of(content_type: str, wanted: str | None) -> tuple[str, ...]:
    """Return the signal types to give for a content type: those that are wanted, or HMA's.

    Raises:
        Refused: one does not exist for it.
    """
    if wanted is None:
        return _BY_CONTENT[content_type]
    names = tuple(name for name in map(str.strip, wanted.split(",")) if name)
    for name in names:
        if name not in _BY_CONTENT[content_type] and name not in _FURTHER:
            raise bad(f"signal type '{name[:40]}' doesn't exist or is disabled")
    if not names:
        raise bad("empty signal type selection")
    return names


def signals_of(hashes: MediaHashes, types: tuple[str, ...]) -> dict[str, str]:
    """Return the hashes by signal type."""
    return {name: str(getattr(hashes, kind_of(name).value)) for name in types}
