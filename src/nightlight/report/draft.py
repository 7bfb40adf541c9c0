"""Confirmed cases become a CyberTip. Pure.

Owns what a tip says of its cases and where they happened. Leaves the files to ``draft_files`` and
reading what is stored to ``services/drafting.py``.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.model.case import Case, Evidence
from nightlight.model.context import AccountContext, MediaContext
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.decision import Decision
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import TipId, derive_id
from nightlight.model.incident import Annotation, Chat, IncidentType, Place, WebPage
from nightlight.model.masked import Masked
from nightlight.model.person import (
    AssociatedAccount,
    Device,
    IntendedRecipient,
    IpCapture,
    ReportedParty,
    Victim,
)
from nightlight.model.signal import Signal
from nightlight.report.draft_files import reported_files, shown_to
from nightlight.report.unattached import unattached_files

#: Categories whose cases are offers or solicitations rather than possession.
_SOLICITATION = frozenset({"advert"})


class ConfirmedCase(Struct, frozen=True, kw_only=True):
    """One case as it goes into a tip.

    Attributes:
        incident_type: what the policy reports its category as.
        decisions: the decisions that the case is about, oldest first.
        evidence: everything sealed for the case.
        media_ids: the media that its findings are about and its posts show, unless reported before.
        posts: the posts concerned, as they were published; their text becomes part of the tip.
        urgent: why a child is in danger now, "" where nobody said so.
        annotations: what the policy says of reports of its category.
        viewed: ids of the evidence that a person viewed whole.
        exif_viewed: ids of the evidence whose EXIF data a person viewed.
    """

    case: Case
    incident_type: IncidentType
    decisions: Sequence[Decision]
    evidence: Sequence[Evidence]
    posts: Sequence[Event]
    urgent: str = ""
    annotations: tuple[Annotation, ...] = ()
    viewed: Collection[str] = ()
    exif_viewed: Collection[str] = ()
    media_ids: tuple[str, ...] = ()


class Named(Masked, frozen=True, kw_only=True):
    """Who else a tip names, and what is known of where its account was seen.

    Attributes:
        earlier_reports: ids of CyberTipline reports that named this account before.
    """

    earlier_reports: tuple[int, ...] = ()
    associated: tuple[AssociatedAccount, ...] = ()
    recipients: tuple[IntendedRecipient, ...] = ()
    victims: tuple[Victim, ...] = ()
    ip_captures: tuple[IpCapture, ...] = ()
    devices: tuple[Device, ...] = ()


def draft_tip(
    cases: Sequence[ConfirmedCase],
    *,
    platform: str,
    signals: Sequence[Signal],
    media: Mapping[str, MediaContext],
    account: AccountContext | None,
    named: Named,
    now: datetime,
    classify: bool,
    destination: Destination = Destination.NCMEC,
    number: int = 1,
    note: str = "",
    shown: Mapping[str, Collection[str]] | None = None,
) -> CyberTip:
    """Return the tip of an account's confirmed cases; the first one names it.

    A file counts as viewed only if a person said so of this very file. What a platform dates ahead
    of its report is dated ``now``, and the narrative says so.

    Args:
        cases: at least one, all of one account.
        platform: the platform's name.
        signals: what the detectors found on the cases' events.
        media: what is known of the sealed files, by media id.
        account: the account as known, None where the platform never told of it.
        named: who else is named.
        now: when the tip is drafted.
        classify: whether a hash bank's industry classification is passed on.
        destination: where it is filed.
        number: which tip of its first case this is there.
        note: what a person adds to say first.
        shown: every post of the account that shows a file, by media id; None where not known.
    """
    first = cases[0].case
    happened_at = max(decision.time for one in cases for decision in one.decisions)
    posts = _posts(cases)
    tip = CyberTip(
        id=tip_id(first, destination, number),
        case_id=first.id,
        account_id=first.account_id,
        bundled=tuple(one.case.id for one in cases[1:]),
        destination=destination,
        incident_type=_gravest(cases).incident_type,
        incident_at=min(happened_at, now),
        incident_note=_span(cases),
        platform=platform,
        high_priority=" ".join(dict.fromkeys(one.urgent for one in cases if one.urgent)),
        annotations=_annotations(cases),
        places=_places(posts, platform),
        reported=(_reported(first, account, platform, named),) if first.account_id else (),
        recipients=named.recipients,
        victims=named.victims,
        narrative="\n".join(
            [
                *([note] if note else []),
                *(line for one in cases for line in _narrative(one)),
                *follows(named.earlier_reports),
                *_dated_ahead(happened_at, now),
                *(_quoted(event) for event in posts),
            ]
        ),
        files=reported_files(
            [
                (one, one.id in case.viewed, one.id in case.exif_viewed)
                for case in cases
                for one in case.evidence
            ],
            media=media,
            signals=signals,
            classify=classify,
            public=shown_to(
                (one.data for one in posts if isinstance(one.data, PostCreated)), shown
            ),
        ),
        unattached=unattached_files(
            [name for one in cases for name in one.media_ids],
            [evidence for one in cases for evidence in one.evidence],
            media=media,
            signals=signals,
        ),
    )
    return not_ahead(tip, now)


def not_ahead(tip: CyberTip, now: datetime) -> CyberTip:
    """Return a tip in which nothing that happened is dated after ``now``; it says what was."""
    dated = [each.at for one in tip.reported for each in one.ip_captures]
    dated += [each.at for one in tip.reported for each in one.devices]
    dated += [one.uploaded_at for one in tip.files]
    count = sum(at is not None and at > now for at in dated)
    if not count:
        return tip
    said = (
        f"The platform dated {count} sign-ins, machines or uploads after this report; they are"
        " given as of drafting."
    )
    return replace(
        tip,
        narrative=f"{tip.narrative}\n{said}",
        reported=tuple(
            replace(
                one,
                ip_captures=tuple(replace(each, at=_by(each.at, now)) for each in one.ip_captures),
                devices=tuple(replace(each, at=_by(each.at, now)) for each in one.devices),
            )
            for one in tip.reported
        ),
        files=tuple(replace(one, uploaded_at=_by(one.uploaded_at, now)) for one in tip.files),
    )


def _by(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)


def tip_id(case: Case, destination: Destination, number: int = 1) -> TipId:
    """Return the id of a case's first, second, third tip at a destination."""
    elsewhere = () if destination == Destination.NCMEC else (destination,)
    further = () if number == 1 else (str(number),)
    return TipId(derive_id("tip", case.id, *elsewhere, *further))


