"""What exchange needs of its surroundings."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.bank import Bank, BankEntry, BankVersion, EntryState, HashKind, Opinion
from nightlight.model.lexicon import LexiconChange, Term


class ListSummary(Struct, frozen=True, kw_only=True):
    """A hash bank or lexicon as it may be shown: how much it holds, never what."""

    name: str
    entries: int
    updated_at: datetime | None


class BankSummary(Struct, frozen=True, kw_only=True):
    """A hash bank as it may be shown: its settings and how much it holds, never what.

    Attributes:
        entries: by state, such as ``{"active": 12}``.
        kinds: active entries by hash kind.
        opinions: active entries by opinion.
        updated_at: when the bank or an entry was last changed, as versions were noted.
        version: the version in which that was.
    """

    bank: Bank
    entries: Mapping[EntryState, int]
    kinds: Mapping[HashKind, int]
    opinions: Mapping[Opinion, int]
    updated_at: datetime | None
    version: int


class Put(Struct, frozen=True, kw_only=True):
    """What storing entries came to.

    Attributes:
        arrived: the new entries, as they are stored, that files are matched against.
    """

    added: int
    changed: int
    unchanged: int
    arrived: tuple[BankEntry, ...] = ()


class Held(Struct, frozen=True, kw_only=True):
    """How many entries of an update wait for a person."""

    version: int
    bank: str
    entries: int


class Changed(Struct, frozen=True, kw_only=True):
    """An entry, by its number, and the version in which it was last changed."""

    version: int
    number: int


class BankStore(Protocol):
    """Hash banks, encrypted at rest; every change has a version, counted over all banks.

    A transaction that changes banks has one version; its rows are seen by others in that order.
    """

    def version(self) -> int:
        """Return the newest version."""
        ...

    def emptied(self) -> int:
        """Return the version at which a test hook deleted everything, 0 for never."""
        ...

    def next_version(self) -> int:
        """Return the version of this transaction's changes; the first call makes it.

        Until the transaction ends, others that want to change banks wait.
        """
        ...

    def mark(self, version: int) -> int:
        """Return the random number that was drawn with a version, 0 where there is none.

        Another database has another one under that version, and so has this one restored from a
        backup that is older.
        """
        ...

    def save_bank(self, settings: Bank, *, at: datetime) -> None:
        """Store a new bank or the changed settings of one."""
        ...

    def bank(self, name: str) -> Bank | None:
        """Return a bank's settings, None where there is no such bank."""
        ...

    def banks(self) -> list[Bank]:
        """Return every bank, by name."""
        ...

    def numbers(self) -> Mapping[str, int]:
        """Return the number of each bank, which stays with it whatever it is called.

        Once a bank is withdrawn no other gets its number.
        """
        ...

    def rename_bank(self, name: str, new_name: str) -> None:
        """Let a bank, its entries and the exchanges that fill it have another name.

        What a withdrawn bank of that name held stays, under its name with a mark.

        Raises:
            Conflict: there is a bank of the new name.
        """
        ...

    def remove_bank(self, name: str) -> int:
        """Withdraw every entry and take the bank away; return how many entries it held."""
        ...

    def put(
        self,
        entries: Sequence[BankEntry],
        *,
        at: datetime,
        keeping: Collection[str] = (),
        staged: int | None = None,
    ) -> Put:
        """Add new entries and bring known ones (same id and bank) up to date.

        New entries get their ``number``, and a new ``content`` number: those with the same negative
        ``content`` in this transaction the same one, those with 0 each their own. A known entry
        gets the given classification, opinion and state, and note and source where given; one that
        a person disabled, or that waits for a person, stays so unless it is withdrawn. Under a
        number the hash never changes: one that was withdrawn comes back as a new entry, and so does
        one whose hash is another; the entry before it stays withdrawn, its id marked with its
        number. ``keeping`` names fields of known entries that stay as they are: "classification",
        "opinion". Banks that do not exist yet are made with default settings. With ``staged``, an
        earlier version, new entries that would act are held under it until they are ``published``.
        """
        ...

    def publish(self, staged: int) -> int:
        """Let what was held under a version act, as if it came now; return how many entries."""
        ...

    def discard(self, staged: int) -> int:
        """Delete what was held under a version, and return how many entries it was."""
        ...

    def change(
        self,
        numbers: Collection[int],
        *,
        state: EntryState | None = None,
        opinion: Opinion | None = None,
        disabled_until: datetime | None = None,
        note: str | None = None,
    ) -> int:
        """Change entries and return how many differ now; withdrawing one erases its hash."""
        ...

    def describe(self, content: int, metadata: bytes) -> None:
        """Keep what is said of a picture or video, sealed; b"" takes it away.

        It goes with the last of its hashes, however that is withdrawn or discarded.
        """
        ...

    def described(self, content: int) -> bytes:
        """Return what is said of a picture or video, b"" where nothing is."""
        ...

    def entries(
        self,
        *,
        bank: str | None = None,
        ids: Collection[str] | None = None,
        numbers: Collection[int] | None = None,
        content: int | None = None,
        source_refs: Collection[str] | None = None,
        changed_after: int | None = None,
        changed_in: int | None = None,
        states: Collection[EntryState] | None = None,
        after_number: int = 0,
        limit: int | None = None,
    ) -> Iterator[BankEntry]:
        """Return the entries that fulfil every condition given, by number.

        ``changed_after`` leaves those whose newest change has a greater version, withdrawn ones
        (whose ``value`` is "") included; ``changed_in`` those whose newest change has that version.
        A disabled entry is given as it is stored, also when ``disabled_until`` has passed: whether
        it acts is for ``BankEntry.acts_at``.
        """
        ...

    def changed(self, *, after: int, limit: int) -> list[Changed]:
        """Return the first entries that changed after a version, by version and number."""
        ...

    def all(self) -> Iterable[BankEntry]:
        """Return every active entry of every bank, by number."""
        ...

    def entry_at(self, number: int, version: int) -> BankEntry | None:
        """Return an entry as it was at a version (hash left out), None where it was not there."""
        ...

    def retired(self, entry_id: str) -> list[int]:
        """Return the numbers of withdrawn entries that had this id before a newer one took it."""
        ...

    def waking(self, at: datetime, limit: int) -> list[BankEntry]:
        """Return disabled entries that count again from a time up to then, by bank and number."""
        ...

    def changed_banks(self, after: int) -> list[str]:
        """Return the names of banks, also of those that are no more, changed since a version."""
        ...

    def held(self) -> list[Held]:
        """Return how many entries wait for a person, by the version that brought them."""
        ...

    def note_version(self, version: BankVersion) -> None:
        """Keep what a change of a bank came to."""
        ...

    def noted(self, number: int, bank: str) -> BankVersion | None:
        """Return what one version was to one bank, None where it was not about it."""
        ...

    def versions(self, bank: str, *, limit: int) -> list[BankVersion]:
        """Return a bank's newest versions, newest first."""
        ...

    def bank_at(self, name: str, version: int) -> Bank | None:
        """Return a bank's settings as they were at a version, None where it was not there."""
        ...

    def summaries(self) -> list[BankSummary]:
        """Return what may be shown of each bank."""
        ...


