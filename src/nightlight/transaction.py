"""One transaction over everything that Nightlight keeps: it commits with audit entries, or not.

Stages own their ports; this names them together, so that a decision, its effects, its case and
its audit entry are stored at once or not at all.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.audit.chain import StoredEntry
from nightlight.detect.hunting import HuntStore
from nightlight.detect.ports import ContextStore, LinkStore, SignalStore, WordUseStore
from nightlight.enforce.ports import DecisionStore, Outbox
from nightlight.exchange.ports import BankStore, LexiconChangeStore, LexiconStore
from nightlight.exchange.registry import ExchangeStore
from nightlight.ingest.ports import EventLog
from nightlight.measure.ports import FiguresSource
from nightlight.model.audit import AuditEntry, ChainedEntry
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.preserve.kept_posts import KeptPostStore
from nightlight.preserve.ports import CustodyStore, EvidenceStore, SealedValues, ViewLog
from nightlight.report.ports import EngagementStore, ReportDecisionStore, Sent
from nightlight.report.statement_ports import StatementStore
from nightlight.review.ports import CaseStore


class AuditLog(Protocol):
    """Reading the record; writing it is ``Transaction.commit``."""

    def stored(self, *, after: int = 0, limit: int | None = None) -> Iterable[StoredEntry]:
        """Return entries in order as they are stored and hashed, streamed."""
        ...

    def entries(self, *, after: int = 0, limit: int | None = None) -> Iterable[ChainedEntry]:
        """Return entries in order, streamed."""
        ...

    def newest(self, limit: int) -> list[ChainedEntry]:
        """Return the newest entries, newest first."""
        ...

    def head(self) -> tuple[int, str]:
        """Return place and hash of the newest entry; (0, 64 zeros) when there is none."""
        ...


class StoredTip(Struct, frozen=True, kw_only=True):
    """A tip as it may be listed: its cases and its progress, not its content.

    Attributes:
        deadline_at: by when it should be filed, None where nobody said.
        appealed: a case of it that is under appeal, None where none is.
        overturned: a case of it that was overturned, None where none was.
        trouble: why it cannot be read, "" where it can as far as anybody tried; of how far it came
            no more than its state may be known then.
        elsewhere: the line at which it was filed, "" where that is the one in force.
        undrafted: where it was filed elsewhere, a case of it that stands and has no tip at its
            destination where reports go now; None where there is none.
    """

    tip_id: TipId
    case_id: CaseId
    destination: Destination
    drafted_at: datetime
    deadline_at: datetime | None
    filing: Filing
    appealed: CaseId | None = None
    overturned: CaseId | None = None
    trouble: str = ""
    elsewhere: str = ""
    undrafted: CaseId | None = None


def is_live(tip: StoredTip) -> bool:
    """Return whether a tip is filed where reports go now, or may still be."""
    return tip.filing.state is not TipState.WITHDRAWN and not tip.elsewhere


class Tips(Protocol):
    """CyberTips and the progress of their filing."""

    def draft(self, tip: CyberTip, *, at: datetime, deadline_at: datetime | None = None) -> None:
        """Store a tip to be filed from ``at`` on; one that is there stays as it is."""
        ...

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return a tip and its progress.

        Raises:
            NotFound: there is none with this id.
            IntegrityFailure: what is stored of it cannot be read.
        """
        ...

    def cases(self, tip_id: TipId) -> list[CaseId]:
        """Return the cases that a tip reports, also of one that cannot be read."""
        ...

    def save(self, filing: Filing, *, at: datetime) -> None:
        """Store the progress of a tip over the progress before it.

        Raises:
            Conflict: another filer went on with this tip meanwhile.
        """
        ...

    def rewrite(
        self, tip: CyberTip, filing: Filing, *, at: datetime, deadline_at: datetime | None = None
    ) -> None:
        """Store a tip over itself, with its progress; its deadline may only come nearer.

        Raises:
            Conflict: a filer went on with this tip meanwhile.
        """
        ...

    def due(self, now: datetime, limit: int, *, destination: str) -> list[TipId]:
        """Return a destination's tips that are not settled and need not wait.

        A tip waits while one of its cases does not stand, but where a report may be open.
        """
        ...

    def set_aside(self, tip_id: TipId, trouble: str, *, until: datetime) -> bool:
        """Let a tip that cannot be read wait; return whether it could be until now.

        Nothing of it is changed; saving it takes the trouble away.
        """
        ...

    def listed(self, tip_id: TipId) -> StoredTip:
        """Return a tip as it may be listed.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def keep_sent(self, tip: CyberTip, documents: Sequence[bytes], *, first: int) -> None:
        """Keep documents as they are about to be sent, from a place on.

        0 is the report: what was kept of a report before is kept no more, as it is gone.
        """
        ...

    def sent(self, tip_id: TipId) -> Sent | None:
        """Return what was sent last of a tip: the report, then each file's details; None for none.

        Raises:
            IntegrityFailure: it cannot be read.
        """
        ...

    def note_line(self) -> int:
        """Note the line in force for reports from before lines were kept; return of how many."""
        ...

    def filed(self) -> list[StoredTip]:
        """Return every tip that is filed, oldest first."""
        ...

    def filed_elsewhere(self) -> list[StoredTip]:
        """Return the tips of which a case is reported only at another line, oldest first."""
        ...

    def unreadable(self) -> list[StoredTip]:
        """Return the tips that were set aside since they cannot be read, oldest first."""
        ...

    def stands(self, tip_id: TipId) -> bool:
        """Return whether every case of a tip stands."""
        ...

    def unfinished(self, opened_before: datetime) -> list[StoredTip]:
        """Return the tips whose report was opened before then and may be open, oldest first."""
        ...

    def waiting_for_appeals(self) -> list[StoredTip]:
        """Return the tips that are not settled and wait for the end of an appeal, oldest first."""
        ...

    def filed_in_vain(self, since: datetime) -> list[StoredTip]:
        """Return the filed tips of overturned cases that changed since then, oldest first."""
        ...

    def of_case(self, case_id: CaseId) -> list[StoredTip]:
        """Return the tips that report a case, oldest first."""
        ...

    def of_account(self, account_id: AccountId) -> list[StoredTip]:
        """Return the tips that report an account's cases, oldest first."""
        ...

    def newest(self, limit: int, state: TipState | None = None) -> list[StoredTip]:
        """Return the newest tips, newest first; with ``state``, only those in it."""
        ...

    def refused(self) -> list[StoredTip]:
        """Return the tips that wait for a person, oldest first."""
        ...

    def overdue(self, now: datetime, *, unalarmed: bool = False) -> list[StoredTip]:
        """Return tips past their deadline and not filed; with ``unalarmed`` those not told of."""
        ...

    def alarmed(self, tip_id: TipId, *, at: datetime) -> None:
        """Remember that a tip past its deadline was told of."""
        ...


