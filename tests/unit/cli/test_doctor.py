"""``nightlight doctor`` says which safeguards have stopped."""

import contextlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.simulators import Simulator
from tests.ports.builders import ENTRY

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.bootstrap import build_services, cover_keys
from nightlight.cli.doctor import doctor
from nightlight.model.custody import Destruction, KeptPost
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId
from nightlight.services import Services
from nightlight.settings import read_settings


def said_of(part: str, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    with contextlib.suppress(typer.Exit):
        doctor(json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(one["health"], one["says"]) for one in told if one["part"] == part]


def said_of_checkpoints(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    [said] = said_of("checkpoints", capsys)
    return said


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Services of the home that doctor examines."""
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    # Looking whether decoders are walled in takes seconds, and other tests do.
    monkeypatch.setattr("nightlight.cli.doctor.missing_walls", list)
    return build_services(read_settings())


def commit(services: Services) -> None:
    with services.unit_of_work.begin() as tx:
        tx.commit(ENTRY)


def test_record_that_is_no_longer_signed_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    settings = read_settings()
    services = build_services(settings)
    engine = open_engine(f"sqlite:///{home / 'nightlight.db'}")
    long_ago = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=FileKeyRing(settings.keys_file))
    for is_signed in (True, False):
        with long_ago.begin() as tx:
            tx.commit(ENTRY)
        if is_signed:
            services.record.anchor()
            assert said_of_checkpoints(capsys)[0] == "ok", "nothing came since"
    engine.dispose()
    health, says = said_of_checkpoints(capsys)
    assert (health, "not signed" in says) == ("warning", True)
    services.record.anchor()
    assert said_of_checkpoints(capsys)[0] == "ok"


def test_publishing_that_stopped_is_told_of(
    services: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NIGHTLIGHT_CHECKPOINT_FOLDER", str(tmp_path / "public"))
    record = build_services(read_settings()).record
    commit(services)
    record.anchor()
    assert "not published: not yet" in said_of_checkpoints(capsys)[1]
    record.publish()
    assert said_of_checkpoints(capsys)[0] == "ok"
    now = services.clock.now()
    published = record.published()
    assert published is not None
    record._published.save(replace(published, at=now - timedelta(hours=3)))
    assert said_of_checkpoints(capsys)[0] == "ok", "nothing came since"
    commit(services)
    record.anchor()
    health, says = said_of_checkpoints(capsys)
    assert (health, "none published since entry 1, 3 h ago" in says) == ("warning", True)
    record._published.save(replace(published, failure="the place is full"))
    health, says = said_of_checkpoints(capsys)
    assert (health, "not published: the place is full" in says) == ("warning", True)


def test_a_step_of_the_worker_that_fails_is_told_of(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    for failing, expected in (
        ("", ("ok", "alive 0 s ago")),
        ("destroy: unavailable", ("wrong", "steps of its work fail: destroy: unavailable")),
    ):
        with services.unit_of_work.begin() as tx:
            at = services.clock.now() + timedelta(seconds=30)
            tx.heartbeats.beat("worker", at=at, detail=failing)
            tx.commit_unrecorded()
        [(health, says)] = said_of("worker", capsys)
        assert health == expected[0]
        assert failing in says
    with services.unit_of_work.begin() as tx:
        tx.heartbeats.beat("worker", at=services.clock.now() - timedelta(minutes=2), detail="")
        tx.commit_unrecorded()
    assert said_of("worker", capsys) == [("warning", "not running")]


def order(services: Services, evidence_id: str, *, hours_ago: float) -> None:
    at = services.clock.now() - timedelta(hours=hours_ago)
    with services.unit_of_work.begin() as tx:
        tx.custody.order(
            [
                Destruction(
                    evidence_id=evidence_id,
                    case_id=CaseId("case-1"),
                    rule="a rule",
                    due_at=at,
                    ordered_at=at,
                )
            ]
        )
        tx.commit(ENTRY)


def test_destructions_that_are_overdue_and_files_that_are_missing_are_told_of(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order(services, "fresh", hours_ago=1.9)
    assert said_of("destruction", capsys) == []
    order(services, "gone", hours_ago=2.2)
    order(services, "late", hours_ago=2.1)
    assert said_of("destruction", capsys) == [
        ("wrong", "2 ordered destructions were not carried out")
    ]
    with services.unit_of_work.begin() as tx:
        tx.custody.missing("gone", at=services.clock.now())
        tx.commit(ENTRY)
    assert said_of("destruction", capsys) == [
        ("wrong", "1 ordered destructions were not carried out")
    ]
    assert said_of("vault", capsys) == [
        ("wrong", "1 files that are to be destroyed are missing from it")
    ]
    monkeypatch.setattr("nightlight.cli.doctor._LISTED", 1)
    assert said_of("destruction", capsys) == [
        ("wrong", "1 or more ordered destructions were not carried out")
    ]
    monkeypatch.undo()
    with services.unit_of_work.begin() as tx:
        for one in ("late", "gone"):
            tx.custody.carried_out(one, at=services.clock.now())
        tx.commit(ENTRY)
    assert said_of("destruction", capsys) == said_of("vault", capsys) == []


def test_a_record_that_is_intact_and_cannot_be_noted_is_told_of(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del services

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nightlight.adapters.state_file.os.fsync", full)
    [(health, says)] = said_of("record", capsys)
    assert (health, says.endswith("verified.json cannot be written: No space left on device")) == (
        "wrong",
        True,
    )


def test_a_vault_that_takes_nothing_is_told_of(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said_of("vault", capsys) == [], "it is not made yet, and doctor makes none"
    services.vault.seal(b"zorbleflux")
    assert said_of("vault", capsys)[0][0] == "ok"
    assert len(list(services.vault.names())) == 1, "nothing of the probe stays"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nightlight.adapters.vault_directory._write_durably", full)
    [(health, says)] = said_of("vault", capsys)
    assert (health, "No space left" in says) == ("wrong", True)


def test_a_bucket_that_does_not_answer_or_lets_us_write_nothing_is_told_of(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del services
    monkeypatch.setenv("NIGHTLIGHT_VAULT_URL", "s3://vault/doctor")
    monkeypatch.setenv("NIGHTLIGHT_VAULT_ACCESS_KEY", "quibble")
    monkeypatch.setenv("NIGHTLIGHT_VAULT_SECRET_KEY", "quibble-secret")
    with Simulator(
        "s3", "--bucket", "vault", "--access-key", "quibble", "--secret-key", "quibble-secret"
    ) as server:
        monkeypatch.setenv("NIGHTLIGHT_VAULT_ENDPOINT", server.url)
        assert said_of("vault", capsys) == [("ok", "bucket vault")]
        monkeypatch.setenv("NIGHTLIGHT_VAULT_SECRET_KEY", "another")
        [(health, says)] = said_of("vault", capsys)
        assert (health, "does not take the credentials" in says) == ("wrong", True)
    [(health, says)] = said_of("vault", capsys)
    assert (health, "the vault cannot be" in says) == ("wrong", True)


def test_a_key_service_that_does_not_answer_is_told_of(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del services
    with Simulator("kms", "--token", "quibble") as server:
        monkeypatch.setenv("NIGHTLIGHT_KMS_URL", f"{server.url}/v1/transit")
        monkeypatch.setenv("NIGHTLIGHT_KMS_KEY", "nightlight")
        monkeypatch.setenv("NIGHTLIGHT_KMS_TOKEN", "quibble")
        cover_keys(read_settings())
        assert said_of("key service", capsys) == [("ok", f"{server.url}/v1/transit")]
    [(health, says)] = said_of("key service", capsys)
    assert health == "wrong"
    assert says.startswith("NIGHTLIGHT_KMS_URL: the key service does not answer")


def test_lexicon_that_one_person_alone_made_is_warned_of_until_another_looked(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    lexicons, line = services.lexicons, '{"text": "zorbleflux"}'
    lexicons.import_alone("quibbles", [line], actor="ana", reason="trying")
    [(health, says)] = said_of("one person", capsys)
    assert (health, "quibbles" in says) == ("warning", True)
    more = lexicons.propose_import("quibbles", ['{"text": "plonk"}'], actor="ana", reason="x")
    lexicons.approve(more.change.id, actor="bo", reason="I looked")
    assert said_of("one person", capsys) == []


def test_setting_that_lets_one_person_change_lexicons_is_warned_of(
    services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = services.lexicons.propose_import("q", ['{"text": "plonk"}'], actor="ana", reason="x")
    services.lexicons.approve(more.change.id, actor="bo", reason="y")
    monkeypatch.setenv("NIGHTLIGHT_ONE_PERSON_LISTS", "true")
    [(health, says)] = said_of("one person", capsys)
    assert (health, "2 people are known" in says) == ("warning", True)


def test_post_of_which_a_file_could_not_be_sealed_is_warned_of(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    with services.unit_of_work.begin() as tx:
        tx.kept_posts.add([GIVEN_UP, replace(GIVEN_UP, id=CaseId("whole"), complete=True)])
        tx.commit(ENTRY)
    [(health, says)] = said_of("deleted posts", capsys)
    assert (health, says.startswith("1 ")) == ("warning", True)


GIVEN_UP = KeptPost(
    id=CaseId("kept"),
    post_id=PostId("p"),
    account_id=AccountId("ana"),
    event_key=EventKey("e"),
    deleted_at=NOON,
    noticed_at=NOON,
    next_at=None,
)
