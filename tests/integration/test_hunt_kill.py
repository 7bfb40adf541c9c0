"""kill -9 of a hunt at any step: it ends as the undisturbed one, nothing found twice or lost."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import Struct
from tests.fakes.patience import until
from tests.integration.launcher import Launcher
from tests.synthetic.builders import event_of

from nightlight.bootstrap import build_services
from nightlight.detect.hunting import Hunt, HuntState
from nightlight.model.event import Event, PostCreated, PostDeleted, ViewsCounted
from nightlight.services import Services
from nightlight.settings import read_settings

_POSTS = 600
_BATCH = 4
_KILLS = 5
_FEWEST_KILLS = 3
#: A kill strikes at any moment of a step, which takes a few milliseconds.
_MOMENT_S = 0.03
_MOST = 100_000
_WORD = '{"text": "plimquat", "kind": "term", "severity": 90}'
_CUE = '{"text": "price list", "kind": "cue"}'
_OFFER = "fresh plimquat in stock today, price list on request for everybody who asks"


class Ending(Struct, frozen=True, kw_only=True):
    """What a hunt came to: equal for two hunts of the same window, whatever their ids."""

    counts: tuple[int, int, int]
    findings: list[tuple[str, str, str, int]]
    signals: list[tuple[str, str]]
    decisions: list[tuple[str, str, tuple[str, ...]]]
    effects: list[tuple[str, str]]
    cases: list[tuple[str, str]]
    evidence: list[tuple[str, str, str]]


def history() -> Iterator[Event]:
    """Yield offers and other posts, some seen, some deleted minutes later."""
    for number in range(_POSTS):
        name, offers = f"post-{number}", number % 5 == 0
        text = _OFFER if offers else f"tea at noon, table {number}"
        yield event_of(
            PostCreated(post_id=name, account_id=f"by-{number % 90}", text=text), minutes=number
        )
        if number % 3 == 0:
            yield event_of(
                PostDeleted(post_id=name, account_id=f"by-{number % 90}", deleted_by="author"),
                minutes=number + 7,
            )
        elif number % 4 == 0:
            yield event_of(ViewsCounted(post_id=name, views=number), minutes=number + 9)


def set_up(home: Path, database_url: str, keys_file: Path) -> Services:
    """Return services of a home in which a hunt for a new term waits."""
    (home / "keys").mkdir(parents=True)
    shutil.copyfile(keys_file, home / "keys" / "keys.json")
    settings = {"NIGHTLIGHT_HOME": str(home), "NIGHTLIGHT_DATABASE_URL": database_url}
    services = build_services(read_settings(settings))
    services.processor.run(list(history()))
    services.lists.import_lexicon("late", [_WORD, _CUE], actor="ana", reason="news")
    return services


def hunt_of(services: Services) -> Hunt:
    (found,) = services.hunts.newest(2)
    return found


def goes_on(services: Services) -> Callable[[], bool]:
    """Say, when asked later, whether the hunt has made a step since, or ended."""
    before = hunt_of(services)
    return lambda: hunt_of(services).at_seq > before.at_seq or before.state is HuntState.DONE


def ending(services: Services) -> Ending:
    hunt = hunt_of(services)
    assert hunt.state is HuntState.DONE
    _, findings = services.hunts.get(hunt.id, findings=_MOST)
    with services.unit_of_work.read() as tx:
        keys = [one.key for one in history()]
        cases = tx.cases.queue(None, _MOST)
        kept = [(case.account_id, one) for case in cases for one in tx.evidence.of_case(case.id)]
        return Ending(
            counts=(hunt.looked_at, hunt.found, hunt.known_before),
            findings=sorted(
                (one.event_key, str(one.up_from), str(one.up_until), one.views) for one in findings
            ),
            signals=sorted((one.event_key, one.detector) for one in tx.signals.of_events(keys)),
            decisions=sorted(
                (one.event_key, one.category, one.asks) for one in tx.decisions.newest(_MOST)
            ),
            effects=sorted(
                (one.effect.subject.id, one.effect.kind.value) for one in tx.outbox.newest(_MOST)
            ),
            cases=sorted((one.account_id, one.category) for one in cases),
            evidence=sorted((who, one.kind.value, one.content_id) for who, one in kept),
        )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, keys_file: Path) -> Ending:
    """How the hunt ends when nothing goes wrong, in steps of another size."""
    home = tmp_path_factory.mktemp("undisturbed")
    services = set_up(home / "home", f"sqlite:///{home / 'nightlight.db'}", keys_file)
    while services.hunts.step(limit=50) is not None:
        pass
    return ending(services)


def test_a_hunt_killed_again_and_again_finds_what_the_undisturbed_one_finds(
    undisturbed: Ending,
    database_url: str,
    tmp_path: Path,
    keys_file: Path,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    home = tmp_path / "home"
    services = set_up(home, database_url, keys_file)
    environment = command_environment(
        NIGHTLIGHT_HOME=str(home), NIGHTLIGHT_DATABASE_URL=database_url
    )
    output = tmp_path / "output"
    chance = random.Random(20261123)  # noqa: S311  moments, not secrets
    hits = 0
    with closing(Launcher(environment)) as launcher:
        for _ in range(_KILLS):
            hunter = launcher.start(
                *("hunt", "run", "--quiet", "--batch", str(_BATCH)),
                environment=environment,
                output=output,
            )
            until(goes_on(services), "the hunt goes on")
            time.sleep(chance.uniform(0, _MOMENT_S))
            hunter.kill()
            hits += hunter.wait() == -signal.SIGKILL
        assert hits >= _FEWEST_KILLS, "kills struck while the hunt was under way"
        # Whoever comes next goes on with it: here a worker, which is then killed too.
        worker = launcher.start("worker", environment=environment, output=output)
        until(lambda: hunt_of(services).state is HuntState.DONE, "the worker ends the hunt")
        worker.kill()
        worker.wait()
    found = ending(services)
    assert len(found.findings) == _POSTS // 5
    assert len(set(found.findings)) == len(found.findings)
    assert found == undisturbed
