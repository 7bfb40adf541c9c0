"""Hash banks: known sets of hashes, kept secret."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from msgspec import Struct

from nightlight.model.masked import Masked

#: NCMEC's industry classification; "" where the list gives none.
Classification: TypeAlias = Literal["", "A1", "A2", "B1", "B2"]

#: PDQ's own convention for how far apart two hashes of one picture may be, and the farthest that
#: the index answers for exactly.
DEFAULT_THRESHOLD_BITS = 31
WIDEST_THRESHOLD_BITS = 31


class HashKind(StrEnum):
    """The hash kinds that a bank entry may hold."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"
    VPDQ = "vpdq"


#: Hex digits of each kind; a video's are as many as it has frames (74 each, see ``VideoHashes``).
HASH_DIGITS: dict[HashKind, int] = {
    HashKind.MD5: 32,
    HashKind.SHA1: 40,
    HashKind.SHA256: 64,
    HashKind.PDQ: 64,
}


class BankPurpose(StrEnum):
    """What a match in a bank says."""

    KNOWN = "known"
    """The file is known abuse media."""
    NEGATIVE = "negative"
    """The file was looked at and is not: it takes matches in other banks back."""


class Opinion(StrEnum):
    """What those who looked at an entry say of it; partners and the operator's own people."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    DISPUTED = "disputed"


class EntryState(StrEnum):
    """Whether an entry is matched against."""

    ACTIVE = "active"
    HELD = "held"
    """Waits for a person, because its update would match much of recent harmless traffic."""
    DISABLED = "disabled"
    WITHDRAWN = "withdrawn"
    """Taken back by who gave it: its hash is erased, its row stays to explain the past."""


class Bank(Struct, frozen=True, kw_only=True):
    """A named set of hashes and how it is matched against.

    Attributes:
        threshold_bits: the greatest PDQ distance that is a match, 0 to 31.
        classification: what its entries are classified as where they say nothing themselves.
        provenance: where it comes from, in words.
        enabled_ratio: of how many files, 0.0 to 1.0, it is asked about. Which ones is decided by
            the file's hash, so asking again does not change the answer.
    """

    name: str
    purpose: BankPurpose = BankPurpose.KNOWN
    threshold_bits: int = DEFAULT_THRESHOLD_BITS
    classification: Classification = ""
    provenance: str = ""
    enabled_ratio: float = 1.0


class BankEntry(Masked, frozen=True, kw_only=True):
    """One known hash; ``id`` is opaque and may be shown, ``value`` (lower-case hex) may not.

    Attributes:
        number: its place in the order of arrival over all banks, given by the store.
        content: the number that all hashes of one picture or video share.
        view: what was done to the picture before hashing, "" for the picture as it is.
        quality: PDQ's own, 0 to 100; 100 where the list does not say.
        disabled_until: when a disabled entry becomes active again, None for never.
        source: who contributed it, as the list says, such as an exchange's member.
        source_ref: what an exchange needs to know which entry an opinion is about.
    """

    id: str
    bank: str
    kind: HashKind
    value: str
    classification: Classification = ""
    number: int = 0
    content: int = 0
    view: str = ""
    quality: int = 100
    opinion: Opinion = Opinion.POSITIVE
    state: EntryState = EntryState.ACTIVE
    disabled_until: datetime | None = None
    note: str = ""
    source: str = ""
    source_ref: str = ""

    def acts_at(self, time: datetime) -> bool:
        """Return whether files are matched against it at this time."""
        if self.state is EntryState.DISABLED:
            return self.disabled_until is not None and self.disabled_until <= time
        return self.state is EntryState.ACTIVE

    def __repr__(self) -> str:
        return f"<BankEntry {self.id}: masked>"


class BankMatch(Struct, frozen=True, kw_only=True):
    """A bank entry that matches a file, and how closely (0 bits for equal hashes).

    Attributes:
        number: the entry's place in the order of arrival; ``content`` as of the entry.
        view: the view of the file that matched, "" for the file as it is.
        bank_view: the view of the known picture that the entry holds.
        opinion: of the entry; a negative one never makes a match.
        query_share: of a video, the share of the file's frames found in the known video.
        bank_share: of a video, the share of the known video's frames found in the file.
    """

    entry_id: str
    bank: str
    kind: HashKind
    classification: Classification
    distance_bits: int
    number: int = 0
    content: int = 0
    view: str = ""
    bank_view: str = ""
    opinion: Opinion = Opinion.POSITIVE
    query_share: float | None = None
    bank_share: float | None = None


class BankVersion(Struct, frozen=True, kw_only=True):
    """One change of a bank: who made it, why, and what the bank was after it.

    Attributes:
        number: the version, counted over all banks; a signal names the one it was found under.
        added: entries that came in.
        held: of those that came in or were enabled, how many wait for a person.
        changed: entries whose state, opinion or classification changed.
        withdrawn: entries taken back.
        settings: the bank's settings from then on, None where the bank was withdrawn whole.
        looked_at: against how many recent harmless files the update was tried.
        matched_files: how many of them it would have matched.
        let_in_files: of those that matched, how many updates of the bank let act in the last day.
        let_in_entries: the same for entries of known banks that it vetoes, by bank.
    """

    number: int
    bank: str
    at: datetime
    actor: str
    reason: str
    settings: Bank | None
    added: int = 0
    held: int = 0
    changed: int = 0
    withdrawn: int = 0
    looked_at: int = 0
    matched_files: int = 0
    let_in_files: float = 0.0
    let_in_entries: Mapping[str, float] = {}