class LexiconStore(Protocol):
    """Lexicons, encrypted at rest."""

    def put(self, name: str, terms: Sequence[Term], *, at: datetime) -> int:
        """Add terms, bring known ones (same id) up to date, and return how many were new."""
        ...

    def remove_lexicon(self, name: str) -> int:
        """Withdraw a whole lexicon and return how many terms it held."""
        ...

    def all(self) -> Iterable[Term]:
        """Return every term of every lexicon."""
        ...

    def terms(self, name: str) -> Iterable[Term]:
        """Return every term of a lexicon, by id."""
        ...

    def term_ids(self, name: str) -> list[str]:
        """Return the ids of a lexicon's terms."""
        ...

    def summaries(self) -> list[ListSummary]:
        """Return what may be shown of each lexicon."""
        ...


class LexiconChangeStore(Protocol):
    """Changes of lexicons; what is proposed lies sealed until somebody decides."""

    def propose(
        self, change: LexiconChange, terms: Sequence[Term], *, replaces: Sequence[Term] = ()
    ) -> None:
        """Store a change that waits, with the terms it would add and those they would replace."""
        ...

    def settle(self, change: LexiconChange) -> None:
        """Store a change that is decided, without its terms."""
        ...

    def get(self, change_id: str) -> LexiconChange:
        """Return a change, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def proposed_terms(self, change_id: str) -> list[Term]:
        """Return what a waiting change would add; nothing once it is decided."""
        ...

    def replaced_terms(self, change_id: str) -> list[Term]:
        """Return what the terms of a waiting change would replace, as it was when proposed."""
        ...

    def newest(self, *, lexicon: str, limit: int) -> list[LexiconChange]:
        """Return the newest changes of a lexicon, or of all where it is ""."""
        ...

    def version(self, lexicon: str) -> int:
        """Return a lexicon's newest version, 0 where no change of it ever took effect."""
        ...

    def people(self) -> set[str]:
        """Return everybody who ever proposed, decided or made a change of a lexicon."""
        ...
