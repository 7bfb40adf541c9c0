"""A tip that cannot be filed as it is stored stops no other tip, and is set aside by name."""

import pytest
from tests.fakes.cybertip_store import MemoryMedia, MemoryTipStore, make_tip

from nightlight.errors import Conflict, IntegrityFailure, NotPermitted, Unavailable
from nightlight.model.filing import Filing
from nightlight.model.ids import TipId
from nightlight.report.remedy import is_set_aside
from nightlight.report.round import file_each

NAMES = [TipId("tip-1"), TipId("tip-2"), TipId("tip-3")]


def store() -> MemoryTipStore:
    return MemoryTipStore(*(make_tip(MemoryMedia(), files=0, name=name) for name in NAMES))


def failing(kept: MemoryTipStore, error: Exception) -> list[Filing]:
    """File three tips, the second of which fails so."""

    def advance(tip_id: TipId) -> Filing:
        if tip_id == NAMES[1]:
            raise error
        return kept.filings[tip_id]

    return file_each(NAMES, advance, store=kept)


def test_a_tip_that_cannot_be_read_is_set_aside_and_says_why() -> None:
    kept = store()
    done = failing(kept, IntegrityFailure("a quibble"))
    assert [one.tip_id for one in done] == NAMES
    assert [is_set_aside(one) for one in done] == [False, True, False]
    assert kept.aside == {NAMES[1]: "a quibble"}


def test_what_an_unforeseen_fault_says_is_kept_out_of_the_record() -> None:
    kept = store()
    failing(kept, KeyError("zorbleflux"))
    assert kept.aside == {NAMES[1]: "a fault nobody foresaw: KeyError"}


def test_a_tip_that_another_filer_has_is_left_to_it() -> None:
    kept = store()
    assert [one.tip_id for one in failing(kept, Conflict("x"))] == [NAMES[0], NAMES[2]]
    assert kept.aside == {}


@pytest.mark.parametrize("error", [NotPermitted("x"), Unavailable("x")])
def test_what_every_tip_would_meet_is_no_fault_of_one(error: Exception) -> None:
    kept = store()
    with pytest.raises(type(error)):
        failing(kept, error)
    assert kept.aside == {}
