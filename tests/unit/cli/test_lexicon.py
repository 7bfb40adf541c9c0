"""``nightlight lexicon --alone`` stands for one person, and for no program's name."""

from pathlib import Path

import pytest

from nightlight.cli.lexicon import import_lexicon, withdraw
from nightlight.errors import InvalidInput


@pytest.mark.parametrize("name", ["nightlight", " Nightlight run --truth"])
def test_person_who_takes_a_program_s_name_changes_nothing_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    file = tmp_path / "words.ndjson"
    file.write_text('{"text": "zorbleflux"}\n')
    with pytest.raises(InvalidInput, match="program"):
        import_lexicon(file, name="words", by=name, reason="x", alone=True)
    with pytest.raises(InvalidInput, match="program"):
        withdraw("words", by=name, reason="x", alone=True)
