"""What fails to be judged is held and becomes a case; the rest of the stream goes on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, make_event

from nightlight.adapters.media_source import ConfiguredMediaSource
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.bootstrap import build_hasher
from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import parse_policy
from nightlight.detect.detector import Detector
from nightlight.detect.user_report import UserReport
from nightlight.errors import Unavailable
from nightlight.ingest.media import MediaIntake
from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.effect import EffectKind
from nightlight.model.event import Event, EventType, PostCreated, UserReportCreated
from nightlight.model.ids import AccountId, event_key
from nightlight.model.signal import Fact, Signal
from nightlight.pipeline import Pipeline, Rules
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.seal import Sealer
from nightlight.preserve.vault import Vault
from nightlight.services.processing import Processor

_POLICY = b"""
name = "test"
revision = "1"

[[rules]]
name = "user-report"
when = "user_reported"
because = "Somebody reported it."
category = "user_report"
severity = 65
asks = ["preserve", "review"]

[confirmed.user_report]
asks = []

[confirmed.unknown]
asks = []
"""
_BAD = "zorbleflux"


class FragileDetector:
    """Breaks over one word, at most ``times`` times."""

    name = "fragile"
    facts: Mapping[str, Fact] = {}

    def __init__(self, times: int) -> None:
        self.left = times

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        assert isinstance(context, Context)
        if self.left and isinstance(event.data, PostCreated) and _BAD in event.data.text:
            self.left -= 1
            raise ZeroDivisionError
        return ()


class FragileJudge(Judge):
    """Breaks over every user report about one post."""

    def decide(self, event: Event, context: Context, signals: Sequence[Signal]) -> Decision | None:
        if event.post_id == "post-bad":
            raise RuntimeError
        return super().decide(event, context, signals)


class Bench:
    """A pipeline over one database, with detectors and judge of the test's choice."""

    def __init__(self, unit_of_work: SqlUnitOfWork, keys: KeyRing, folder: Path) -> None:
        self.unit_of_work = unit_of_work
        self._vault = Vault(blobs=DirectoryBlobStore(folder / "vault"), keys=keys)

    def processor(self, *detectors: Detector, judge: type[Judge] = Judge) -> Processor:
        clock = HandClock()
        intake = MediaIntake(
            source=ConfiguredMediaSource(root=None, origins=()),
            hasher=build_hasher(),
            wanted=lambda _: False,
            seal=self._vault.seal_file,
        )
        reports = UserReport()
        compiled = judge(policy=parse_policy(_POLICY), detectors_facts=[reports.facts])
        rules = Rules(detectors=(*detectors, reports), judge=compiled)
        pipeline = Pipeline(
            unit_of_work=self.unit_of_work,
            rules=lambda: rules,
            intake=intake,
            sealer=Sealer(vault=self._vault, clock=clock),
            clock=clock,
        )
        return Processor(pipeline=pipeline)

    def reasons(self) -> dict[str, str]:
        """Return the rule behind each decision, by the event's own id."""
        with self.unit_of_work.read() as tx:
            ids = {one.event.key: one.event.id for one in tx.events.read_after(0, 1000)}
            return {ids[one.event_key]: one.reasons[0].rule for one in tx.decisions.newest(1000)}

    def backlog(self) -> int:
        with self.unit_of_work.read() as tx:
            return tx.events.backlog()

    def head(self) -> int:
        with self.unit_of_work.read() as tx:
            return tx.events.head()


@pytest.fixture
def bench(unit_of_work: SqlUnitOfWork, keys: KeyRing, tmp_path: Path) -> Bench:
    return Bench(unit_of_work, keys, tmp_path)


def make_report(name: str, post: str = "post-1") -> Event:
    source = "https://zorbleflux.example.test"
    return Event(
        key=event_key(source, name),
        source=source,
        id=name,
        type=EventType.USER_REPORT_CREATED,
        time=NOON,
        data=UserReportCreated(
            user_report_id=name, account_id="somebody", post_id=post, reason="child_safety"
        ),
    )


