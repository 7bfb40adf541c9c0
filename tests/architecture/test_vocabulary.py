"""Code and pages speak the glossary's words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightlight.model.audit import ACTIONS
from nightlight.model.case import CaseState
from nightlight.model.effect import DeliveryState
from nightlight.report.ports import FilingAction

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "nightlight"
#: Not ours: kept as its authors wrote it.
FOREIGN = SOURCES / "web" / "console" / "static"
#: Said in other words: see the glossary.
AVOIDED = re.compile(
    r"black.?list|white.?list|moderator|\bticket|shadow.?ban|child.porn|\bverdict|bad.?words",
    re.IGNORECASE,
)
#: The places that must: the CyberTipline's own name of an incident type, and FFmpeg's of an option.
ALLOWED = {("report/incident_xml.py", "Child Porn"), ("adapters/video_hasher.py", "whitelist")}
ACTION = re.compile(
    r"(events|account|report|evidence|decision|case|effect|bank|lexicon|policy|tip|exchange|media|token|test|hunt|offer|keys|hold|custody|suggestion|record|statement)"
    r"\.(\w+ed|sealed|made|dead|held|reset|viewed|destruction_ordered|\w*withdrawn|upheld|overturned|started_over|set_aside|overdue|found|given|sent)"
)
#: What looks like an action: a field of the policy file, and the types of a webhook and of events.
NO_ACTIONS = {
    "report.overdue",
    "policy.confirmed",
    "effect.requested",
    "media.uploaded",
    "account.created",
    "account.updated",
}


def source_files() -> Iterator[Path]:
    for pattern in ("*.py", "*.html", "*.css", "*.toml", "*.json"):
        yield from (path for path in SOURCES.rglob(pattern) if FOREIGN not in path.parents)


def test_sources_use_the_words_of_the_glossary() -> None:
    found = {
        (path.relative_to(SOURCES).as_posix(), match.group())
        for path in source_files()
        for match in AVOIDED.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize("word", ["blacklist", "White-list", "moderator", "a ticket", "Verdict"])
def test_avoided_words_are_noticed(word: str) -> None:
    assert AVOIDED.search(f"the {word} of it")


def strings_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_action_in_the_code_is_described() -> None:
    written = {
        text
        for path in SOURCES.rglob("*.py")
        if path.name != "audit.py" or path.parent.name != "model"
        for text in strings_in(path)
        if ACTION.fullmatch(text)
    }
    composed = {
        *(f"effect.{state}" for state in DeliveryState if state is not DeliveryState.PENDING),
        *(f"case.{state}" for state in CaseState if state is not CaseState.OPEN),
    }
    assert {*FilingAction} <= written
    assert (written - NO_ACTIONS) | composed == set(ACTIONS)