def _gravest(cases: Sequence[ConfirmedCase]) -> ConfirmedCase:
    return max(cases, key=lambda one: one.case.severity)


def _posts(cases: Sequence[ConfirmedCase]) -> list[Event]:
    """Return the posts concerned, each event once, in the order in which they were published."""
    found = {
        event.key: event
        for case in cases
        for event in case.posts
        if isinstance(event.data, PostCreated | PostEdited)
    }
    return sorted(found.values(), key=lambda one: (one.time, one.key))


def _annotations(cases: Sequence[ConfirmedCase]) -> tuple[Annotation, ...]:
    said = [annotation for one in cases for annotation in one.annotations]
    if any(one.case.category in _SOLICITATION for one in cases):
        said.append(Annotation.CSAM_SOLICITATION)
    return tuple(one for one in Annotation if one in said)


def _places(posts: Sequence[Event], platform: str) -> tuple[Place, ...]:
    """Return where it happened: the page where it was public, the chat where it was sent."""
    created = [one.data for one in posts if isinstance(one.data, PostCreated)]
    sent = [one for one in created if one.recipients]
    urls = dict.fromkeys(one.url for one in created if one.url and not one.recipients)
    places: list[Place] = []
    if urls:
        places.append(WebPage(urls=tuple(urls)))
    if sent:
        text = "\n".join(f"Message {one.post_id}: {one.text}" for one in sent)
        places.append(Chat(client=platform, content=text))
    if not places:
        ids = ", ".join(dict.fromkeys(str(one.post_id) for one in posts))
        said = f"Posts on {platform}, which have no address of their own: {ids}" if ids else ""
        places.append(WebPage(info=said or f"On {platform}; no address is known."))
    return tuple(places)


def _reported(
    case: Case, account: AccountContext | None, platform: str, named: Named
) -> ReportedParty:
    return ReportedParty(
        account_id=case.account_id,
        service=platform,
        handle=account.handle if account else "",
        display_names=(account.display_name,) if account and account.display_name else (),
        profile_urls=(account.profile_url,) if account and account.profile_url else (),
        bio=account.bio if account else "",
        ip_captures=named.ip_captures,
        devices=named.devices,
        prior_reports=named.earlier_reports,
        associated=named.associated,
    )


def _quoted(event: Event) -> str:
    """Return a post as it was published, for the analyst."""
    data = event.data
    text = data.text if isinstance(data, PostCreated | PostEdited) else ""
    return f"Post {event.post_id}, {event.time.isoformat(timespec='seconds')}: {text}"


def _span(cases: Sequence[ConfirmedCase]) -> str:
    """Return that several things happened, and when, where they did."""
    times = sorted({decision.time for one in cases for decision in one.decisions})
    if len(times) == 1:
        return ""
    first, last = (one.isoformat(timespec="seconds") for one in (times[0], times[-1]))
    return f"{len(times)} findings between {first} and {last}; the last one is given."


def _narrative(one: ConfirmedCase) -> list[str]:
    case, decisions = one.case, one.decisions
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


def follows(reports: Sequence[int]) -> list[str]:
    """Return what a tip says of the reports before it."""
    if not reports:
        return []
    told = ", ".join(str(one) for one in reports)
    return [f"The account was reported before: this follows CyberTipline report(s) {told}."]


def _dated_ahead(happened_at: datetime, now: datetime) -> list[str]:
    if happened_at <= now:
        return []
    told = happened_at.isoformat(timespec="seconds")
    return [f"The platform dated this {told}, after this report; it is given as of drafting."]
