"""Services are tested on SQLite; that PostgreSQL answers alike is for ``tests/ports``."""

import pytest
from tests.fakes.bank_desk import BankDesk
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.sql.database import SqlUnitOfWork


@pytest.fixture
def kind() -> str:
    """Which database the tests here are on."""
    return "sqlite"


@pytest.fixture
def bank_desk(unit_of_work: SqlUnitOfWork, clock: HandClock) -> BankDesk:
    """Banks, still without any."""
    return BankDesk(unit_of_work, clock)
