"""Counts how an account behaves: deletes soon, posts in bursts, as others word it, elsewhere.

Counts and nothing else. Newsrooms post in bursts, shops reuse a wording, people correct typos and
change their names; only policy, which sees what else was found, can tell them from sellers.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from nightlight.model.context import AccountContext, Activity, Context
from nightlight.model.event import (
    AccountUpdated,
    Event,
    PostCreated,
    PostDeleted,
)
from nightlight.model.link import LinkKind
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "posts_hour": 0,
        "posts_day": 0,
        "deleted_soon_day": 0,
        "deleted_soon_week": 0,
        "profile_changes": 0,
        "template_accounts": 0,
        "off_platform": False,
        "seller_pattern": 0,
    }
)
_ELSEWHERE = frozenset({LinkKind.OFF_PLATFORM_HANDLE, LinkKind.CONTACT, LinkKind.PAYMENT})
_NEW_FOR = timedelta(days=7)
#: From these counts on there is something to tell; below, every account does it now and then.
_BURST, _DELETIONS, _CHANGES, _OTHERS, _PATTERN = 10, 3, 3, 2, 3
_SURE = 0.2


class Behaviour:
    """Detector of what an account does, not of what it says."""

    name = "behaviour"
    facts = _FACTS

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal with every count if any of them is out of the ordinary."""
        activity = context.activity
        if activity is None or not isinstance(
            event.data, PostCreated | PostDeleted | AccountUpdated
        ):
            return ()
        elsewhere = [kind.value for kind in context.contacts if kind in _ELSEWHERE]
        pattern = _seller_pattern(event, context.account, activity, context, bool(elsewhere))
        told = (
            activity.posts_hour >= _BURST,
            activity.deleted_soon_week >= _DELETIONS,
            activity.profile_changes >= _CHANGES,
            context.template_accounts >= _OTHERS,
            pattern >= _PATTERN,
        )
        if not any(told):
            return ()
        account_id = context.account.account_id if context.account else event.account_id
        return (
            Signal(
                detector=self.name,
                event_key=event.key,
                account_id=account_id,
                subject=_subject(event, account_id),
                confidence=_SURE * sum(told),
                facts={
                    "posts_hour": activity.posts_hour,
                    "posts_day": activity.posts_day,
                    "deleted_soon_day": activity.deleted_soon_day,
                    "deleted_soon_week": activity.deleted_soon_week,
                    "profile_changes": activity.profile_changes,
                    "template_accounts": context.template_accounts,
                    "off_platform": bool(elsewhere),
                    "seller_pattern": pattern,
                },
                evidence={"elsewhere": elsewhere} if elsewhere else {},
            ),
        )


def _seller_pattern(
    event: Event,
    account: AccountContext | None,
    activity: Activity,
    context: Context,
    elsewhere: bool,  # noqa: FBT001  one of five marks that are counted alike
) -> int:
    """Return how many of five marks of those who sell and move on hold."""
    born = None if account is None else account.created_at or account.first_seen
    return sum(
        (
            born is None or event.time - born <= _NEW_FOR,
            elsewhere,
            activity.deleted_soon_week >= 1,
            context.template_accounts >= 1,
            activity.posts_hour >= _PATTERN,
        )
    )


def _subject(event: Event, account_id: str) -> Subject:
    if isinstance(event.data, PostCreated):
        return Subject(kind=SubjectKind.POST, id=event.post_id)
    return Subject(kind=SubjectKind.ACCOUNT, id=account_id)
