"""Seals everything that a reviewer, NCMEC or a court would need of one finding."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import Unavailable
from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import AccountContext, MediaContext
from nightlight.model.event import Event
from nightlight.model.ids import CaseId, DecisionId, derive_id
from nightlight.model.media import Scan
from nightlight.preserve.surroundings import Surroundings
from nightlight.preserve.vault import Vault

_encode = msgspec.json.Encoder().encode


class Sealed(Struct, frozen=True, kw_only=True):
    """What was sealed of a finding, whether that is all of it, and what must be fetched first."""

    evidence: tuple[Evidence, ...]
    complete: bool
    wanted: tuple[str, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """What a finding is about, to be sealed.

    Attributes:
        events: the events to keep as they were published.
        account: the profile as known at the time.
        media: the files concerned.
        at: when the finding happened on the platform.
        around: what was around it, None where that is not to be sealed.
    """

    case_id: CaseId
    decision_id: DecisionId
    events: tuple[Event, ...]
    account: AccountContext | None
    media: tuple[MediaContext, ...]
    at: datetime
    around: Surroundings | None = None


class Sealer:
    """Seals posts, profiles and media into the vault."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def seal(self, finding: Finding, *, fetched: Mapping[str, Scan]) -> Sealed:
        """Return the evidence of a finding, now in the vault; ``complete`` if nothing is missing.

        Nothing is fetched here: this runs while a transaction is open, in which nothing is
        destroyed. Of a file that is there only the beginning is read meanwhile.

        Args:
            finding: what to seal.
            fetched: the outcome of fetching files that were not sealed when they came in, by
                address; ``wanted`` names those that are missing, or are gone again since.
        """
        sealed: list[Evidence] = []
        wanted: list[str] = []
        complete = True
        try:
            sealed.extend(
                self._document(finding, EvidenceKind.POST, event.key, event, event.time)
                for event in finding.events
            )
            if finding.account is not None:
                name = finding.account.account_id
                sealed.append(
                    self._document(finding, EvidenceKind.PROFILE, name, finding.account, finding.at)
                )
            if finding.around is not None and finding.around.tells_anything:
                kind, whose = EvidenceKind.SURROUNDINGS, finding.around.account_id
                sealed.append(self._document(finding, kind, whose, finding.around, finding.at))
        except Unavailable:
            complete = False
        for media in finding.media:
            late = fetched.get(media.url)
            known = [one for one in (media.scan, late) if one is not None and one.sealed_digest]
            try:
                # What was due may have been destroyed since, also since it was fetched.
                scan = next((one for one in known if self._vault.begins(one.sealed_digest)), None)
            except Unavailable:
                scan, complete = known[-1], False
            if scan is None:
                complete = False
                if media.url and (late is None or late.sealed_digest):
                    wanted.append(media.url)
                continue
            sealed.append(
                self._evidence(
                    finding,
                    kind=EvidenceKind.MEDIA,
                    content_id=media.media_id,
                    digest=scan.sealed_digest,
                    byte_count=scan.byte_count,
                    content_type=media.content_type or "application/octet-stream",
                    captured_at=media.uploaded_at,
                )
            )
        return Sealed(evidence=tuple(sealed), complete=complete, wanted=tuple(wanted))

    def _document(
        self, finding: Finding, kind: EvidenceKind, name: str, document: Struct, at: datetime
    ) -> Evidence:
        body = _encode(document)
        return self._evidence(
            finding,
            kind=kind,
            content_id=name,
            digest=self._vault.seal(body),
            byte_count=len(body),
            content_type="application/json",
            captured_at=at,
        )

    def _evidence(
        self,
        finding: Finding,
        *,
        kind: EvidenceKind,
        content_id: str,
        digest: str,
        byte_count: int,
        content_type: str,
        captured_at: datetime,
    ) -> Evidence:
        return Evidence(
            # Not derived from the digest: an id is shown, and must say nothing of known media.
            id=derive_id("evi", finding.case_id, finding.decision_id, kind, content_id),
            case_id=finding.case_id,
            decision_id=finding.decision_id,
            kind=kind,
            content_id=content_id,
            digest=digest,
            byte_count=byte_count,
            content_type=content_type,
            sealed_at=self._clock.now(),
            captured_at=captured_at,
        )
