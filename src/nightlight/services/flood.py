"""Whether an update of a hash bank would match much of recent harmless traffic.

A list that suddenly names what everybody posts is a mistake or an attack; a negative bank that
names what other banks hold would switch them off. Either is noticed here before it acts. What
becomes of such an update is for ``services.updates``.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.detect.bank_index import MATCHABLE_QUALITY
from nightlight.detect.entry_hashes import video_of
from nightlight.detect.vetoes import EXACT_KINDS
from nightlight.detect.video_index import VideoIndex
from nightlight.detect.video_stills import FRAME, stills_of
from nightlight.errors import Unavailable
from nightlight.kernel.hamming import pack, unpack, within
from nightlight.kernel.hash_index import HashIndex
from nightlight.kernel.views import pair_threshold_bits
from nightlight.model.bank import Bank, BankEntry, BankPurpose, HashKind
from nightlight.model.media import MediaHashes, Scan, VideoHashes
from nightlight.services.matching import Matcher
from nightlight.transaction import UnitOfWork

#: Fewer entries are compared with every hash of the traffic in less time than an index takes.
_WORTH_AN_INDEX = 500
_DAY = timedelta(days=1)
#: Frames of a video that are tried as pictures: a part of those that are asked about.
_MOST_FRAMES = 32

#: Query, place among the traffic's hashes, and distance.
Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class Known(Protocol):
    """Answers which entries of known banks others match."""

    def prepare(self) -> None:
        """Return once it can be asked; that may take minutes, so before others have to wait."""
        ...

    def __call__(self, entries: Sequence[BankEntry], /) -> Mapping[str, set[int]]:
        """Return the numbers of the entries matched, by bank.

        Raises:
            Unavailable: that could not be told soon.
        """
        ...


class KnownEntries:
    """Answers, from the index in force, which entries of known banks others match."""

    def __init__(self, matcher: Matcher, *, unit_of_work: UnitOfWork) -> None:
        """Keep the index, and what it is brought up to date with."""
        self._matcher = matcher
        self._unit_of_work = unit_of_work
        self._is_prepared = False

    def prepare(self) -> None:
        """Return once everything that is stored is in the index."""
        self._matcher.refresh()
        self._is_prepared = True

    def __call__(self, entries: Sequence[BankEntry]) -> Mapping[str, set[int]]:
        """Return the numbers of the entries matched, by bank.

        Whoever asks may hold what others wait for: of a change since ``prepare`` a piece is taken
        in, no more.

        Raises:
            Unavailable: ``prepare`` was not called, or a large change came since.
        """
        if not self._is_prepared:
            raise Unavailable("what this would veto was not looked up: try again")
        with self._unit_of_work.read() as tx:
            index = self._matcher.advance(tx)
        if not self._matcher.is_whole:
            raise Unavailable("a large change of another bank is being read: try again")
        found: dict[str, set[int]] = defaultdict(set)
        near = [entry.value for entry in entries if entry.kind is HashKind.PDQ]
        others = [_file_of(entry) for entry in entries if entry.kind is not HashKind.PDQ]
        matches = index.near(pack(near)) if near else []
        for match in chain(*matches, *(index.match(hashes) for hashes in others)):
            if index.bank(match.bank).purpose is BankPurpose.KNOWN:
                found[match.bank].add(match.number)
        return found


def _file_of(entry: BankEntry) -> MediaHashes:
    """Return the hashes of a file that has the entry's, and no other."""
    match entry.kind:
        case HashKind.MD5:
            return MediaHashes(md5=entry.value)
        case HashKind.SHA1:
            return MediaHashes(sha1=entry.value)
        case HashKind.SHA256:
            return MediaHashes(sha256=entry.value)
        case HashKind.PDQ:
            return MediaHashes(pdq=entry.value, pdq_quality=entry.quality)
        case HashKind.VPDQ:
            return MediaHashes(video=video_of(entry.value))


