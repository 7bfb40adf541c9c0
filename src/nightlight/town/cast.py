"""The town's accounts: a crowd that is computed rather than kept, and the few with a part.

Ordinary accounts are numbers: handle and name follow from the number, so a million of them cost
no memory. Sellers and uploaders stand outside the crowd; reporters, hobbyists, engagers and the
like belong to it and write ordinary posts as well.
"""

from collections.abc import Iterator
from random import Random

from msgspec import Struct

from nightlight.town.plan import Quota, TownPlan
from nightlight.town.prose import AdvertProse, SellerVoice
from nightlight.town.rhythm import DAY_MS, HOUR_MS, Rhythm
from nightlight.town.truth import AccountTruth, Role
from nightlight.town.wire import NewAccount

# fmt: off
_FIRST = (
    "amber", "brisk", "calm", "dapper", "early", "fabled", "gentle", "hazel", "idle", "jolly",
    "keen", "lofty", "mellow", "nimble", "olive", "plucky", "quiet", "rusty", "sunny", "tidy",
    "upbeat", "velvet", "windy", "yellow", "zesty", "misty", "copper", "silver", "drowsy",
    "minty",
)
_SECOND = (
    "acorn", "badger", "comet", "dinghy", "ember", "falcon", "gherkin", "heron", "inkpot",
    "juniper", "kettle", "lantern", "marmot", "noodle", "otter", "pebble", "quill", "radish",
    "sparrow", "teapot", "urchin", "violet", "walnut", "yarrow", "zeppelin", "biscuit",
    "cricket", "dumpling", "fennel", "gooseberry",
)
# fmt: on
_BIOS = (
    "Tea first, questions later.",
    "Trains, leeks and the second division.",
    "Here for the weather.",
    "I bake, I hike, I forget umbrellas.",
    "",
    "Posting from the allotment.",
    "Amateur birdwatcher.",
    "",
)
_FOUNDED_SHARE = 0.8
_FOUNDING_MS = 400 * DAY_MS
_SCRAMBLE = 2_654_435_761  # odd, so multiplication is one-to-one modulo a power of two
_ID_BITS = 40
_SUSPENDED_SHARES = (0.25, 0.42)
_LEAST_ABSENCE_MS = 10 * HOUR_MS

#: Look-alike roles and how many accounts play each for every 1,000 look-alike posts, and at least.
_LOOKALIKE_ROLES: tuple[tuple[Role, int, int], ...] = (
    ("reporter", 12, 2),
    ("researcher", 8, 2),
    ("survivor", 40, 3),
    ("helpline", 4, 2),
    ("hobbyist", 50, 4),
    ("family", 40, 3),
)


class Actor(Struct, frozen=True, kw_only=True):
    """An account outside the crowd and when it registers."""

    account_id: str
    handle: str
    display_name: str
    bio: str
    born_ms: int


class Seller(Struct, frozen=True, kw_only=True):
    """One author of adverts: an account, and for some the account they return under.

    Attributes:
        gone_ms: when the platform suspends the first account, if there is a second.
    """

    voice: SellerVoice
    first: Actor
    second: Actor | None = None
    gone_ms: int = 0

    def account_at(self, at_ms: int) -> str:
        """Return the account that posts at this time, or "" between suspension and return."""
        if self.second is None or at_ms < self.gone_ms:
            return self.first.account_id
        return self.second.account_id if at_ms > self.second.born_ms else ""


