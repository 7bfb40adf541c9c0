"""The files of a tip: each once, with who viewed it and how it was found. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from msgspec.structs import replace

from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import MediaContext
from nightlight.model.event import PostCreated
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
    public: Mapping[str, bool],
) -> tuple[ReportedFile, ...]:
    """Return the files among the evidence; one that two findings share is reported once.

    Args:
        evidence: what was sealed, whether a person viewed it whole, and whether its EXIF data.
        media: what is known of the sealed files, by media id.
        signals: what the detectors found.
        classify: whether a hash bank's industry classification is passed on.
        public: whether anybody could see a file, by media id, where that is known.
    """
    files: dict[str, tuple[Evidence, bool, bool]] = {}
    alike: dict[str, list[Evidence]] = {}
    for one, viewed, exif in evidence:
        if one.kind is EvidenceKind.MEDIA and one.destroyed_at is None:
            first, before, exif_before = files.get(one.digest, (one, False, False))
            # Equal bytes: whoever viewed the one viewed the other.
            alike.setdefault(one.digest, []).append(one)
            files[one.digest] = (first, before or viewed, exif_before or exif)
    return tuple(
        replace(
            _reported_file(
                one, media.get(one.content_id), signals, viewed=viewed, exif=exif, classify=classify
            ),
            public=_any_public([public.get(each.content_id) for each in alike[one.digest]]),
        )
        for one, viewed, exif in files.values()
    )


def shown_to(
    posts: Iterable[PostCreated], shown: Mapping[str, Collection[str]] | None
) -> dict[str, bool]:
    """Return whether anybody could see the files of posts, by media id, where that is certain.

    Args:
        posts: the posts that are reported.
        shown: every post of the account that shows a file, by media id; None where that is not
            known: then no file is said to have been out of sight.
    """
    by_file: dict[str, list[PostCreated]] = {}
    for one in posts:
        for name in one.media_ids:
            by_file.setdefault(name, []).append(one)
    found: dict[str, bool] = {}
    for name, some in by_file.items():
        if any(one.url and not one.recipients for one in some):
            found[name] = True
        elif shown is not None and all(one.recipients for one in some):
            sent = {one.post_id for one in some}
            if set(shown.get(name, ())) <= sent:
                found[name] = False
    return found


def _any_public(said: Sequence[bool | None]) -> bool | None:
    """Return what holds of equal bytes: public if one is, out of sight only if all are."""
    if True in said:
        return True
    return None if None in said else False


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
