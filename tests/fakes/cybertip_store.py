"""In memory: tips with their filing, sealed files, and a clock that is moved by hand."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import structs

from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import SETTLED, UNFINISHED, Filing, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.incident import IncidentType, WebPage
from nightlight.model.person import ReportedParty
from nightlight.model.reported_file import FileHash, ReportedFile
from nightlight.report.ports import Sent
from nightlight.report.progress import SET_ASIDE

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class MemoryTipStore:
    """A ``TipStore`` that refuses a stale revision, as the real one must."""

    def __init__(self, *tips: CyberTip) -> None:
        self.tips = {tip.id: tip for tip in tips}
        self.filings = {tip.id: Filing(tip_id=tip.id, state=TipState.DRAFTED) for tip in tips}
        self.actions: list[str] = []
        self.history: list[Filing] = []
        self.contested: set[TipId] = set()
        self.aside: dict[TipId, str] = {}
        self.sent: list[Sent] = []

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        if tip_id not in self.tips:
            raise NotFound(f"no tip {tip_id}")
        return self.tips[tip_id], self.filings[tip_id]

    def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
        if filing.revision != self.filings[filing.tip_id].revision + 1:
            raise Conflict("another filer went on with this tip")
        self.filings[filing.tip_id] = filing
        self.actions.append(action)
        self.history.append(filing)
        if sent is not None:
            self.sent.append(sent)

    def set_aside(self, tip_id: TipId, trouble: str) -> Filing:
        self.aside[tip_id] = trouble
        return structs.replace(self.filings[tip_id], failure=f"{SET_ASIDE}: {trouble}")

    def stands(self, tip_id: TipId) -> bool:
        return tip_id not in self.contested

    def due(self, now: datetime, limit: int, *, destination: str) -> list[TipId]:
        waiting = [
            filing
            for filing in self.filings.values()
            if filing.state not in SETTLED
            and (self.stands(filing.tip_id) or filing.state in UNFINISHED)
            and self.tips[filing.tip_id].destination == destination
            and (filing.next_attempt_at is None or filing.next_attempt_at <= now)
        ]
        return [filing.tip_id for filing in waiting][:limit]


class MemoryMedia:
    """A ``MediaSource`` over a dictionary; remembers why it was opened."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.purposes: list[str] = []
        self.torn: set[str] = set()

    def add(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = data
        return digest

    def open(self, file: ReportedFile, case_id: CaseId, purpose: str) -> "OpenedBytes":
        assert case_id
        self.purposes.append(purpose)
        if file.digest not in self.files:
            raise NotFound("nothing is sealed under this digest")
        return OpenedBytes(self.files[file.digest], tears=file.digest in self.torn)


class OpenedBytes:
    """An ``OpenedMedia`` in memory, which may break in the middle."""

    def __init__(self, data: bytes, *, tears: bool) -> None:
        self._data = data
        self._tears = tears
        self.byte_count = len(data)

    def parts(self) -> Iterator[bytes]:
        middle = len(self._data) // 2
        yield self._data[:middle]
        if self._tears:
            raise IntegrityFailure("what is stored is not what was sealed")
        yield self._data[middle:]


def make_file(media: MemoryMedia, number: int) -> ReportedFile:
    """Return a reported file whose harmless bytes lie in ``media``."""
    digest = media.add(f"harmless test bytes {number}".encode() * 50)
    return ReportedFile(
        evidence_id=f"evidence-{number}",
        digest=digest,
        file_name=f"picture-{number}.png",
        content_type="image/png",
        viewed=number % 2 == 0,
        uploaded_at=NOON - timedelta(days=2),
        match="exact match with test bank",
        hashes=(FileHash(kind="SHA256", value=digest),),
    )


def make_tip(media: MemoryMedia, *, files: int = 1, name: str = "tip-1") -> CyberTip:
    """Return a complete tip about a synthetic account."""
    return CyberTip(
        id=TipId(name),
        case_id=CaseId(f"case-of-{name}"),
        account_id=AccountId(f"account-of-{name}"),
        incident_type=IncidentType.CSAM,
        incident_at=NOON - timedelta(days=1),
        platform="Zorbleflux",
        reported=(
            ReportedParty(
                account_id=f"account-of-{name}",
                service="Zorbleflux",
                handle="quibbleton",
                display_names=("Quibble Ton",),
                bio="nothing to see",
                profile_urls=("https://zorbleflux.example.test/quibbleton",),
            ),
        ),
        places=(WebPage(urls=("https://zorbleflux.example.test/posts/1",)),),
        narrative="Found by a test.",
        files=tuple(make_file(media, number) for number in range(files)),
    )


def with_files(tip: CyberTip, *files: ReportedFile) -> CyberTip:
    """Return the tip with other files."""
    return structs.replace(tip, files=files)
