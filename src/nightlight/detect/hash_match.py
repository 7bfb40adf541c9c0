"""Known media: files whose hashes stand in a hash bank.

``BankIndex`` answers which bank entries a file matches; ``HashMatch`` makes a signal of it. Which
banks there are, and how their entries came in, is for ``exchange``.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from nightlight.detect.media import media_subject, shown_media
from nightlight.errors import IntegrityFailure, InvalidInput
from nightlight.kernel.hamming import HASH_BITS, pack, within
from nightlight.model.bank import HASH_DIGITS, BankEntry, BankMatch, HashKind
from nightlight.model.context import Context
from nightlight.model.event import Event
from nightlight.model.media import MediaHashes
from nightlight.model.signal import Fact, Signal

#: PDQ's own conventions: how far apart two hashes of one picture may be, and the quality under
#: which a hash says too little to be compared.
DEFAULT_THRESHOLD_BITS = 31
MATCHABLE_QUALITY = 50
#: Evidence names this many matches; a reviewer reads no more, and a flooded bank costs no more.
_EVIDENCE_MATCHES = 20
_EXACT_KINDS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
_NONE: tuple[Signal, ...] = ()


class BankIndex:
    """All bank entries, ready to be asked; it never changes, a changed bank needs a new one."""

    def __init__(
        self,
        entries: Iterable[BankEntry],
        *,
        threshold_bits: Mapping[str, int] | None = None,
        remembered: int = 16_384,
    ) -> None:
        """Index the entries.

        Args:
            entries: the entries of every bank.
            threshold_bits: the greatest PDQ distance that is a match, by bank; 31 if not named.
            remembered: of how many files, the latest asked for, the answer is kept.

        Raises:
            InvalidInput: a threshold is not in 0 to 256.
            IntegrityFailure: an entry is not a hash of its kind; names the entry, not the hash.
        """
        self._thresholds = dict(threshold_bits or {})
        for bank, bits in self._thresholds.items():
            if not 0 <= bits <= HASH_BITS:
                raise InvalidInput(f"the threshold of bank {bank} is not 0 to {HASH_BITS} bits")
        self._exact: dict[HashKind, dict[str, list[BankEntry]]] = {k: {} for k in _EXACT_KINDS}
        self._near: list[BankEntry] = []
        for entry in entries:
            if len(entry.value) != HASH_DIGITS[entry.kind]:
                raise IntegrityFailure(f"bank entry {entry.id} is not a {entry.kind} hash")
            if entry.kind is HashKind.PDQ:
                self._near.append(entry)
            else:
                self._exact[entry.kind].setdefault(entry.value, []).append(entry)
        try:
            self._rows = pack([entry.value for entry in self._near])
        except ValueError as error:
            raise IntegrityFailure(f"among the PDQ bank entries, {error}") from error
        self._widest = max((self.threshold_bits(bank) for bank in self._near_banks()), default=0)
        self._match = lru_cache(maxsize=remembered)(self._find)

    def __len__(self) -> int:
        exact = sum(len(same) for by_value in self._exact.values() for same in by_value.values())
        return exact + len(self._near)

    def threshold_bits(self, bank: str) -> int:
        """Return the greatest PDQ distance that is a match in this bank."""
        return self._thresholds.get(bank, DEFAULT_THRESHOLD_BITS)

    def confidence(self, match: BankMatch) -> float:
        """Return 1.0 for equal hashes, falling with the distance to 0.5 at the bank's threshold."""
        if match.distance_bits == 0:
            return 1.0
        return 1.0 - 0.5 * match.distance_bits / self.threshold_bits(match.bank)

    def match(self, hashes: MediaHashes) -> tuple[BankMatch, ...]:
        """Return every bank entry that matches the file: the same bytes first, then by distance.

        Equally close entries come gravest classification first, unclassified ones last.

        Raises:
            InvalidInput: the PDQ hash is not 64 hex digits.
        """
        return self._match(hashes)

    def _near_banks(self) -> set[str]:
        return {entry.bank for entry in self._near}

    def _find(self, hashes: MediaHashes) -> tuple[BankMatch, ...]:
        same = (hashes.md5, hashes.sha1, hashes.sha256)
        found = [
            _matched(entry, 0)
            for kind, value in zip(_EXACT_KINDS, same, strict=True)
            for entry in self._exact[kind].get(value, ())
        ]
        if self._near and hashes.pdq and hashes.pdq_quality >= MATCHABLE_QUALITY:
            found.extend(self._find_near(hashes.pdq))
        return tuple(sorted(found, key=_closest_first))

    def _find_near(self, pdq: str) -> Iterable[BankMatch]:
        try:
            query = pack([pdq])
        except ValueError as error:
            raise InvalidInput("not 64 hex digits", field="pdq") from error
        _, positions, distances = within(query, self._rows, self._widest)
        for position, distance in zip(positions.tolist(), distances.tolist(), strict=True):
            entry = self._near[position]
            if distance <= self.threshold_bits(entry.bank):
                yield _matched(entry, distance)


class HashMatch:
    """Emits one signal where media of an upload or post matches a hash bank.

    ``hash_exact`` says that the file is byte for byte a known one (MD5, SHA-1 or SHA-256); a PDQ
    hash at distance 0 is the same picture, not the same file. The facts tell the closest match;
    ``hash_classification`` is the first that any match gives, closest first.
    """

    name = "hash_match"
    facts: Mapping[str, Fact] = {
        "hash_matched": False,
        "hash_exact": False,
        "hash_distance_bits": HASH_BITS,
        "hash_bank": "",
        "hash_classification": "",
    }

    def __init__(self, *, index: BankIndex) -> None:
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
        found.sort(key=lambda pair: _closest_first(pair[0]))
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
                "hash_exact": closest.kind is not HashKind.PDQ,
                "hash_distance_bits": closest.distance_bits,
                "hash_bank": closest.bank,
                "hash_classification": next(
                    (match.classification for match, _ in found if match.classification), ""
                ),
            },
            evidence={
                "matches": len(found),
                "bank_entries": [match.entry_id for match, _ in shown],
                "banks": [match.bank for match, _ in shown],
                "kinds": [match.kind.value for match, _ in shown],
                "distances_bits": [str(match.distance_bits) for match, _ in shown],
                "media": [media_id for _, media_id in shown],
            },
        )


def _matched(entry: BankEntry, distance_bits: int) -> BankMatch:
    return BankMatch(
        entry_id=entry.id,
        bank=entry.bank,
        kind=entry.kind,
        classification=entry.classification,
        distance_bits=distance_bits,
    )


def _closest_first(match: BankMatch) -> tuple[bool, int, bool, str, str, str]:
    return (
        match.kind is HashKind.PDQ,
        match.distance_bits,
        not match.classification,
        match.classification,
        match.bank,
        match.entry_id,
    )