class Cast:
    """Every account of the town, and the truth about those with a part."""

    def __init__(
        self, *, plan: TownPlan, quota: Quota, rhythm: Rhythm, prose: AdvertProse, rng: Random
    ) -> None:
        self._plan = plan
        self._rng = rng
        self._rhythm = rhythm
        outside = quota.sellers + quota.returning + quota.uploaders
        self.crowd = plan.accounts - outside
        self.founded = int(self.crowd * _FOUNDED_SHARE)
        self.roles: dict[str, AccountTruth] = {}
        self._next_outsider = self.crowd
        self.uploaders = [self._outsider("uploader") for _ in range(quota.uploaders)]
        self.sellers = [
            self._seller(number, prose, returns=number < quota.returning)
            for number in range(quota.sellers)
        ]
        self._free = iter(rng.sample(range(self.founded), self.founded // 2))
        self.engagers = self._assign("engager", quota.engagers)
        self.lookalikes = {
            role: self._assign(
                role, max(least, min(share * quota.lookalikes // 1000, self.crowd // 40))
            )
            for role, share, least in _LOOKALIKE_ROLES
        }

    def account_id(self, number: int) -> str:
        """Return the id of an account; nothing about its part can be read off it."""
        scrambled = (number + 1) * _SCRAMBLE % (1 << _ID_BITS)
        return f"a{self._plan.seed:x}-{scrambled:x}"

    def registration(self, number: int) -> NewAccount:
        """Return the profile of an account of the crowd."""
        handle, name = _profile(number, self._plan.seed)
        return NewAccount(
            account_id=self.account_id(number),
            handle=handle,
            display_name=name,
            bio=bio_of(number),
        )

    def outsiders(self) -> list[Actor]:
        """Return the accounts outside the crowd, in the order in which they register."""
        actors = [*self.uploaders]
        for seller in self.sellers:
            actors.append(seller.first)
            if seller.second is not None:
                actors.append(seller.second)
        return sorted(actors, key=lambda actor: actor.born_ms)

    def founding(self) -> Iterator[int]:
        """Yield when the accounts registered that were there before the first day."""
        step = _FOUNDING_MS / self.founded
        for index in range(self.founded):
            yield self._rhythm.start_ms - _FOUNDING_MS + int(index * step)

    def _assign(self, role: Role, count: int) -> list[int]:
        """Give a part to accounts of the crowd that have none yet, and return their numbers."""
        numbers = [number for _, number in zip(range(count), self._free, strict=False)]
        for number in numbers:
            self.roles[self.account_id(number)] = AccountTruth(role=role)
        return numbers

    def _outsider(self, role: Role, predecessor: Actor | None = None, born_ms: int = 0) -> Actor:
        number, self._next_outsider = self._next_outsider, self._next_outsider + 1
        handle, name = _profile(self._rng.getrandbits(24), self._plan.seed)
        actor = Actor(
            account_id=self.account_id(number),
            handle=_similar(predecessor.handle, number) if predecessor else handle,
            display_name=predecessor.display_name if predecessor else name,
            bio=predecessor.bio if predecessor else bio_of(number),
            born_ms=born_ms or self._rhythm.start_ms - self._rng.randint(HOUR_MS, _FOUNDING_MS),
        )
        self.roles[actor.account_id] = AccountTruth(
            role=role, predecessor=predecessor.account_id if predecessor else ""
        )
        return actor

    def _seller(self, number: int, prose: AdvertProse, *, returns: bool) -> Seller:
        first = self._outsider("seller")
        voice = prose.seller(number)
        if not returns:
            return Seller(voice=voice, first=first)
        gone_ms = self._rhythm.moment(self._rng.uniform(*_SUSPENDED_SHARES))
        back_ms = gone_ms + _LEAST_ABSENCE_MS + self._rng.randint(0, 4 * HOUR_MS)
        second = self._outsider("returning", predecessor=first, born_ms=back_ms)
        return Seller(voice=voice, first=first, second=second, gone_ms=gone_ms)


def bio_of(number: int) -> str:
    """Return the bio of an account, which may be empty."""
    return _BIOS[number % len(_BIOS)]


def _profile(number: int, seed: int) -> tuple[str, str]:
    """Return handle and display name; handles of the crowd are made of words and a number."""
    mixed = (number * _SCRAMBLE + seed) % (1 << _ID_BITS)
    first = _FIRST[mixed % len(_FIRST)]
    second = _SECOND[mixed // len(_FIRST) % len(_SECOND)]
    separator = ("_", ".", "", "-")[mixed >> 11 & 3]
    return f"{first}{separator}{second}{mixed >> 13 & 0x3FF}", f"{first.title()} {second.title()}"


def _similar(handle: str, number: int) -> str:
    """Return a handle that a reader takes for the same person's."""
    variants = (f"{handle}_", f"{handle}2", f"the.{handle}", handle.replace(handle[-1], "0x", 1))
    return variants[number % len(variants)]
