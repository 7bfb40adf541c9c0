"""Measures accounting for a year of suspensions: ``python -m benchmarks.reconcile``.

Most of the year is written a thousand accounts at a time by the functions that pipeline, review and
filer call, in the same transactions: account actions, report decisions, effects, tips and audit
entries; without events, cases and evidence. The last accounts go through all of Nightlight: events
are judged, cases decided, tips noted as filed, persons heard. Then it is all reconciled: in the
database, by the command, and from the exported record alone by the separate verifier.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.machine import describe_machine
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.bootstrap import build_services
from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.decision import Decision
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.event import Event, EventType, MediaUploaded
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountId, CaseId, DecisionId, EffectId, TipId, event_key
from nightlight.model.incident import IncidentType
from nightlight.model.report_decision import Part
from nightlight.model.role import Knowledge
from nightlight.model.signal import Subject, SubjectKind
from nightlight.report.account_actions import PersonsWord, account_for, heard, settle, take_back
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.services.drafting import Drafting
from nightlight.services.filing import StoredTips
from nightlight.services.record_export import export
from nightlight.services.sealed_machines import SealedMachines
from nightlight.settings import environment_with, read_settings
from nightlight.transaction import Transaction

_YEAR, _DAYS = datetime(2025, 1, 1, tzinfo=UTC), 365
_BATCH = 1_000
#: What becomes of account actions, as shares: reported, taken back, explained by a person; the rest
#: is undecided.
_REPORTED, _TAKEN_BACK, _EXPLAINED = 0.6, 0.2, 0.12
_SELLER = Part(role="advertiser", acts=2, knowledge_for=(Knowledge.OFFERED,))
_SOURCE = "https://zorbleflux.example.test"
_MD5 = "11" * 16
_DONE = AuditEntry(actor="benchmark", action="events.processed", subject="a part of the year")


class Measured(Struct, frozen=True, kw_only=True):
    """What a year came to; times are seconds."""

    through_everything: int
    suspended: int
    reported: int
    explained: int
    undecided: int
    unexplained: int
    overdue: int
    audit_entries: int
    everything_per_s: float
    alone_per_s: float
    reconcile_s: float
    command_s: float
    reconsider_s: float
    verify_s: float
    months_compared: int
    differences: int
    faults: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print it."""
    parser = argparse.ArgumentParser(description="Measure accounting for a year of suspensions.")
    parser.add_argument("--suspensions", type=int, default=100_000, help="account actions in all")
    parser.add_argument("--everything", type=int, default=1_000, help="so many of them through all")
    parser.add_argument("--database", help="URL of an empty database; by default a new SQLite file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        one = measure(
            options.suspensions, options.everything, Path(folder), database=options.database
        )
    if options.json:
        print(json.dumps(msgspec.to_builtins(one)))
        return
    print(describe_machine())
    for name, value in msgspec.to_builtins(one).items():
        print(f"{name.replace('_', ' '):>18}  {value:,.2f}".removesuffix(".00"))


def measure(suspensions: int, whole: int, home: Path, *, database: str | None) -> Measured:
    """Return what writing a year of account actions and accounting for them took."""
    given = {"NIGHTLIGHT_HOME": str(home), "NIGHTLIGHT_INDEX_DIRECTORY": "none"}
    if database:
        given["NIGHTLIGHT_DATABASE_URL"] = database
    services = build_services(read_settings(given))
    alone_s = timed(lambda: _alone(services, suspensions - whole))
    whole_s = timed(lambda: _everything(services, whole))
    reconcile_s = median(timed(services.report_decisions.reconcile) for _ in range(5))
    command_s, said = reconciled_apart(given)
    verify_s, verified = verified_apart(services, home, said)
    found = services.report_decisions.reconcile()
    return Measured(
        through_everything=whole,
        suspended=found.total.suspended,
        reported=found.total.reported,
        explained=found.total.explained,
        undecided=found.total.undecided,
        unexplained=found.total.unexplained,
        overdue=found.overdue,
        audit_entries=verified["entries"],
        everything_per_s=whole / whole_s,
        alone_per_s=(suspensions - whole) / alone_s,
        reconcile_s=reconcile_s,
        command_s=command_s,
        reconsider_s=timed(services.report_decisions.compare),
        verify_s=verify_s,
        months_compared=len(verified["months"]),
        differences=len(verified["differences"]),
        faults=len(verified["faults"]),
    )


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def reconciled_apart(given: Mapping[str, str]) -> tuple[float, bytes]:
    """Return how long the command took as a process of its own, and what it printed."""
    command = [sys.executable, "-m", "nightlight", "report", "reconcile", "--json"]
    began = perf_counter()
    said = subprocess.run(
        command, env=environment_with(given), capture_output=True, check=True
    ).stdout
    return perf_counter() - began, said


