"""Files that a tip is about and that are not sent with it: each is named, with why. Pure.

NCMEC's schema has places for hashes only in the details of a file that was uploaded, so what is
known of others goes to the report's additional information.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from nightlight.model.case import Evidence, EvidenceKind
from nightlight.model.context import MediaContext
from nightlight.model.media import ScanState
from nightlight.model.reported_file import UnattachedFile
from nightlight.model.signal import Signal
from nightlight.report.draft_files import hashes_of, match_of


def unattached_files(
    names: Collection[str],
    evidence: Sequence[Evidence],
    *,
    media: Mapping[str, MediaContext],
    signals: Sequence[Signal],
) -> tuple[UnattachedFile, ...]:
    """Return those of these files of which nothing is sealed any more, or never was.

    Args:
        names: the media that the cases are about, by id.
        evidence: everything sealed for the cases.
        media: what is known of the files, by media id.
        signals: what the detectors found.
    """
    files = [one for one in evidence if one.kind is EvidenceKind.MEDIA]
    sealed = {one.content_id for one in files if one.destroyed_at is None}
    destroyed = {one.content_id: one.destroyed_at for one in files if one.destroyed_at is not None}
    return tuple(
        UnattachedFile(
            media_id=name,
            why=_why(media.get(name), destroyed.get(name)),
            uploaded_at=known.uploaded_at if known else None,
            location=known.url if known and "://" in known.url else "",
            hashes=hashes_of(known),
            match=match_of(name, signals),
        )
        for name in dict.fromkeys([*names, *destroyed])
        if name not in sealed
        for known in (media.get(name),)
    )


def in_words(file: UnattachedFile) -> str:
    """Return what is known of a file that is not attached, in a sentence or two."""
    said = [f"File {file.media_id} is not attached: {file.why}."]
    if file.uploaded_at is not None:
        said.append(f"It was uploaded at {file.uploaded_at.isoformat(timespec='seconds')}.")
    if file.location:
        said.append(f"It was at {file.location}")
    if file.match:
        said.append(f"Found by its hash: {file.match}.")
    known = ", ".join(f"{one.kind} {one.value}" for one in file.hashes)
    said.append(f"Its hashes: {known}." if known else "None of its hashes is known.")
    return " ".join(said)


def _why(media: MediaContext | None, destroyed_at: datetime | None) -> str:
    if destroyed_at is not None:
        return f"it was destroyed on {destroyed_at:%Y-%m-%d}, after its time of being kept"
    if media is None:
        return "the provider's record has only its name"
    if not media.url:
        return "the provider's record has what was told of it, and no file"
    if media.scan.state is not ScanState.SCANNED:
        return f"it could not be had ({media.scan.reason or media.scan.state.value})"
    return "it was looked at, and could not be preserved"
