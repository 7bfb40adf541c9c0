"""The files of a tip: each once, with who viewed it and how it was found. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import MediaContext
from nightlight.model.reported_file import (
    Classification,
    FileHash,
    Relevance,
    ReportedFile,
)
from nightlight.model.signal import Signal, SubjectKind


def reported_files(
    evidence: Sequence[tuple[Evidence, bool, bool]],
    *,
    media: Mapping[str, MediaContext],
    signals: Sequence[Signal],
    classify: bool,
) -> tuple[ReportedFile, ...]:
    """Return the files among the evidence; one that two findings share is reported once.

    Args:
        evidence: what was sealed, whether a person viewed it whole, and whether its EXIF data.
        media: what is known of the sealed files, by media id.
        signals: what the detectors found.
        classify: whether a hash bank's industry classification is passed on.
    """
    files: dict[str, tuple[Evidence, bool, bool]] = {}
    for one, viewed, exif in evidence:
        if one.kind is EvidenceKind.MEDIA and one.destroyed_at is None:
            first, before, exif_before = files.get(one.digest, (one, False, False))
            # Equal bytes: whoever viewed the one viewed the other.
            files[one.digest] = (first, before or viewed, exif_before or exif)
    return tuple(
        _reported_file(
            one, media.get(one.content_id), signals, viewed=viewed, exif=exif, classify=classify
        )
        for one, viewed, exif in files.values()
    )


def _reported_file(
    evidence: Evidence,
    media: MediaContext | None,
    signals: Sequence[Signal],
    *,
    viewed: bool,
    exif: bool,
    classify: bool,
) -> ReportedFile:
    found = _matches(evidence.content_id, signals)
    return ReportedFile(
        evidence_id=evidence.id,
        digest=evidence.digest,
        file_name=evidence.content_id.replace("/", "_"),
        content_type=evidence.content_type,
        viewed=viewed,
        # Of a file that nobody viewed nothing is said of EXIF either.
        exif_viewed=exif if viewed else None,
        relevance=Relevance.REPORTED,
        uploaded_at=media.uploaded_at if media else None,
        location=media.url if media and "://" in media.url else "",
        classification=_classification(found) if classify else None,
        hashes=hashes_of(media),
        match=_match(found[0]) if found else "",
    )


def match_of(media_id: str, signals: Sequence[Signal]) -> str:
    """Return how a file was found by its hash, in words, "" where it was not."""
    found = _matches(media_id, signals)
    return _match(found[0]) if found else ""


def _matches(media_id: str, signals: Sequence[Signal]) -> list[Signal]:
    """Return the matches of a file with hash banks, the closest first."""
    return sorted(
        (
            signal
            for signal in signals
            if signal.detector == "hash_match"
            and signal.subject.kind is SubjectKind.MEDIA
            and signal.subject.id == media_id
        ),
        key=_closest_first,
    )


def hashes_of(media: MediaContext | None) -> tuple[FileHash, ...]:
    """Return the hashes that are known of a file."""
    if media is None:
        return ()
    hashes = media.scan.hashes
    known = (
        ("MD5", hashes.md5),
        ("SHA1", hashes.sha1),
        ("SHA256", hashes.sha256),
        ("PDQ", hashes.pdq),
    )
    return tuple(FileHash(kind=kind, value=value) for kind, value in known if value)


def _closest_first(signal: Signal) -> tuple[bool, float, str]:
    distance = signal.facts.get("hash_distance_bits", 0)
    bits = distance if isinstance(distance, int) else 0
    return (not signal.facts.get("hash_exact"), bits, signal.event_key)


def _classification(found: Sequence[Signal]) -> Classification | None:
    """Return the closest match's classification; what is none of the industry's is left out."""
    for signal in found:
        with suppress(ValueError):
            return Classification(str(signal.facts.get("hash_classification", "")))
    return None


def _match(signal: Signal) -> str:
    facts = signal.facts
    bank = facts.get("hash_bank", "")
    if facts.get("hash_exact"):
        return f"exact match with an entry of the hash bank {bank}"
    return (
        f"near match ({facts.get('hash_distance_bits')} bits) with an entry of the hash bank {bank}"
    )
