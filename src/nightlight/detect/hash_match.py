"""Known media: files whose hashes stand in a hash bank.

``HashMatch`` makes a signal of what ``BankIndex`` answers. Which banks there are, and how their
entries came in, is for ``exchange``.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from nightlight.detect.match_order import closest_first
from nightlight.detect.media import media_subject, shown_media
from nightlight.detect.vetoes import EXACT_KINDS
from nightlight.kernel.hamming import HASH_BITS
from nightlight.model.bank import BankMatch, HashKind, Opinion
from nightlight.model.context import Context
from nightlight.model.event import Event
from nightlight.model.media import MediaHashes
from nightlight.model.signal import Fact, Signal

#: Evidence names this many matches; a reviewer reads no more, and a flooded bank costs no more.
_EVIDENCE_MATCHES = 20
_NONE: tuple[Signal, ...] = ()


class Asked(Protocol):
    """What is asked for matches: an index of banks."""

    @property
    def version(self) -> int:
        """The version of the banks of which nothing is missing."""
        ...

    def match(self, hashes: MediaHashes) -> tuple[BankMatch, ...]:
        """Return every bank entry that the file matches."""
        ...

    def confidence(self, match: BankMatch) -> float:
        """Return how certain a match is."""
        ...


class AlreadyAsked:
    """An index that was asked about one file, and answers about it as it did then."""

    def __init__(
        self, index: Asked, *, hashes: MediaHashes, matches: tuple[BankMatch, ...], version: int
    ) -> None:
        """Keep what it answered, and the version that it had when it was asked."""
        self.version = version
        self._index = index
        self._hashes = hashes
        self._matches = matches

    def match(self, hashes: MediaHashes) -> tuple[BankMatch, ...]:
        """Return what was answered about the file; about another one it is asked."""
        return self._matches if hashes == self._hashes else self._index.match(hashes)

    def confidence(self, match: BankMatch) -> float:
        """Return how certain a match is."""
        return self._index.confidence(match)


class HashMatch:
    """Emits one signal where media of an upload or post matches a hash bank.

    ``hash_exact`` says that the file is byte for byte a known one (MD5, SHA-1 or SHA-256); a PDQ
    hash at distance 0 is the same picture, not the same file. ``hash_view`` says which view of the
    picture matched, "" for the picture as it is, "frame-12.5s" for what a video shows at that
    time; ``hash_disputed`` that everybody who gave a matching entry is contradicted by somebody
    else. The facts tell the closest match; ``hash_classification`` is the first that any match
    gives, closest first.
    """

    name = "hash_match"
    facts: Mapping[str, Fact] = {
        "hash_matched": False,
        "hash_exact": False,
        "hash_distance_bits": HASH_BITS,
        "hash_bank": "",
        "hash_classification": "",
        "hash_view": "",
        "hash_video": False,
        "hash_disputed": False,
    }

    def __init__(self, *, index: Asked) -> None:
        """Keep the index that is asked."""
        self._index = index

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal about the media uploaded or the post that shows it, or nothing.

        Raises:
            InvalidInput: a media file's PDQ hash is not 64 hex digits.
        """
        if not context.media:
            return _NONE
        found = [
            (match, media.media_id)
            for media in shown_media(event, context)
            for match in self._index.match(media.scan.hashes)
        ]
        if not found:
            return _NONE
        found.sort(key=lambda pair: closest_first(pair[0]))
        return (self._signal(event, found),)

    def _signal(self, event: Event, found: Sequence[tuple[BankMatch, str]]) -> Signal:
        closest, _ = found[0]
        shown = found[:_EVIDENCE_MATCHES]
        return Signal(
            detector=self.name,
            event_key=event.key,
            account_id=event.account_id,
            subject=media_subject(event),
            confidence=max(self._index.confidence(match) for match, _ in found),
            facts={
                "hash_matched": True,
                "hash_exact": closest.kind in EXACT_KINDS,
                "hash_distance_bits": closest.distance_bits,
                "hash_bank": closest.bank,
                "hash_classification": next(
                    (match.classification for match, _ in found if match.classification), ""
                ),
                "hash_view": closest.view,
                "hash_video": closest.kind is HashKind.VPDQ,
                "hash_disputed": all(match.opinion is Opinion.DISPUTED for match, _ in found),
            },
            evidence={
                "matches": len(found),
                "bank_entries": [match.entry_id for match, _ in shown],
                "bank_numbers": [str(match.number) for match, _ in shown],
                "banks": [match.bank for match, _ in shown],
                "kinds": [match.kind.value for match, _ in shown],
                "distances_bits": [str(match.distance_bits) for match, _ in shown],
                "views": [_view(match) for match, _ in shown],
                "media": [media_id for _, media_id in shown],
                "bank_version": self._index.version,
            },
        )


def _view(match: BankMatch) -> str:
    """Return what was done to the file, and to the known picture, for them to match."""
    shown = match.view or "as it is"
    if match.query_share is not None and match.bank_share is not None:
        shown += f" ({match.query_share:.0%} of it, {match.bank_share:.0%} of the known video)"
    return f"{shown}, known picture {match.bank_view}" if match.bank_view else shown
