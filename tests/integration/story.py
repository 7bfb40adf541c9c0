"""One whole story, from a stream of events to filed tips, told by processes that may be killed.

The story ends the same however often it is interrupted: ``Ending`` holds what must be equal.
"""

import base64
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from tests.fakes.blobs import ACCESS
from tests.fakes.simulators import Simulator
from tests.integration.launcher import Command, Launcher, Starter

from nightlight.adapters.sql import schema
from nightlight.adapters.sql.database import open_engine
from nightlight.bootstrap import build_services
from nightlight.model.case import Case, CaseState, CaseStep, EvidenceKind
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.settings import read_settings
from nightlight.town import TownPlan, build_town

_SECRET = f"whsec_{base64.b64encode(b'a secret for tests only').decode()}"
_POLL_S = 0.004
#: A command that shows no progress for so long hangs.
_HANG_S = 120.0
_ROUNDS = 200


class Stream(Struct, frozen=True, kw_only=True):
    """A town's events on disk, and its truth with the lists that it names."""

    events: Path
    truth: Path
    distinct: int


def write_stream(plan: TownPlan, folder: Path) -> Stream:
    """Return a town's events, now on disk with its pictures, lists and truth."""
    town = build_town(plan)
    events = folder / "town.jsonl"
    town.write_materials(events.with_suffix(""))
    keys = set()
    with events.open("wb") as file:
        for line in town.events():
            file.write(line + b"\n")
            told = msgspec.json.decode(line)
            keys.add((told["source"], told["id"]))
    truth = events.with_suffix(".truth.json")
    truth.write_bytes(msgspec.json.encode(town.truth()))
    return Stream(events=events, truth=truth, distinct=len(keys))


class Kill(Struct, frozen=True, kw_only=True):
    """One try to kill a command: when it struck, and whether the command still ran."""

    command: str
    moment: str
    hit: bool


class Ending(Struct, frozen=True, kw_only=True):
    """What a story came to: equal for two tellings of the same stream."""

    events: int
    last_place: int
    processed: int
    signals: frozenset[str]
    decisions: frozenset[str]
    cases: frozenset[tuple[str, str, str]]
    evidence: frozenset[tuple[str, str]]
    effects: frozenset[tuple[str, str]]
    received: frozenset[str]
    standings: frozenset[tuple[str, str, str]]
    reports: frozenset[tuple[str, tuple[str, ...]]]


