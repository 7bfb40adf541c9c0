"""A CyberTip: what is reported to NCMEC, and how far its filing came.

The values here are NCMEC's information in Nightlight's words; ``report/document.py`` writes them
as the XML that the CyberTipline's schema asks for. Source: NCMEC CyberTipline Reporting API.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.errors import Conflict
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.masked import Masked


class IncidentType(StrEnum):
    """The platform cases among the CyberTipline's closed list of incident types."""

    CSAM = "csam"
    SEX_TRAFFICKING = "sex_trafficking"
    ENTICEMENT = "enticement"
    UNSOLICITED_OBSCENE_MATERIAL = "unsolicited_obscene_material"


class ReportedFile(Masked, frozen=True, kw_only=True):
    """One file of a tip.

    Attributes:
        viewed: true only if a person at the provider viewed the entire file.
        classification: A1, A2, B1, B2 or "" where nobody classified it.
        match: how it was found, in words: exact or near, and which bank.
    """

    evidence_id: str
    digest: str
    file_name: str
    content_type: str
    viewed: bool
    uploaded_at: datetime | None = None
    location: str = ""
    classification: str = ""
    match: str = ""
    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""

    def __repr__(self) -> str:
        return f"<ReportedFile {self.evidence_id}: masked>"


class CyberTip(Masked, frozen=True, kw_only=True):
    """One report about one account, complete enough to be filed.

    Attributes:
        incident_at: when the reported thing happened (past, UTC).
        urls: where on the platform it was; may be empty.
        narrative: what happened and how it was found, for the analyst; goes to additionalInfo.
        suspended_at: when the account was suspended, None if it was not.
        suspended_permanently: false while the suspension can still be lifted, as after an appeal.
        solicitation: whether the tip is about an offer of, or a request for, such material.
    """

    id: TipId
    case_id: CaseId
    account_id: AccountId
    incident_type: IncidentType
    incident_at: datetime
    platform: str
    handle: str
    display_name: str
    bio: str
    profile_url: str
    urls: tuple[str, ...]
    narrative: str
    files: tuple[ReportedFile, ...]
    suspended_at: datetime | None = None
    suspended_permanently: bool = False
    solicitation: bool = False

    def __repr__(self) -> str:
        return f"<CyberTip {self.id}: masked>"


class TipState(StrEnum):
    """How far the filing of a tip came; each is stored before the call it describes.

    ``OPENED`` is the only state with a report open and no call under way.
    """

    DRAFTED = "drafted"
    OPENING = "opening"
    OPENED = "opened"
    UPLOADING = "uploading"
    DESCRIBING = "describing"
    FINISHING = "finishing"
    FILED = "filed"
    RETRACTING = "retracting"
    REFUSED = "refused"


#: The whole state machine: what may follow what, besides staying. Back to DRAFTED is starting
#: over in a new report; REFUSED is left only by a person's order.
TIP_TRANSITIONS: dict[TipState, frozenset[TipState]] = {
    TipState.DRAFTED: frozenset({TipState.OPENING, TipState.REFUSED}),
    TipState.OPENING: frozenset({TipState.OPENED, TipState.REFUSED}),
    TipState.OPENED: frozenset(
        {TipState.UPLOADING, TipState.DESCRIBING, TipState.FINISHING, TipState.REFUSED},
    ),
    TipState.UPLOADING: frozenset(
        {TipState.OPENED, TipState.RETRACTING, TipState.DRAFTED, TipState.REFUSED},
    ),
    TipState.DESCRIBING: frozenset(
        {TipState.OPENED, TipState.RETRACTING, TipState.DRAFTED, TipState.REFUSED},
    ),
    TipState.FINISHING: frozenset({TipState.FILED, TipState.DRAFTED, TipState.REFUSED}),
    TipState.FILED: frozenset(),
    TipState.RETRACTING: frozenset({TipState.DRAFTED, TipState.REFUSED}),
    TipState.REFUSED: frozenset({TipState.DRAFTED, TipState.RETRACTING, TipState.FINISHING}),
}

#: States in which nothing more happens by itself.
SETTLED = frozenset({TipState.FILED, TipState.REFUSED})


def check_tip_transition(before: TipState, after: TipState) -> None:
    """Return only if ``after`` may follow ``before``; staying is always allowed.

    Raises:
        Conflict: it may not.
    """
    if after is not before and after not in TIP_TRANSITIONS[before]:
        raise Conflict(f"a tip that is {before.value} cannot become {after.value}")


class Filing(Struct, frozen=True, kw_only=True):
    """The stored progress of one tip towards its receipt.

    Attributes:
        remote_id: the CyberTipline's report id, "" until it answered.
        uploaded: remote file ids, in the order of the tip's files.
        described: how many of the uploaded files have their details filed.
        receipt: the body of /finish's answer, verbatim: the legal notification of
            18 USC 2258A(h)(1).
        failure: why the tip was refused or waits; on a filed tip, what a person must check.
        retry_from: on a refused tip, where filing goes on if a person orders it to.
        attempts: failed attempts so far; sets how long the next one waits.
        restarts: how often the tip was started over in a new report.
        next_attempt_at: when the next attempt is due; while filing goes on, when another filer may
            take over.
        filed_at: when the receipt came; preservation for one year counts from here.
        revision: one more with every save, so that of two filers that load the same filing only
            one goes on.
    """

    tip_id: TipId
    state: TipState
    remote_id: str = ""
    uploaded: tuple[str, ...] = ()
    described: int = 0
    receipt: str = ""
    failure: str = ""
    retry_from: TipState | None = None
    attempts: int = 0
    restarts: int = 0
    next_attempt_at: datetime | None = None
    filed_at: datetime | None = None
    revision: int = 0
