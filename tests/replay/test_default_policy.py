"""Captured synthetic events give the expected decisions and effects, rule by rule.

Every rule of the default policy has a stream that makes it hold and look-alikes that must not.
``python tests/replay/test_default_policy.py`` writes the expectations anew; read the difference
before you commit it.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of

from nightlight.decide.policy import parse_policy
from nightlight.ingest.envelope import parse_event
from nightlight.model.audit import AuditEntry
from nightlight.model.effect import INTERNAL_EFFECTS
from nightlight.model.event import AccountCreated, PostCreated
from nightlight.model.ids import AccountId
from nightlight.pipeline import Judged
from nightlight.services.rules import default_policy

STREAMS = Path(__file__).parent / "streams"
EXPECTED = Path(__file__).parent / "expected"
RULES = [rule.name for rule in parse_policy(default_policy()).rules]
KINDS = ("fires", "look-alike")
#: An entry about which those who know it disagree.
DISPUTED = [f'{{"kind": "md5", "value": "{"7a" * 16}", "opinion": "disputed", "id": "entry-3"}}']
#: An account that was suspended before any stream begins.
STOPPED = AccountCreated(
    account_id="stopped-account",
    handle="gorp_lattice",
    display_name="Gorp Lattice",
    device="blip-9000",
)
ITS_POST = PostCreated(
    post_id="stopped-post", account_id="stopped-account", text="dm @gorp.lattice.shelf for plonks"
)


def replay(desk: Desk, rule: str, kind: str) -> list[dict[str, Any]]:
    """Return what followed from each event of a stream from which anything followed."""
    lines = (STREAMS / rule / f"{kind}.ndjson").read_bytes().splitlines()
    events = [parse_event(line) for line in lines]
    names = {event.key: event.id for event in events}
    judged = [one for batch in desk.take_in(*events) for one in batch.judged]
    return [_described(one, names) for one in judged]


def _described(judged: Judged, names: dict[Any, str]) -> dict[str, Any]:
    decision = judged.decision
    return {
        "event": names[decision.event_key],
        "subject": f"{decision.subject.kind}:{decision.subject.id}",
        "category": decision.category,
        "severity": decision.severity,
        "rules": [reason.rule for reason in decision.reasons],
        "case": judged.case_id is not None,
        "effects": [
            f"{effect.kind} {effect.subject.kind}:{effect.subject.id}"
            for effect in judged.plan.effects
            if effect.kind not in INTERNAL_EFFECTS
        ],
        "withheld": list(judged.plan.withheld),
    }


def furnished(folder: Path) -> Desk:
    """Return a desk with every list that a stream needs."""
    desk = Desk(folder)
    desk.services.banks.import_entries("contested", DISPUTED, actor="ana", reason="test")
    desk.take_in(event_of(STOPPED, minutes=-9_000), event_of(ITS_POST, minutes=-8_000))
    with desk.services.unit_of_work.begin() as tx:
        [stopped] = tx.context.accounts([AccountId(STOPPED.account_id)]).values()
        tx.context.save(accounts=[replace(stopped, suspended=True)], posts=(), media=())
        tx.commit(AuditEntry(actor="ana", action="events.processed", subject="a suspension"))
    return desk


def write_expectations() -> None:
    """Leave one current file a rule in ``expected``."""
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        desk = furnished(Path(folder))
        for rule in RULES:
            found = {kind: replay(desk, rule, kind) for kind in KINDS}
            (EXPECTED / f"{rule}.json").write_text(json.dumps(found, indent=2) + "\n")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return furnished(tmp_path_factory.mktemp("replay"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
def test_stream_gives_the_expected_decisions_and_effects(desk: Desk, rule: str, kind: str) -> None:
    expected = json.loads((EXPECTED / f"{rule}.json").read_text())
    assert replay(desk, rule, kind) == expected[kind]


@pytest.mark.parametrize("rule", RULES)
def test_rule_holds_for_its_stream_and_for_no_look_alike(rule: str) -> None:
    expected = json.loads((EXPECTED / f"{rule}.json").read_text())
    held = {kind: {name for one in expected[kind] for name in one["rules"]} for kind in KINDS}
    assert rule in held["fires"]
    assert rule not in held["look-alike"]


def test_every_stream_belongs_to_a_rule() -> None:
    assert {path.name for path in STREAMS.iterdir()} == set(RULES)


if __name__ == "__main__":
    write_expectations()
