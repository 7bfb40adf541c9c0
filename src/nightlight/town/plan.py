"""What town is asked for, and how many of each planted thing that makes."""

from datetime import UTC, datetime

from msgspec import Struct

from nightlight.errors import InvalidInput

LEAST_ACCOUNTS = 100
LEAST_POSTS = 500
LEAST_DAYS = 3
MOST_DAYS = 3650
#: Adverts a seller, where it is said how many sell: one volley.
_ADVERTS_EACH = 2


class TownPlan(Struct, frozen=True, kw_only=True):
    """The arguments of a town; equal plans give equal bytes.

    Attributes:
        start: when the days of posting begin, timezone-aware.
        media: whether posts carry pictures; without them no hash bank is planted either.
        sellers: how many accounts sell; 0 for as many as go with the posts. For a town that is far
            worse than any, so that a year of it has many suspensions.
        unseen: adverts, look-alikes and spellings are those that no part of Nightlight was fitted
            to: for measuring, never for fitting.
    """

    seed: int = 1
    accounts: int = 2_000
    posts: int = 20_000
    days: int = 21
    start: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    media: bool = True
    sellers: int = 0
    unseen: bool = False


def check_plan(plan: TownPlan) -> None:
    """Return when a town can be built from the plan.

    Raises:
        InvalidInput: naming the field that is out of bounds and the remedy.
    """
    for field, value, least in (
        ("seed", plan.seed, 0),
        ("accounts", plan.accounts, LEAST_ACCOUNTS),
        ("posts", plan.posts, LEAST_POSTS),
        ("days", plan.days, LEAST_DAYS),
    ):
        if value < least:
            raise InvalidInput(f"{value} is too small", field=field, hint=f"give {least} or more")
    if plan.sellers < 0 or plan.sellers > plan.accounts // 2:
        raise InvalidInput(
            "is not a number up to half of the accounts", field="sellers", hint="give fewer, or 0"
        )
    if quota_of(plan).ordinary < 0:
        raise InvalidInput(
            f"{plan.posts} is too small for so many sellers", field="posts", hint="give more"
        )
    if plan.days > MOST_DAYS:
        raise InvalidInput(
            f"{plan.days} is too large", field="days", hint=f"give {MOST_DAYS} or less"
        )
    if plan.start.tzinfo is None:
        raise InvalidInput("has no time zone", field="start", hint="give it in UTC")


class Quota(Struct, frozen=True, kw_only=True):
    """How many of each thing a plan makes; the posts add up to the plan's.

    Attributes:
        adverts: first postings in code words, a multiple of 24 so that every third can be
            reposted and every twelfth edited in.
        reposts: adverts posted again after their author deleted them.
        known_media: posts with a known picture.
        lookalikes: harmless posts with planted words or selling words.
        family: harmless posts with a picture that is near a known one.
        typo_fixes, changed_minds: deletions by ordinary authors who post again, two posts each.
    """

    adverts: int
    reposts: int
    known_media: int
    lookalikes: int
    family: int
    typo_fixes: int
    changed_minds: int
    ordinary: int
    sellers: int
    returning: int
    uploaders: int
    engagers: int


def quota_of(plan: TownPlan) -> Quota:
    """Return the counts: about 1.3 % of posts planted and 0.9 % look-alikes, a few at least."""
    adverts = 24 * max(1, round((_ADVERTS_EACH * plan.sellers or plan.posts * 0.007) / 24))
    reposts = adverts // 3
    known_media = max(16, plan.posts * 4 // 1000) if plan.media else 0
    lookalikes = max(24, plan.posts * 6 // 1000)
    family = max(8, plan.posts // 1000) if plan.media else 0
    pairs = max(4, plan.posts // 2000)
    planted = adverts + reposts + known_media + lookalikes + family + 4 * pairs
    sellers = plan.sellers or max(6, min(adverts // 30, plan.accounts // 20))
    return Quota(
        adverts=adverts,
        reposts=reposts,
        known_media=known_media,
        lookalikes=lookalikes,
        family=family,
        typo_fixes=pairs,
        changed_minds=pairs,
        ordinary=plan.posts - planted,
        sellers=sellers,
        returning=max(2, sellers // 5),
        uploaders=max(4, min(known_media // 40, plan.accounts // 40)) if plan.media else 0,
        engagers=max(6, min(adverts // 10, plan.accounts // 20)),
    )
