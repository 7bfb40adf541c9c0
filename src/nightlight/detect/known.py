"""What is known while a batch of events is judged: loaded once, advanced event by event.

``Known`` answers ``context_for`` (the snapshot before an event) and ``advance`` (the event becomes
part of what is known). Newer news wins by event time, so late and out-of-order events end in the
same state.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from nightlight.detect.activity import RecentActs
from nightlight.detect.linked import Linked
from nightlight.detect.own_posts import OwnPosts
from nightlight.detect.ports import ContextStore, KnownStores
from nightlight.detect.word_use import WordUses
from nightlight.model.context import (
    AccountContext,
    Activity,
    Context,
    MediaContext,
    PostContext,
)
from nightlight.model.event import (
    AccountCreated,
    AccountSignedIn,
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
from nightlight.model.signal import Signal

_NO_CONTEXT = Context()


class Known:
    """Accounts, posts and media that a batch of events touches."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, AccountContext] = {}
        self.posts: dict[PostId, PostContext] = {}
        self.media: dict[MediaId, MediaContext] = {}
        self._own = OwnPosts()
        self._linked = Linked()
        self._recent = RecentActs()
        self._words = WordUses()
        self._changed_accounts: set[AccountId] = set()
        self._changed_posts: set[PostId] = set()
        self._changed_media: set[MediaId] = set()

    def load(self, events: Iterable[Event], stores: KnownStores) -> None:
        """Fetch everything that the events touch, in a handful of queries."""
        store = stores.context
        events = list(events)
        accounts: set[AccountId] = set()
        posts: set[PostId] = set()
        media: set[MediaId] = set()
        reported: set[PostId] = set()
        for event in events:
            accounts.add(event.account_id)
            posts.add(event.post_id)
            media.add(event.media_id)
            data = event.data
            if isinstance(data, PostCreated | PostEdited):
                media.update(MediaId(one) for one in data.media_ids)
            elif isinstance(data, UserReportCreated):
                accounts.add(AccountId(data.target_account_id))
                reported.add(event.post_id)
        posts.discard(PostId(""))
        self.posts = store.posts(posts)
        accounts.update(post.account_id for post in self.posts.values())
        accounts.discard(AccountId(""))
        self.accounts = store.accounts(accounts)
        for one in reported & self.posts.keys():
            media.update(MediaId(media_id) for media_id in self.posts[one].media_ids)
        media.discard(MediaId(""))
        self.media = store.media(media)
        self._own.load(events, posts=self.posts, accounts=self.accounts, stores=stores)
        self._linked.load(events, stores)
        self._recent.load(events, stores)
        self._words.load(stores.word_uses)

    def context_for(self, event: Event) -> Context:
        """Return what was known just before the event."""
        data = event.data
        if isinstance(data, EngagementCreated | ViewsCounted | AccountSignedIn):
            return _NO_CONTEXT
        post = self.posts.get(event.post_id)
        tombstones: tuple[PostContext, ...] = ()
        later: tuple[PostContext, ...] = ()
        media_ids: tuple[str, ...] = ()
        account_id = self._account_concerned(event, post)
        if isinstance(data, PostCreated):
            media_ids = data.media_ids
            tombstones = self._own.tombstones(account_id, event.time, text=data.text)
        elif isinstance(data, PostEdited):
            media_ids = data.media_ids
        elif isinstance(data, MediaUploaded):
            media_ids = (data.media_id,)
        elif isinstance(data, UserReportCreated):
            media_ids = post.media_ids if post else ()
        elif isinstance(data, PostDeleted) and post is not None and post.deleted_at is None:
            later = self._own.later_than(account_id, event.time)
            post = self._own.with_text(post) if later else post
        linked, template_accounts = self._linked.ties_for(event, account_id, self.accounts)
        return Context(
            account=self.accounts.get(account_id),
            post=post,
            media=tuple(self._media_of(media_ids)) if media_ids else (),
            tombstones=tombstones,
            later_posts=later,
            linked=linked,
            contacts=self._linked.contacts_of(event),
            activity=self._activity(event, account_id),
            template_accounts=template_accounts,
        )

    def _activity(self, event: Event, account_id: AccountId) -> Activity | None:
        if not isinstance(event.data, PostCreated | PostDeleted | AccountUpdated):
            return None
        # Fetched for these events alone; another would count what its batch happens to know.
        is_of_posts = isinstance(event.data, PostCreated | PostDeleted)
        deleted = [*self._own.all_deleted(account_id)] if is_of_posts else []
        post = self.posts.get(event.post_id)
        if isinstance(event.data, PostDeleted) and post is not None and post.deleted_at is None:
            by = event.data.deleted_by
            deleted.append(replace(post, deleted_at=event.time, deleted_by=by))
        account = self.accounts.get(account_id)
        return self._recent.activity(event, account, deleted, self._linked.tokens_of(event))

    def _account_concerned(self, event: Event, post: PostContext | None) -> AccountId:
        data = event.data
        if isinstance(data, UserReportCreated):
            if data.target_account_id:
                return AccountId(data.target_account_id)
            return post.account_id if post else AccountId("")
        if isinstance(data, PostDeleted) and post is not None and post.account_id:
            return post.account_id
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
            case MediaUploaded() | AccountSignedIn():
                self._account(event)
            case AccountCreated() | AccountUpdated():
                self._profile(event)
            case UserReportCreated():
                concerned = self._account_concerned(event, self.posts.get(event.post_id))
                if concerned:
                    account = self.accounts.get(concerned) or AccountContext(account_id=concerned)
                    self.keep_account(replace(account, user_reports=account.user_reports + 1))

    def _post_created(self, event: Event, data: PostCreated, fingerprint: bytes) -> None:
        self._account(event)
        before = self._post(PostId(data.post_id), event.account_id)
        post = replace(
            before,
            account_id=event.account_id,
            posted_at=min(before.posted_at or event.time, event.time),
        )
        if _tells_newer_text(event, before):
            post = _with_text(post, event, data.media_ids, fingerprint)
        self._tell_post(post)

    def _post_edited(self, event: Event, data: PostEdited, fingerprint: bytes) -> None:
        self._account(event)
        post = self._post(PostId(data.post_id), event.account_id)
        post = replace(post, account_id=post.account_id or event.account_id)
        if _tells_newer_text(event, post):
            post = _with_text(post, event, data.media_ids, fingerprint)
        self._tell_post(post)

    def _post_deleted(self, event: Event, data: PostDeleted) -> None:
        post = self._post(PostId(data.post_id), event.account_id)
        post = replace(post, account_id=post.account_id or event.account_id)
        # Told more than once, the first deletion is the one that counts.
        if post.deleted_at is None or (event.time, data.deleted_by) < (
            post.deleted_at,
            post.deleted_by,
        ):
            post = replace(post, deleted_at=event.time, deleted_by=data.deleted_by)
        self._tell_post(post)

    def _tell_post(self, post: PostContext) -> None:
        """Remember a post, and what it changes for its author and for comparisons."""
        before = self.posts.get(post.post_id)
        self._keep_post(post)
        # Whose post it is may be learned after its deletion: counts move to the right account.
        self._count(_poster(before), _poster(post), "posts")
        self._count(_deleter(before), _deleter(post), "deletions")
        self._own.tell(before, post)
        self._recent.tell_post(post)

    def _count(self, before: AccountId, after: AccountId, name: str) -> None:
        """Count a post or deletion for the account after, and no longer for the one before."""
        if before == after:
            return
        for account_id, change in ((before, -1), (after, 1)):
            if account_id:
                account = self.accounts.get(account_id) or AccountContext(account_id=account_id)
                changed = max(0, getattr(account, name) + change)
                self.keep_account(replace(account, **{name: changed}))

    def _profile(self, event: Event) -> None:
        account = self._account(event)
        data = event.data
        told = {
            name: value
            for name in ("handle", "display_name", "bio", "profile_url", "country")
            if (value := getattr(data, name)) is not None
        }
        known_at = account.profile_at
        if isinstance(data, AccountCreated):
            born = min(account.created_at or event.time, event.time)
            account = replace(account, created_at=born)
            newer = known_at is None or event.time > known_at
        else:
            newer = known_at is None or event.time >= known_at
        if newer:
            account = replace(account, profile_at=event.time, **told)
        else:
            # Older news still says what no newer news has said.
            blank = {name: value for name, value in told.items() if not getattr(account, name)}
            account = replace(account, **blank)
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

    def mark_reposted(self, deleted: Iterable[str], post_id: PostId) -> None:
        """Remember that deleted posts live on in another: each deletion explains one repost."""
        for name in deleted:
            post = self.posts.get(PostId(name)) or self._own.tombstone(PostId(name))
            if post is not None and not post.reposted_as:
                self.posts[post.post_id] = post
                self._tell_post(replace(post, reposted_as=post_id))

    def tie(self, event: Event, signals: Sequence[Signal]) -> None:
        """Remember what the event showed and its account has in common with others, now judged."""
        post = self.posts.get(event.post_id)
        account_id = self._account_concerned(event, post)
        self._linked.tell(event, account_id, post, signals)
        self._words.tell(event, self.accounts.get(event.account_id), signals)
        if isinstance(event.data, AccountCreated | AccountUpdated):
            self._recent.tell_profile(account_id, event.time, self._linked.tokens_of(event))

    def save_ties(self, stores: KnownStores) -> None:
        """Store what ``tie`` was told."""
        self._linked.save(stores.links)
        self._words.save(stores.word_uses)

    def save(self, store: ContextStore) -> None:
        """Store what changed."""
        store.save(
            accounts=[self.accounts[one] for one in self._changed_accounts if one],
            posts=[self.posts[one] for one in self._changed_posts],
            media=[self.media[one] for one in self._changed_media],
        )


def _tells_newer_text(event: Event, post: PostContext) -> bool:
    return post.text_at is None or (event.time, event.key) >= (post.text_at, post.event_key)


def _with_text(
    post: PostContext, event: Event, media_ids: tuple[str, ...], fingerprint: bytes
) -> PostContext:
    return replace(
        post,
        text_at=event.time,
        event_key=event.key,
        media_ids=media_ids,
        fingerprint=fingerprint,
    )


def _poster(post: PostContext | None) -> AccountId:
    return post.account_id if post and post.posted_at is not None else AccountId("")


def _deleter(post: PostContext | None) -> AccountId:
    return post.account_id if post and post.deleted_at is not None else AccountId("")
