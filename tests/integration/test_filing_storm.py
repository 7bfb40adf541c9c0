"""kill -9 and a CyberTipline that fails at random calls: every tip is filed once, none is left."""

from collections.abc import Callable
from pathlib import Path

from tests.integration.storm import Storm

_TIPS, _FAULTS, _KILLS = 40, 30, 12


def test_every_tip_is_filed_once_whatever_is_killed_and_fails(
    tmp_path: Path, command_environment: Callable[..., dict[str, str]]
) -> None:
    with Storm(
        tmp_path, tips=_TIPS, faults=_FAULTS, seed=20260301, environment=command_environment()
    ) as storm:
        storm.run(kills=_KILLS)
        assert storm.check()["finished"] == _TIPS
    assert storm.kills == _KILLS
