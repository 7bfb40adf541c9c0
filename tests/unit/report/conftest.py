"""What reporting stores is tested on SQLite here; PostgreSQL is for ``tests/ports``."""

import pytest


@pytest.fixture
def kind() -> str:
    """Which database the tests here are on."""
    return "sqlite"