class Story:
    """Nightlight, a platform and a CyberTipline, all with state on disk."""

    def __init__(
        self,
        *,
        folder: Path,
        database_url: str,
        stream: Stream,
        environment: dict[str, str],
        starter: Starter | None = None,
    ) -> None:
        self._folder = folder
        self._stream = stream
        self._url = database_url
        self._engine: Engine = open_engine(database_url)
        self.kills: list[Kill] = []
        self.platform = self._partner("platform", "--secret", _SECRET)
        self.cybertipline = self._partner("cybertipline")
        self._base = environment
        self._starter = starter or Launcher(environment)

    def _partner(self, name: str, *arguments: str) -> Simulator:
        """Return a simulator that comes back at the same address with the same state."""
        port = str(_free_port())
        state = str(self._folder / f"{name}.db")
        return Simulator(name, *arguments, "--state", state, "--port", port)

    def __enter__(self) -> Self:
        self.platform.start()
        self.cybertipline.start()
        self._environment = self._base | {
            "NIGHTLIGHT_HOME": str(self._folder / "home"),
            "NIGHTLIGHT_DATABASE_URL": self._url,
            "NIGHTLIGHT_PLATFORM_URL": f"{self.platform.url}/nightlight",
            "NIGHTLIGHT_PLATFORM_SECRET": _SECRET,
            "NIGHTLIGHT_CYBERTIPLINE_URL": f"{self.cybertipline.url}/ispws",
            "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
            "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
            "NIGHTLIGHT_REPORTER_EMAIL": "reporter@zorbleflux.example.test",
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._starter.close()
        self.platform.kill()
        self.cybertipline.kill()
        self._engine.dispose()

    # --- the parts of the story ---

    def judge(self, *, kills: int = 0, chance: random.Random | None = None) -> None:
        """Judge the whole stream, killed ``kills`` times on the way."""
        arguments = ("run", str(self._stream.events), "--truth", str(self._stream.truth),
                     "--batch", "100", "--quiet")  # fmt: skip
        self._interrupted(arguments, self._processed, kills, chance, self.platform, pause_s=0.25)
        self._finish(arguments)

    def decide(self) -> None:
        """Let a reviewer decide every case, the same way in every telling."""
        services = self._services()
        with services.unit_of_work.read() as tx:
            cases = tx.cases.queue(CaseState.OPEN, 10_000)
        # By account: ids of cases change with the policy's text, and with them who is dismissed.
        for number, case in enumerate(sorted(cases, key=lambda one: (one.account_id, one.id))):
            services.review.decide(case.id, _resolution(services, case, dismiss=number % 4 == 3))

    def deliver(self, *, outages: int = 0) -> None:
        """Deliver every effect; the platform dies and comes back ``outages`` times meanwhile."""
        dispatcher = self._services().dispatcher
        assert dispatcher is not None
        for round_number in range(_ROUNDS):
            if self._effects_waiting() == 0:
                return
            self.let_time_pass()
            if round_number < outages:
                self.platform.kill()
                dispatcher.run_due()
                self.platform.start()
                self.let_time_pass()
            dispatcher.run_due()
        raise AssertionError("effects are never delivered")

    def file(self, *, kills: int = 0, chance: random.Random | None = None) -> None:
        """File every tip, killed ``kills`` times on the way."""
        arguments = ("report", "file")
        # All tips are filed within a second: a longer pause would leave nothing to kill.
        partner = self.cybertipline
        self._interrupted(arguments, self._filing_steps, kills, chance, partner, pause_s=0.03)
        for _ in range(_ROUNDS):
            self.let_time_pass()
            self._start(arguments).wait()
            if self._tips_waiting() == 0:
                return
        raise AssertionError("tips are never filed")

    def let_time_pass(self) -> None:
        """Make everything due that waits for a lease or a back-off to end."""
        if not inspect(self._engine).has_table("effect"):
            return  # not even migrated yet
        with self._engine.begin() as connection:
            connection.execute(text("UPDATE effect SET next_us = 0 WHERE state = 'pending'"))
            connection.execute(text("UPDATE cybertip SET next_us = 0"))

    # --- killing ---

    def _interrupted(
        self,
        arguments: tuple[str, ...],
        progress: Callable[[], int],
        kills: int,
        chance: random.Random | None,
        partner: Simulator,
        *,
        pause_s: float,
    ) -> None:
        """Start the command until ``kills`` kills have hit it while it ran."""
        if chance is None:
            return
        hits = 0
        for number in range(2 * kills):
            if hits == kills:
                break
            moment = chance.choice(("blind", "after progress", "after progress", "between steps"))
            partner_dies = number % 6 == 5
            self.let_time_pass()
            command = self._start(arguments)
            if partner_dies:
                _wait_for(command, progress, steps=1)
                partner.kill()
            self._await_moment(command, moment, progress, chance, pause_s=pause_s)
            hit = command.poll() is None and _killed(command)
            hits += hit
            self.kills.append(Kill(command=arguments[0], moment=moment, hit=hit))
            if partner_dies:
                partner.start()

    def _await_moment(
        self,
        command: Command,
        moment: str,
        progress: Callable[[], int],
        chance: random.Random,
        *,
        pause_s: float,
    ) -> None:
        match moment:
            case "blind":
                time.sleep(chance.uniform(0.0, 0.4 + pause_s))
            case "after progress":
                _wait_for(command, progress, steps=1)
                time.sleep(chance.uniform(0.0, pause_s))
            case _:
                _wait_for(command, progress, steps=chance.randint(2, 5))

    def _start(self, arguments: tuple[str, ...]) -> Command:
        output = self._folder / "output.txt"
        return self._starter.start(*arguments, environment=self._environment, output=output)

    def _finish(self, arguments: tuple[str, ...]) -> None:
        status = self._start(arguments).wait()
        assert status == 0, (self._folder / "output.txt").read_text()[-2000:]

    # --- looking ---

    def _processed(self) -> int:
        """Return how many batches the record of processed places stands for."""
        table = schema.counter
        return self._number(select(table.c.value).where(table.c.name == "pipeline")) // 100

    def _filing_steps(self) -> int:
        return self._number(select(func.sum(schema.cybertip.c.revision)))

    def _effects_waiting(self) -> int:
        table = schema.effect
        return self._number(select(func.count()).where(table.c.state == "pending"))

    def _tips_waiting(self) -> int:
        table = schema.cybertip
        return self._number(select(func.count()).where(table.c.state != "filed"))

    def _number(self, statement: Any) -> int:
        """Return a number, 0 while its table does not exist yet."""
        try:
            with self._engine.connect() as connection:
                connection.execution_options(nightlight_write=False)
                return int(connection.execute(statement).scalar() or 0)
        except DBAPIError:
            return 0

    def _services(self) -> Services:
        return build_services(read_settings(self._environment))

    def ending(self) -> Ending:
        """Return what the story came to, having checked what needs no comparison."""
        services = self._services()
        verification = services.record.verify()
        assert verification.intact, verification.faults
        assert verification.anchors > 0
        platform, line = self.platform.state(), self.cybertipline.state()
        with self._engine.connect() as connection:
            rows = _Rows(connection)
            evidence = self._opened_evidence(services)
            self._check_receipts(services)
            return Ending(
                events=rows.number(select(func.count()).select_from(schema.event_log)),
                last_place=rows.number(select(func.max(schema.event_log.c.seq))),
                processed=rows.number(
                    select(schema.counter.c.value).where(schema.counter.c.name == "pipeline")
                ),
                signals=rows.ones(select(schema.signal.c.id)),
                decisions=rows.ones(select(schema.decision.c.id)),
                cases=rows.tuples(
                    select(
                        schema.review_case.c.id,
                        schema.review_case.c.state,
                        schema.review_case.c.decisions,
                    )
                ),
                evidence=evidence,
                effects=rows.tuples(select(schema.effect.c.id, schema.effect.c.state)),
                received=frozenset(one["webhook_id"] for one in platform["effects"]),
                standings=frozenset(
                    (kind, name, state)
                    for kind in ("accounts", "posts", "media")
                    for name, state in platform[kind].items()
                ),
                reports=_finished_reports(line["reports"]),
            )

    def _opened_evidence(self, services: Services) -> frozenset[tuple[str, str]]:
        """Return (case, evidence) ids; every sealed thing opens to what was sealed."""
        found: set[tuple[str, str]] = set()
        with services.unit_of_work.read() as tx:
            for case in tx.cases.queue(None, 10_000):
                for one in tx.evidence.of_case(case.id):
                    data = services.vault.open(one.digest, ACCESS)
                    assert len(data) == one.byte_count
                    found.add((case.id, one.id))
        return frozenset(found)

    def _check_receipts(self, services: Services) -> None:
        with services.unit_of_work.read() as tx:
            for tip in tx.tips.newest(10_000):
                assert tip.filing.state.value == "filed"
                assert f"<reportId>{tip.filing.remote_id}</reportId>" in tip.filing.receipt


class _Rows:
    """Reads rows as values that can be compared."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def number(self, statement: Any) -> int:
        return int(self._connection.execute(statement).scalar() or 0)

    def ones(self, statement: Any) -> frozenset[str]:
        return frozenset(self._connection.execute(statement).scalars())

    def tuples(self, statement: Any) -> frozenset[Any]:
        return frozenset(tuple(row) for row in self._connection.execute(statement))


def _resolution(services: Services, case: Case, *, dismiss: bool) -> Resolution:
    step = CaseStep.DISMISS if dismiss else CaseStep.CONFIRM
    with services.unit_of_work.read() as tx:
        evidence = tx.evidence.of_case(case.id)
    viewed = tuple(one.id for one in evidence if one.kind is EvidenceKind.MEDIA)
    return Resolution(step=step, reviewer="a test reviewer", reason="to see", viewed=viewed)


def _finished_reports(reports: list[dict[str, Any]]) -> frozenset[tuple[str, tuple[str, ...]]]:
    """Return (account, digests of its files) of each finished report; none has two."""
    finished = [one for one in reports if one["state"] == "finished"]
    times = Counter(one["esp_identifier"] for one in finished)
    assert not [account for account, count in times.items() if count > 1], "a tip was filed twice"
    return frozenset(
        (one["esp_identifier"], tuple(sorted(file["md5"] for file in one["files"])))
        for one in finished
    )


def _wait_for(command: Command, progress: Callable[[], int], *, steps: int) -> None:
    """Return once the command has come so many steps further, or has ended."""
    goal = progress() + steps
    give_up = time.monotonic() + _HANG_S
    while command.poll() is None and progress() < goal:
        assert time.monotonic() < give_up, "no progress"
        time.sleep(_POLL_S)


def _killed(command: Command) -> bool:
    """Kill the command without warning; return whether that is what ended it."""
    command.kill()
    return command.wait() == -9


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
