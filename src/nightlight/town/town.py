"""The town itself: a harmless platform whose every event, picture and answer is invented.

Owns the order of everything; what happens is in ``ordinary.py``, ``planted.py`` and
``lookalikes.py``, what is drawn in ``materials.py``.
"""

from collections.abc import Callable, Iterator
from functools import partial
from heapq import merge
from pathlib import Path

from nightlight.town.cast import Cast
from nightlight.town.chance import seeded
from nightlight.town.diary import Diary
from nightlight.town.disguise import DISGUISES, UNSEEN_DISGUISES
from nightlight.town.gallery import Gallery
from nightlight.town.lookalikes import LookAlikes
from nightlight.town.materials import Materials, write_materials
from nightlight.town.ordinary import OrdinaryLife
from nightlight.town.plan import Quota, TownPlan, check_plan, quota_of
from nightlight.town.planted import PlantedActs
from nightlight.town.prose import AdvertProse, LookAlikeProse, OrdinaryProse
from nightlight.town.publishing import Publishing
from nightlight.town.rhythm import Rhythm
from nightlight.town.truth import TRUTH_VERSION, TownTruth
from nightlight.town.words import load_phrases, load_planted_words

_Act = Callable[[int], None]

# Ordinary events for each post: together with posts, uploads and accounts about 2.7.
_ENGAGEMENTS = 0.8
_VIEW_COUNTS = 0.75
_EDITS = 0.02
_DELETIONS = 0.015
_USER_REPORTS = 0.002
_ACCOUNT_UPDATES = 0.02  # for each account


