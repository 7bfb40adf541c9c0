"""Reads what is stored of confirmed cases and drafts their tips, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from nightlight.decide.policy import Outcome
from nightlight.model.case import Case, EvidenceKind
from nightlight.model.cybertip import CyberTip
from nightlight.model.ids import EventKey, MediaId
from nightlight.model.incident import IncidentType
from nightlight.report.draft import ConfirmedCase, Surroundings, draft_tip
from nightlight.transaction import Transaction


class Drafting:
    """Drafts the tips that the policy asks for."""

    def __init__(self, *, platform_name: str, classify: bool) -> None:
        """Keep what every tip says.

        Args:
            platform_name: the platform's name.
            classify: whether tips carry a hash bank's industry classification.
        """
        self._platform_name = platform_name
        self._classify = classify

    def draft(self, tx: Transaction, case: Case, outcome: Outcome, *, now: datetime) -> None:
        """Store the tip of a case that was just confirmed; nothing where it is not reportable."""
        if outcome.report is not None:
            confirmed = _confirmed(tx, case, incident_type=outcome.report)
            tx.tips.draft(self._tip(tx, [confirmed], now=now), at=now)

    def _tip(
        self, tx: Transaction, cases: Sequence[ConfirmedCase], *, now: datetime
    ) -> CyberTip:  # fmt: skip
        account_id = cases[0].case.account_id
        evidence = [one for case in cases for one in case.evidence]
        media = tx.context.media([MediaId(one.content_id) for one in evidence])
        keys = [EventKey(one.event_key) for case in cases for one in case.decisions]
        return draft_tip(
            cases,
            platform=self._platform_name,
            signals=tx.signals.of_events([*keys, *(one.event_key for one in media.values())]),
            media={str(name): one for name, one in media.items()},
            account=tx.context.accounts([account_id]).get(account_id),
            # The suspension has only been asked for: a tip does not state what the platform has not
            # confirmed.
            around=Surroundings(),
            now=now,
            classify=self._classify,
        )


def _confirmed(tx: Transaction, case: Case, *, incident_type: IncidentType) -> ConfirmedCase:
    """Return a confirmed case with everything that a tip says of it."""
    evidence = tx.evidence.of_case(case.id)
    posts = [EventKey(one.content_id) for one in evidence if one.kind is EvidenceKind.POST]
    return ConfirmedCase(
        case=case,
        incident_type=incident_type,
        decisions=tx.decisions.get(case.decisions),
        evidence=evidence,
        posts=list(tx.events.find(posts).values()),
        viewed=case.viewed,
        exif_viewed=case.exif_viewed,
    )
