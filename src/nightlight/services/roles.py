"""Reads what is stored of confirmed material and of those who engaged with it, and tells roles."""

from collections.abc import Collection, Iterable, Sequence

from nightlight.detect.buying import asks_to_buy
from nightlight.model.case import STANDING, Case
from nightlight.model.decision import Decision
from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.event import MediaUploaded, PostCreated, PostEdited
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId
from nightlight.model.role import AccountRole, Knowledge, Material
from nightlight.model.signal import Signal, SubjectKind
from nightlight.report.roles import roles_of
from nightlight.transaction import Transaction

#: Acts of one account that are looked through, newest first.
_ACTS = 2_000
#: The default policy's category of offers; in others, signals tell what is one.
_OFFER_CATEGORIES = frozenset({"advert"})
#: Findings that say an answer itself asks or offers.
_ASKING = frozenset({"term_match", "offer"})


def roles_in_case(tx: Transaction, case_id: CaseId) -> list[AccountRole]:
    """Return the role of every account touched by what a case confirmed, the gravest first.

    Empty while nobody has confirmed it: a finding that waits says nothing about anybody.

    Raises:
        NotFound: there is no such case.
    """
    case = tx.cases.get(case_id)
    material = material_of(tx, [case])
    if not material:
        return []
    engagements = [
        *tx.engagements.with_posts([one.post_id for one in material]),
        *tx.engagements.with_accounts({one.account_id for one in material if one.is_offer}),
    ]
    return _told(tx, material, engagements)


def role_of_account(tx: Transaction, account_id: AccountId) -> AccountRole | None:
    """Return an account's role in everything that was confirmed, None where it has none."""
    acts = tx.engagements.by(account_id, _ACTS)
    posts = tx.context.posts([one.post_id for one in acts if one.post_id])
    owners = {
        account_id,
        *(one.account_id for one in posts.values() if one.human_decision == "confirmed"),
        *(one.target_id for one in acts if one.kind is Engaged.FOLLOW),
    }
    cases = [case for owner in sorted(owners - {""}) for case in tx.cases.of_account(owner)]
    told = _told(tx, material_of(tx, cases), acts)
    return next((one for one in told if one.account_id == account_id), None)


def material_of(tx: Transaction, cases: Iterable[Case]) -> list[Material]:
    """Return the posts and files that these cases confirmed and nobody contests."""
    standing = [case for case in cases if case.state in STANDING]
    decisions = [
        one
        for one in tx.decisions.get([name for case in standing for name in case.decisions])
        if one.subject.kind is not SubjectKind.ACCOUNT
    ]
    keys = [one.event_key for one in decisions]
    events = tx.events.find(keys)
    signals: dict[str, list[Signal]] = {}
    for signal in tx.signals.of_events(keys):
        signals.setdefault(signal.event_key, []).append(signal)
    named = [one.subject.id for one in decisions if one.subject.kind is SubjectKind.POST]
    posts = tx.context.posts([PostId(one) for one in named])
    found: dict[tuple[SubjectKind, str], Material] = {}
    for decision in decisions:
        event = events.get(decision.event_key)
        shown_in = event.data.post_id if event and isinstance(event.data, MediaUploaded) else ""
        post = posts.get(PostId(decision.subject.id))
        is_text = post is not None and not post.media_ids
        one = _material(
            decision,
            signals.get(decision.event_key, []),
            PostId(shown_in),
            is_text=is_text,
        )
        found.setdefault((decision.subject.kind, decision.subject.id), one)
    return list(found.values())


def _told(
    tx: Transaction, material: Sequence[Material], engagements: Sequence[Engagement]
) -> list[AccountRole]:
    asking = _asking(tx, {one.reply_id for one in engagements if one.reply_id})
    return roles_of(material, engagements, asks=asking.__contains__)


def _asking(tx: Transaction, replies: Collection[PostId]) -> set[PostId]:
    """Return the answers that ask to buy, or in which a listed word or an offer was found."""
    posts = tx.context.posts(replies)
    by_event = {EventKey(one.event_key): one.post_id for one in posts.values() if one.event_key}
    found = {
        by_event[signal.event_key]
        for signal in tx.signals.of_events(by_event)
        if signal.detector in _ASKING
    }
    unclear = [key for key, post_id in by_event.items() if post_id not in found]
    asking = {
        by_event[key]
        for key, event in tx.events.find(unclear).items()
        if isinstance(event.data, PostCreated | PostEdited) and asks_to_buy(event.data.text)
    }
    return found | asking


def _material(
    decision: Decision, signals: Sequence[Signal], shown_in: PostId, *, is_text: bool
) -> Material:
    subject = decision.subject
    is_post = subject.kind is SubjectKind.POST
    is_known = any(signal.facts.get("hash_matched") for signal in signals)
    is_offer = any(signal.facts.get("offer") for signal in signals)
    return Material(
        subject=subject.id,
        post_id=PostId(subject.id) if is_post else shown_in,
        account_id=decision.account_id,
        event_key=EventKey(decision.event_key),
        at=decision.time,
        is_offer=(is_offer or decision.category in _OFFER_CATEGORIES) and not is_known,
        is_known=is_known,
        is_text=is_text,
        knowledge=tuple(_knowledge(signals)),
    )


def _knowledge(signals: Sequence[Signal]) -> list[Knowledge]:
    """Return what findings about a post or file say of its author's knowledge."""
    facts = [signal.facts for signal in signals]
    said = (
        (Knowledge.EDITED_COPY, any(_is_edited(signal) for signal in signals)),
        (Knowledge.DISGUISED, any(one.get("term_disguised") for one in facts)),
        (Knowledge.OFFERED, any(one.get("cue_count") or one.get("offer") for one in facts)),
        (Knowledge.POSTED_AGAIN, any(one.get("repost_count") for one in facts)),
    )
    return [knowledge for knowledge, is_so in said if is_so]


def _is_edited(signal: Signal) -> bool:
    """Return whether the file is a known one that was flipped, cropped, framed or the like.

    A few bits of distance are what saving a picture anew does by itself.
    """
    return bool(signal.facts.get("hash_view")) and not signal.facts.get("hash_exact")
