"""What is known while a batch of events is judged: loaded once, advanced event by event.

``Known`` answers ``context_for`` (the snapshot before an event) and ``advance`` (the event becomes
part of what is known). Newer news wins by event time, so late and out-of-order events end in the
same state.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from nightlight.detect.ports import ContextStore
from nightlight.model.context import AccountContext, Context, MediaContext, PostContext
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    EngagementCreated,
    Event,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
    UserReportCreated,
    ViewsCounted,
)
from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.media import Scan

#: Tombstones loaded an account: enough for a week of deleting and posting again by hand.
_TOMBSTONES_EACH = 100
#: How long a deleted post is compared with new ones.
_TOMBSTONE_LIFE = timedelta(days=14)

_NO_CONTEXT = Context()


class Known:
    """Accounts, posts and media that a batch of events touches."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, AccountContext] = {}
        self.posts: dict[PostId, PostContext] = {}
        self.media: dict[MediaId, MediaContext] = {}
        self._tombstones: dict[AccountId, list[PostContext]] = {}
        self._later: dict[AccountId, list[PostContext]] = {}
        self._changed_accounts: set[AccountId] = set()
        self._changed_posts: set[PostId] = set()
        self._changed_media: set[MediaId] = set()

    def load(self, events: Iterable[Event], store: ContextStore) -> None:
        """Fetch everything that the events touch, in a handful of queries."""
        events = list(events)
        accounts: set[AccountId] = set()
        posts: set[PostId] = set()
        media: set[MediaId] = set()
        deleters: set[AccountId] = set()
        first_deletion: datetime | None = None
        for event in events:
            accounts.add(event.account_id)
            posts.add(event.post_id)
            media.add(event.media_id)
            data = event.data
            if isinstance(data, PostCreated | PostEdited):
                media.update(MediaId(one) for one in data.media_ids)
            elif isinstance(data, UserReportCreated):
                accounts.add(AccountId(data.target_account_id))
            elif isinstance(data, PostDeleted):
                deleters.add(event.account_id)
                first_deletion = min(first_deletion or event.time, event.time)
        posts.discard(PostId(""))
        media.discard(MediaId(""))
        self.posts = store.posts(posts)
        accounts.update(post.account_id for post in self.posts.values())
        accounts.discard(AccountId(""))
        self.accounts = store.accounts(accounts)
        self.media = store.media(media)
        self._load_own_posts(events, store, deleters, first_deletion)

    def _load_own_posts(
        self,
        events: list[Event],
        store: ContextStore,
        deleters: set[AccountId],
        first_deletion: datetime | None,
    ) -> None:
        authors = {e.account_id for e in events if isinstance(e.data, PostCreated)}
        with_deletions = {
            author
            for author in authors
            if author in self.accounts and self.accounts[author].deletions > 0
        }
        if with_deletions:
            oldest = min(event.time for event in events)
            self._tombstones = store.tombstones(
                with_deletions, deleted_after=oldest - _TOMBSTONE_LIFE, each=_TOMBSTONES_EACH
            )
        deleters.discard(AccountId(""))
        if first_deletion is not None and deleters:
            self._later = store.posted_since(
                deleters, posted_after=first_deletion, each=_TOMBSTONES_EACH
            )

    def context_for(self, event: Event) -> Context:
        """Return what was known just before the event."""
        data = event.data
        post = self.posts.get(event.post_id)
        if isinstance(data, PostCreated):
            media = tuple(self._media_of(data.media_ids)) if data.media_ids else ()
            stones = self._tombstones.get(event.account_id)
            return Context(
                account=self.accounts.get(event.account_id),
                post=post,
                media=media,
                tombstones=tuple(stones) if stones else (),
            )
        if isinstance(data, EngagementCreated | ViewsCounted):
            return _NO_CONTEXT
        later: tuple[PostContext, ...] = ()
        if isinstance(data, PostDeleted) and post is not None:
            own = self._later.get(post.account_id, ())
            later = tuple(p for p in own if p.posted_at is not None and p.posted_at >= event.time)
        media_ids: tuple[str, ...] = ()
        if isinstance(data, PostEdited):
            media_ids = data.media_ids
        elif isinstance(data, MediaUploaded):
            media_ids = (data.media_id,)
        return Context(
            account=self.accounts.get(self._account_concerned(event, post)),
            post=post,
            media=tuple(self._media_of(media_ids)),
            later_posts=later,
        )

    def _account_concerned(self, event: Event, post: PostContext | None) -> AccountId:
        data = event.data
        if isinstance(data, UserReportCreated):
            if data.target_account_id:
                return AccountId(data.target_account_id)
            return post.account_id if post else AccountId("")
        return event.account_id or (post.account_id if post else AccountId(""))

    def _media_of(self, ids: Iterable[str]) -> Iterable[MediaContext]:
        return (self.media[MediaId(one)] for one in ids if MediaId(one) in self.media)

    def add_media(self, event: Event, data: MediaUploaded, scan: Scan) -> None:
        """Remember a file and what scanning it found, before its event is judged."""
        media_id = MediaId(data.media_id)
        before = self.media.get(media_id)
        self.media[media_id] = MediaContext(
            media_id=media_id,
            account_id=event.account_id,
            scan=scan,
            uploaded_at=event.time,
            url=data.url,
            content_type=data.content_type,
            description=data.description,
            event_key=event.key,
            human_decision=before.human_decision if before else "",
        )
        self._changed_media.add(media_id)

    def advance(self, event: Event, *, fingerprint: bytes = b"") -> None:
        """Make the event part of what is known; ``fingerprint`` is that of its text, or b""."""
        match event.data:
            case PostCreated() as data:
                self._post_created(event, data, fingerprint)
            case EngagementCreated() as data:
                if data.post_id:
                    post = self._post(PostId(data.post_id), AccountId(""))
                    self._keep_post(replace(post, engagements=post.engagements + 1))
            case ViewsCounted() as data:
                post = self._post(PostId(data.post_id), event.account_id)
                if data.views > post.views:
                    self._keep_post(replace(post, views=data.views))
            case PostEdited() as data:
                self._post_edited(event, data, fingerprint)
            case PostDeleted() as data:
                self._post_deleted(event, data)
            case MediaUploaded():
                self._account(event)
            case AccountCreated() | AccountUpdated():
                self._profile(event)
            case UserReportCreated():
                concerned = self._account_concerned(event, self.posts.get(event.post_id))
                if concerned:
                    account = self.accounts.get(concerned) or AccountContext(account_id=concerned)
                    self.keep_account(replace(account, user_reports=account.user_reports + 1))

    def _post_created(self, event: Event, data: PostCreated, fingerprint: bytes) -> None:
        account = self._account(event)
        post = self._post(PostId(data.post_id), event.account_id)
        if post.posted_at is None:
            self.keep_account(replace(account, posts=account.posts + 1))
        fresh = post.text_at is None or event.time >= post.text_at
        post = replace(
            post,
            account_id=event.account_id,
            posted_at=event.time,
            text_at=event.time if fresh else post.text_at,
            fingerprint=fingerprint if fresh else post.fingerprint,
            media_ids=data.media_ids if fresh else post.media_ids,
            event_key=event.key if fresh else post.event_key,
        )
        self._keep_post(post)
        if post.deleted_at is not None:
            self._bury(post)
        elif event.account_id in self._later:
            self._later[event.account_id].append(post)

    def _post_edited(self, event: Event, data: PostEdited, fingerprint: bytes) -> None:
        self._account(event)
        post = self._post(PostId(data.post_id), event.account_id)
        if post.text_at is None or event.time >= post.text_at:
            self._keep_post(
                replace(
                    post,
                    account_id=post.account_id or event.account_id,
                    text_at=event.time,
                    fingerprint=fingerprint,
                    media_ids=data.media_ids,
                    event_key=event.key,
                )
            )

    def _post_deleted(self, event: Event, data: PostDeleted) -> None:
        post = self._post(PostId(data.post_id), event.account_id)
        if post.deleted_at is not None:
            return
        author = post.account_id or event.account_id
        post = replace(post, account_id=author, deleted_at=event.time, deleted_by=data.deleted_by)
        self._keep_post(post)
        self._bury(post)
        if author:
            account = self.accounts.get(author) or AccountContext(account_id=author)
            self.keep_account(replace(account, deletions=account.deletions + 1))

    def _bury(self, post: PostContext) -> None:
        if post.fingerprint and post.account_id:
            self._tombstones.setdefault(post.account_id, []).insert(0, post)

    def _profile(self, event: Event) -> None:
        account = self._account(event)
        data = event.data
        if isinstance(data, AccountCreated):
            account = replace(account, created_at=event.time)
        if account.profile_at is None or event.time >= account.profile_at:
            told = {
                name: value
                for name in ("handle", "display_name", "bio", "profile_url")
                if (value := getattr(data, name)) is not None
            }
            account = replace(account, profile_at=event.time, **told)
        self.keep_account(account)

    def _account(self, event: Event) -> AccountContext:
        """Return the event's account, known from now on."""
        account_id = event.account_id
        account = self.accounts.get(account_id)
        if account is None:
            account = AccountContext(account_id=account_id, first_seen=event.time)
        elif account.first_seen is None or event.time < account.first_seen:
            account = replace(account, first_seen=event.time)
        else:
            return account
        self.keep_account(account)
        return account

    def _post(self, post_id: PostId, account_id: AccountId) -> PostContext:
        return self.posts.get(post_id) or PostContext(post_id=post_id, account_id=account_id)

    def _keep_post(self, post: PostContext) -> None:
        self.posts[post.post_id] = post
        self._changed_posts.add(post.post_id)

    def keep_account(self, account: AccountContext) -> None:
        """Remember an account as changed."""
        self.accounts[account.account_id] = account
        self._changed_accounts.add(account.account_id)

    def flag_post(self, post_id: PostId) -> None:
        """Remember that a signal fired on a post."""
        post = self.posts.get(post_id)
        if post is not None and not post.flagged:
            self._keep_post(replace(post, flagged=True))

    def save(self, store: ContextStore) -> None:
        """Store what changed."""
        store.save(
            accounts=[self.accounts[one] for one in self._changed_accounts if one],
            posts=[self.posts[one] for one in self._changed_posts],
            media=[self.media[one] for one in self._changed_media],
        )
