"""A CyberTip: what is reported, complete enough to be filed.

The values are NCMEC's information in Nightlight's words; ``report/document.py`` writes them as the
XML that the CyberTipline's schema asks for. Source: NCMEC CyberTipline Reporting API.
"""

from datetime import datetime
from enum import StrEnum

from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.incident import Annotation, IncidentType, LawEnforcement, Place
from nightlight.model.masked import Masked
from nightlight.model.person import IntendedRecipient, ReportedParty, Victim
from nightlight.model.reported_file import ReportedFile, UnattachedFile


class Destination(StrEnum):
    """Where a tip is filed."""

    NCMEC = "ncmec"
    HOTLINE = "hotline"


class CyberTip(Masked, frozen=True, kw_only=True):
    """One report about one account, complete enough to be filed.

    Attributes:
        case_id: the case that it was drafted from, the first where it bundles several.
        bundled: further cases of the account that it reports too.
        destination: where it is filed.
        incident_at: when the reported thing happened (past, UTC).
        incident_note: more about when it happened.
        high_priority: why a child is in danger now; "" where the report is not urgent.
        places: where it happened.
        viral_batch: it stands for many like it: a picture that spreads as a joke or a warning.
        narrative: what happened and how it was found, for the analyst; goes to additionalInfo.
        unattached: files that it is about and that are not sent with it.
        unread: evidence, by id, that could not be read when this was drafted, so that addresses and
            devices may be missing.
    """

    id: TipId
    case_id: CaseId
    account_id: AccountId
    bundled: tuple[CaseId, ...] = ()
    destination: Destination = Destination.NCMEC
    incident_type: IncidentType
    incident_at: datetime
    incident_note: str = ""
    platform: str
    high_priority: str = ""
    annotations: tuple[Annotation, ...] = ()
    viral_batch: bool = False
    places: tuple[Place, ...] = ()
    law_enforcement: LawEnforcement | None = None
    reported: tuple[ReportedParty, ...]
    recipients: tuple[IntendedRecipient, ...] = ()
    victims: tuple[Victim, ...] = ()
    narrative: str
    files: tuple[ReportedFile, ...]
    unread: tuple[str, ...] = ()
    unattached: tuple[UnattachedFile, ...] = ()

    def __repr__(self) -> str:
        return f"<CyberTip {self.id}: masked>"

    @property
    def cases(self) -> tuple[CaseId, ...]:
        """Every case that it reports."""
        return (self.case_id, *self.bundled)