class FloodLimits(Struct, frozen=True, kw_only=True):
    """How much of recent harmless traffic an update may match before a person has to look.

    Attributes:
        looked_at: how many of the newest files are tried.
        files: fewer matched files than this are never too many.
        update_share: an update may match this share of them.
        entry_share: a single entry may; one that matches more is held by itself.
        bank_share: entries of a negative bank may match this share of a known bank's entries.
        bank_entries: fewer matched entries than this are never too many.
    """

    looked_at: int = 20_000
    files: int = 5
    update_share: float = 0.005
    entry_share: float = 0.002
    bank_share: float = 0.01
    bank_entries: int = 20


class LetIn(Struct, frozen=True, kw_only=True):
    """What updates of a bank were let match in the last day, so that a flood in slices adds up.

    What was let in counts less with every hour, and after a day no more.

    Attributes:
        files: recent harmless files.
        entries: entries of known banks that are vetoed, by bank.
    """

    files: float = 0.0
    entries: Mapping[str, float] = {}

    def after(self, waited: timedelta) -> "LetIn":
        """Return what still counts when so much time has passed."""
        left = min(1.0, max(0.0, 1.0 - waited / _DAY))
        entries = {name: count * left for name, count in self.entries.items() if left}
        return LetIn(files=self.files * left, entries=entries)


class Traffic:
    """Recent harmless files, ready to be asked which of them an entry matches."""

    def __init__(self, scans: Iterable[Scan]) -> None:
        self.files = 0
        self._exact: dict[tuple[HashKind, str], list[int]] = defaultdict(list)
        self._videos: list[tuple[int, VideoHashes]] = []
        self._views: dict[str, int] = {}
        owners, views, values = array("q"), array("q"), list[str]()
        for file, scan in enumerate(scans):
            self.files += 1
            for view, value in self._take(file, scan):
                owners.append(file)
                views.append(self._views.setdefault(view, len(self._views)))
                values.append(value)
        self._owners = np.array(owners, np.int64)
        self._view_of = np.array(views, np.int64)
        self._rows = pack(values)
        self._index: HashIndex | None = None

    def _take(self, file: int, scan: Scan) -> Iterable[tuple[str, str]]:
        hashes = scan.hashes
        same = (hashes.md5, hashes.sha1, hashes.sha256)
        for kind, value in zip(EXACT_KINDS, same, strict=True):
            if value:
                self._exact[kind, value].append(file)
        if hashes.video is not None:
            self._videos.append((file, hashes.video))
            _, rows = stills_of(hashes.video, most=_MOST_FRAMES)
            yield from ((FRAME, value) for value in dict.fromkeys(unpack(rows)))
        if hashes.pdq and hashes.pdq_quality >= MATCHABLE_QUALITY:
            yield "", hashes.pdq
        for one in hashes.views:
            if one.quality >= MATCHABLE_QUALITY:
                yield one.view, one.pdq

    def matched(self, entries: Sequence[BankEntry], bank: Bank) -> dict[int, set[int]]:
        """Return the files that each entry would match, by the entry's number."""
        found: dict[int, set[int]] = {}
        for entry in entries:
            files = self._exact.get((entry.kind, entry.value))
            if files:
                found[entry.number] = set(files)
        self._near([one for one in entries if one.kind is HashKind.PDQ], bank, found)
        self._same_video([one for one in entries if one.kind is HashKind.VPDQ], found)
        return found

    def _near(self, entries: Sequence[BankEntry], bank: Bank, found: dict[int, set[int]]) -> None:
        if not entries or not len(self._rows):
            return
        rows = pack([entry.value for entry in entries])
        queries, labels, distances = self._search(rows, bank.threshold_bits)
        bank_views = list({entry.view: None for entry in entries})
        view_of = np.array([bank_views.index(entry.view) for entry in entries], np.int64)
        allowed = self._allowed(bank_views, bank)
        counted = distances <= allowed[view_of[queries], self._view_of[labels]]
        pairs = zip(queries[counted].tolist(), self._owners[labels[counted]].tolist(), strict=True)
        for query, file in pairs:
            found.setdefault(entries[query].number, set()).add(file)

    def _search(self, rows: NDArray[np.uint64], distance_bits: int) -> Pairs:
        if len(rows) < _WORTH_AN_INDEX:
            return within(rows, self._rows, distance_bits)
        if self._index is None:
            self._index = HashIndex()
            self._index.add(np.arange(len(self._rows), dtype=np.int64), self._rows)
        return self._index.search(rows, distance_bits)

    def _allowed(self, bank_views: Sequence[str], bank: Bank) -> NDArray[np.int64]:
        """Return the greatest distance for each view of an entry and each view of the traffic."""
        return np.array(
            [
                [pair_threshold_bits(view, own, bank.threshold_bits) for view in self._views]
                for own in bank_views
            ],
            np.int64,
        )

    def _same_video(self, entries: Sequence[BankEntry], found: dict[int, set[int]]) -> None:
        if not entries or not self._videos:
            return
        index = VideoIndex()
        for entry in entries:
            index.add(entry.number, video_of(entry.value))
        for file, video in self._videos:
            for match in index.match(video):
                found.setdefault(match.number, set()).add(file)


