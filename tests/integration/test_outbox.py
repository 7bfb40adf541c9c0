"""Effects reach the platform, a process of its own: at least once, in order, whatever fails."""

import base64
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Struct
from tests.fakes.cybertip_store import HandClock
from tests.fakes.simulators import Simulator
from tests.ports.builders import ENTRY, make_effect

from nightlight.adapters.platform_http import HttpPlatform
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.enforce.outbox import OutboxOptions
from nightlight.model.effect import DeliveryState, Effect, EffectKind
from nightlight.model.ids import derive_id
from nightlight.preserve.ports import KeyRing
from nightlight.services.delivery import Dispatcher

_SECRET = f"whsec_{base64.b64encode(b'a secret for tests only').decode()}"


@pytest.fixture
def clock() -> HandClock:
    """Starts now: the platform refuses webhooks that are minutes old."""
    return HandClock(datetime.now(UTC))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = tmp_path_factory.mktemp("platform") / "platform.db"
    with Simulator(
        "platform", "--secret", _SECRET, "--state", str(state), "--port", str(port)
    ) as platform:
        yield platform


def make_dispatcher(
    platform: Simulator, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> Dispatcher:
    return Dispatcher(
        unit_of_work=unit_of_work,
        platform=HttpPlatform(url=f"{platform.url}/nightlight", secret=_SECRET, timeout_s=5),
        clock=clock,
        options=OutboxOptions(),
    )


class Scene(Struct, frozen=True, kw_only=True):
    """A platform, a dispatcher towards it, and a name that no other test gives its effects."""

    platform: Simulator
    dispatcher: Dispatcher
    unit_of_work: SqlUnitOfWork
    clock: HandClock
    name: str

    def put(self, *effects: Effect) -> None:
        with self.unit_of_work.begin() as tx:
            tx.outbox.put(effects, at=self.clock.now())
            tx.commit(ENTRY)

    def run_due(self) -> list[str]:
        """Return the states of what was tried."""
        return [one.state.value for one in self.dispatcher.run_due()]

    def received(self) -> list[tuple[str, int]]:
        """Return (webhook id, repeats) of this test's effects, in the order of first arrival."""
        effects: list[dict[str, Any]] = self.platform.state()["effects"]
        return [
            (one["webhook_id"], one["repeats"])
            for one in effects
            if one["webhook_id"].startswith(self.name)
        ]

    def recorded(self) -> list[tuple[str, str]]:
        with self.unit_of_work.read() as tx:
            return [(one.entry.action, one.entry.subject) for one in tx.audit.entries()][1:]


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    running: Simulator,
    unit_of_work: SqlUnitOfWork,
    clock: HandClock,
) -> Scene:
    running.clear_faults()
    return Scene(
        platform=running,
        dispatcher=make_dispatcher(running, unit_of_work, clock),
        unit_of_work=unit_of_work,
        clock=clock,
        name=derive_id("test", request.node.nodeid),
    )


def test_while_the_platform_is_down_effects_wait_longer_each_time_and_then_arrive_once(
    scene: Scene,
) -> None:
    scene.put(*(make_effect(f"{scene.name}-{n}", of=f"{scene.name}-{n}") for n in range(3)))
    scene.platform.kill()
    waits = []
    for _ in range(4):
        first, *_ = tried = scene.dispatcher.run_due()
        assert {one.state for one in tried} == {DeliveryState.PENDING}
        assert scene.dispatcher.run_due() == [], "nothing is due before its time"
        wait_s = (first.next_attempt_at - scene.clock.now()).total_seconds()
        waits.append(wait_s)
        scene.clock.advance(seconds=wait_s)
    scene.platform.start()
    assert scene.run_due() == ["delivered"] * 3
    assert waits == [1, 2, 4, 8]
    assert scene.received() == [(f"{scene.name}-{n}", 0) for n in range(3)]
    assert scene.recorded() == [("effect.delivered", f"{scene.name}-{n}") for n in range(3)]


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_an_effect_that_the_platform_refuses_is_dead_and_shown(
    scene: Scene,
    status: int,
) -> None:
    scene.put(make_effect(scene.name, of=scene.name))
    scene.platform.fault(path="/nightlight", kind="code", code=status)
    assert scene.run_due() == ["dead"]
    scene.clock.advance(seconds=200)
    assert scene.dispatcher.run_due() == []
    with scene.unit_of_work.read() as tx:
        (shown,) = tx.outbox.newest(5)
        assert tx.figures.figures().effects == {"dead": 1}
    assert shown.failure == f"the platform refuses the effect with {status}"
    assert scene.recorded() == [("effect.dead", scene.name)]


