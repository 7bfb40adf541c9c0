"""What a tip says of its cases, read from what is stored.

Leaves when one is drafted, and taken back, to ``drafting``.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from nightlight.decide.policy import Outcome, Policy
from nightlight.errors import Conflict
from nightlight.model.case import Case, Evidence, EvidenceKind
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.decision import Decision
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import AccountId, EventKey, MediaId, PostId
from nightlight.model.incident import IncidentType
from nightlight.model.signal import SubjectKind
from nightlight.report.draft import ConfirmedCase, draft_tip, not_ahead
from nightlight.services.named import machines_of, named_in
from nightlight.services.sealed_machines import Told
from nightlight.transaction import Transaction

#: Of so many findings, the last ones, a tip names the machines that were sealed with them.
_FINDINGS = 50
#: Of an account with more posts it is not said that nobody else could see a file.
_POSTS = 1_000


class TipContent:
    """Gathers what tips say."""

    def __init__(self, *, platform_name: str, classify: bool) -> None:
        self._platform_name = platform_name
        self._classify = classify

    def tip(
        self,
        tx: Transaction,
        cases: Sequence[Case],
        destination: Destination,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
        number: int = 1,
        note: str = "",
        leave_out: set[str] | None = None,
        former: IncidentType | None = None,
    ) -> CyberTip:
        """Return the tip of an account's confirmed cases, as it is to be stored.

        Args:
            tx: where it is read from.
            cases: the cases.
            destination: where it is to be filed.
            policy: says what each case is reported as.
            now: when it is drafted.
            told: the machines that are sealed with the cases.
            number: which tip of its first case this is there.
            note: what a person adds to say first.
            leave_out: digests and evidence ids of files that were reported before.
            former: what it was reported as before, where the policy does not say any more.

        Raises:
            Conflict: neither the policy nor a former tip says what a case is reported as.
        """
        confirmed = [
            _confirmed(tx, one, outcome_of(policy, one), leave_out or set(), former)
            for one in cases
        ]
        account_id = cases[0].account_id
        evidence = [one for case in confirmed for one in case.evidence]
        files = [one.content_id for one in evidence if one.kind is EvidenceKind.MEDIA]
        files += [name for case in confirmed for name in case.media_ids]
        media = tx.context.media([MediaId(name) for name in dict.fromkeys(files)])
        keys = [EventKey(one.event_key) for case in confirmed for one in case.decisions]
        posts = [event for case in confirmed for event in case.posts]
        sealed, unread = told.of(_around(evidence) if account_id else ())
        tip = draft_tip(
            confirmed,
            platform=self._platform_name,
            signals=tx.signals.of_events([*keys, *(one.event_key for one in media.values())]),
            media={str(name): one for name, one in media.items()},
            account=tx.context.accounts([account_id]).get(account_id),
            named=named_in(tx, account_id, posts, platform=self._platform_name, sealed=sealed),
            now=now,
            classify=self._classify,
            destination=destination,
            number=number,
            note=note,
            shown=_shown(tx, account_id),
        )
        return replace(tip, unread=unread)

    def completed(self, tx: Transaction, tip: CyberTip, told: Told, *, now: datetime) -> CyberTip:
        """Return a tip with the machines that could not be read when it was drafted.

        ``unread`` names what still cannot be.
        """
        missing = [tx.evidence.get(one) for one in tip.unread]
        sealed, unread = told.of(missing)
        keys = [
            EventKey(one.content_id)
            for case_id in tip.cases
            for one in tx.evidence.of_case(case_id)
            if one.kind is EvidenceKind.POST
        ]
        posts = list(tx.events.find(keys).values())
        captures, devices = machines_of(tx, tip.account_id, posts, sealed)
        reported = tuple(
            replace(
                party,
                ip_captures=tuple(dict.fromkeys((*party.ip_captures, *captures))),
                devices=tuple(dict.fromkeys((*party.devices, *devices))),
            )
            if party.account_id == tip.account_id
            else party
            for party in tip.reported
        )
        return not_ahead(replace(tip, reported=reported, unread=unread), now)


def _shown(tx: Transaction, account_id: AccountId) -> dict[str, set[str]] | None:
    """Return by which posts of an account each file is shown; None where there are too many."""
    posts = tx.context.posts_of(account_id, _POSTS) if account_id else []
    if len(posts) == _POSTS or not account_id:
        return None
    shown: dict[str, set[str]] = {}
    for one in posts:
        for name in one.media_ids:
            shown.setdefault(name, set()).add(one.post_id)
    return shown


def outcome_of(policy: Policy, case: Case) -> Outcome:
    """Return what the policy says of a case once it is confirmed."""
    return policy.confirmed.get(case.category, Outcome())


def _around(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return what was sealed around the last findings, oldest first."""
    found = [one for one in evidence if one.kind is EvidenceKind.SURROUNDINGS]
    return sorted(found, key=lambda one: (one.captured_at, one.id))[-_FINDINGS:]


def _confirmed(
    tx: Transaction,
    case: Case,
    outcome: Outcome,
    leave_out: set[str],
    former: IncidentType | None,
) -> ConfirmedCase:
    """Return a confirmed case with everything that a tip says of it.

    Raises:
        Conflict: neither the policy nor a former tip says what it is reported as.
    """
    incident_type = outcome.report or former
    if incident_type is None:
        raise Conflict(f"the policy does not report the category {case.category}")
    # A file that was destroyed after its time is named as that, and not as one never preserved.
    evidence = [
        one
        for one in tx.evidence.of_case(case.id, destroyed=True)
        if one.destroyed_at is None or one.kind is EvidenceKind.MEDIA
    ]
    keys = [EventKey(one.content_id) for one in evidence if one.kind is EvidenceKind.POST]
    decisions, posts = tx.decisions.get(case.decisions), list(tx.events.find(keys).values())
    told = {one.content_id for one in evidence if _is_told(one, leave_out)}
    return ConfirmedCase(
        case=case,
        incident_type=incident_type,
        decisions=decisions,
        evidence=[one for one in evidence if not _is_told(one, leave_out)],
        posts=posts,
        media_ids=tuple(one for one in _media(tx, decisions, posts) if one not in told),
        urgent=outcome.urgent,
        annotations=outcome.annotations,
        viewed=case.viewed,
        exif_viewed=case.exif_viewed,
    )


def _media(tx: Transaction, decisions: Sequence[Decision], posts: Sequence[Event]) -> list[str]:
    """Return the media that findings are about, or that the posts show, by id."""
    found = [one.subject.id for one in decisions if one.subject.kind is SubjectKind.MEDIA]
    for event in posts:
        if isinstance(event.data, PostCreated | PostEdited):
            found += event.data.media_ids
    named = [PostId(one.subject.id) for one in decisions if one.subject.kind is SubjectKind.POST]
    for post in tx.context.posts(named).values():
        found += post.media_ids
    return list(dict.fromkeys(found))


def _is_told(evidence: Evidence, told: set[str]) -> bool:
    """Return whether a file was reported before, also where only its name is left."""
    return evidence.kind is EvidenceKind.MEDIA and not told.isdisjoint(
        {evidence.id, evidence.digest}
    )