class Heartbeats(Protocol):
    """Signs of life of long-running parts."""

    def beat(self, name: str, *, at: datetime, detail: str = "") -> None:
        """Remember that a part was alive."""
        ...

    def last(self) -> dict[str, tuple[datetime, str]]:
        """Return when each part was last alive, and what it said."""
        ...


class ApiToken(Struct, frozen=True, kw_only=True):
    """A token that lets a program use the HTTP API; what it is itself is known to nobody here.

    Attributes:
        digest: SHA-256 of the token, which is random and long.
        scopes: what it may be used for.
        per_second: how many requests a second it may make, 0 for as many as it likes.
        revoked_at: None while it is good.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    per_second: float
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None


class ApiTokens(Protocol):
    """The tokens of the HTTP API, as digests."""

    def add(self, token: ApiToken) -> None:
        """Store a new token."""
        ...

    def all(self) -> list[ApiToken]:
        """Return every token ever made, oldest first."""
        ...

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """Let a token be good no more; return whether it was good until now."""
        ...


class WeightsStore(Protocol):
    """Every set of weights of the offer detector that was ever active."""

    def activate(self, version: str, body: bytes, *, at: datetime) -> None:
        """Make these the weights in force."""
        ...

    def active(self) -> bytes | None:
        """Return the file of the weights in force, None where none were activated."""
        ...


class PolicyStore(Protocol):
    """Every policy that was ever active."""

    def activate(self, version: str, body: bytes, *, at: datetime) -> None:
        """Make this the active policy."""
        ...

    def active(self) -> bytes | None:
        """Return the active policy's file, None where none was activated."""
        ...

    def find(self, version: str) -> bytes | None:
        """Return the file of a policy that was active once."""
        ...


