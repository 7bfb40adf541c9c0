"""What a hunt looks for, compiled once, and where it stands in a part of the event log."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightlight.decide.evaluate import Judge
from nightlight.detect.bank_index import BankIndex, Looked
from nightlight.detect.entry_hashes import is_hash
from nightlight.detect.hunting import Hunt, HuntKind
from nightlight.detect.media import shown_ids
from nightlight.detect.term_finder import TermFinder
from nightlight.detect.term_sieve import TermSieve
from nightlight.errors import IntegrityFailure
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.bank import BankEntry, EntryState
from nightlight.model.context import Context
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    EventType,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.ids import EventKey, MediaId
from nightlight.model.lexicon import TermKind
from nightlight.model.media import MediaHashes
from nightlight.model.signal import Signal
from nightlight.pipeline import Rules
from nightlight.services.hunt_causes import ALL_BANKS
from nightlight.services.matching import Matcher
from nightlight.services.offers import active_weights
from nightlight.services.rules import active_policy, build_detectors
from nightlight.transaction import Transaction

#: Kinds of terms that are looked for by themselves; the others only say what stands beside them.
BESIDE = frozenset({TermKind.CUE, TermKind.EXCLUSION})
_WITH_WORDS = (
    EventType.POST_CREATED,
    EventType.POST_EDITED,
    EventType.ACCOUNT_CREATED,
    EventType.ACCOUNT_UPDATED,
    EventType.MEDIA_UPLOADED,
)
_WITH_MEDIA = (EventType.MEDIA_UPLOADED, EventType.POST_CREATED, EventType.POST_EDITED)
_TOLD = ("handle", "display_name", "bio")


class _Words(Struct):
    """The words of any event, and nothing else of it."""

    text: str = ""
    handle: str | None = None
    display_name: str | None = None
    bio: str | None = None
    description: str = ""


class _Media(Struct):
    """Whether a stored event shows media, and nothing else of it."""

    media_id: str = ""
    media_ids: tuple[str, ...] = ()


class Occurrence(Struct, frozen=True, kw_only=True):
    """An event in which something stands that a hunt looks for.

    Attributes:
        ids: the terms, or the numbers of the bank entries, which stay whatever a bank is called.
        names: of bank entries by number, the names that older signals know them by.
        fields: where in the event the terms stand.
    """

    event: Event
    ids: frozenset[str]
    names: Mapping[str, str] = {}
    fields: frozenset[str] = frozenset()


class Part(Struct, frozen=True, kw_only=True):
    """A part of the log that was searched, up to a place in it."""

    found: list[Occurrence]
    looked_at: int
    to: int


class ListsChangedError(Exception):
    """Terms or the policy changed since a hunt was compiled: it is to be compiled again."""


class _Hunted(BankIndex):
    """The entries that are hunted for; they match only as far as all banks together say so now."""

    def __init__(
        self, live: Matcher, tx: Transaction, entries: Iterable[BankEntry], *, is_all: bool
    ) -> None:
        super().__init__(entries, banks=tx.banks.banks(), numbers=tx.banks.numbers())
        self._live = live
        self._is_all = is_all

    def look(
        self,
        hashes: MediaHashes,
        *,
        banks: Collection[str] | None = None,
        everything: bool = False,
    ) -> Looked:
        if self._is_all:
            return self._live.index.look(hashes, banks=banks, everything=everything)
        entries = super().look(hashes, banks=banks, everything=everything).matches
        hunted = {one.number for one in entries}
        if not hunted:
            return Looked()
        # Not what was withdrawn or disabled since, nor what a negative bank takes back.
        now = self._live.index.look(hashes, banks=banks, everything=everything)
        matches = tuple(one for one in now.matches if one.number in hunted)
        return replace(now, matches=matches)


class Looking:
    """Searches the log for what one hunt looks for."""

    def __init__(self, tx: Transaction, hunt: Hunt, live: Matcher) -> None:
        self._hunt = hunt
        self._live = live
        # Read first: what changes from here on makes it outdated.
        self._key = _key(tx, hunt)
        wanted = set(hunt.terms)
        terms = [one for one in tx.lexicons.all() if one.id in wanted or one.kind in BESIDE]
        self._finder = TermFinder(terms)
        self._sieve = TermSieve(one for one in terms if one.kind not in BESIDE)
        self._words = msgspec.json.Decoder(_Words)
        self._media = msgspec.json.Decoder(_Media)
        is_for_hashes = hunt.kind is HuntKind.HASHES
        # All there is needs no index of its own.
        is_all = is_for_hashes and hunt.name == ALL_BANKS and not hunt.after_version
        entries = _entries(tx, hunt) if is_for_hashes and not is_all else ()
        self._index = _Hunted(live, tx, entries, is_all=is_all)
        detectors = build_detectors(self._index, self._finder, active_weights(tx))
        self._rules = Rules(
            detectors=detectors,
            judge=Judge(policy=active_policy(tx), detectors_facts=[one.facts for one in detectors]),
        )

    def is_for(self, tx: Transaction, hunt: Hunt) -> bool:
        """Return whether this looks for what that hunt does, by the terms and policy of now."""
        return self._key == _key(tx, hunt)

    def rules(self, tx: Transaction) -> Rules:
        """Return the detectors that look for it, and the policy in force.

        Raises:
            ListsChangedError: terms or the policy changed meanwhile.
        """
        if not self.is_for(tx, self._hunt):
            raise ListsChangedError
        return self._rules

    def search(self, tx: Transaction, *, after: int, limit: int) -> Part:
        """Return what stands in up to ``limit`` events after a place in the log.

        Raises:
            IntegrityFailure: a stored event cannot be read.
        """
        is_for_terms = self._hunt.kind is HuntKind.TERMS
        if not is_for_terms:
            self._live.follow(tx)
            self._index.set_banks(tx.banks.banks(), tx.banks.numbers())
            self._index.version = self._live.version
        try:
            part = tx.events.sift(
                _WITH_WORDS if is_for_terms else _WITH_MEDIA,
                self._may_say if is_for_terms else self._shows,
                after=after,
                to=self._hunt.to_seq,
                limit=limit,
            )
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IntegrityFailure("a stored event cannot be read") from error
        found = self._terms_in(part.events) if is_for_terms else self._files_in(tx, part.events)
        return Part(found=found, looked_at=part.looked_at, to=part.to)

    def _may_say(self, _: EventType, data: bytes) -> bool:
        said = self._words.decode(data)
        passes = self._sieve.passes
        return any(
            passes(text)
            for text in (said.text, said.handle, said.display_name, said.bio, said.description)
            if text
        )

    def _shows(self, _: EventType, data: bytes) -> bool:
        shown = self._media.decode(data)
        return bool(shown.media_id or shown.media_ids)

    def _terms_in(self, read: Sequence[LoggedEvent]) -> list[Occurrence]:
        found: list[Occurrence] = []
        for one in read:
            terms = [each for each in self._finder.find(one.event) if each.term.kind not in BESIDE]
            if terms:
                ids = frozenset(each.term.id for each in terms)
                fields = frozenset(each.field for each in terms)
                found.append(Occurrence(event=one.event, ids=ids, fields=fields))
        return found

    def _files_in(self, tx: Transaction, read: Sequence[LoggedEvent]) -> list[Occurrence]:
        shown = {one.event.key: shown_ids(one.event) for one in read}
        media = tx.context.media({MediaId(name) for names in shown.values() for name in names})
        matched = {
            name: {str(each.number): _entry_name(each.bank, each.entry_id) for each in matches}
            for name, one in media.items()
            if (matches := self._index.match(one.scan.hashes))
        }
        found: list[Occurrence] = []
        for one in read:
            names = shown[one.event.key]
            entries: dict[str, str] = {}
            for name in names:
                entries |= matched.get(MediaId(name), {})
            if entries:
                ids = frozenset(entries)
                found.append(Occurrence(event=one.event, ids=ids, names=entries))
        return found


def _key(tx: Transaction, hunt: Hunt) -> tuple[str, int, int, int, int]:
    _, lexicons, policies = tx.lists_version()
    return hunt.id, hunt.to_seq, hunt.to_version, lexicons, policies


def _entries(tx: Transaction, hunt: Hunt) -> Iterator[BankEntry]:
    changed = tx.banks.entries(changed_after=hunt.after_version, states=[EntryState.ACTIVE])
    # Of what is no hash the log tells whenever the banks are read.
    return (one for one in changed if hunt.name in (ALL_BANKS, one.bank) and is_hash(one))


def known_before(
    kind: HuntKind, found: Sequence[Occurrence], signals: Sequence[Signal]
) -> set[EventKey]:
    """Return the events in which a detector found all of it before, at the time or in a hunt.

    What is new in an event that showed something else before must be decided: it may weigh more.
    """
    had: dict[EventKey, set[str]] = {}
    for one in signals:
        had.setdefault(one.event_key, set()).update(_ids_in(kind, one))
    return {
        one.event.key
        for one in found
        if (own := had.get(one.event.key))
        and all(name in own or one.names.get(name) in own for name in one.ids)
    }


def _ids_in(kind: HuntKind, signal: Signal) -> Iterable[str]:
    """Return the terms or bank entries that a signal names, as occurrences name them."""
    evidence = signal.evidence
    terms, banks, entries = (evidence.get(one) for one in ("terms", "banks", "bank_entries"))
    numbers = evidence.get("bank_numbers")
    if kind is HuntKind.TERMS:
        return terms if signal.detector == "term_match" and isinstance(terms, list) else ()
    if signal.detector == "hash_match" and isinstance(numbers, list):
        return numbers
    if signal.detector == "hash_match" and isinstance(banks, list) and isinstance(entries, list):
        return map(_entry_name, banks, entries)
    return ()


def _entry_name(bank: str, entry: str) -> str:
    return f"{bank}/{entry}"


def up_until(found: Occurrence, context: Context) -> datetime | None:
    """Return when what was found was no longer up at the latest, None while it is.

    A post or what it shows is up until it is deleted, or until the newest edit took the words
    away; words of a profile until the newest change that told others.
    """
    event, post = found.event, context.post
    ends: list[datetime | None] = []
    match event.data:
        case PostCreated() | PostEdited():
            ends.append(post.deleted_at if post else None)
            if post and post.event_key != event.key:
                ends.append(post.text_at)
        case MediaUploaded():
            ends.append(post.deleted_at if post else None)
        case AccountCreated() | AccountUpdated() as told if context.account:
            fields = found.fields.intersection(_TOLD)
            if any(getattr(told, one) != getattr(context.account, one) for one in fields):
                ends.append(context.account.profile_at)
        case _:
            pass
    later = [one for one in ends if one is not None and one >= event.time]
    return min(later, default=None)
