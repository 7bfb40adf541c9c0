"""Which bank entries a file matches, over every bank and hash kind.

The index is changed in place: an entry that is added, disabled or withdrawn counts for the very
next file, and nothing is rebuilt. Which entries there are comes from ``exchange``; when to look for
changes is the caller's.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.detect.bank_settings import BankSettings, is_asked, sampling_key
from nightlight.detect.entry_hashes import bytes_of, checked, rows_of, video_of
from nightlight.detect.entry_table import EntryTable
from nightlight.detect.match_order import closest_first, picture_of, plainest, told_once
from nightlight.detect.vetoes import EXACT_KINDS, Found, Frame, Vetoes
from nightlight.detect.video_index import VideoIndex, VideoMatch
from nightlight.detect.video_stills import frame_of, places_of, stills_of
from nightlight.errors import IntegrityFailure
from nightlight.kernel.exact_index import ExactIndex
from nightlight.kernel.hamming import pack
from nightlight.kernel.hash_index import HashIndex
from nightlight.kernel.views import pair_threshold_bits
from nightlight.model.bank import (
    DEFAULT_THRESHOLD_BITS,
    HASH_DIGITS,
    Bank,
    BankEntry,
    BankMatch,
    BankPurpose,
    Classification,
    EntryState,
    HashKind,
    Opinion,
)
from nightlight.model.media import MediaHashes

#: PDQ's own convention: a hash of less quality says too little to be compared.
MATCHABLE_QUALITY = 50
_CHUNK = 50_000
_VIDEOS_AT_ONCE = 1_000
_WITHDRAWN_AT_MOST = 10_000
#: Asked about at a time.
_ROWS = 20_000


class Looked(Struct, frozen=True, kw_only=True):
    """What a file matches, and what it would match but for a negative bank.

    Attributes:
        matches: the same bytes first, then by distance.
        taken_back: matches that an entry of a negative bank took back.
        vetoes: the entries of negative banks that did.
    """

    matches: tuple[BankMatch, ...] = ()
    taken_back: tuple[BankMatch, ...] = ()
    vetoes: tuple[BankMatch, ...] = ()


class KindStatus(Struct, frozen=True, kw_only=True):
    """How much of one hash kind the index holds."""

    entries: int


class _Moved:
    """Known entries whose hashes are to be taken out, and those to be put in after that."""

    def __init__(self) -> None:
        self.out: dict[int, HashKind] = {}
        self.back: dict[int, BankEntry] = {}


class BankIndex:
    """All bank entries, ready to be asked. One thread changes it; any number ask meanwhile.

    Attributes:
        version: everything up to this version of the banks is in. While a large change is taken in
            piece by piece, some of what came after is in as well, and the version stays.
        mark: what tells that version from the same number in another database, 0 for none.
    """

    def __init__(
        self,
        entries: Iterable[BankEntry] = (),
        *,
        banks: Iterable[Bank] = (),
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        """Index the entries.

        Args:
            entries: entries of any bank; those withdrawn are passed over.
            banks: the banks' settings; a bank not named has the usual ones.
            numbers: as for ``set_banks``.

        Raises:
            IntegrityFailure: an entry is not a hash of its kind; names the entry, not the hash.
        """
        self.version = self.mark = 0
        self._settings = BankSettings()
        self._table = EntryTable()
        self._withdrawn = 0
        self._exact = {kind: ExactIndex(HASH_DIGITS[kind] // 2) for kind in EXACT_KINDS}
        self._pdq = HashIndex()
        self._videos = VideoIndex()
        self.set_banks(banks, numbers)
        self.apply(entries)

    def __len__(self) -> int:
        """Return how many entries there are, of any state but withdrawn."""
        return len(self._table)

    def __contains__(self, number: object) -> bool:
        """Return whether the entry of this number is in, of any state but withdrawn."""
        return isinstance(number, int) and self._table.place_of(number) is not None

    def status(self) -> Mapping[HashKind, KindStatus]:
        """Return how much of each kind there is."""
        counts: dict[HashKind, int] = {kind: len(index) for kind, index in self._exact.items()}
        counts[HashKind.PDQ] = len(self._pdq)
        counts[HashKind.VPDQ] = len(self._videos)
        return {kind: KindStatus(entries=count) for kind, count in counts.items()}

    def set_banks(self, banks: Iterable[Bank], numbers: Mapping[str, int] | None = None) -> None:
        """Let these be the banks there are, and their settings, from now on; seen at once, as one.

        With ``numbers``, each bank's own, entries are known by them: a renamed bank has another
        name at once, whoever takes its old name gets none of its entries, and those of a bank that
        is gone match no more, all before ``apply`` has told what became of each.
        """
        self._settings = BankSettings(banks, numbers)

    def bank(self, name: str) -> Bank:
        """Return a bank's settings."""
        return self._settings.named(name)

    def apply(self, entries: Iterable[BankEntry]) -> None:
        """Take in new entries and what became of known ones (same number); seen at once.

        After any error some of them are in: an index of which to be certain is read anew.

        Raises:
            IntegrityFailure: an entry is not a hash of its kind; names the entry, not the hash.
        """
        entries = iter(entries)
        number = 0
        while chunk := list(islice(entries, _CHUNK)):
            new: list[BankEntry] = []
            moved = _Moved()
            for given in chunk:
                entry = given
                if not entry.number:  # entries that never were in a store, as in tests and tools
                    number = (number or self._table.newest) + 1
                    entry = msgspec.structs.replace(entry, number=number)
                place = self._table.place_of(entry.number)
                if place is not None:
                    self._change(place, entry, moved)
                elif entry.state is not EntryState.WITHDRAWN:
                    new.append(checked(entry))
            self._remove(moved.out)
            self._add([*moved.back.values(), *new])
            # Last: an entry whose hash could not be put in is not known, and so comes again.
            self._table.append(new, self._settings.keys)
        self._compact_if_due()

    def _compact_if_due(self) -> None:
        """Give back the room of withdrawn rows once it is worth its while."""
        if self._withdrawn > max(_WITHDRAWN_AT_MOST, self._table.rows // 4):
            # Replaced whole: whoever is asking goes on with the table that they began with.
            self._table, self._withdrawn = self._table.thinned(), 0

    def enable(self, numbers: Iterable[int]) -> None:
        """Let disabled entries count again, because their time has come."""
        for number in numbers:
            place = self._table.place_of(number)
            if place is not None and self._table.state(place) is EntryState.DISABLED:
                self._table.set_state(place, EntryState.ACTIVE)

    def confidence(self, match: BankMatch) -> float:
        """Return 1.0 for equal hashes, falling with the distance to 0.5 at the bank's threshold."""
        if match.distance_bits == 0:
            return 1.0
        return 1.0 - 0.5 * match.distance_bits / (self.bank(match.bank).threshold_bits or 1)

    def match(
        self, hashes: MediaHashes, *, banks: Collection[str] | None = None
    ) -> tuple[BankMatch, ...]:
        """Return every bank entry that the file matches: the same bytes first, then by distance.

        Equally close entries come gravest classification first, unclassified ones last.

        Args:
            hashes: the file's.
            banks: asks only these banks; all if None. Negative banks are always asked.

        Raises:
            InvalidInput: a hash is not hex of the right length; names the field.
        """
        return self.look(hashes, banks=banks).matches

    def look(
        self,
        hashes: MediaHashes,
        *,
        banks: Collection[str] | None = None,
        everything: bool = False,
    ) -> Looked:
        """Return what the file matches, and what a negative bank took back.

        With ``everything``, whatever share of files a bank is asked about.

        Raises:
            InvalidInput: a hash is not hex of the right length; names the field.
        """
        settings = self._settings  # what is renamed meanwhile is so for the next file
        found = [
            *self._same(hashes, settings),
            *self._near(hashes, settings),
            *self._same_video(hashes, settings),
        ]
        if not found:
            return Looked()
        if not everything:
            asked = sampling_key(hashes)
            found = [one for one in found if is_asked(settings.named(one.match.bank), asked)]
        purpose = {one.match.bank: settings.named(one.match.bank).purpose for one in found}
        cleared = [one for one in found if purpose[one.match.bank] is BankPurpose.NEGATIVE]
        known = [
            one
            for one in found
            if purpose[one.match.bank] is BankPurpose.KNOWN
            and (banks is None or one.match.bank in banks)
        ]
        vetoes = Vetoes(cleared, found=known, videos=self._videos, asked=hashes.video)
        left: list[BankMatch] = []
        taken_back: list[BankMatch] = []
        for one in known:
            (taken_back if vetoes.take_back(one) else left).append(one.match)
        left = told_once(left)
        stay = {picture_of(one) for one in left}
        gone = [one for one in told_once(taken_back) if picture_of(one) not in stay]
        return Looked(
            matches=tuple(sorted(left, key=closest_first)),
            taken_back=tuple(sorted(gone, key=closest_first)),
            vetoes=tuple(sorted(told_once([one.match for one in cleared]), key=closest_first)),
        )

    def near(self, rows: NDArray[np.uint64]) -> list[list[BankMatch]]:
        """Return the matches of plain PDQ hashes, a list each: for those who have only hashes.

        Negative banks are among them and enabled ratios do not count: that is for the caller.
        """
        settings = self._settings
        queries, numbers, distances = self._pdq.search(rows, DEFAULT_THRESHOLD_BITS)
        found: list[list[BankMatch]] = [[] for _ in range(len(rows))]
        for query, number, distance in zip(
            queries.tolist(), numbers.tolist(), distances.tolist(), strict=True
        ):
            match = self._matched(settings, number, distance, view="")
            if match is not None:
                found[query].append(match)
        return found

    def save(self, path: Path) -> None:
        """Write a snapshot that other processes open in place of the lists; hashes lie in clear.

        Only for a place that is gone with the machine's power, such as shared memory.
        """
        self._table, self._withdrawn = self._table.compacted(), 0
        extra: dict[str, NDArray[np.generic]] = {
            f"table.{name}": array for name, array in self._table.arrays().items()
        }
        for kind, index in self._exact.items():
            extra |= {f"{kind}.{name}": array for name, array in index.arrays().items()}
        extra |= {f"vpdq.{name}": array for name, array in self._videos.arrays().items()}
        self._pdq.save(path, extra=extra, meta={"version": self.version, "mark": self.mark})

    @classmethod
    def open(cls, path: Path) -> "BankIndex":
        """Return the index of a snapshot, memory-mapped.

        Raises:
            ValueError: the file is not a whole snapshot.
        """
        index = cls()
        index._pdq = HashIndex.open(path)
        extra = index._pdq.extra
        index._table = EntryTable.from_arrays(_under("table", extra))
        index._exact = {
            kind: ExactIndex.from_arrays(HASH_DIGITS[kind] // 2, _under(kind, extra))
            for kind in EXACT_KINDS
        }
        index._videos = VideoIndex.from_arrays(_under("vpdq", extra))
        index.version = int(index._pdq.meta["version"])
        index.mark = int(index._pdq.meta.get("mark", 0))
        return index

    def _add(self, entries: Collection[BankEntry]) -> None:
        for kind, index in self._exact.items():
            index.add((e.number, bytes.fromhex(e.value)) for e in entries if e.kind is kind)
        near = [entry for entry in entries if entry.kind is HashKind.PDQ]
        if near:
            labels = np.array([entry.number for entry in near], np.int64)
            self._pdq.add(labels, pack([entry.value for entry in near]))
        videos = (entry for entry in entries if entry.kind is HashKind.VPDQ)
        while some := list(islice(videos, _VIDEOS_AT_ONCE)):
            self._videos.add_all([(one.number, video_of(one.value)) for one in some])

    def _remove(self, numbers: Mapping[int, HashKind]) -> None:
        """Take hashes out, all of a kind at once: each time costs a copy of what marks them."""
        near = [number for number, kind in numbers.items() if kind is HashKind.PDQ]
        if near:
            self._pdq.remove(np.array(near, np.int64))
        for kind, index in self._exact.items():
            index.remove([number for number, of in numbers.items() if of is kind])
        for number, kind in numbers.items():
            if kind is HashKind.VPDQ:
                self._videos.remove(number)

    def _change(self, place: int, entry: BankEntry, moved: "_Moved") -> None:
        """Bring a known entry up to date; note where its hash has to be put in or taken out."""
        was_in = self._table.state(place) is not EntryState.WITHDRAWN
        is_in = entry.state is not EntryState.WITHDRAWN
        same = not is_in or self._table.is_same_value(place, bytes.fromhex(entry.value))
        if was_in and is_in and not same:
            # Ids are derived from hashes, or given by a list for one hash: this is another list's.
            raise IntegrityFailure(f"bank entry {entry.id} changed its hash")
        if is_in:
            checked(entry)
        self._table.update(place, entry, self._settings.keys)
        self._withdrawn += was_in - is_in
        if was_in and not is_in:
            moved.back.pop(entry.number, None)
            moved.out[entry.number] = entry.kind
        elif is_in and not was_in:
            moved.back[entry.number] = entry

    def _same(self, hashes: MediaHashes, settings: BankSettings) -> Iterator[Found]:
        for kind, value in zip(EXACT_KINDS, (hashes.md5, hashes.sha1, hashes.sha256), strict=True):
            if value and len(self._exact[kind]):
                for number in self._exact[kind].search(bytes_of(kind, value)):
                    match = self._matched(settings, number, 0, view="")
                    if match is not None:
                        yield Found(match)

    def _near(self, hashes: MediaHashes, settings: BankSettings) -> Iterator[Found]:
        if not len(self._pdq):
            return
        views: list[str] = []
        values: list[str] = []
        if hashes.pdq and hashes.pdq_quality >= MATCHABLE_QUALITY:
            views.append("")
            values.append(hashes.pdq)
        for one in hashes.views:
            if one.quality >= MATCHABLE_QUALITY:
                views.append(one.view)
                values.append(one.pdq)
        if views:
            names = [frame_of(view) for view in views]
            for query, match in self._best(views, rows_of(values), names, settings):
                yield Found(match, names[query])
        if hashes.video is not None:
            of_frames, rows = stills_of(hashes.video)
            places = places_of(of_frames)
            for query, match in self._best(of_frames, rows, places, settings):
                yield Found(match, places[query], rows[places[query]])

    def _best(
        self,
        views: Sequence[str],
        rows: NDArray[np.uint64],
        frames: Sequence[Frame],
        settings: BankSettings,
    ) -> Iterable[tuple[int, BankMatch]]:
        """Return each known picture once a frame: by the closest of its views and of the file's.

        With each comes the place of the row that found it.
        """
        best: dict[tuple[str, int, Frame], tuple[int, BankMatch]] = {}
        for query, number, distance in self._searched(rows):
            match = self._matched(settings, number, distance, view=views[query])
            if match is not None:
                picture = (*picture_of(match), frames[query])
                known = best.get(picture)
                if known is None or plainest(match) < plainest(known[1]):
                    best[picture] = (query, match)
        return best.values()

    def _searched(self, rows: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
        """Yield place, number and distance of what lies near each row, some rows at a time."""
        for begin in range(0, len(rows), _ROWS):
            queries, *found = self._pdq.search(rows[begin : begin + _ROWS], DEFAULT_THRESHOLD_BITS)
            numbers, distances = (one.tolist() for one in found)
            yield from zip((queries + begin).tolist(), numbers, distances, strict=True)

    def _same_video(self, hashes: MediaHashes, settings: BankSettings) -> Iterator[Found]:
        if hashes.video is None or not len(self._videos):
            return
        for found in self._videos.match(hashes.video):
            bits = found.distance_bits
            match = self._matched(settings, found.number, bits, view="", video=found)
            if match is not None:
                yield Found(match)

    def _matched(
        self,
        settings: BankSettings,
        number: int,
        distance_bits: int,
        *,
        view: str,
        video: VideoMatch | None = None,
    ) -> BankMatch | None:
        """Return the match with an entry, None where it does not count as one."""
        table = self._table
        place = table.place_of(number)
        if place is None or table.state(place) is not EntryState.ACTIVE:
            return None
        row = table.row(place)
        bank = settings.of(row.bank)
        if bank is None:
            return None
        most = pair_threshold_bits(view, row.view, bank.threshold_bits)
        if row.kind is HashKind.PDQ and distance_bits > most:
            return None
        opinion = Opinion(row.opinion)
        if opinion is Opinion.NEGATIVE and bank.purpose is BankPurpose.KNOWN:
            return None
        return BankMatch(
            entry_id=row.entry_id,
            bank=bank.name,
            kind=row.kind,
            classification=msgspec.convert(row.classification, Classification)
            or bank.classification,
            distance_bits=distance_bits,
            number=number,
            content=row.content,
            view=video.how if video else view,
            bank_view=row.view,
            opinion=opinion,
            query_share=video.query_share if video else None,
            bank_share=video.bank_share if video else None,
        )


def _under(
    prefix: str, arrays: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    start = f"{prefix}."
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