class Town:
    """One town; its stream can be drawn once."""

    def __init__(self, plan: TownPlan) -> None:
        self._plan = plan
        self._quota = quota_of(plan)
        seed = plan.seed
        self._rhythm = Rhythm(
            start_ms=int(plan.start.timestamp() * 1000),
            days=plan.days,
            rng=seeded(seed, "rhythm"),
        )
        words = load_planted_words(unseen=plan.unseen)
        disguises = UNSEEN_DISGUISES if plan.unseen else DISGUISES
        adverts = AdvertProse(words=words, rng=seeded(seed, "adverts"))
        captions = OrdinaryProse(phrases=load_phrases(), rng=seeded(seed, "prose"))
        self._cast = Cast(
            plan=plan,
            quota=self._quota,
            rhythm=self._rhythm,
            prose=adverts,
            rng=seeded(seed, "cast"),
        )
        self._gallery = Gallery(plan=plan, quota=self._quota)
        self._diary = Diary(plan=plan, rng=seeded(seed, "delivery"))
        publishing = Publishing(diary=self._diary, rng=seeded(seed, "publishing"))
        self._life = OrdinaryLife(
            cast=self._cast,
            diary=self._diary,
            gallery=self._gallery,
            prose=captions,
            publishing=publishing,
            rng=seeded(seed, "life"),
        )
        self._lookalikes = LookAlikes(
            cast=self._cast,
            diary=self._diary,
            gallery=self._gallery,
            life=self._life,
            prose=LookAlikeProse(
                words=words, disguises=disguises, rng=seeded(seed, "lookalike prose")
            ),
            publishing=publishing,
            rng=seeded(seed, "lookalikes"),
        )
        self._planted = PlantedActs(
            cast=self._cast,
            diary=self._diary,
            gallery=self._gallery,
            life=self._life,
            adverts=adverts,
            captions=captions,
            publishing=publishing,
            quota=self._quota,
            disguises=disguises,
            rng=seeded(seed, "planted"),
        )
        self._materials = Materials()

    @property
    def plan(self) -> TownPlan:
        """What was asked for."""
        return self._plan

    @property
    def events_written(self) -> int:
        """Lines that ``events`` has yielded so far."""
        return self._diary.delivered

    @property
    def posts_written(self) -> int:
        """Posts begun so far."""
        return self._diary.posts

    @property
    def planted_posts(self) -> int:
        """Posts so far that a correct system limits."""
        return len(self._planted.posts)

    @property
    def file_count(self) -> int:
        """How many picture files ``write_materials`` draws."""
        return self._gallery.file_count

    def events(self) -> Iterator[bytes]:
        """Yield every event as a line without newline, in order of time but for a few late ones."""
        streams = [_ranked(rank, stream) for rank, stream in enumerate(self._streams())]
        return self._diary.run(merge(*streams))

    def write_materials(
        self, stem: Path, *, drawn: Callable[[int], None] = lambda _files: None
    ) -> Materials:
        """Write pictures, hash bank and lexicon beside ``stem`` and return where they are.

        Args:
            stem: the path that their names begin with, for example ``out/events``.
            drawn: told of every finished picture, as the number finished so far.
        """
        self._materials = write_materials(
            stem, seed=self._plan.seed, gallery=self._gallery, drawn=drawn
        )
        return self._materials

    def truth(self) -> TownTruth:
        """Return the answers; complete once ``events`` is exhausted.

        Names of materials are those last written, without their folder.
        """
        return TownTruth(
            version=TRUTH_VERSION,
            seed=self._plan.seed,
            events=self._diary.delivered,
            bank=self._materials.bank.name if self._materials.bank else "",
            lexicon=self._materials.lexicon.name if self._materials.lexicon else "",
            media=self._materials.media.name if self._materials.media else "",
            posts={**self._planted.posts, **self._lookalikes.posts},
            media_files={**self._planted.media_files, **self._lookalikes.media_files},
            accounts=dict(self._life.roles),
        )

    def _streams(self) -> Iterator[Iterator[tuple[int, _Act]]]:
        life, quota, plan = self._life, self._quota, self._plan
        yield ((at_ms, life.register) for at_ms in self._cast.founding())
        yield (
            (actor.born_ms, partial(life.register_outsider, actor=actor))
            for actor in self._cast.outsiders()
        )
        for name, count, act in (
            ("newcomers", self._cast.crowd - self._cast.founded, life.register),
            ("updates", int(plan.accounts * _ACCOUNT_UPDATES), life.update_account),
            ("posts", quota.ordinary, life.post),
            ("engagements", int(plan.posts * _ENGAGEMENTS), life.engage),
            ("views", int(plan.posts * _VIEW_COUNTS), life.count_views),
            ("edits", int(plan.posts * _EDITS), life.edit),
            ("deletions", int(plan.posts * _DELETIONS), life.delete),
            ("reports", int(plan.posts * _USER_REPORTS), life.report),
            *self._rare(quota),
        ):
            yield self._spread(name, count, act)

    def _rare(self, quota: Quota) -> Iterator[tuple[str, int, _Act]]:
        yield "adverts", quota.adverts // 2, self._planted.advertise
        yield "uploads", quota.known_media, self._planted.upload_known
        yield "lookalikes", quota.lookalikes, self._lookalikes.write
        yield "family", quota.family, self._lookalikes.share_album
        yield "typos", quota.typo_fixes, self._lookalikes.fix_typo
        yield "minds", quota.changed_minds, self._lookalikes.change_mind

    def _spread(self, name: str, count: int, act: _Act) -> Iterator[tuple[int, _Act]]:
        rng = seeded(self._plan.seed, f"when {name}")
        return ((at_ms, act) for at_ms in self._rhythm.moments(count, rng))


def _ranked(rank: int, stream: Iterator[tuple[int, _Act]]) -> Iterator[tuple[int, int, _Act]]:
    """Yield the stream's moments with a rank that decides between equal times."""
    for at_ms, act in stream:
        yield at_ms, rank, act


def build_town(plan: TownPlan) -> Town:
    """Return the town of that plan; nothing is drawn or written yet.

    Raises:
        InvalidInput: naming the field of the plan that is out of bounds.
    """
    check_plan(plan)
    return Town(plan)
