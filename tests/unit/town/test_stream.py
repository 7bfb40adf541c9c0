"""The stream is what a platform would write, and the same every time."""

import tracemalloc
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from nightlight.errors import InvalidInput
from nightlight.model.event import (
    EngagementCreated,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    ViewsCounted,
)
from nightlight.town import TownPlan, build_town

SmallTown = Any  # the fixture's own type lives in conftest.py, which tests do not import

LATE_SHARE_AT_MOST = 0.02


def test_equal_plans_give_equal_bytes(small_town: SmallTown) -> None:
    assert list(build_town(small_town.town.plan).events()) == small_town.raw


def test_another_seed_gives_another_town(small_town: SmallTown) -> None:
    other = msgspec.structs.replace(small_town.town.plan, seed=6)
    assert set(build_town(other).events()).isdisjoint(small_town.raw)


def test_every_line_decodes_as_its_model_type(small_town: SmallTown) -> None:
    kinds = {type(line.decoded()).__name__ for line in small_town.lines}
    assert kinds == {
        "AccountCreated",
        "AccountUpdated",
        "EngagementCreated",
        "MediaUploaded",
        "PostCreated",
        "PostDeleted",
        "PostEdited",
        "UserReportCreated",
        "ViewsCounted",
    }


def test_envelope_is_cloudevents_in_utc(small_town: SmallTown) -> None:
    for line in small_town.lines:
        assert (line.specversion, line.source) == ("1.0", "//town.example.test")
        assert line.time.endswith("Z")
        assert datetime.fromisoformat(line.time).utcoffset() == timedelta(0)


def test_lines_that_share_an_id_are_the_same_line(small_town: SmallTown) -> None:
    assert len(set(small_town.raw)) == len({line.id for line in small_town.lines})


def test_a_few_lines_arrive_twice(small_town: SmallTown) -> None:
    twice = len(small_town.raw) - len(set(small_town.raw))
    assert 0 < twice < len(small_town.raw) * LATE_SHARE_AT_MOST


def test_only_a_few_lines_are_out_of_order(small_town: SmallTown) -> None:
    newest, late = "", 0
    for line in small_town.lines:
        late += line.time < newest
        newest = max(newest, line.time)
    assert 0 < late < len(small_town.lines) * LATE_SHARE_AT_MOST


def test_the_plan_says_how_many_posts(small_town: SmallTown) -> None:
    posts = {line.decoded().post_id for line in _of(small_town, EventType.POST_CREATED)}
    assert len(posts) == small_town.town.plan.posts


def test_the_plan_says_how_many_accounts(small_town: SmallTown) -> None:
    accounts = {line.decoded().account_id for line in _of(small_town, EventType.ACCOUNT_CREATED)}
    assert len(accounts) == small_town.town.plan.accounts


def test_events_are_two_and_a_half_to_three_times_the_posts(small_town: SmallTown) -> None:
    assert 2.5 < len(small_town.raw) / small_town.town.plan.posts < 3


def test_media_happens_before_the_post_that_carries_it(small_town: SmallTown) -> None:
    uploads: dict[str, tuple[str, MediaUploaded]] = {}
    for line in _of(small_town, EventType.MEDIA_UPLOADED):
        uploads[line.decoded().media_id] = (line.time, line.decoded())
    carried = 0
    for line in _of(small_town, EventType.POST_CREATED):
        post: PostCreated = line.decoded()
        for media_id in post.media_ids:
            uploaded_at, media = uploads[media_id]
            assert uploaded_at < line.time
            assert (media.account_id, media.post_id) == (post.account_id, post.post_id)
            carried += 1
    assert 0.05 < carried / small_town.town.plan.posts < 0.09


def test_totals_of_views_only_grow(small_town: SmallTown) -> None:
    seen: dict[str, list[tuple[str, int]]] = {}
    for line in _of(small_town, EventType.VIEWS_COUNTED):
        counted: ViewsCounted = line.decoded()
        seen.setdefault(counted.post_id, []).append((line.time, counted.views))
    assert max(len(counts) for counts in seen.values()) > 2
    for counts in seen.values():
        totals = [views for _, views in sorted(counts)]
        assert totals == sorted(totals)


def test_nothing_is_posted_engaged_with_or_deleted_before_it_is_there(
    small_town: SmallTown,
) -> None:
    born = {x.decoded().account_id: x.time for x in _of(small_town, EventType.ACCOUNT_CREATED)}
    posted = {x.decoded().post_id: x.time for x in _of(small_town, EventType.POST_CREATED)}
    for line in small_town.lines:
        data = line.decoded()
        assert born[data.account_id] <= line.time
        if isinstance(data, PostDeleted | ViewsCounted | EngagementCreated) and data.post_id:
            assert posted[data.post_id] <= line.time


def test_days_are_busier_than_nights(small_town: SmallTown) -> None:
    hours = Counter(line.time[11:13] for line in _of(small_town, EventType.POST_CREATED))
    assert hours["16"] > 2 * hours["04"]


def test_people_write_in_many_languages(small_town: SmallTown) -> None:
    languages = {line.decoded().language for line in _of(small_town, EventType.POST_CREATED)}
    assert languages >= {"en", "es", "de", "fr", "pt", "ja", "ar", "ru", "hi"}


def test_a_few_accounts_post_most(small_town: SmallTown) -> None:
    posts = Counter(line.decoded().account_id for line in _of(small_town, EventType.POST_CREATED))
    busiest = sum(count for _, count in posts.most_common(len(posts) // 5))
    assert busiest > 0.35 * small_town.town.plan.posts


def test_without_media_no_event_names_any() -> None:
    town = build_town(TownPlan(accounts=200, posts=1_000, media=False))
    assert not any(b"media" in line for line in town.events())
    assert town.posts_written == 1_000


def test_three_times_the_posts_do_not_take_three_times_the_memory() -> None:
    smaller, larger = _peak_bytes(6_000), _peak_bytes(18_000)
    # Held posts would take about 1 kB each: 12 MB more. The planted ones, which the truth names,
    # and what is pending take 0.2 MB.
    assert larger - smaller < 1_000_000


def test_as_many_accounts_sell_as_the_plan_says() -> None:
    town = build_town(TownPlan(accounts=400, posts=1_000, sellers=80, media=False))
    for _ in town.events():
        pass
    roles = Counter(one.role for one in town.truth().accounts.values())
    assert (roles["seller"], roles["returning"], town.posts_written) == (80, 16, 1_000)
    assert town.planted_posts > 160


@pytest.mark.parametrize(
    "plan",
    [
        TownPlan(posts=10),
        TownPlan(accounts=10),
        TownPlan(days=1),
        TownPlan(days=100_000),
        TownPlan(seed=-1),
        TownPlan(sellers=-1),
        TownPlan(accounts=100, sellers=51),
        TownPlan(accounts=2_000, posts=500, sellers=1_000),
        TownPlan(start=datetime(2026, 3, 1)),  # noqa: DTZ001  its missing zone is the point
    ],
)
def test_a_plan_out_of_bounds_is_refused_with_field_and_remedy(plan: TownPlan) -> None:
    with pytest.raises(InvalidInput) as refused:
        build_town(plan)
    assert refused.value.field in TownPlan.__struct_fields__
    assert refused.value.hint


def _of(small_town: SmallTown, kind: EventType) -> list[Any]:
    return [line for line in small_town.lines if line.type is kind]


def _peak_bytes(posts: int) -> int:
    tracemalloc.start()
    for _ in build_town(TownPlan(accounts=1_000, posts=posts)).events():
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
