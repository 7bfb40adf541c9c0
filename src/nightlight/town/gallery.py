"""Which picture files the town has, by name, before any of them is drawn.

File names say nothing of what a file is: they are digests of seed and part.
"""

import hashlib
from random import Random

from msgspec import Struct

from nightlight.town.plan import Quota, TownPlan
from nightlight.town.truth import Edit

EDITS: tuple[Edit, ...] = (
    "none",
    "recompress",
    "resize",
    "brightness",
    "greyscale",
    "noise",
    "blur",
    "watermark",
)
KNOWN = 40
_FAMILY = 24
_LEAST_ORDINARY, _MOST_ORDINARY, _POSTS_A_PICTURE = 60, 2000, 50
_PNG_EVERY = 20


class KnownCopy(Struct, frozen=True, kw_only=True):
    """A file made from a known picture."""

    file: str
    known: int
    edit: Edit


class Gallery:
    """The files that posts may carry; ``media=False`` has none."""

    def __init__(self, *, plan: TownPlan, quota: Quota) -> None:
        self._seed = plan.seed
        pool = max(_LEAST_ORDINARY, min(_MOST_ORDINARY, plan.posts // _POSTS_A_PICTURE))
        self.ordinary = [
            self._name("ordinary", index, "png" if index % _PNG_EVERY == 1 else "jpg")
            for index in range(pool if plan.media else 0)
        ]
        self.known = [
            self._known_copy(index) for index in range(min(quota.known_media, KNOWN * len(EDITS)))
        ]
        self.family = [
            self._name("family", index, "jpg") for index in range(min(quota.family, _FAMILY))
        ]

    @property
    def file_count(self) -> int:
        """How many files there are to draw."""
        return len(self.ordinary) + len(self.known) + len(self.family)

    def meme(self, rng: Random) -> str:
        """Return an ordinary file; some are posted much more often than others."""
        share = rng.random()
        return self.ordinary[int(len(self.ordinary) * share * share)]

    def _known_copy(self, index: int) -> KnownCopy:
        known = index % KNOWN
        edit = EDITS[(index + index // KNOWN) % len(EDITS)]
        return KnownCopy(file=self._name(f"known-{edit}", known, "jpg"), known=known, edit=edit)

    def _name(self, part: str, index: int, suffix: str) -> str:
        digest = hashlib.blake2b(f"{self._seed}:{part}:{index}".encode(), digest_size=10)
        return f"{digest.hexdigest()}.{suffix}"


def content_type(file: str) -> str:
    """Return the media type that the file's name tells."""
    return "image/png" if file.endswith(".png") else "image/jpeg"
