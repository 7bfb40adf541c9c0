"""A delivered effect becomes a statement of reasons. Pure: no I/O, no clock.

What is said is put together from fixed sentences by detector and by who decided: no text of a
policy, a person or the platform enters it.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import assert_never

from msgspec import Struct

from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.decision import Decision
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.ids import derive_id
from nightlight.model.incident import IncidentType
from nightlight.model.signal import SubjectKind
from nightlight.model.statement import ContentKind, Statement

#: Effects that restrict, and so need a statement, with what they do in words.
RESTRICTIONS: Mapping[EffectKind, str] = {
    EffectKind.LIMIT_REACH: "The content is shown to fewer people",
    EffectKind.HIDE: "The content is shown to nobody but its author",
    EffectKind.HOLD: "The content is not shown until a person has looked at it",
    EffectKind.REMOVE: "The content was removed",
    EffectKind.LOCK: "The account may not publish or send messages",
    EffectKind.SUSPEND: "The account was suspended",
}
_FOUND: Mapping[str, str] = {
    "hash_match": "a file matches an entry of a list of known child sexual abuse material",
    "term_match": "a text uses words by which child sexual abuse material is offered",
    "offer": "a text reads as an offer of child sexual abuse material",
    "delete_repost": "an advert was taken away soon after it was posted, and posted again",
    "behaviour": "the account posts as sellers of child sexual abuse material do",
    "returning": "the account goes on where one that was suspended before had ended",
    "scan_health": "a file could not be examined",
    "user_report": "somebody reported it",
}
_ELSE = "it shows signs of child sexual exploitation"
#: What no machine finds.
_TOLD = "user_report"
#: What is not about material or offers of it until a person has looked.
_NOT_SCANNED = "scan_health"
_UNCLEAR = frozenset({_NOT_SCANNED, _TOLD})
_POLICY = "policy"
#: The first day that the database takes.
_EARLIEST = date(2000, 1, 1)
_KINDS = {"image": ContentKind.IMAGE, "video": ContentKind.VIDEO, "audio": ContentKind.AUDIO}


class Restricted(Struct, frozen=True, kw_only=True):
    """What is known of the thing that an effect restricts; None where it is something else."""

    account: AccountContext | None = None
    post: PostContext | None = None
    media: tuple[MediaContext, ...] = ()


def needs_statement(effect: Effect) -> bool:
    """Return whether an effect restricts something."""
    return effect.kind in RESTRICTIONS


def is_about_minors(
    decision: Decision, incident: IncidentType | None, detectors: Collection[str]
) -> bool:
    """Return whether more is known of what is restricted than that nobody could look at it.

    What waits because a file could not be scanned, or an event not be judged, may be a holiday
    picture: to state publicly that it serves the exploitation of children would be untrue. Once a
    person confirmed it in a category that is reported, it is stated.
    """
    if set(detectors) - {_NOT_SCANNED}:
        return True
    return decision.decided_by != _POLICY and incident is not None


def statement_of(
    effect: Effect,
    *,
    decision: Decision,
    incident: IncidentType | None,
    detectors: Collection[str],
    restricted: Restricted,
    applied_at: datetime,
) -> Statement:
    """Return the statement of reasons for an effect that the platform carried out.

    Args:
        effect: the effect; it must need a statement.
        decision: the decision that asked for it.
        incident: as what the policy reports its category; None where it does not.
        detectors: names of the detectors that signalled in the decision's event.
        restricted: what is known of the subject.
        applied_at: when the platform confirmed it.
    """
    found = sorted(set(detectors))
    by_machine = decision.decided_by == _POLICY
    machine_found = [one for one in found if one != _TOLD]
    is_clear = any(one not in _UNCLEAR for one in found)
    return Statement(
        id=derive_id("sor", effect.id),
        effect_id=effect.id,
        restriction=effect.kind,
        facts=_facts(effect.kind, found, by_machine=by_machine),
        illegal=not by_machine and incident is not None,
        suspected="hash_match" in found,
        child_abuse_material=incident is IncidentType.CSAM and (is_clear or not by_machine),
        enticement=incident is IncidentType.ENTICEMENT and (is_clear or not by_machine),
        content=_content(effect.subject.kind, restricted),
        content_date=_content_date(effect.subject.kind, restricted, decision.time),
        applied_on=applied_at.date(),
        notified=_TOLD in found and not machine_found,
        found_by_machine=bool(machine_found),
        decided_by_machine=by_machine,
    )


def _facts(kind: EffectKind, found: Collection[str], *, by_machine: bool) -> str:
    why = "; ".join(_FOUND.get(one, _ELSE) for one in found) or _ELSE
    who = (
        "A policy of the platform decided this without a person; it can be appealed."
        if by_machine
        else "A person looked at it and decided; it can be appealed."
    )
    return f"{RESTRICTIONS[kind]}. What was found: {why}. {who}"


def _content(kind: SubjectKind, restricted: Restricted) -> tuple[ContentKind, ...]:
    files = {
        _KINDS.get(one.content_type.partition("/")[0], ContentKind.OTHER)
        for one in restricted.media
    }
    match kind:
        case SubjectKind.ACCOUNT:
            return (ContentKind.ACCOUNT,)
        case SubjectKind.POST:
            return (ContentKind.TEXT, *sorted(files))
        case SubjectKind.MEDIA:
            return tuple(sorted(files)) or (ContentKind.OTHER,)
        case _:
            assert_never(kind)


def _content_date(kind: SubjectKind, restricted: Restricted, decided_at: datetime) -> date:
    """Return when the content came to be; where that is not known, when it was decided about."""
    known: list[datetime | None] = []
    if kind is SubjectKind.ACCOUNT and restricted.account is not None:
        known = [restricted.account.created_at, restricted.account.first_seen]
    elif kind is SubjectKind.POST and restricted.post is not None:
        known = [restricted.post.posted_at]
    elif kind is SubjectKind.MEDIA:
        known = [one.uploaded_at for one in restricted.media]
    days = [one.date() for one in known if one is not None]
    return max(days[0], _EARLIEST) if days else decided_at.date()
