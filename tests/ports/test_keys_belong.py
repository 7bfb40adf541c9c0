"""A database is opened with the keys that it was sealed under, and with no others."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.fakes.blobs import fresh_keys

from nightlight.adapters.sql.database import check_keys
from nightlight.errors import InvalidInput


def test_other_keys_than_the_first_are_refused(engine: Engine, tmp_path: Path) -> None:
    keys = fresh_keys(tmp_path)
    check_keys(engine, keys)
    with pytest.raises(InvalidInput, match="other keys") as caught:
        check_keys(engine, fresh_keys(tmp_path, "made-anew.json"))
    assert "backup" in caught.value.hint
    check_keys(engine, keys)
