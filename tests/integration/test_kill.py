"""kill -9 at any moment, of Nightlight and of its partners: the story ends the same.

SQLite and PostgreSQL are held against one undisturbed telling on SQLite, so both databases must
also agree with each other.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.story import Ending, Story, Stream, write_stream

from nightlight.town import TownPlan

_PLAN = TownPlan(seed=11, accounts=500, posts=7_000)
#: `make soak` kills more often.
_JUDGING_KILLS = 16
_FILING_KILLS = 8


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """About 20,000 events."""
    return write_stream(_PLAN, tmp_path_factory.mktemp("stream"))


@pytest.fixture(scope="module")
def undisturbed(
    stream: Stream,
    tmp_path_factory: pytest.TempPathFactory,
    command_environment: Callable[..., dict[str, str]],
) -> Ending:
    """How the story ends when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Story(
        folder=folder,
        database_url=f"sqlite:///{folder / 'nightlight.db'}",
        stream=stream,
        environment=command_environment(),
    ) as story:
        story.judge()
        story.decide()
        story.deliver()
        story.file()
        return story.ending()


def test_the_undisturbed_story_is_worth_comparing_with(undisturbed: Ending, stream: Stream) -> None:
    assert undisturbed.events == undisturbed.processed == stream.distinct > 19_000
    assert len(undisturbed.decisions) > 100
    assert len(undisturbed.reports) >= 5
    assert sum(len(files) for _, files in undisturbed.reports) >= 20
    assert {state for _, state in undisturbed.effects} == {"delivered"}
    assert undisturbed.received == {name for name, _ in undisturbed.effects}


def test_a_story_killed_two_dozen_times_ends_as_the_undisturbed_one(
    undisturbed: Ending,
    stream: Stream,
    tmp_path: Path,
    blank_url: str,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    chance = random.Random(20260301)  # noqa: S311  moments, not secrets
    with Story(
        folder=tmp_path,
        database_url=blank_url,
        stream=stream,
        environment=command_environment(),
    ) as story:
        story.judge(kills=_JUDGING_KILLS, chance=chance)
        story.decide()
        story.deliver(outages=2)
        story.file(kills=_FILING_KILLS, chance=chance)
        ending = story.ending()
    hits = [kill for kill in story.kills if kill.hit]
    assert len(hits) == _JUDGING_KILLS + _FILING_KILLS
    assert len(hits) >= 0.8 * len(story.kills), "kills struck while work was under way"
    for name in Ending.__struct_fields__:
        assert getattr(ending, name) == getattr(undisturbed, name), name
