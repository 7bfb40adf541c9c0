"""A year of a generated town is accounted for, small: the large one is ``benchmarks.year``."""

import json

import pytest
from benchmarks import year


def account(
    capsys: pytest.CaptureFixture[str], sellers: int, *, days: int, months: int, least: int
) -> None:
    year.main(["--sellers", str(sellers), "--days", str(days), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["finished"]
    assert found["suspended"] >= least
    assert found["unexplained"] == 0
    assert found["suspended"] == found["reported"] + found["explained"] + found["undecided"]
    assert min(found["reported"], found["explained"]) > 0
    assert (found["months_compared"], found["differences"], found["faults"]) == (months, 0, 0)


def test_five_weeks_of_a_town_that_went_through_everything_leave_nothing_unexplained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account(capsys, 40, days=35, months=2, least=30)


@pytest.mark.soak
def test_two_thousand_suspensions_of_a_year_leave_nothing_unexplained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account(capsys, 2_000, days=365, months=12, least=2_000)
