"""Lets a year of a bad town go through Nightlight, and accounts for every account it suspended.

``python -m benchmarks.year`` generates a year of Town in which every seventh account or so sells,
and lets everything happen as it would: events are judged day by day, a simulated reviewer decides
every case as the town's truth says, every account that was confirmed is suspended, tips are drafted
and noted as filed, some suspensions are appealed and overturned, of some a person says why they are
not reported. The clock is the town's. Then the year is reconciled: in the database, by the command,
and from the exported record alone by the separate verifier, which counts every month again.

What is left out is what talks to others: webhooks are not sent and tips not filed over HTTP.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.machine import describe_machine
from benchmarks.reconcile import Year, reconciled_apart, timed, verified_apart
from nightlight.bootstrap import build_services
from nightlight.ingest.reader import EventReader
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.cybertip import Destination
from nightlight.model.event import Event
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountActionId, CaseId
from nightlight.report.account_actions import PersonsWord
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.services.drafting import Drafting
from nightlight.services.filing import StoredTips
from nightlight.services.lists import read_list
from nightlight.services.sealed_machines import SealedMachines
from nightlight.settings import read_settings
from nightlight.town import Town, TownPlan, build_town

_START = datetime(2025, 1, 1, tzinfo=UTC)
_BATCH = 1_000
_MANY = 1_000_000
#: For each seller one advert volley of two, and less than one other post: it is to be a bad year.
_POSTS_EACH, _ACCOUNTS_EACH = 4, 3
#: Shares: of confirmed cases that are overturned on appeal before their tip is filed; of accounts
#: that nothing reports of which nobody says why.
_OVERTURNED, _LEFT = 0.06, 0.1
_SELLS = frozenset({"seller", "returning", "uploader"})
_FIRST, _SECOND = "ana (simulated person)", "ben (simulated person)"


class Measured(Struct, frozen=True, kw_only=True):
    """What a year came to; times are seconds.

    Attributes:
        finished: whether the whole year went through before time was up.
        growth: cases confirmed, seconds and seconds of the processor so far, ten times a year.
    """

    finished: bool
    events: int
    cases: int
    suspended: int
    reported: int
    explained: int
    undecided: int
    unexplained: int
    overdue: int
    audit_entries: int
    months_compared: int
    differences: int
    faults: int
    year_s: float
    year_cpu_s: float
    reconcile_s: float
    command_s: float
    verify_s: float
    growth: list[tuple[int, float, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print it."""
    parser = argparse.ArgumentParser(description="Account for a year of a generated town.")
    parser.add_argument("--sellers", type=int, default=80_000, help="accounts that sell")
    parser.add_argument("--seed", type=int, default=1, help="which town")
    parser.add_argument("--days", type=int, default=365, help="how long the year is")
    parser.add_argument("--seconds", type=float, default=1e9, help="end the year after so long")
    parser.add_argument("--folder", type=Path, help="a place with room")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        one = measure(
            options.sellers,
            Path(folder),
            days=options.days,
            seed=options.seed,
            longest_s=options.seconds,
        )
    if options.json:
        print(json.dumps(msgspec.to_builtins(one)))
        return
    print(describe_machine())
    for name, value in msgspec.to_builtins(one).items():
        shown = value if isinstance(value, list) else f"{value:,.2f}".removesuffix(".00")
        print(f"{name.replace('_', ' '):>18}  {shown}")


def measure(sellers: int, folder: Path, *, days: int, seed: int, longest_s: float) -> Measured:
    """Return what a year of a town with so many sellers came to."""
    given = {"NIGHTLIGHT_HOME": str(folder / "home"), "NIGHTLIGHT_INDEX_DIRECTORY": "none"}
    clock = Year()
    services = build_services(read_settings(given), clock=clock)
    town = build_town(
        TownPlan(
            seed=seed,
            accounts=max(200, _ACCOUNTS_EACH * sellers),
            posts=max(1_000, _POSTS_EACH * sellers),
            days=days,
            start=_START,
            media=False,
            sellers=sellers,
        )
    )
    life = _Life(services, clock, town, seed)
    life.run(folder, longest_s)
    reconcile_s = timed(services.report_decisions.reconcile)
    command_s, said = reconciled_apart(given)
    verify_s, verified = verified_apart(services, folder, said)
    found = services.report_decisions.reconcile()
    return Measured(
        finished=life.finished,
        events=life.events,
        cases=life.cases,
        suspended=found.total.suspended,
        reported=found.total.reported,
        explained=found.total.explained,
        undecided=found.total.undecided,
        unexplained=found.total.unexplained,
        overdue=found.overdue,
        audit_entries=verified["entries"],
        months_compared=len(verified["months"]),
        differences=len(verified["differences"]),
        faults=len(verified["faults"]),
        year_s=life.took_s,
        year_cpu_s=life.cpu_s,
        reconcile_s=reconcile_s,
        command_s=command_s,
        verify_s=verify_s,
        growth=life.growth,
    )


