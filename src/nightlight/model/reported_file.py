"""One file of a report: what it is, who saw it, and how it was found."""

from datetime import datetime
from enum import StrEnum

from nightlight.model.masked import Masked
from nightlight.model.person import Device, IpCapture


class Relevance(StrEnum):
    """Whether a file is what is reported, or what helps to understand it."""

    REPORTED = "reported"
    SUPPLEMENTAL = "supplemental"


class Classification(StrEnum):
    """The industry's classification: age (A, B) and act (1, 2)."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"


class FileAnnotation(StrEnum):
    """What a person adds to say about a file."""

    DRAWING = "drawing"
    POTENTIAL_MEME = "potential_meme"
    VIRAL = "viral"
    SELF_PRODUCTION = "self_production"
    PHYSICAL_HARM = "physical_harm"
    VIOLENCE = "violence"
    ANIMAL = "animal"
    LIVE_STREAMING = "live_streaming"
    INFANT = "infant"
    GENERATED = "generated"


class DetailKind(StrEnum):
    """What a list of names and values is about."""

    EXIF = "exif"
    HASH = "hash"


class FileHash(Masked, frozen=True, kw_only=True):
    """One hash of the original file; ``kind`` as the industry writes it: MD5, SHA1, PDQ."""

    kind: str
    value: str


class FileDetail(Masked, frozen=True, kw_only=True):
    """Names and values that belong together."""

    pairs: tuple[tuple[str, str], ...]
    kind: DetailKind | None = None


class ReportedFile(Masked, frozen=True, kw_only=True):
    """One file of a tip.

    Attributes:
        viewed: true only if a person at the provider viewed the entire file, None if nobody told.
        exif_viewed: the same of its EXIF data.
        public: whether anybody could see it.
        potential_meme: None where nobody told; it and ``annotations`` exclude each other.
        match: how it was found, in words: exact or near, and which bank.
        info: more about it, each a paragraph.
    """

    evidence_id: str
    digest: str
    file_name: str
    content_type: str
    viewed: bool | None
    exif_viewed: bool | None = None
    public: bool | None = None
    uploaded_at: datetime | None = None
    location: str = ""
    relevance: Relevance = Relevance.REPORTED
    potential_meme: bool | None = None
    annotations: tuple[FileAnnotation, ...] = ()
    classification: Classification | None = None
    hashes: tuple[FileHash, ...] = ()
    ip_capture: IpCapture | None = None
    devices: tuple[Device, ...] = ()
    details: tuple[FileDetail, ...] = ()
    match: str = ""
    info: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<ReportedFile {self.evidence_id}: masked>"


class UnattachedFile(Masked, frozen=True, kw_only=True):
    """A file that a tip is about and that is not sent with it.

    Attributes:
        why: why it is not, in words for the analyst.
        match: how it was found, "" where no hash bank has it.
    """

    media_id: str
    why: str
    uploaded_at: datetime | None = None
    location: str = ""
    hashes: tuple[FileHash, ...] = ()
    match: str = ""

    def __repr__(self) -> str:
        return f"<UnattachedFile {self.media_id}: masked>"
