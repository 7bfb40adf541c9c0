"""When an entry of a bank is matched against."""

from datetime import datetime, timedelta

import pytest
from tests.fakes.cybertip_store import NOON

from nightlight.model.bank import BankEntry, EntryState, HashKind


@pytest.mark.parametrize(
    ("state", "until", "acts"),
    [
        (EntryState.ACTIVE, None, True),
        (EntryState.DISABLED, None, False),
        (EntryState.DISABLED, NOON + timedelta(seconds=1), False),
        (EntryState.DISABLED, NOON, True),
        (EntryState.WITHDRAWN, None, False),
    ],
)
def test_an_entry_acts_unless_it_is_disabled_or_withdrawn(
    state: EntryState, until: datetime | None, *, acts: bool
) -> None:
    entry = BankEntry(
        id="e", bank="b", kind=HashKind.MD5, value="11" * 16, state=state, disabled_until=until
    )
    assert entry.acts_at(NOON) is acts