@pytest.fixture
def mixed() -> list[Event]:
    """Ten harmless posts, of which the fifth breaks a detector, and reports around it."""
    posts = [make_event(f"p{n}", text=_BAD if n == 4 else "quibble") for n in range(10)]
    return [make_report("before"), *posts, make_report("after")]


@pytest.mark.parametrize("entry", ["run", "accept and process"])
def test_an_event_that_breaks_a_detector_is_held_and_becomes_a_case(
    bench: Bench, mixed: list[Event], entry: str
) -> None:
    processor = bench.processor(FragileDetector(times=1000))
    if entry == "run":
        processor.run(mixed)
    else:
        with bench.unit_of_work.begin() as tx:
            tx.events.append(mixed, at=NOON)
            tx.commit(ENTRY)
        processor.process(limit=1000)
    assert bench.backlog() == 0
    assert bench.reasons() == {"before": "user-report", "p4": "unjudged", "after": "user-report"}
    with bench.unit_of_work.read() as tx:
        (held,) = tx.outbox.newest(10)
        cases = {case.account_id: case.category for case in tx.cases.queue(None, 10)}
    assert (held.effect.kind, held.effect.subject.id) == (EffectKind.HOLD, "post-p4")
    assert cases[AccountId("account-p4")] == "unknown"


def test_a_detector_that_breaks_for_a_moment_loses_nothing(
    bench: Bench, mixed: list[Event]
) -> None:
    bench.processor(FragileDetector(times=3)).run(mixed)
    assert bench.backlog() == 0
    assert bench.reasons() == {"before": "user-report", "after": "user-report"}


def test_an_event_that_breaks_the_policy_is_held_and_becomes_a_case(bench: Bench) -> None:
    events = [make_report("one"), make_report("two", post="post-bad"), make_report("three")]
    bench.processor(judge=FragileJudge).run(events)
    assert bench.backlog() == 0
    assert bench.reasons() == {"one": "user-report", "two": "unjudged", "three": "user-report"}


def test_a_stream_judged_with_failures_is_judged_once(bench: Bench, mixed: list[Event]) -> None:
    processor = bench.processor(FragileDetector(times=1000))
    processor.run(mixed)
    with bench.unit_of_work.read() as tx:
        before = tx.audit.head()
    assert [batch.events for batch in processor.run(mixed)] == [0]
    with bench.unit_of_work.read() as tx:
        assert tx.audit.head() == before


@pytest.fixture
def impatient(engine: Engine) -> Engine:
    """An engine that waits for a lock for a moment only."""

    def configure(connection: Any, _: object) -> None:
        if isinstance(connection, SqliteConnection):
            connection.execute("PRAGMA busy_timeout = 50")
        else:
            connection.execute("SET lock_timeout = 50")
            connection.commit()

    event.listen(engine, "connect", configure)
    return engine


def hold_everything(engine: Engine) -> Any:
    """Return a connection that keeps others from writing until it is closed."""
    connection = engine.connect()
    lock = {"sqlite": "SELECT 1", "postgresql": "LOCK TABLE counter, audit_head IN EXCLUSIVE MODE"}
    connection.execute(text(lock[engine.dialect.name]))
    return connection


@pytest.mark.parametrize("step", ["run", "process"])
def test_while_the_database_is_locked_nothing_is_acknowledged(
    impatient: Engine, bench: Bench, mixed: list[Event], step: str
) -> None:
    processor = bench.processor(FragileDetector(times=0))
    steps: dict[str, Callable[[], object]] = {
        "run": lambda: processor.run(mixed),
        "process": lambda: processor.process(limit=100),
    }
    if step == "process":
        with bench.unit_of_work.begin() as tx:
            tx.events.append(mixed, at=NOON)
            tx.events.offset()
            tx.commit(ENTRY)
    before = bench.head()
    with hold_everything(impatient), pytest.raises(Unavailable):
        steps[step]()
    assert bench.head() == before
    assert bench.reasons() == {}
    steps[step]()
    assert bench.backlog() == 0
    assert bench.reasons() == {"before": "user-report", "after": "user-report"}
