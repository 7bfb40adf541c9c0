"""The ordinary posts that people still read: a fixed number, whatever the length of the stream."""

from random import Random

from msgspec import Struct

_KEPT = 4096


class RecentPost(Struct, kw_only=True, gc=False):
    """A post that may yet be seen, liked, edited, reported or deleted."""

    post_id: str
    account_id: str
    text: str
    language: str
    media_ids: tuple[str, ...]
    views: int = 0


class RecentPosts:
    """The newest posts; a new one takes the place of the oldest."""

    def __init__(self, *, rng: Random) -> None:
        self._random = rng.random
        self._posts: list[RecentPost | None] = []
        self._newest = -1

    def add(self, post: RecentPost) -> None:
        """Keep the post, forgetting the oldest if there is no room."""
        self._newest = (self._newest + 1) % _KEPT
        if len(self._posts) < _KEPT:
            self._posts.append(post)
        else:
            self._posts[self._newest] = post

    def pick(self) -> RecentPost | None:
        """Return a post, more likely a newer one, or None where a deleted one was picked."""
        return self._posts[self._index()] if self._posts else None

    def take(self) -> RecentPost | None:
        """Return such a post and forget it."""
        if not self._posts:
            return None
        index = self._index()
        post, self._posts[index] = self._posts[index], None
        return post

    def _index(self) -> int:
        share = self._random()
        return self._newest - int(len(self._posts) * share * share)