class _Life:
    """The year as it goes by."""

    def __init__(self, services: Services, clock: Year, town: Town, seed: int) -> None:
        self._services = services
        self._clock = clock
        self._town = town
        self._rng = Random(seed)  # noqa: S311  a draw to repeat, no secret
        self._appeals: list[CaseId] = []
        self._left: set[AccountActionId] = set()
        self.events = self.cases = self.confirmed = 0
        self.finished = False
        self.took_s = self.cpu_s = 0.0
        self.growth: list[tuple[int, float, float]] = []

    def run(self, folder: Path, longest_s: float) -> None:
        """Let the year happen, or as much of it as time allows."""
        who = {"actor": "benchmark", "reason": "the town's operator holds this list"}
        lexicon = self._town.write_materials(folder / "town").lexicon
        if lexicon is not None:
            self._services.lists.import_lexicon("TOWN", read_list(lexicon), **who)
        began, cpu_began = perf_counter(), process_time()
        for number, events in enumerate(self._days()):
            self._day(events)
            self.took_s, self.cpu_s = perf_counter() - began, process_time() - cpu_began
            if number % (self._town.plan.days // 10) == 0:
                self.growth.append((self.confirmed, round(self.took_s, 1), round(self.cpu_s, 1)))
                print(f"day {number}: confirmed, s, CPU s {self.growth[-1]}", file=sys.stderr)
            if self.took_s > longest_s:
                return
        self._clock.at += timedelta(days=1)
        self._decide()
        self._settle()
        self.finished = True

    def _days(self) -> Iterator[list[Event]]:
        """Yield what each day brings; the accounts of the years before come with the first."""
        day: list[Event] = []
        end = _START + timedelta(days=1)
        for one in EventReader().read_lines(self._town.events()):
            if not isinstance(one, Event):
                raise TypeError("the town wrote a line that cannot be read")
            if one.time >= end:
                yield day
                day, end = [], end + timedelta(days=1)
            day.append(one)
        yield day

    def _day(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), _BATCH):
            some = events[start : start + _BATCH]
            self._clock.at = max(self._clock.at, some[-1].time)
            done = self._services.processor.run(some)
            self.events += sum(one.events for one in done)
        self._settle()
        self._decide()

    def _decide(self) -> None:
        """Let a person decide every case as the truth says, and draw what becomes of it."""
        roles = self._town.truth().accounts
        with self._services.unit_of_work.read() as tx:
            cases = tx.cases.queue(CaseState.OPEN, _MANY)
        for case in cases:
            told = roles.get(case.account_id)
            step = CaseStep.CONFIRM if told and told.role in _SELLS else CaseStep.DISMISS
            self._services.review.decide(
                case.id, Resolution(step=step, reviewer=_FIRST, reason="as the truth says")
            )
            self.cases += 1
            if step is CaseStep.CONFIRM:
                self.confirmed += 1
                if self._rng.random() < _OVERTURNED:
                    self._appeals.append(case.id)

    def _settle(self) -> None:
        """Hear yesterday's appeals, note the other tips as filed, hear why others are not."""
        now, work = self._clock.now(), self._services.unit_of_work
        for case_id in self._appeals:
            for step, person in ((CaseStep.APPEAL, _FIRST), (CaseStep.OVERTURN, _SECOND)):
                self._services.review.decide(
                    case_id, Resolution(step=step, reviewer=person, reason="heard")
                )
        self._appeals.clear()
        machines = SealedMachines(unit_of_work=work, vault=self._services.vault)
        drafting = Drafting(platform_name="Zorbleflux", classify=False, machines=machines)
        tips = StoredTips(unit_of_work=work, clock=self._clock, drafting=drafting)
        for tip_id in tips.due(now, _MANY, destination=Destination.NCMEC):
            _, filing = tips.load(tip_id)
            filed = replace(filing, state=TipState.FILED, revision=filing.revision + 1)
            tips.save(filed, action="tip.filed")
        for waiting in self._services.report_decisions.undecided(_MANY):
            action = waiting.one.action.id
            if waiting.tip is not None or action in self._left:
                continue
            if self._rng.random() < _LEFT:
                self._left.add(action)
                continue
            self._services.report_decisions.decide(
                PersonsWord(action_id=action, reason="below_threshold", by=_SECOND, note="seen")
            )


if __name__ == "__main__":
    main()
