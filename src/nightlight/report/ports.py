"""What reporting needs from outside: who engaged, tips, sealed media, a destination."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from nightlight.errors import NightlightError
from nightlight.model.case import CaseState
from nightlight.model.cybertip import CyberTip
from nightlight.model.engagement import Engagement
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountActionId, AccountId, CaseId, EffectId, PostId, TipId
from nightlight.model.report_decision import (
    AccountAction,
    Accounted,
    ReportDecision,
    ReportState,
    Threshold,
)
from nightlight.model.reported_file import ReportedFile


class FilingAction(StrEnum):
    """What the audit entry of one saved step says was done."""

    OPEN_REQUESTED = "tip.open_requested"
    OPENED = "tip.opened"
    UPLOAD_REQUESTED = "tip.upload_requested"
    FILE_UPLOADED = "tip.file_uploaded"
    DESCRIPTION_REQUESTED = "tip.description_requested"
    FILE_DESCRIBED = "tip.file_described"
    FINISH_REQUESTED = "tip.finish_requested"
    FILED = "tip.filed"
    RETRACTION_REQUESTED = "tip.retraction_requested"
    STARTED_OVER = "tip.started_over"
    POSTPONED = "tip.postponed"
    REFUSED = "tip.refused"
    PACKING_REQUESTED = "tip.packing_requested"
    WITHDRAWN = "tip.withdrawn"
    PAUSED = "tip.paused"
    SET_ASIDE = "tip.set_aside"


class EngagementStore(Protocol):
    """Who engaged with whose posts and accounts."""

    def add(self, engagements: Iterable[Engagement]) -> None:
        """Store engagements; one that is already there stays as it is."""
        ...

    def with_posts(self, ids: Collection[PostId]) -> list[Engagement]:
        """Return what was done with these posts, oldest first."""
        ...

    def replies(self, post_id: PostId, limit: int) -> list[PostId]:
        """Return the oldest known replies to a post."""
        ...

    def with_accounts(self, ids: Collection[AccountId]) -> list[Engagement]:
        """Return who followed or reported these accounts, oldest first."""
        ...

    def by(self, account_id: AccountId, limit: int) -> list[Engagement]:
        """Return the newest acts of an account, newest first."""
        ...


class Counted(Struct, frozen=True, kw_only=True):
    """Account actions of one month with one state and reason, counted.

    Attributes:
        state: None for what has no report decision, which the database does not let be.
        overdue: how many of them are undecided beyond their deadline.
        elsewhere: how many of them name a tip that was filed at another line than the one in force.
        ages: how many are younger than a day, a week, thirty days, and older.
    """

    month: str
    state: ReportState | None
    reason: str
    count: int
    oldest_at: datetime
    overdue: int = 0
    elsewhere: int = 0
    ages: tuple[int, int, int, int] = (0, 0, 0, 0)


class CaseFilings(Struct, frozen=True, kw_only=True):
    """How far the tips of a case came, as an account action needs to know it.

    Attributes:
        asked: the account action was asked for by findings of this case, or by who confirmed it.
        tips: oldest first.
        elsewhere: those of this case, or others, that were filed at another line than the one now.
    """

    case_id: CaseId
    state: CaseState
    asked: bool
    tips: tuple[tuple[TipId, TipState], ...] = ()
    elsewhere: frozenset[TipId] = frozenset()


class AccountCase(Struct, frozen=True, kw_only=True):
    """A case of an account that was acted on, with the tip that reports it.

    Attributes:
        tip: one that was not withdrawn, rather one that is not filed yet; None where there is none.
    """

    case_id: CaseId
    state: CaseState
    category: str
    tip: tuple[TipId, TipState] | None = None


class ReportDecisionStore(Protocol):
    """Account actions and their report decisions; nothing of it is ever changed or deleted."""

    def keep_threshold(self, threshold: Threshold, *, at: datetime) -> None:
        """Store a threshold under its name and version; one that is there already stays."""
        ...

    def find_threshold(self, full_name: str) -> Threshold | None:
        """Return the threshold of this name and version, None where it was never asked."""
        ...

    def linked(self, effects: Collection[EffectId]) -> set[EffectId]:
        """Return those effects that belong to an account action already."""
        ...

    def standing(self, accounts: Collection[AccountId]) -> dict[AccountId, Accounted]:
        """Return each account's action that has not ended, held until the transaction ends."""
        ...

    def get(self, action_id: AccountActionId) -> Accounted:
        """Return an account action, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def of_case(self, case_id: CaseId) -> list[Accounted]:
        """Return the account actions that a case asked for, held until the transaction ends."""
        ...

    def of_account(self, account_id: AccountId) -> list[Accounted]:
        """Return every account action of an account, oldest first."""
        ...

    def begin(self, new: Sequence[Accounted]) -> list[Accounted]:
        """Return new account actions, now stored under their record names with first decisions."""
        ...

    def change(self, actions: Sequence[AccountAction]) -> None:
        """Store actions that became graver or ended."""
        ...

    def decide(self, decisions: Sequence[ReportDecision]) -> None:
        """Store the next version of report decisions, which hold from now on.

        Raises:
            Conflict: the database refuses one: not the next version, or reported without a receipt.
        """
        ...

    def link(self, links: Sequence[tuple[EffectId, AccountActionId]]) -> None:
        """Store to which account action effects belong, before the effects themselves."""
        ...

    def filings(self, action: AccountAction) -> list[CaseFilings]:
        """Return the cases of the action's account, and those that asked for it, oldest first."""
        ...

    def history(self, action_id: AccountActionId) -> list[ReportDecision]:
        """Return every version of a report decision, oldest first."""
        ...

    def undecided(self, limit: int) -> list[Accounted]:
        """Return what is undecided, the soonest due first."""
        ...

    def overdue(self, now: datetime, limit: int) -> list[Accounted]:
        """Return what is undecided beyond its deadline and was not escalated, held."""
        ...

    def escalate(self, decisions: Sequence[ReportDecision]) -> None:
        """Remember that these were escalated; each version is escalated once."""
        ...

    def count_overdue(self, now: datetime) -> int:
        """Return how much is undecided beyond its deadline."""
        ...

    def page(self, after: str, limit: int) -> list[Accounted]:
        """Return account actions in the order of their ids, after one of them."""
        ...

    def tips(self, actions: Collection[AccountActionId]) -> dict[str, tuple[TipId, TipState]]:
        """Return, by account action, the tip that was drafted for its case, if there is one."""
        ...

    def has_former_names(self) -> bool:
        """Return whether the record shows account actions under names that name their accounts."""
        ...

    def cases_of(self, accounts: Collection[AccountId]) -> dict[AccountId, list[AccountCase]]:
        """Return the cases of each account, the gravest first, then the oldest."""
        ...

    def count(self, now: datetime) -> list[Counted]:
        """Return all account actions by month, state and reason.

        Suspensions that belong to no account action count as without a decision.
        """
        ...