def let_nothing_be_destroyed(tx: "Transaction") -> None:
    """Let no evidence be destroyed until this transaction ends; asked before anything else.

    This is the one rule by which evidence is never destroyed while somebody comes to need it.
    Whoever seals it or counts it as sealed, moves it to another case, places or extends a hold,
    asks to export it, drafts a tip about it, or activates a policy, begins with this. So does
    whoever destroys, and looks at everything again afterwards. Either the destroyer sees what
    keeps the evidence, or who wants it kept sees that it is gone. The stores of evidence, holds
    and requests refuse what is stored without it.

    The lock is the place up to which events are processed: judging seals, and holds it anyway.
    """
    tx.events.offset()


class Transaction(Protocol):
    """Everything that is kept, seen and changed together."""

    @property
    def events(self) -> EventLog: ...  # noqa: D102  the attribute's type says it
    @property
    def context(self) -> ContextStore: ...  # noqa: D102
    @property
    def signals(self) -> SignalStore: ...  # noqa: D102
    @property
    def decisions(self) -> DecisionStore: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def cases(self) -> CaseStore: ...  # noqa: D102
    @property
    def evidence(self) -> EvidenceStore: ...  # noqa: D102
    @property
    def kept_posts(self) -> KeptPostStore: ...  # noqa: D102
    @property
    def views(self) -> ViewLog: ...  # noqa: D102
    @property
    def custody(self) -> CustodyStore: ...  # noqa: D102
    @property
    def sealed(self) -> SealedValues: ...  # noqa: D102
    @property
    def banks(self) -> BankStore: ...  # noqa: D102
    @property
    def exchanges(self) -> ExchangeStore: ...  # noqa: D102
    @property
    def lexicons(self) -> LexiconStore: ...  # noqa: D102
    @property
    def lexicon_changes(self) -> LexiconChangeStore: ...  # noqa: D102
    @property
    def policies(self) -> PolicyStore: ...  # noqa: D102
    @property
    def offer_weights(self) -> WeightsStore: ...  # noqa: D102
    @property
    def tips(self) -> Tips: ...  # noqa: D102
    @property
    def report_decisions(self) -> ReportDecisionStore: ...  # noqa: D102
    @property
    def tokens(self) -> ApiTokens: ...  # noqa: D102
    @property
    def engagements(self) -> EngagementStore: ...  # noqa: D102
    @property
    def hunts(self) -> HuntStore: ...  # noqa: D102
    @property
    def links(self) -> LinkStore: ...  # noqa: D102
    @property
    def word_uses(self) -> WordUseStore: ...  # noqa: D102
    @property
    def statements(self) -> StatementStore: ...  # noqa: D102
    @property
    def heartbeats(self) -> Heartbeats: ...  # noqa: D102
    @property
    def figures(self) -> FiguresSource: ...  # noqa: D102
    @property
    def audit(self) -> AuditLog: ...  # noqa: D102

    def commit(self, first: AuditEntry, *more: AuditEntry) -> None:
        """Store everything done in this transaction together with what the record says of it."""
        ...

    def commit_unrecorded(self) -> None:
        """Store housekeeping that changes nothing anybody decides by: leases and heartbeats."""
        ...

    def forget_banks(self) -> None:
        """Delete every bank and exchange and what is remembered of them: for test hooks alone.

        Numbers begin at 1 again; every process must read the banks anew.
        """
        ...

    def lists_version(self) -> tuple[int, int, int]:
        """Return numbers that change when banks, lexicons or the policy change."""
        ...


class UnitOfWork(Protocol):
    """Begins transactions."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that may write; leaving it without ``commit`` undoes everything."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that only reads."""
        ...
