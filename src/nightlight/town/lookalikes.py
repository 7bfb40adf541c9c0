"""What looks wrong and is not: quoted words, innocent hobbies, family pictures, second thoughts.

A system that touches any of this does harm, so the truth names each of them.
"""

from functools import partial
from itertools import pairwise
from random import Random

from nightlight.town.cast import Cast
from nightlight.town.chance import pick
from nightlight.town.diary import Diary
from nightlight.town.gallery import Gallery
from nightlight.town.ordinary import OrdinaryLife
from nightlight.town.prose import LookAlikeProse
from nightlight.town.publishing import Draft, Publishing
from nightlight.town.rhythm import HOUR_MS, MINUTE_MS
from nightlight.town.truth import LookAlike, MediaTruth, PostTruth, Role

#: Who writes, as what, and the part of the accounts that do (None: anybody).
_WRITERS: tuple[tuple[str, LookAlike, Role | None], ...] = (
    ("reporter", "reporter", "reporter"),
    ("researcher", "researcher", "researcher"),
    ("survivor", "survivor", "survivor"),
    ("helpline", "helpline", "helpline"),
    ("hobbyist", "hobbyist", "hobbyist"),
    ("quotation", "quotation", None),
    ("innocent_seller", "hobbyist", "hobbyist"),
)


class LookAlikes:
    """Acts of people whom a careless system would take for sellers."""

    def __init__(
        self,
        *,
        cast: Cast,
        diary: Diary,
        gallery: Gallery,
        life: OrdinaryLife,
        prose: LookAlikeProse,
        publishing: Publishing,
        rng: Random,
    ) -> None:
        self._cast = cast
        self._diary = diary
        self._gallery = gallery
        self._life = life
        self._prose = prose
        self._publishing = publishing
        self._rng = rng
        self._texts = 0
        self._albums = 0
        self.posts: dict[str, PostTruth] = {}
        self.media_files: dict[str, MediaTruth] = {}

    def write(self, at_ms: int) -> None:
        """Have the next kind of writer post a text with planted or selling words."""
        writer, lookalike, role = _WRITERS[self._texts % len(_WRITERS)]
        self._texts += 1
        text, disguise = self._prose.post(writer)
        draft = self._draft(self._author(role), text)
        self.posts[draft.post_id] = PostTruth(
            kind="lookalike",
            terms=disguise is not None,
            disguise=disguise or "plain",
            lookalike=lookalike,
        )
        self._life.show(at_ms, draft)

    def share_album(self, at_ms: int) -> None:
        """Have a family post a picture that is near a known one and is another."""
        file = self._gallery.family[self._albums % len(self._gallery.family)]
        self._albums += 1
        text, _ = self._prose.post("family")
        draft = self._draft(self._author("family"), text, media_ids=(self._diary.media_id(),))
        self.posts[draft.post_id] = PostTruth(kind="family")
        self.media_files[draft.media_ids[0]] = MediaTruth(
            known=False, edit="lookalike_family", act=False
        )
        published_ms = self._publishing.upload(at_ms, draft, file)
        self._diary.later(published_ms, partial(self._life.show, draft=draft))

    def fix_typo(self, at_ms: int) -> None:
        """Have somebody post with a typo, delete it, and post once more without."""
        fixed_author = self._life.anyone()
        right = self._life.draft(fixed_author)
        wrong = Draft(
            post_id=right.post_id,
            account_id=right.account_id,
            text=_with_typo(right.text, self._rng),
            language=right.language,
        )
        deleted_ms = at_ms + self._rng.randint(MINUTE_MS, 5 * MINUTE_MS)
        again_ms = deleted_ms + self._rng.randint(MINUTE_MS // 2, 3 * MINUTE_MS)
        self.posts[wrong.post_id] = PostTruth(kind="typo_fix")
        self._publishing.publish(at_ms, wrong)
        self._diary.later(deleted_ms, partial(self._publishing.delete, draft=wrong))
        self._diary.later(again_ms, partial(self._post_fixed, right=right))

    def change_mind(self, at_ms: int) -> None:
        """Have somebody delete a post and write about something else."""
        author = self._life.anyone()
        draft = self._life.draft(author)
        deleted_ms = at_ms + self._rng.randint(5 * MINUTE_MS, 4 * HOUR_MS)
        other_ms = deleted_ms + self._rng.randint(MINUTE_MS, HOUR_MS)
        self.posts[draft.post_id] = PostTruth(kind="changed_mind")
        self._publishing.publish(at_ms, draft)
        self._diary.later(deleted_ms, partial(self._publishing.delete, draft=draft))
        self._diary.later(other_ms, partial(self._post_other, number=author))

    def _post_fixed(self, at_ms: int, right: Draft) -> None:
        draft = Draft(
            post_id=self._diary.post_id(),
            account_id=right.account_id,
            text=right.text,
            language=right.language,
        )
        self.posts[draft.post_id] = PostTruth(kind="typo_fix", reposts=right.post_id)
        self._life.show(at_ms, draft)

    def _post_other(self, at_ms: int, number: int) -> None:
        draft = self._life.draft(number)
        self.posts[draft.post_id] = PostTruth(kind="changed_mind")
        self._life.show(at_ms, draft)

    def _author(self, role: Role | None) -> int:
        return self._life.anyone() if role is None else pick(self._rng, self._cast.lookalikes[role])

    def _draft(self, author: int, text: str, *, media_ids: tuple[str, ...] = ()) -> Draft:
        return Draft(
            post_id=self._diary.post_id(),
            account_id=self._cast.account_id(author),
            text=text,
            language="en",
            media_ids=media_ids,
        )


def _with_typo(text: str, rng: Random) -> str:
    """Return the text with two different neighbouring letters swapped."""
    places = [
        index
        for index, (left, right) in enumerate(pairwise(text))
        if left != right and left.isalpha() and right.isalpha()
    ]
    place = pick(rng, places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
