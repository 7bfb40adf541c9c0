"""Everything about one account in one place: score, timeline, signals, roles, decisions.

Never content: what was posted is told by its id, its times and its numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nightlight.errors import NotFound
from nightlight.model.case import Case
from nightlight.model.context import AccountContext, PostContext
from nightlight.model.decision import Decision
from nightlight.model.engagement import Engagement
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.report_decision import Accounted
from nightlight.model.role import AccountRole
from nightlight.model.signal import Signal
from nightlight.review.account_score import Score, is_taken_back, score_of
from nightlight.services.roles import role_of_account
from nightlight.transaction import Transaction

_POSTS, _FINDINGS, _ACTS = 500, 500, 200


class Moment(Struct, frozen=True, kw_only=True):
    """One thing on an account's timeline.

    Attributes:
        what: what happened, in words.
        about: the id of the post, account or case concerned, "" for the account itself.
        note: what else is known: how long it was up, how often it was seen.
        is_gone: whether it was deleted since.
        is_finding: whether something was found or decided there.
    """

    at: datetime
    what: str
    about: str = ""
    note: str = ""
    is_gone: bool = False
    is_finding: bool = False


class AccountView(Struct, frozen=True, kw_only=True):
    """An account as it may be shown."""

    account: AccountContext
    score: Score
    role: AccountRole | None
    timeline: tuple[Moment, ...]
    signals: tuple[Signal, ...]
    decisions: tuple[Decision, ...]
    cases: tuple[Case, ...]
    posts: tuple[PostContext, ...]
    account_actions: tuple[Accounted, ...]


def view_account(tx: Transaction, account_id: AccountId) -> AccountView:
    """Return everything about an account, newest first.

    Raises:
        NotFound: no event ever named this account.
    """
    account = tx.context.accounts([account_id]).get(account_id)
    if account is None:
        raise NotFound(f"no account {account_id!r}", hint="ids are those of the platform's events")
    signals = tx.signals.of_account(account_id, _FINDINGS)
    decisions = tx.decisions.of_account(account_id, _FINDINGS)
    cases = tx.cases.of_account(account_id)
    posts = tx.context.posts_of(account_id, _POSTS)
    acts = tx.engagements.by(account_id, _ACTS)
    return AccountView(
        account=account,
        score=score_of(signals, cases, dismissed_events=_dismissed(cases, decisions)),
        role=role_of_account(tx, account_id),
        timeline=tuple(_timeline(account, posts, acts, decisions, cases)),
        signals=tuple(signals),
        decisions=tuple(decisions),
        cases=tuple(reversed(cases)),
        posts=tuple(posts),
        account_actions=tuple(reversed(tx.report_decisions.of_account(account_id))),
    )


def _dismissed(cases: Iterable[Case], decisions: Iterable[Decision]) -> set[EventKey]:
    """Return the events whose findings a person held not to be true, and nobody else to be."""
    taken_back = {name for case in cases if is_taken_back(case) for name in case.decisions}
    other = {name for case in cases if not is_taken_back(case) for name in case.decisions}
    by_id = {one.id: one.event_key for one in decisions}
    kept = {by_id[name] for name in other if name in by_id}
    return {by_id[name] for name in taken_back if name in by_id} - kept


def _timeline(
    account: AccountContext,
    posts: Sequence[PostContext],
    acts: Sequence[Engagement],
    decisions: Sequence[Decision],
    cases: Sequence[Case],
) -> list[Moment]:
    moments = [
        *_of_account(account),
        *(moment for post in posts for moment in _of_post(post)),
        *(
            Moment(at=one.at, what=one.kind.value.replace("_", " "), about=_about(one))
            for one in acts
        ),
        *(
            Moment(
                at=one.time,
                what=f"{one.category.replace('_', ' ')} {one.severity}, by {one.decided_by}",
                about=one.subject.id,
                note="; ".join(reason.text for reason in one.reasons),
                is_finding=True,
            )
            for one in decisions
        ),
        *(moment for case in cases for moment in _of_case(case)),
    ]
    return sorted(moments, key=lambda one: (one.at, one.what, one.about), reverse=True)


def _of_account(account: AccountContext) -> Iterator[Moment]:
    if account.created_at is not None:
        yield Moment(at=account.created_at, what="account registered")
    if account.profile_at is not None and account.profile_at != account.created_at:
        yield Moment(at=account.profile_at, what="profile last changed")


def _of_post(post: PostContext) -> Iterator[Moment]:
    numbers = f"{_counted(post.views, 'view')}, {_counted(post.engagements, 'engagement')}"
    gone = post.deleted_at
    if post.posted_at is not None:
        note = numbers
        if gone is not None:
            note = f"up for {_span(gone - post.posted_at)}; {numbers}"
        yield Moment(
            at=post.posted_at,
            what="posted",
            about=post.post_id,
            note=note,
            is_gone=gone is not None,
            is_finding=post.flagged,
        )
    if gone is not None:
        again = f"posted again as {post.reposted_as}" if post.reposted_as else ""
        what = f"deleted by {post.deleted_by or 'somebody'}"
        yield Moment(at=gone, what=what, about=post.post_id, note=again, is_gone=True)


def _of_case(case: Case) -> Iterator[Moment]:
    if case.decided_at is not None:
        yield Moment(
            at=case.decided_at,
            what=f"case {case.state.value} by {case.decided_by}",
            about=case.id,
            is_finding=True,
        )


def _about(act: Engagement) -> str:
    return act.post_id or act.target_id


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _span(span: timedelta) -> str:
    """Return a time span in one unit."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("days", 2 * 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // (86_400 if unit == 'days' else length)} {unit}"
    return f"{seconds} s"
