"""The import contracts in ``pyproject.toml`` hold, and each of them notices a wrong import."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]
#: What each contract must notice: file, import that is wrong there.
PLANTED = {
    "Flow: entry points, wiring, stages, model": ("decide/facts.py", "nightlight.enforce.plan"),
    "Model: a later noun may name an earlier one, never the reverse": (
        "model/signal.py",
        "nightlight.model.case",
    ),
    "Detectors do not know each other": (
        "detect/user_report.py",
        "nightlight.detect.hash_match",
    ),
    "No cycles anywhere": ("report/field.py", "nightlight.report.document"),
    "Only the composition root names adapters": (
        "services/record.py",
        "nightlight.adapters.anchors_file",
    ),
    "Only launchers call the composition root": ("web/pages.py", "nightlight.bootstrap"),
    "Sealed media is reached through services, never directly": (
        "web/pages.py",
        "nightlight.preserve.vault",
    ),
    "Core is free of frameworks and I/O libraries": ("detect/known.py", "sqlalchemy"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_the_tree(to: Path) -> Path:
    shutil.copytree(
        ROOT / "src", to / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    shutil.copy(ROOT / "pyproject.toml", to / "pyproject.toml")
    return to


def test_contracts_hold() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the contracts say of a tree with one wrong import for each."""
    root = copy_of_the_tree(tmp_path_factory.mktemp("planted"))
    for file, wrong in PLANTED.values():
        path = root / "src" / "nightlight" / file
        before = path.read_text() if path.exists() else '"""Planted."""\n'
        path.write_text(f"{before}\nimport {wrong}\n")
    return lint(root).stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_notices_a_wrong_import(planted: str, contract: str) -> None:
    assert contract in PLANTED
    assert f"{contract} BROKEN" in planted


def test_module_of_a_new_name_is_noticed(tmp_path: Path) -> None:
    root = copy_of_the_tree(tmp_path)
    (root / "src" / "nightlight" / "utils.py").write_text('"""Planted."""\n')
    found = lint(root)
    assert found.returncode != 0
    assert "nightlight.utils" in found.stdout
