"""What an account did lately, counted from what is stored of it: posts, deletions, renamings.

Windows end at the event that is judged, by the platform's times, so that a restart forgets nothing
and an event that arrives late counts where it belongs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from nightlight.detect.ports import KnownStores
from nightlight.model.context import AccountContext, Activity, PostContext
from nightlight.model.event import AccountUpdated, Event, PostCreated
from nightlight.model.ids import AccountId, EventKey, PostId
from nightlight.model.link import LinkKind, LinkToken

_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
#: Posts of an account that are counted, the newest; a bot posts more, and "so many" says enough.
_COUNTED = 300
#: A deleted post that lived no longer than this was taken away soon.
_SOON = timedelta(days=1)
_PROFILE = (LinkKind.HANDLE, LinkKind.NAME, LinkKind.BIO)
_THINGS = 300


class RecentActs:
    """Times of posts and of changed profiles of the accounts that a batch of events judges."""

    def __init__(self) -> None:
        self._posted: defaultdict[AccountId, dict[PostId, datetime]] = defaultdict(dict)
        self._shown: defaultdict[AccountId, dict[int, datetime]] = defaultdict(dict)
        self._shows: dict[EventKey, tuple[LinkToken, ...]] = {}

    def load(self, events: Sequence[Event], stores: KnownStores) -> None:
        """Fetch what is counted for the events."""
        authors = {event.account_id for event in events if isinstance(event.data, PostCreated)}
        if authors:
            since = min(event.time for event in events) - _DAY
            found = stores.context.post_times(authors, posted_after=since, each=_COUNTED)
            self._posted.update(found)
        renamed = {event.account_id for event in events if isinstance(event.data, AccountUpdated)}
        for account_id in renamed:
            known = stores.links.of_account(account_id, _THINGS, kinds=_PROFILE)
            self._shown[account_id] = {one.token.value: one.first_at for one in known}

    def tell_post(self, post: PostContext) -> None:
        """Remember when a post was published."""
        if post.posted_at is not None and post.account_id:
            self._posted[post.account_id][post.post_id] = post.posted_at

    def tell_profile(
        self, account_id: AccountId, at: datetime, tokens: Iterable[LinkToken]
    ) -> None:
        """Remember what a profile showed, and since when."""
        shown = self._shown[account_id]
        for token in tokens:
            if token.kind in _PROFILE:
                shown[token.value] = min(at, shown.get(token.value, at))

    def activity(
        self,
        event: Event,
        account: AccountContext | None,
        deleted: Iterable[PostContext],
        tokens: Sequence[LinkToken],
    ) -> Activity:
        """Return what the account did until this event, the event itself with it."""
        soon = [one for one in _deletions(event, deleted) if one <= event.time]
        account_id = account.account_id if account else event.account_id
        posted = self._posted.get(account_id, {}) if isinstance(event.data, PostCreated) else None
        return Activity(
            posts_hour=_posts(event, posted, _HOUR),
            posts_day=_posts(event, posted, _DAY),
            deleted_soon_day=sum(event.time - one <= _DAY for one in soon),
            deleted_soon_week=sum(event.time - one <= _WEEK for one in soon),
            profile_changes=self._changes(event, account, account_id, tokens),
        )

    def _changes(
        self,
        event: Event,
        account: AccountContext | None,
        account_id: AccountId,
        tokens: Sequence[LinkToken],
    ) -> int:
        """Return how often within a week the profile showed something for the first time."""
        if not isinstance(event.data, AccountUpdated):
            return 0
        shown = self._shown.get(account_id, {})
        born = account.created_at if account else None
        times = {
            first_at
            for first_at in shown.values()
            if event.time - _WEEK <= first_at < event.time and first_at != born
        }
        is_new = any(one.kind in _PROFILE and one.value not in shown for one in tokens)
        return len(times) + is_new


def _posts(event: Event, posted: Mapping[PostId, datetime] | None, span: timedelta) -> int:
    """Return how many posts there were until this one; nothing is counted for what is no post."""
    if posted is None:
        return 0
    return 1 + sum(
        event.time - span < at <= event.time
        for post_id, at in posted.items()
        if post_id != event.post_id
    )


def _deletions(event: Event, deleted: Iterable[PostContext]) -> list[datetime]:
    """Return when the author took posts away soon after publishing them."""
    return [
        one.deleted_at
        for one in deleted
        if one.deleted_by == "author"
        and one.posted_at is not None
        and one.deleted_at is not None
        and one.posted_at <= one.deleted_at <= min(one.posted_at + _SOON, event.time)
    ]
