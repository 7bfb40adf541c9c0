"""The platform's side: how a post comes about and goes, whoever writes it."""

from functools import partial
from random import Random

from msgspec import Struct

from nightlight.model.event import PostDeleted, ViewsCounted
from nightlight.town.chance import pick
from nightlight.town.diary import Diary
from nightlight.town.gallery import content_type
from nightlight.town.rhythm import HOUR_MS, MINUTE_MS
from nightlight.town.wire import ChangedPost, NewMedia, NewPost, NewUserReport

_LONGEST_UPLOAD_MS = 40_000
_READERS_MS = 48 * HOUR_MS
_REASONS = ("selling", "spam", "against the rules", "other")


class Draft(Struct, frozen=True, kw_only=True):
    """A post before it is published."""

    post_id: str
    account_id: str
    text: str
    language: str
    media_ids: tuple[str, ...] = ()
    reply_to: str = ""


class Publishing:
    """Writes down what becomes of posts: uploads, publication, views, reports, deletion."""

    def __init__(self, *, diary: Diary, rng: Random) -> None:
        self._diary = diary
        self._rng = rng

    def publish(self, at_ms: int, draft: Draft) -> None:
        """Publish the post now."""
        self._diary.write(
            at_ms,
            NewPost(
                post_id=draft.post_id,
                account_id=draft.account_id,
                text=draft.text,
                language=draft.language,
                media_ids=draft.media_ids,
                reply_to=draft.reply_to,
                url=f"https://town.example.test/p/{draft.post_id}",
            ),
        )

    def upload(self, at_ms: int, draft: Draft, file: str) -> int:
        """Upload the draft's picture now and return when its post follows."""
        self._diary.write(
            at_ms,
            NewMedia(
                media_id=draft.media_ids[0],
                account_id=draft.account_id,
                post_id=draft.post_id,
                url=file,
                content_type=content_type(file),
            ),
        )
        return at_ms + 1 + int(self._rng.random() * _LONGEST_UPLOAD_MS)

    def publish_with_picture(self, at_ms: int, draft: Draft, file: str) -> int:
        """Upload the picture now, publish a little later, and return when that is."""
        published_ms = self.upload(at_ms, draft, file)
        self._diary.later(published_ms, partial(self.publish, draft=draft))
        return published_ms

    def edit(self, at_ms: int, draft: Draft, text: str) -> None:
        """Replace the text of a published post now."""
        self._diary.write(
            at_ms,
            ChangedPost(
                post_id=draft.post_id,
                account_id=draft.account_id,
                text=text,
                language=draft.language,
                media_ids=draft.media_ids,
            ),
        )

    def delete(self, at_ms: int, draft: Draft) -> None:
        """Let the author take the post away now."""
        self._diary.write(
            at_ms,
            PostDeleted(post_id=draft.post_id, account_id=draft.account_id, deleted_by="author"),
        )

    def gather_views(self, at_ms: int, draft: Draft, *, until_ms: int = 0) -> None:
        """Have the post's running total counted a few times over the next two days.

        ``until_ms`` is when the post will be deleted, if it will: nobody sees it after that.
        """
        rng = self._rng
        end_ms = min(at_ms + _READERS_MS, until_ms or at_ms + _READERS_MS)
        times = sorted(
            int(rng.uniform(at_ms + MINUTE_MS, max(end_ms, at_ms + 2 * MINUTE_MS)))
            for _ in range(rng.randint(2, 4))
        )
        views = 0
        for counted_ms in times:
            views += 1 + int(rng.expovariate(1 / 60))
            counted = ViewsCounted(post_id=draft.post_id, views=views, account_id=draft.account_id)
            self._diary.later(counted_ms, partial(self._diary.write, data=counted))

    def report(self, at_ms: int, *, post_id: str, author: str, reporter: str) -> None:
        """Have a user report the post to the platform now."""
        self._diary.write(
            at_ms,
            NewUserReport(
                user_report_id=self._diary.user_report_id(),
                account_id=reporter,
                post_id=post_id,
                target_account_id=author,
                reason=pick(self._rng, _REASONS),
            ),
        )