def verified_apart(services: Services, home: Path, figures: bytes) -> tuple[float, dict[str, Any]]:
    """Return how long the separate verifier took for the exported record, and what it found."""
    exported, published = home / "export.ndjson", home / "figures.json"
    published.write_bytes(figures)
    with exported.open("wb") as file:
        file.writelines(export(services.record, services.unit_of_work))
    command = [sys.executable, "-m", "nightlight_verify", str(exported), "--json"]
    command += ["--key", services.record.verifier_key, "--figures", str(published)]
    began = perf_counter()
    said = subprocess.run(command, capture_output=True, check=False).stdout
    took = perf_counter() - began
    found: dict[str, Any] = json.loads(said)
    return took, found


class Year:
    """A clock that is moved through the year."""

    def __init__(self) -> None:
        self.at = _YEAR

    def now(self) -> datetime:
        """Return how far the year has come."""
        return self.at


def _alone(services: Services, count: int) -> None:
    """Write a year of account actions, and what became of them within the days after."""
    year, rng = Year(), Random(count)  # noqa: S311  a draw to repeat, no secret
    settings = services.settings
    engine = open_engine(str(settings.database_url))
    work = SqlUnitOfWork(engine=engine, clock=year, keys=FileKeyRing(settings.keys_file))
    for start in range(0, count, _BATCH):
        numbers = range(start, min(count, start + _BATCH))
        year.at = _YEAR + timedelta(days=_DAYS * start / count)
        with work.begin() as tx:
            tx.commit(_DONE, *_suspend(tx, numbers, year.at))
        year.at += timedelta(days=1)
        with work.begin() as tx:
            tx.commit(_DONE, *_settle(tx, numbers, year.at, rng))
    engine.dispose()


def _suspend(tx: Transaction, numbers: range, at: datetime) -> list[AuditEntry]:
    decisions = [_decision(number, at) for number in numbers]
    effects = [
        Effect(
            id=EffectId(f"eff-{number}"),
            decision_id=one.id,
            kind=EffectKind.SUSPEND,
            subject=one.subject,
            case_id=CaseId(f"case-{number}"),
        )
        for number, one in zip(numbers, decisions, strict=True)
    ]
    tx.decisions.add(decisions)
    parts = {one.account_id: _SELLER for one in decisions}
    store = tx.report_decisions
    entries = account_for(
        store, effects, decisions, threshold=DEFAULT_THRESHOLD, at=at, parts=parts
    )
    tx.outbox.put(effects, at=at)
    return entries


def _settle(tx: Transaction, numbers: range, at: datetime, rng: Random) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    store = tx.report_decisions
    for number in numbers:
        account, chance = _account(number), rng.random()
        if chance < _REPORTED:
            tip = _tip(number, at)
            tx.cases.save(_case(number, at))
            tx.tips.draft(tip, at=at)
            _, filing = tx.tips.load(tip.id)
            receipt = replace(filing, state=TipState.FILED, receipt="<ok/>", revision=1)
            tx.tips.save(receipt, at=at)
            entries += settle(store, tip.cases, account, at=at)
        elif chance < _REPORTED + _TAKEN_BACK:
            entries += take_back(store, account, by="ana", note="not so", at=at)
        elif chance < _REPORTED + _TAKEN_BACK + _EXPLAINED:
            action = store.standing([account])[account].action.id
            word = PersonsWord(
                action_id=action, reason="wrong_account", by="ben", note="taken over"
            )
            entries += heard(store, word, threshold=DEFAULT_THRESHOLD, at=at)[1]
    return entries


