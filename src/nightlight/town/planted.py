"""What a correct system limits: adverts in code words, their reposts, and known pictures."""

from collections.abc import Sequence
from functools import partial
from random import Random

from nightlight.model.event import EngagementKind
from nightlight.town.cast import Cast, Seller
from nightlight.town.chance import pick
from nightlight.town.diary import Diary
from nightlight.town.disguise import Disguise
from nightlight.town.gallery import Gallery
from nightlight.town.ordinary import OrdinaryLife
from nightlight.town.plan import Quota
from nightlight.town.prose import Advert, AdvertProse, OrdinaryProse
from nightlight.town.publishing import Draft, Publishing
from nightlight.town.rhythm import HOUR_MS, MINUTE_MS
from nightlight.town.truth import MediaTruth, PostTruth
from nightlight.town.wire import NewEngagement

#: Adverts a seller posts in one go; they average two, which ``Quota.adverts`` relies on.
VOLLEY_SIZES = (1, 3, 2, 2)
REPOSTED_EVERY = 3
_EDITED_IN_EVERY, _EDITED_IN = 12, 7
_REPORTED_EVERY = 6
_UPLOAD_DELETED_EVERY = 4
_ENGAGEMENTS: tuple[EngagementKind, ...] = ("like", "repost", "reply", "follow", "bookmark")


