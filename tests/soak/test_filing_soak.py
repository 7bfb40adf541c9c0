"""A thousand filings with kill -9 and scripted faults at random steps."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.storm import Storm

pytestmark = pytest.mark.soak


def test_a_thousand_tips_are_filed_once_each(
    tmp_path: Path,
    command_environment: Callable[..., dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Storm(
        tmp_path, tips=1_000, faults=800, seed=7, environment=command_environment()
    ) as storm:
        storm.run(kills=150)
        reports = storm.check()
    with capsys.disabled():
        print(f"{storm.kills} kills, {storm.retries} retries by a person, reports: {reports}")  # noqa: T201
    assert reports["finished"] == 1_000
