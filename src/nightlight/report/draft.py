"""A confirmed case becomes a CyberTip. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from nightlight.model.case import Case, Evidence, EvidenceKind
from nightlight.model.context import AccountContext, MediaContext
from nightlight.model.cybertip import CyberTip, IncidentType, ReportedFile
from nightlight.model.decision import Decision
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import TipId, derive_id
from nightlight.model.signal import Signal, SubjectKind

#: Categories whose cases are offers or solicitations rather than possession.
_SOLICITATION = frozenset({"advert"})


def draft_tip(
    case: Case,
    *,
    incident_type: IncidentType,
    platform: str,
    decisions: Sequence[Decision],
    signals: Sequence[Signal],
    evidence: Sequence[Evidence],
    media: Mapping[str, MediaContext],
    account: AccountContext | None,
    posts: Sequence[Event],
    suspended_at: datetime | None,
    now: datetime,
    classify: bool,
) -> CyberTip:
    """Return the tip of a confirmed case.

    A file counts as viewed only if the reviewer who decided the case said so of this very file.
    What a platform dates ahead of its report is dated ``now``, and the narrative says so.

    Args:
        case: the confirmed case.
        incident_type: what the policy reports its category as.
        platform: the platform's name.
        decisions: the decisions that the case is about, oldest first.
        signals: what the detectors found on their events.
        evidence: everything sealed for the case.
        media: what is known of the sealed files, by media id.
        account: the account as known, None where the platform never told of it.
        posts: the posts concerned, as they were published; their text becomes part of the tip.
        suspended_at: when the platform confirmed the suspension, None while it has not.
        now: when the tip is drafted.
        classify: whether a hash bank's industry classification is passed on.
    """
    happened_at = max(decision.time for decision in decisions)
    files = tuple(
        _reported_file(one, case, media.get(one.content_id), signals, classify=classify)
        for one in _once_each(evidence)
    )
    published = [event for event in posts if isinstance(event.data, PostCreated | PostEdited)]
    return CyberTip(
        id=TipId(derive_id("tip", case.id)),
        case_id=case.id,
        account_id=case.account_id,
        incident_type=incident_type,
        incident_at=min(happened_at, now),
        platform=platform,
        handle=account.handle if account else "",
        display_name=account.display_name if account else "",
        bio=account.bio if account else "",
        profile_url=account.profile_url if account else "",
        urls=_urls(published),
        narrative="\n".join(
            [
                *_narrative(case, decisions),
                *_dated_ahead(happened_at, now),
                *(_quoted(event) for event in sorted(published, key=lambda one: one.time)),
            ]
        ),
        files=files,
        suspended_at=suspended_at,
        solicitation=case.category in _SOLICITATION,
    )


def _once_each(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the sealed files; one that two findings share is reported once."""
    files = [one for one in evidence if one.kind is EvidenceKind.MEDIA]
    return list({one.digest: one for one in reversed(files)}.values())[::-1]


def _urls(posts: Sequence[Event]) -> tuple[str, ...]:
    urls = [one.data.url for one in posts if isinstance(one.data, PostCreated)]
    return tuple(dict.fromkeys(url for url in urls if url))


def _quoted(event: Event) -> str:
    """Return a post as it was published, for the analyst."""
    data = event.data
    text = data.text if isinstance(data, PostCreated | PostEdited) else ""
    return f"Post {event.post_id}, {event.time.isoformat(timespec='seconds')}: {text}"


def _reported_file(
    evidence: Evidence,
    case: Case,
    media: MediaContext | None,
    signals: Sequence[Signal],
    *,
    classify: bool,
) -> ReportedFile:
    found = sorted(
        (
            signal
            for signal in signals
            if signal.detector == "hash_match"
            and signal.subject.kind is SubjectKind.MEDIA
            and signal.subject.id == evidence.content_id
        ),
        key=_closest_first,
    )
    hashes = media.scan.hashes if media else None
    return ReportedFile(
        evidence_id=evidence.id,
        digest=evidence.digest,
        file_name=evidence.content_id.replace("/", "_"),
        content_type=evidence.content_type,
        viewed=evidence.id in case.viewed,
        uploaded_at=media.uploaded_at if media else None,
        location=media.url if media and "://" in media.url else "",
        classification=_classification(found) if classify else "",
        match=_match(found[0]) if found else "",
        md5=hashes.md5 if hashes else "",
        sha1=hashes.sha1 if hashes else "",
        sha256=hashes.sha256 if hashes else "",
        pdq=hashes.pdq if hashes else "",
    )


def _closest_first(signal: Signal) -> tuple[bool, float, str]:
    distance = signal.facts.get("hash_distance_bits", 0)
    bits = distance if isinstance(distance, int) else 0
    return (not signal.facts.get("hash_exact"), bits, signal.event_key)


def _classification(found: Sequence[Signal]) -> str:
    told = (str(signal.facts.get("hash_classification", "")) for signal in found)
    return next((one for one in told if one), "")


def _match(signal: Signal) -> str:
    facts = signal.facts
    bank = facts.get("hash_bank", "")
    if facts.get("hash_exact"):
        return f"exact match with an entry of the hash bank {bank}"
    return (
        f"near match ({facts.get('hash_distance_bits')} bits) with an entry of the hash bank {bank}"
    )


def _narrative(case: Case, decisions: Sequence[Decision]) -> list[str]:
    lines = [
        f"Confirmed by a reviewer at the provider: {case.category}, {len(decisions)} finding(s).",
    ]
    for decision in decisions:
        because = " ".join(reason.text for reason in decision.reasons)
        lines.append(
            f"{decision.time.isoformat(timespec='seconds')} {decision.subject.kind}"
            f" {decision.subject.id}: {because}"
        )
    return lines


def _dated_ahead(happened_at: datetime, now: datetime) -> list[str]:
    if happened_at <= now:
        return []
    told = happened_at.isoformat(timespec="seconds")
    return [f"The platform dated this {told}, after this report; it is given as of drafting."]