def _everything(services: Services, count: int) -> None:
    """Let accounts be locked by the policy, and their cases be decided, by all of Nightlight."""
    who = {"actor": "benchmark", "reason": "to measure"}
    services.banks.import_entries("made", [f'{{"kind": "md5", "value": "{_MD5}"}}'], **who)
    numbers = range(count)
    for start in range(0, count, _BATCH):
        for _ in services.processor.run([_upload(n) for n in numbers[start : start + _BATCH]]):
            pass
    with services.unit_of_work.read() as tx:
        cases = tx.cases.queue(CaseState.OPEN, count)
    machines = SealedMachines(unit_of_work=services.unit_of_work, vault=services.vault)
    drafting = Drafting(platform_name="Zorbleflux", classify=False, machines=machines)
    tips = StoredTips(unit_of_work=services.unit_of_work, clock=services.clock, drafting=drafting)
    for number, case in enumerate(cases):
        chance = number / count
        if chance < _REPORTED + _TAKEN_BACK:
            step = CaseStep.CONFIRM if chance < _REPORTED else CaseStep.DISMISS
            resolution = Resolution(step=step, reviewer="ana", reason="seen")
            services.review.decide(case.id, resolution)
        elif chance < _REPORTED + _TAKEN_BACK + _EXPLAINED:
            with services.unit_of_work.read() as tx:
                [one] = tx.report_decisions.of_account(case.account_id)
            services.report_decisions.decide(
                PersonsWord(action_id=one.action.id, reason="wrong_account", by="ben", note="so")
            )
    for tip_id in tips.due(services.clock.now(), count, destination=Destination.NCMEC):
        _, filing = tips.load(tip_id)
        filed = replace(filing, state=TipState.FILED, revision=filing.revision + 1)
        tips.save(filed, action="tip.filed")


def _upload(number: int) -> Event:
    name = f"upload-{number}"
    return Event(
        key=event_key(_SOURCE, name),
        source=_SOURCE,
        id=name,
        type=EventType.MEDIA_UPLOADED,
        time=_YEAR,
        data=MediaUploaded(media_id=f"media-{number}", account_id=f"whole-{number}", md5=_MD5),
    )


def _account(number: int) -> AccountId:
    return AccountId(f"account-{number:09d}")


def _decision(number: int, at: datetime) -> Decision:
    account = _account(number)
    return Decision(
        id=DecisionId(f"dec-{number}"),
        event_key=event_key(_SOURCE, str(number)),
        account_id=account,
        subject=Subject(kind=SubjectKind.ACCOUNT, id=account),
        decided_by="ana",
        policy_version="made",
        category="advert",
        severity=70,
        asks=("suspend",),
        reasons=(),
        time=at,
    )


def _case(number: int, at: datetime) -> Case:
    return Case(
        id=CaseId(f"case-{number}"),
        account_id=_account(number),
        state=CaseState.CONFIRMED,
        category="advert",
        severity=70,
        opened_at=at,
        decisions=(),
    )


def _tip(number: int, at: datetime) -> CyberTip:
    return CyberTip(
        id=TipId(f"tip-{number}"),
        case_id=CaseId(f"case-{number}"),
        account_id=_account(number),
        incident_type=IncidentType.CSAM,
        incident_at=at,
        platform="Zorbleflux",
        reported=(),
        narrative="Made to be counted.",
        files=(),
    )


if __name__ == "__main__":
    main()