class Gate:
    """Tries an update, piece by piece, and says in the end which entries have to wait."""

    def __init__(
        self,
        *,
        bank: Bank,
        traffic: Traffic,
        limits: FloodLimits,
        known: Known,
        sizes: Callable[[], Mapping[str, int]],
        before: LetIn | None = None,
    ) -> None:
        """Keep what to try against.

        Args:
            bank: the settings of the bank that is updated.
            traffic: recent harmless files.
            limits: how much may match.
            known: says which entries of known banks new entries match.
            sizes: says how many active entries each bank has.
            before: what earlier updates of the bank were let match.
        """
        self._before = before or LetIn()
        self._matching = array("q")
        self._bank = bank
        self._traffic = traffic
        self._limits = limits
        self._known = known
        self._sizes = sizes
        self._arrived = array("q")
        self._hot = array("q")
        self._files: set[int] = set()
        self._hot_files: set[int] = set()
        self._taken: dict[str, set[int]] = defaultdict(set)

    def attempt(self, entries: Sequence[BankEntry]) -> None:
        """Take a piece of the update into account."""
        self._arrived.extend(entry.number for entry in entries)
        for number, files in self._traffic.matched(entries, self._bank).items():
            if self._is_much(len(files), self._limits.entry_share):
                self._hot.append(number)
                self._hot_files |= files
            else:
                self._matching.append(number)
                self._files |= files
        if self._bank.purpose is BankPurpose.NEGATIVE:
            for name, numbers in self._known(entries).items():
                if name != self._bank.name:  # as when a known bank is to become a negative one
                    self._taken[name] |= numbers

    def held(self) -> Sequence[int]:
        """Return the numbers of the entries that have to wait: none, single ones, or all."""
        share = self._limits.update_share
        if self._is_much(len(self._files), share) or self._vetoes_much():
            return self._arrived
        if self._files and self._is_much(self._before.files + len(self._files), share):
            # One slice of many: what matches nothing is no part of the flood.
            return array("q", sorted({*self._hot, *self._matching}))
        return self._hot

    def let_in(self) -> LetIn:
        """Return what updates of the bank were let match, this one included."""
        waits = set(self.held())
        if waits.issuperset(self._arrived):
            return self._before
        entries = Counter(self._before.entries)
        entries.update({name: len(numbers) for name, numbers in self._taken.items()})
        files = 0 if waits.issuperset(self._matching) else len(self._files)
        return LetIn(files=self._before.files + files, entries=entries)

    @property
    def looked_at(self) -> int:
        """How many recent files were tried."""
        return self._traffic.files

    @property
    def matched_files(self) -> int:
        """How many of them the update would match."""
        return len(self._files | self._hot_files)

    def _is_much(self, files: float, share: float) -> bool:
        return files >= self._limits.files and files > share * self._traffic.files

    def _vetoes_much(self) -> bool:
        before = self._before.entries
        counts = {
            name: len(numbers) + before.get(name, 0)
            for name, numbers in self._taken.items()
            if numbers
        }
        many = {name: n for name, n in counts.items() if n >= self._limits.bank_entries}
        if not many:
            return False
        sizes = self._sizes()
        return any(n > self._limits.bank_share * sizes.get(name, 0) for name, n in many.items())
