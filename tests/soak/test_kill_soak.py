"""kill -9 of cold-started commands, many more times than the quick suite can wait for."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.launcher import ColdStarter
from tests.integration.story import Ending, Story, write_stream

from nightlight.town import TownPlan

pytestmark = pytest.mark.soak

_PLAN = TownPlan(seed=23, accounts=600, posts=9_000)
_JUDGING_KILLS = 60
_FILING_KILLS = 20


def test_a_story_told_by_cold_started_commands_survives_eighty_kills(
    tmp_path: Path, blank_url: str, command_environment: Callable[..., dict[str, str]]
) -> None:
    stream = write_stream(_PLAN, tmp_path)
    endings: list[Ending] = []
    for name, judging, filing in (("calm", 0, 0), ("killed", _JUDGING_KILLS, _FILING_KILLS)):
        folder = tmp_path / name
        folder.mkdir()
        chance = random.Random(7)  # noqa: S311  moments, not secrets
        with Story(
            folder=folder,
            database_url=blank_url if name == "killed" else f"sqlite:///{folder / 'calm.db'}",
            stream=stream,
            environment=command_environment(),
            starter=ColdStarter(),
        ) as story:
            story.judge(kills=judging, chance=chance)
            story.decide()
            story.deliver(outages=3 if judging else 0)
            story.file(kills=filing, chance=chance)
            endings.append(story.ending())
    hits = [kill for kill in story.kills if kill.hit]
    assert len(hits) == _JUDGING_KILLS + _FILING_KILLS
    assert len(hits) >= 0.6 * len(story.kills), "kills struck while work was under way"
    for field in Ending.__struct_fields__:
        assert getattr(endings[1], field) == getattr(endings[0], field), field