@pytest.mark.parametrize("status", [401, 403, 408, 409, 425, 429, 500, 503])
def test_a_refusal_that_may_pass_is_tried_again(
    scene: Scene,
    status: int,
) -> None:
    scene.put(make_effect(scene.name, of=scene.name))
    scene.platform.fault(path="/nightlight", kind="code", code=status)
    assert scene.run_due() == ["pending"]
    scene.clock.advance(seconds=1)
    assert scene.run_due() == ["delivered"]
    assert scene.received() == [(scene.name, 0)]


def test_an_effect_whose_answer_was_lost_comes_again_under_the_same_id(
    scene: Scene,
) -> None:
    scene.put(make_effect(scene.name, of=scene.name))
    scene.platform.fault(path="/nightlight", kind="drop_answer")
    assert scene.run_due() == ["pending"]
    scene.clock.advance(seconds=1)
    assert scene.run_due() == ["delivered"]
    assert scene.received() == [(scene.name, 1)]


@pytest.mark.parametrize("trouble", ["error_500", "drop_request", "drop_answer"])
def test_restore_waits_until_hide_has_arrived(
    scene: Scene,
    trouble: str,
) -> None:
    scene.put(make_effect(f"{scene.name}-hide", of=scene.name))
    scene.platform.fault(path="/nightlight", kind=trouble, times=2)
    scene.dispatcher.run_due()
    scene.clock.advance(seconds=0.5)
    scene.put(make_effect(f"{scene.name}-restore", EffectKind.RESTORE, of=scene.name))
    assert scene.dispatcher.run_due() == [], "restore waits while hide waits"
    for _ in range(4):
        scene.clock.advance(seconds=4)
        scene.dispatcher.run_due()
    assert [one for one, _ in scene.received()] == [f"{scene.name}-hide", f"{scene.name}-restore"]
    assert scene.platform.state()["posts"][scene.name] == "visible"
    with scene.unit_of_work.read() as tx:
        assert tx.outbox.pending() == 0


def test_what_a_worker_claimed_before_it_died_is_delivered_after_its_lease(
    scene: Scene,
) -> None:
    scene.put(make_effect(scene.name, of=scene.name))
    with scene.unit_of_work.begin() as tx:
        tx.outbox.claim(now=scene.clock.now(), lease_s=60, limit=5)
        tx.commit_unrecorded()
    scene.clock.advance(seconds=59)
    assert scene.dispatcher.run_due() == []
    scene.clock.advance(seconds=1)
    assert scene.run_due() == ["delivered"]
    assert scene.received() == [(scene.name, 0)]


def test_two_workers_deliver_each_effect_once(
    scene: Scene, database_url: str, keys: KeyRing
) -> None:
    effects = [make_effect(f"{scene.name}-{n:03}", of=f"{scene.name}-{n}") for n in range(150)]
    scene.put(*effects)

    def work() -> int:
        engine = open_engine(database_url)
        own = SqlUnitOfWork(engine=engine, clock=scene.clock, keys=keys)
        mine = make_dispatcher(scene.platform, own, scene.clock)
        done = 0
        while tried := mine.run_due():
            done += len(tried)
        engine.dispose()
        return done

    with ThreadPoolExecutor(2) as pool:
        counts = [one.result() for one in [pool.submit(work), pool.submit(work)]]
    assert sum(counts) == len(effects)
    assert sorted(scene.received()) == [(effect.id, 0) for effect in effects]


class _SlowPlatform:
    """Confirms everything, ten seconds later."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        assert effect.id
        assert at <= self._clock.at
        self._clock.advance(seconds=10)

    def is_reachable(self) -> bool:
        return True


def test_a_slow_platform_gets_no_more_than_the_lease_allows(
    scene: Scene,
) -> None:
    scene.put(*(make_effect(f"e-{n:02}", of=f"p-{n}") for n in range(20)))
    slow = Dispatcher(
        unit_of_work=scene.unit_of_work,
        platform=_SlowPlatform(scene.clock),
        clock=scene.clock,
        options=OutboxOptions(lease_s=60),
    )
    began = scene.clock.now()
    assert len(slow.run_due()) < 6
    assert (scene.clock.now() - began).total_seconds() < 60, "no other worker has claimed them"
    tried = [one for _ in range(10) for one in slow.run_due()]
    assert {one.state for one in tried} == {DeliveryState.DELIVERED}
    with scene.unit_of_work.read() as tx:
        assert tx.outbox.pending() == 0