class AnswerKind(StrEnum):
    """The answers other than 0 that the CyberTipline gives, by what they ask of the filer."""

    SERVER = "server"  # 1xxx: try again later
    CREDENTIALS = "credentials"  # 2xxx, 3xxx: every tip will fail until somebody acts
    INVALID = "invalid"  # 4xxx: this will never be taken as it is
    NO_SUCH_REPORT = "no_such_report"  # 5001
    NO_SUCH_FILE = "no_such_file"  # 5002
    RETRACTED = "retracted"  # 5101
    FINISHED = "finished"  # 5102
    UNKNOWN = "unknown"  # undocumented: a person must look


_EXACT = {
    5001: AnswerKind.NO_SUCH_REPORT,
    5002: AnswerKind.NO_SUCH_FILE,
    5101: AnswerKind.RETRACTED,
    5102: AnswerKind.FINISHED,
}
_BY_THOUSAND = {
    1: AnswerKind.SERVER,
    2: AnswerKind.CREDENTIALS,
    3: AnswerKind.CREDENTIALS,
    4: AnswerKind.INVALID,
}


def kind_of(answer_code: int) -> AnswerKind:
    """Return what an answer code other than 0 asks for; NCMEC's list of codes is open-ended."""
    exact = _EXACT.get(answer_code)
    return exact or _BY_THOUSAND.get(answer_code // 1000, AnswerKind.UNKNOWN)


class CyberTiplineRefusal(NightlightError):  # noqa: N818  the name is the answer
    """The CyberTipline answered, and not with 0.

    A call without a usable answer is ``Unavailable`` instead: whether it took effect is unknown.

    Attributes:
        answer_code: the CyberTipline's response code.
        body: the answer, verbatim; kept as the receipt where it says that a report is finished.
    """

    code = "cybertipline_refusal"

    def __init__(self, message: str, *, answer_code: int, body: str = "") -> None:
        super().__init__(message)
        self.answer_code = answer_code
        self.body = body

    @property
    def kind(self) -> AnswerKind:
        """What the answer asks of the filer."""
        return kind_of(self.answer_code)


class Sent(Struct, frozen=True, kw_only=True):
    """Documents that are about to be sent of a tip, kept as they are sent.

    Attributes:
        tip: what they say, as it is when the first of them is sent.
        documents: XML; the report, or the details of the file that is described.
    """

    tip: CyberTip
    documents: tuple[bytes, ...]


class TipStore(Protocol):
    """Tips and the progress of their filing."""

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return the tip and its filing as last saved.

        Raises:
            NotFound: there is no such tip.
            IntegrityFailure: what is stored of it cannot be read.
        """
        ...

    def set_aside(self, tip_id: TipId, trouble: str) -> Filing:
        """Return a tip that cannot be filed as it is stored, let to wait; the record says so once.

        Nothing of it is changed: it is tried again every hour, and may be mended meanwhile.
        """
        ...

    def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
        """Commit the filing, what is about to be sent, and an audit entry that says ``action``.

        Raises:
            Conflict: the stored revision is not the one before ``filing.revision``, so another
                filer went on with this tip.
        """
        ...

    def due(self, now: datetime, limit: int, *, destination: str) -> Sequence[TipId]:
        """Return a destination's tips that are not settled and need not wait beyond ``now``.

        Those that are due the longest come first. While a case of it does not stand, a tip is due
        only where a report may be open.
        """
        ...

    def stands(self, tip_id: TipId) -> bool:
        """Return whether all that a tip reports stands, and nobody contests it."""
        ...


class CyberTipline(Protocol):
    """A place that takes reports in NCMEC's format.

    Every function may raise ``CyberTiplineRefusal`` (it answered: no) or ``Unavailable`` (no
    usable answer: the call may or may not have taken effect).
    """

    def status(self) -> None:
        """Return if the line is up and takes the credentials."""
        ...

    def schema(self) -> bytes:
        """Return the XML schema that documents must follow today."""
        ...

    def open(self, document: bytes) -> str:
        """Open a report and return its remote id; unfinished, it expires by itself."""
        ...

    def upload(
        self,
        remote_id: str,
        file_name: str,
        content_type: str,
        content: Iterator[bytes],
        byte_count: int,
    ) -> tuple[str, str]:
        """Add a file to an open report; return its id and the MD5 of what arrived.

        What ``content`` raises goes on to the caller, and the file is not added.
        """
        ...

    def describe(self, document: bytes) -> None:
        """File the details of one uploaded file."""
        ...

    def finish(self, remote_id: str) -> str:
        """Finish the report and return the receipt, verbatim."""
        ...

    def retract(self, remote_id: str) -> None:
        """Withdraw a report that is not finished."""
        ...


class PackageBox(Protocol):
    """A place that takes reports as encrypted, signed packages."""

    def put(self, name: str, members: Iterator[tuple[str, Iterator[bytes]]]) -> str:
        """Leave a package under this name, in place of one before, and return its receipt.

        Where the one before was fetched already it stays the only one, and its receipt comes back.

        Raises:
            Unavailable: it cannot be written now.
        """
        ...

    def remove(self, name: str) -> str:
        """Leave no package under this name; return its receipt if it was fetched before, else "".

        Raises:
            Unavailable: it cannot be taken away now.
        """
        ...


class TipFiler(Protocol):
    """Files the tips of one destination."""

    def run_due(self, limit: int) -> list[Filing]:
        """Return the filings of up to ``limit`` due tips after advancing each.

        Raises:
            NotPermitted: the credentials are not taken; the remaining tips were left alone.
        """
        ...


class SchemaCache(Protocol):
    """The schema that was fetched last, kept across restarts."""

    def load(self) -> tuple[bytes, datetime] | None:
        """Return the schema and when it was fetched, None where none was."""
        ...

    def save(self, schema: bytes, *, at: datetime) -> None:
        """Keep a schema that was fetched just now."""
        ...


class OpenedMedia(Protocol):
    """A sealed file that was opened, and is whole; it need not fit into memory."""

    @property
    def byte_count(self) -> int:
        """How many bytes it has."""
        ...

    def parts(self) -> Iterator[bytes]:
        """Yield its bytes in parts, each as it was sealed.

        Raises:
            Unavailable: the store does not answer any more.
            NightlightError: any other reason why the rest cannot be had.
        """
        ...


class MediaSource(Protocol):
    """Sealed media, opened for a stated purpose."""

    def open(self, file: ReportedFile, case_id: CaseId, purpose: str) -> OpenedMedia:
        """Return a file, found whole; before that the record says of what evidence, and what for.

        Args:
            file: the file; its case is ``case_id`` where nothing else is known of it.
            case_id: the first case of the tip.
            purpose: what for.

        Raises:
            Unavailable: the store does not answer now.
            NightlightError: any other reason why these bytes cannot be had.
        """
        ...