class PlantedActs:
    """Acts of sellers, uploaders and those who engage with them."""

    def __init__(
        self,
        *,
        cast: Cast,
        diary: Diary,
        gallery: Gallery,
        life: OrdinaryLife,
        adverts: AdvertProse,
        captions: OrdinaryProse,
        publishing: Publishing,
        quota: Quota,
        disguises: Sequence[Disguise],
        rng: Random,
    ) -> None:
        self._cast = cast
        self._diary = diary
        self._gallery = gallery
        self._life = life
        self._adverts = adverts
        self._captions = captions
        self._publishing = publishing
        self._quota = quota
        self._disguises = disguises
        self._rng = rng
        self._volleys = 0
        self._advertised = 0
        self._engagements = 0
        self._uploads = 0
        self.posts: dict[str, PostTruth] = {}
        self.media_files: dict[str, MediaTruth] = {}

    def advertise(self, at_ms: int) -> None:
        """Have the next seller post a few adverts within minutes."""
        seller = self._cast.sellers[self._volleys % len(self._cast.sellers)]
        size = VOLLEY_SIZES[self._volleys % len(VOLLEY_SIZES)]
        self._volleys += 1
        for _ in range(min(size, self._quota.adverts - self._advertised)):
            self._advertised += 1
            number = self._advertised
            self._diary.later(at_ms, partial(self._post_advert, seller=seller, number=number))
            at_ms += self._rng.randint(MINUTE_MS, 12 * MINUTE_MS)

    def upload_known(self, at_ms: int) -> None:
        """Have an uploader post a known picture, unchanged or edited."""
        number, self._uploads = self._uploads, self._uploads + 1
        uploader = self._cast.uploaders[number % len(self._cast.uploaders)]
        copy = self._gallery.known[number % len(self._gallery.known)]
        voice = self._captions.voice(number)
        draft = Draft(
            post_id=self._diary.post_id(),
            account_id=uploader.account_id,
            text=self._captions.remark(voice.language),
            language=voice.language,
            media_ids=(self._diary.media_id(),),
        )
        self.posts[draft.post_id] = PostTruth(kind="media", act=True)
        self.media_files[draft.media_ids[0]] = MediaTruth(known=True, edit=copy.edit, act=True)
        published_ms = self._publishing.publish_with_picture(at_ms, draft, copy.file)
        until_ms = 0
        if number % _UPLOAD_DELETED_EVERY == 0:
            until_ms = self._delete_soon(published_ms, draft)
        self._attract(published_ms, draft, number, until_ms=until_ms)

    def _post_advert(self, at_ms: int, seller: Seller, number: int) -> None:
        account_id = seller.account_at(at_ms)
        if not account_id:
            # The platform has suspended this seller, who waits until the new account is there.
            act = partial(self._post_advert, seller=seller, number=number)
            back_ms = seller.second.born_ms if seller.second else at_ms
            self._diary.later(back_ms + self._rng.randint(MINUTE_MS, 4 * HOUR_MS), act)
            return
        disguise = self._disguises[number % len(self._disguises)]
        advert = self._adverts.advert(seller.voice, disguise)
        draft = self._advert_draft(account_id, advert, advert.text())
        self.posts[draft.post_id] = _advert_truth(advert.disguise)
        if number % _EDITED_IN_EVERY == _EDITED_IN:
            self._edit_in(at_ms, draft)
        else:
            self._publishing.publish(at_ms, draft)
        until_ms = 0
        if number % REPOSTED_EVERY == 0:
            until_ms = self._delete_soon(at_ms, draft)
            act = partial(self._post_again, first=draft, advert=advert, number=number)
            self._diary.later(until_ms + self._rng.randint(5 * MINUTE_MS, 5 * HOUR_MS), act)
        self._attract(at_ms, draft, number, until_ms=until_ms)

    def _edit_in(self, at_ms: int, draft: Draft) -> None:
        """Post something harmless and turn it into the advert when the first look is over."""
        harmless = Draft(
            post_id=draft.post_id,
            account_id=draft.account_id,
            text=self._captions.remark("en"),
            language=draft.language,
        )
        self._publishing.publish(at_ms, harmless)
        edited_ms = at_ms + self._rng.randint(MINUTE_MS, 30 * MINUTE_MS)
        act = partial(self._publishing.edit, draft=draft, text=draft.text)
        self._diary.later(edited_ms, act)

    def _post_again(self, at_ms: int, first: Draft, advert: Advert, number: int) -> None:
        text = self._adverts.again(advert, number // REPOSTED_EVERY)
        draft = self._advert_draft(first.account_id, advert, text)
        self.posts[draft.post_id] = _advert_truth(advert.disguise, reposts=first.post_id)
        self._publishing.publish(at_ms, draft)
        self._attract(at_ms, draft, number + 1)

    def _delete_soon(self, at_ms: int, draft: Draft) -> int:
        """Have the author delete the post minutes or hours later, and return when."""
        deleted_ms = at_ms + int(self._rng.triangular(3, 240, 15) * MINUTE_MS)
        self._diary.later(deleted_ms, partial(self._publishing.delete, draft=draft))
        return deleted_ms

    def _attract(self, at_ms: int, draft: Draft, number: int, *, until_ms: int = 0) -> None:
        """Have the post seen, engaged with, and now and then reported."""
        self._publishing.gather_views(at_ms, draft, until_ms=until_ms)
        for _ in range(1 + number % 3):
            engaged_ms = at_ms + int(self._rng.triangular(1, 600, 10) * MINUTE_MS)
            if not until_ms or engaged_ms < until_ms:
                self._diary.later(engaged_ms, partial(self._engage, draft=draft))
        if number % _REPORTED_EVERY == 1:
            reported_ms = at_ms + self._rng.randint(MINUTE_MS, 8 * HOUR_MS)
            self._diary.later(reported_ms, partial(self._report, draft=draft))

    def _engage(self, at_ms: int, draft: Draft) -> None:
        engager = self._cast.engagers[self._engagements % len(self._cast.engagers)]
        self._engagements += 1
        kind = pick(self._rng, _ENGAGEMENTS)
        self._diary.write(
            at_ms,
            NewEngagement(
                account_id=self._cast.account_id(engager),
                kind=kind,
                post_id="" if kind == "follow" else draft.post_id,
                target_account_id=draft.account_id,
            ),
        )

    def _report(self, at_ms: int, draft: Draft) -> None:
        reporter = self._cast.account_id(self._life.anyone())
        self._publishing.report(
            at_ms, post_id=draft.post_id, author=draft.account_id, reporter=reporter
        )

    def _advert_draft(self, account_id: str, advert: Advert, text: str) -> Draft:
        return Draft(
            post_id=self._diary.post_id(),
            account_id=account_id,
            text=text,
            language=advert.language,
        )


def _advert_truth(disguise: Disguise, *, reposts: str = "") -> PostTruth:
    return PostTruth(
        kind="repost" if reposts else "advert",
        terms=True,
        disguise=disguise,
        reposts=reposts,
        act=True,
    )
