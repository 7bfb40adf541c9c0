"""A year of suspensions adds up, small: the large one is ``python -m benchmarks.reconcile``."""

import json

import pytest
from benchmarks import reconcile


def test_a_year_of_suspensions_adds_up_and_is_counted_again_from_the_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reconcile.main(["--suspensions", "220", "--everything", "20", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["suspended"], found["unexplained"]) == (220, 0)
    assert found["reported"] + found["explained"] + found["undecided"] == 220
    assert min(found["reported"], found["explained"], found["undecided"]) > 0
    assert (found["differences"], found["faults"]) == (0, 0)
    assert found["months_compared"] >= 2
