"""What ordinary people do: nearly the whole stream, and nothing that anyone should touch."""

from functools import partial
from random import Random

from nightlight.model.event import EngagementKind, PostDeleted, ViewsCounted
from nightlight.town.cast import Actor, Cast, bio_of
from nightlight.town.chance import pick
from nightlight.town.diary import Diary
from nightlight.town.gallery import Gallery
from nightlight.town.prose import OrdinaryProse
from nightlight.town.publishing import Draft, Publishing
from nightlight.town.recent import RecentPost, RecentPosts
from nightlight.town.truth import AccountTruth
from nightlight.town.wire import ChangedAccount, ChangedPost, NewAccount, NewEngagement

_PICTURE_SHARE = 0.06
_REPLY_SHARE = 0.18
_PLATFORM_DELETES = 0.05
_KINDS: tuple[EngagementKind, ...] = (
    *("like",) * 11,
    *("repost",) * 3,
    *("reply",) * 2,
    *("bookmark",) * 2,
    *("follow",) * 2,
)


class OrdinaryLife:
    """Acts of the crowd, each done once at the moment it is called for."""

    def __init__(
        self,
        *,
        cast: Cast,
        diary: Diary,
        gallery: Gallery,
        prose: OrdinaryProse,
        publishing: Publishing,
        rng: Random,
    ) -> None:
        self._cast = cast
        self._diary = diary
        self._gallery = gallery
        self._prose = prose
        self._publishing = publishing
        self._rng = rng
        self._recent = RecentPosts(rng=rng)
        self._registered = 0
        self.roles: dict[str, AccountTruth] = {}

    def register(self, at_ms: int) -> None:
        """Have the next account of the crowd registered."""
        account = self._cast.registration(self._registered)
        self._registered += 1
        self._enter(at_ms, account)

    def register_outsider(self, at_ms: int, actor: Actor) -> None:
        """Have an account outside the crowd registered."""
        account = NewAccount(
            account_id=actor.account_id,
            handle=actor.handle,
            display_name=actor.display_name,
            bio=actor.bio,
        )
        self._enter(at_ms, account)

    def draft(self, number: int, *, with_picture: bool = False) -> Draft:
        """Return a new ordinary post by an account of the crowd."""
        voice = self._prose.voice(number)
        return Draft(
            post_id=self._diary.post_id(),
            account_id=self._cast.account_id(number),
            text=self._prose.post(voice),
            language=voice.language,
            media_ids=(self._diary.media_id(),) if with_picture else (),
            reply_to=self._reply_to(),
        )

    def anyone(self) -> int:
        """Return an account of the crowd; a few of them do most of everything."""
        share = self._rng.random()
        return int(self._registered * share * share)

    def post(self, at_ms: int) -> None:
        """Have somebody post something, in some cases with a picture."""
        with_picture = bool(self._gallery.ordinary) and self._rng.random() < _PICTURE_SHARE
        draft = self.draft(self.anyone(), with_picture=with_picture)
        if with_picture:
            file = self._gallery.meme(self._rng)
            published_ms = self._publishing.upload(at_ms, draft, file)
            self._diary.later(published_ms, partial(self.show, draft=draft))
        else:
            self.show(at_ms, draft)

    def show(self, at_ms: int, draft: Draft) -> None:
        """Publish the post where everybody reads it."""
        self._publishing.publish(at_ms, draft)
        self._recent.add(
            RecentPost(
                post_id=draft.post_id,
                account_id=draft.account_id,
                text=draft.text,
                language=draft.language,
                media_ids=draft.media_ids,
            )
        )

    def engage(self, at_ms: int) -> None:
        """Have somebody like, repost, answer or bookmark a post, or follow its author."""
        post = self._recent.pick()
        if post is None:
            return
        kind = pick(self._rng, _KINDS)
        self._diary.write(
            at_ms,
            NewEngagement(
                account_id=self._cast.account_id(self.anyone()),
                kind=kind,
                post_id="" if kind == "follow" else post.post_id,
                target_account_id=post.account_id,
            ),
        )

    def count_views(self, at_ms: int) -> None:
        """Have a post's running total of views counted."""
        post = self._recent.pick()
        if post is None:
            return
        post.views += 1 + int(self._rng.expovariate(1 / 40))
        self._diary.write(
            at_ms,
            ViewsCounted(post_id=post.post_id, views=post.views, account_id=post.account_id),
        )

    def edit(self, at_ms: int) -> None:
        """Have an author add something to a post."""
        post = self._recent.pick()
        if post is None:
            return
        post.text = f"{post.text} ({self._prose.remark(post.language)})"
        self._diary.write(
            at_ms,
            ChangedPost(
                post_id=post.post_id,
                account_id=post.account_id,
                text=post.text,
                language=post.language,
                media_ids=post.media_ids,
            ),
        )

    def delete(self, at_ms: int) -> None:
        """Have an author, or now and then the platform, take a post away for good."""
        post = self._recent.take()
        if post is None:
            return
        by_platform = self._rng.random() < _PLATFORM_DELETES
        self._diary.write(
            at_ms,
            PostDeleted(
                post_id=post.post_id,
                account_id=post.account_id,
                deleted_by="platform" if by_platform else "author",
            ),
        )

    def report(self, at_ms: int) -> None:
        """Have somebody report a post that is no more than annoying."""
        post = self._recent.pick()
        if post is None:
            return
        self._publishing.report(
            at_ms,
            post_id=post.post_id,
            author=post.account_id,
            reporter=self._cast.account_id(self.anyone()),
        )

    def update_account(self, at_ms: int) -> None:
        """Have somebody change their bio."""
        self._diary.write(
            at_ms,
            ChangedAccount(
                account_id=self._cast.account_id(self.anyone()),
                bio=bio_of(self._rng.getrandbits(8)) or "New bio soon.",
            ),
        )

    def _enter(self, at_ms: int, account: NewAccount) -> None:
        self._diary.write(at_ms, account)
        role = self._cast.roles.get(account.account_id)
        if role is not None:
            self.roles[account.account_id] = role

    def _reply_to(self) -> str:
        if self._rng.random() >= _REPLY_SHARE:
            return ""
        post = self._recent.pick()
        return post.post_id if post else ""
