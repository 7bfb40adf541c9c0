"""Seals everything that a reviewer, NCMEC or a court would need of one finding."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import Unavailable
from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import AccountContext, MediaContext
from nightlight.model.event import Event
from nightlight.model.ids import CaseId, derive_id
from nightlight.model.media import Scan
from nightlight.preserve.vault import Vault

_encode = msgspec.json.Encoder().encode


class Sealed(Struct, frozen=True, kw_only=True):
    """What was sealed of a finding, and whether that is all of it."""

    evidence: tuple[Evidence, ...]
    complete: bool


class Sealer:
    """Seals posts, profiles and media into the vault."""

    def __init__(self, *, vault: Vault, clock: Clock, seal_now: Callable[[str], Scan]) -> None:
        """Keep the parts; ``seal_now`` fetches and seals a file that was not sealed before."""
        self._vault = vault
        self._clock = clock
        self._seal_now = seal_now

    def seal(
        self,
        case_id: CaseId,
        *,
        events: Iterable[Event],
        account: AccountContext | None,
        media: Iterable[MediaContext],
        at: datetime,
    ) -> Sealed:
        """Return the evidence of a finding, now in the vault; ``complete`` if nothing is missing.

        Args:
            case_id: the case that it belongs to.
            events: the events to keep as they were published.
            account: the profile as known at the time.
            media: the files concerned.
            at: when the finding happened on the platform.
        """
        sealed: list[Evidence] = []
        complete = True
        try:
            sealed.extend(
                self._document(case_id, EvidenceKind.POST, event.key, event, event.time)
                for event in events
            )
            if account is not None:
                name = account.account_id
                sealed.append(self._document(case_id, EvidenceKind.PROFILE, name, account, at))
        except Unavailable:
            complete = False
        for one in media:
            found = self._media(case_id, one)
            complete = complete and found is not None
            sealed.extend([found] if found is not None else [])
        return Sealed(evidence=tuple(sealed), complete=complete)

    def _document(
        self, case_id: CaseId, kind: EvidenceKind, name: str, document: Struct, at: datetime
    ) -> Evidence:
        body = _encode(document)
        return self._evidence(
            case_id,
            kind=kind,
            content_id=name,
            digest=self._vault.seal(body),
            byte_count=len(body),
            content_type="application/json",
            captured_at=at,
        )

    def _media(self, case_id: CaseId, media: MediaContext) -> Evidence | None:
        scan = media.scan if media.scan.sealed_digest else self._seal_now(media.url)
        if not scan.sealed_digest:
            return None
        return self._evidence(
            case_id,
            kind=EvidenceKind.MEDIA,
            content_id=media.media_id,
            digest=scan.sealed_digest,
            byte_count=scan.byte_count,
            content_type=media.content_type or "application/octet-stream",
            captured_at=media.uploaded_at,
        )

    def _evidence(
        self,
        case_id: CaseId,
        *,
        kind: EvidenceKind,
        content_id: str,
        digest: str,
        byte_count: int,
        content_type: str,
        captured_at: datetime,
    ) -> Evidence:
        return Evidence(
            id=derive_id("evi", case_id, content_id, digest),
            case_id=case_id,
            kind=kind,
            content_id=content_id,
            digest=digest,
            byte_count=byte_count,
            content_type=content_type,
            sealed_at=self._clock.now(),
            captured_at=captured_at,
        )
