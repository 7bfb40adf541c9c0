"""The reference pages are those that the code gives today."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate_reference.py", folder],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
    )
    return folder


def test_reference_pages_are_current(written: Path) -> None:
    current = {path.name: path.read_text("utf-8") for path in written.iterdir()}
    committed = {name: (FOLDER / name).read_text("utf-8") for name in current}
    assert committed == current, "run scripts/generate_reference.py"


def test_no_page_is_left_over_from_before(written: Path) -> None:
    names = {path.name for path in written.iterdir()} | {"README.md"}
    assert {path.name for path in FOLDER.glob("*.md")} <= names


def test_settings_page_names_every_setting(written: Path) -> None:
    assert "`NIGHTLIGHT_CYBERTIPLINE_ARMED`" in (written / "settings.md").read_text()
