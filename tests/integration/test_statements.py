"""Statements of reasons over real HTTP: published once each, whatever fails, and naming nobody."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.fakes.simulators import Simulator
from tests.integration.story import write_stream
from tests.ports.builders import ENTRY, make_effect
from tests.synthetic.builders import TEXT, event_of

import nightlight_verify
from nightlight.adapters.dsa_http import HttpStatementDatabase
from nightlight.adapters.sql.database import open_engine
from nightlight.adapters.sql.schema import metadata
from nightlight.enforce.outbox import OutboxOptions
from nightlight.errors import NotFound
from nightlight.ingest.lines import bounded_lines
from nightlight.ingest.reader import EventReader
from nightlight.model.audit import ACTIONS
from nightlight.model.case import CaseStep
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.event import Event, MediaUploaded, PostCreated
from nightlight.model.statement import StatementState
from nightlight.report.statement_document import StatementOptions
from nightlight.review.resolve import Resolution
from nightlight.services.delivery import Dispatcher
from nightlight.services.lists import read_list
from nightlight.services.record_export import export
from nightlight.services.rules import default_policy
from nightlight.services.statements import Statements, note_statements
from nightlight.settings import read_settings
from nightlight.simulate.dsa_rules import errors_in
from nightlight.town import TownPlan

TOKEN = "zorble-token"
#: Fields of events that hold words of the event format, not of people.
CODES = {"deleted_by", "kind", "reason", "content_type"}
#: Fields of events that name an account or its content; who acted on what, entries do say.
IDS = {"account_id", "post_id", "media_id", "media_ids", "target_account_id", "user_report_id"}


class Agreeing:
    """A platform that carries out whatever it is asked."""

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        """Carry it out."""

    def is_reachable(self) -> bool:
        return True


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator("dsa", "--token", TOKEN) as simulator:
        yield simulator


@pytest.fixture
def database(running: Simulator) -> Iterator[Simulator]:
    yield running
    httpx.delete(f"{running.url}/_faults")


class Office:
    """A desk that delivers, on a clock moved by hand, and publishes in the simulated database."""

    def __init__(self, folder: Path, url: str, *, token: str = TOKEN) -> None:
        self.url = url
        self.desk = Desk(folder)
        self.clock = HandClock(self.desk.services.clock.now())
        unit_of_work = self.desk.services.unit_of_work
        self.dispatcher = Dispatcher(
            unit_of_work=unit_of_work,
            platform=Agreeing(),
            clock=self.clock,
            options=OutboxOptions(),
            note=note_statements,
        )
        http = HttpStatementDatabase(
            url=f"{url}/api/v1", token=token, options=StatementOptions(), timeout_s=5
        )
        self.statements = Statements(unit_of_work=unit_of_work, database=http, clock=self.clock)

    def deliver(self) -> None:
        self.clock.advance(seconds=3600)
        while self.dispatcher.run_due():
            pass

    def publish(self) -> list[StatementState]:
        self.clock.advance(seconds=4000)
        return [one.state for one in self.statements.run_due()]

    def counts(self) -> dict[StatementState, int]:
        with self.desk.services.unit_of_work.read() as tx:
            return tx.statements.counts()

    def published(self) -> list[dict[str, Any]]:
        """Return what the database holds of this office's statements."""
        with self.desk.services.unit_of_work.read() as tx:
            own = {one.statement.puid for one in tx.statements.newest(100_000)}
        held = httpx.get(f"{self.url}/_state").json()["statements"]
        return [one for one in held if one["puid"] in own]

    def fault(self, kind: str, **more: object) -> None:
        body = {"path": "/statements", "kind": kind, **more}
        httpx.post(f"{self.url}/_faults", json=body).raise_for_status()


@pytest.fixture
def office(tmp_path: Path, database: Simulator) -> Office:
    """Three posts with a listed term each, hidden by the platform."""
    made = Office(tmp_path, database.url)
    posts = [
        event_of(
            PostCreated(post_id=f"{tmp_path.name}-{n}", account_id="zorble", text=TEXT), minutes=n
        )
        for n in range(3)
    ]
    made.desk.take_in(*posts)
    made.deliver()
    assert made.counts() == {StatementState.WAITING: 3}
    return made


def test_statements_are_made_with_the_delivery_and_published_once(office: Office) -> None:
    assert office.publish() == [StatementState.SENT] * 3
    assert office.publish() == []
    assert len(office.published()) == 3
    assert office.desk.actions()[-1] == "statement.sent"
    with office.desk.services.unit_of_work.read() as tx:
        assert all(one.receipt for one in tx.statements.newest(3))


def test_nothing_is_stated_of_other_matters(tmp_path: Path, database: Simulator) -> None:
    office = Office(tmp_path, database.url)
    body = default_policy().replace(b"other_matters = []", b'other_matters = ["advert"]')
    with office.desk.services.unit_of_work.begin() as tx:
        tx.policies.activate("quibble@1", body, at=office.clock.now())
        tx.commit_unrecorded()
    post = PostCreated(post_id=tmp_path.name, account_id="zorble", text=TEXT)
    office.desk.take_in(event_of(post))
    office.deliver()
    assert sum(office.counts().values()) == 0


def test_nothing_is_stated_of_a_file_that_nobody_could_look_at_until_a_person_did(
    tmp_path: Path, database: Simulator
) -> None:
    office = Office(tmp_path, database.url)
    url = "https://cdn.example.test/holiday.jpg"
    file = MediaUploaded(media_id=tmp_path.name, account_id="zorble", url=url)
    shown = PostCreated(
        post_id=tmp_path.name, account_id="zorble", text="our garden", media_ids=(tmp_path.name,)
    )
    office.desk.take_in(event_of(file, minutes=1), event_of(shown, minutes=2))
    office.deliver()
    held = [one.kind for one in office.desk.outcome().effects]
    assert EffectKind.HOLD in held
    assert office.counts() == {}, "a holiday picture that waits is not said to harm children"
    services = office.desk.services
    with services.unit_of_work.read() as tx:
        [case] = tx.cases.queue(None, 10)
    services.review.decide(
        case.id, Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="still unscanned")
    )
    office.deliver()
    assert EffectKind.HIDE in [one.kind for one in office.desk.outcome().effects]
    assert office.counts() == {}, "nor is one that stays hidden because nobody can scan it"


@pytest.mark.parametrize("kind", ["drop_answer", "truncate"])
def test_lost_answer_publishes_nothing_twice(office: Office, kind: str) -> None:
    office.fault(kind)
    assert office.publish() == [StatementState.WAITING] * 3
    assert len(office.published()) == 3
    assert office.publish() == [StatementState.SENT] * 3
    assert len(office.published()) == 3


@pytest.mark.parametrize(
    "fault",
    [{"kind": "error_500"}, {"kind": "drop_request"}]
    + [{"kind": "code", "code": code} for code in (401, 403, 404, 429)],
)
def test_database_in_trouble_is_waited_for(office: Office, fault: dict[str, Any]) -> None:
    office.fault(**fault, times=2)
    before = office.desk.actions()
    for _ in range(2):
        assert office.publish() == [StatementState.WAITING] * 3
    assert office.desk.actions() == before, "a retry is no news"
    assert office.publish() == [StatementState.SENT] * 3


def test_refused_statement_stops_before_a_person_and_holds_up_no_other(office: Office) -> None:
    spoil(office, '"facts":"', '"facts":"' + "x" * 6000)
    assert sorted(office.publish()) == [
        StatementState.REFUSED,
        StatementState.WAITING,
        StatementState.WAITING,
    ]
    assert office.publish() == [StatementState.SENT] * 2
    with office.desk.services.unit_of_work.read() as tx:
        [refused] = tx.statements.newest(5, StatementState.REFUSED)
        record = [one.entry for one in tx.audit.entries()]
        [entry] = [one for one in record if one.action == "statement.refused"]
    assert refused.failure.startswith("decision_facts: ")
    assert (entry.subject, entry.reason) == (refused.statement.id, refused.failure)
    spoil(office, "x" * 6000, "")
    office.statements.retry(refused.statement.id, actor="ana", reason="mended")
    assert office.publish() == [StatementState.SENT]
    with pytest.raises(NotFound):
        office.statements.retry(refused.statement.id, actor="ana", reason="again")


def spoil(office: Office, old: str, new: str) -> None:
    """Change one stored statement behind the program's back."""
    with sqlite3.connect(office.desk.services.settings.home / "nightlight.db") as connection:
        connection.execute(
            "UPDATE statement SET body = replace(body, ?, ?)"
            " WHERE id = (SELECT min(id) FROM statement)",
            (old, new),
        )


def test_refusal_that_names_no_statement_is_narrowed_down(office: Office) -> None:
    office.fault("code", code=422, times=1)
    assert office.publish() == [StatementState.SENT] * 3
    assert len(office.published()) == 3


def test_statement_that_is_refused_alone_and_without_a_reason_is_refused(office: Office) -> None:
    office.fault("code", code=422, times=10)
    assert office.publish() == [StatementState.REFUSED] * 3


def test_wrong_token_is_waited_for(tmp_path: Path, database: Simulator) -> None:
    office = Office(tmp_path, database.url, token="other")
    office.desk.take_in(event_of(PostCreated(post_id=tmp_path.name, account_id="a", text=TEXT)))
    office.deliver()
    assert office.publish() == [StatementState.WAITING]
    with office.desk.services.unit_of_work.read() as tx:
        assert "token" in tx.statements.newest(1)[0].failure


def test_delivery_goes_on_where_its_decision_was_taken_out(
    tmp_path: Path, database: Simulator
) -> None:
    office = Office(tmp_path, database.url)
    with office.desk.services.unit_of_work.begin() as tx:
        tx.outbox.put([make_effect("effect-1")], at=office.clock.now())
        tx.commit(ENTRY)
    office.deliver()
    assert office.desk.actions()[-1] == "effect.delivered"
    assert office.counts() == {}


def test_nothing_is_made_where_no_database_is_configured(tmp_path: Path) -> None:
    services = Desk(tmp_path).services
    assert services.statements is None
    assert read_settings({"NIGHTLIGHT_HOME": str(tmp_path)}).statements is None


# --- a whole town -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, running: Simulator
) -> tuple[Office, Sequence[Event]]:
    """A town, judged, half of its cases decided by a person, delivered and published."""
    folder = tmp_path_factory.mktemp("town")
    stream = write_stream(TownPlan(seed=9, accounts=150, posts=900, media=False), folder)
    with stream.events.open("rb") as file:
        read = EventReader().read_lines(bounded_lines(file))
        events = [one for one in read if isinstance(one, Event)]
    office = Office(folder / "home", running.url)
    services = office.desk.services
    terms = read_list(stream.events.with_suffix(".lexicon.ndjson"))
    proposed = services.lexicons.propose_import("nonsense", terms, actor="ana", reason="to see")
    services.lexicons.approve(proposed.change.id, actor="ben", reason="looked at it")
    office.desk.take_in(*events)
    with services.unit_of_work.read() as tx:
        cases = tx.cases.queue(None, 10_000)
    for place, case in enumerate(cases):
        step = (CaseStep.CONFIRM, CaseStep.DISMISS)[place % 2]
        services.review.decide(case.id, Resolution(step=step, reviewer="ana", reason="a test"))
    office.deliver()
    while office.publish():
        pass
    return office, events


def personal(events: Sequence[Event], *, but: frozenset[str] = frozenset()) -> set[str]:
    """Return every word of a town by which somebody, or something of theirs, could be told."""
    found: set[str] = set()
    passed = CODES | but

    def gather(value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in passed:
                    gather(inner)
        elif isinstance(value, list):
            for inner in value:
                gather(inner)
        elif isinstance(value, str) and len(value) > 5:
            found.add(value)

    for event in events:
        gather(msgspec.to_builtins(event.data))
    return found


def test_every_statement_of_a_town_is_valid_and_published(
    town: tuple[Office, Sequence[Event]],
) -> None:
    office, _ = town
    published = office.published()
    assert office.counts() == {StatementState.SENT: len(published)}
    assert len(published) > 50
    assert [errors_in(one) for one in published] == [{}] * len(published)
    told = {one["automated_decision"] for one in published}
    assert told == {"AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_NOT_AUTOMATED"}


def test_no_statement_of_a_town_holds_personal_data(
    town: tuple[Office, Sequence[Event]],
) -> None:
    office, events = town
    values = {
        text
        for statement in office.published()
        for value in statement.values()
        for text in (value if isinstance(value, list) else [value])
    }
    everything = "\n".join(sorted(values))
    assert [word for word in personal(events) if word in everything] == []


def test_no_audit_detail_of_a_town_holds_personal_data_and_no_export_of_it(
    town: tuple[Office, Sequence[Event]],
) -> None:
    office, events = town
    services = office.desk.services
    lines = b"".join(export(services.record, services.unit_of_work)).decode()
    words = personal(events)
    shown = {
        text
        for line in lines.splitlines()[1:]
        for text in strings_of(json.loads(json.loads(line)["public"]))
    }
    assert len(shown) > 10
    assert sorted(words & shown) == []
    with services.unit_of_work.read() as tx:
        details = [(one.entry.action, one.entry.detail) for one in tx.audit.entries()]
    content = personal(events, but=frozenset(IDS)) - words_of_ids(events)
    assert len(content) > 500
    for action, detail in details:
        assert action in ACTIONS
        assert not content & set(strings_of(detail)), f"{action}: a text, address or handle"


def test_nothing_that_is_shown_of_a_town_can_be_derived_from_public_ids(
    town: tuple[Office, Sequence[Event]],
) -> None:
    office, _ = town
    services = office.desk.services
    lines = b"".join(export(services.record, services.unit_of_work)).decode().splitlines()
    shown = {text for one in office.published() for text in strings_of(one)}
    for line in lines[1:]:
        shown.update(strings_of(json.loads(json.loads(line)["public"])))
    assert sum(one.startswith("rec_") for one in shown) > 5
    assert sum(one.startswith("sor_") for one in shown) > 50
    # Each of these follows, step by step, from an event's source and id and the policy's version.
    derived: set[str] = set()
    engine = open_engine(services.settings.database_url)
    with engine.connect() as connection:
        for table in metadata.tables.values():
            for column in table.columns:
                if column.name == "id" or column.name.endswith("_id"):
                    derived.update(map(str, connection.execute(select(column)).scalars()))
    engine.dispose()
    assert len(derived) > 1000
    assert sorted((shown & derived) - {""}) == []


def words_of_ids(events: Sequence[Event]) -> set[str]:
    """Return the ids in a town's events, which may be equal to a handle."""
    built = [msgspec.to_builtins(event.data) for event in events]
    return {str(one[name]) for one in built for name in IDS if one.get(name)}


def strings_of(value: object) -> Iterator[str]:
    """Yield every string in a value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
    elif isinstance(value, str):
        yield value


def test_figures_of_a_town_are_counted_again_from_its_export_without_a_difference(
    town: tuple[Office, Sequence[Event]], tmp_path: Path
) -> None:
    office, _ = town
    services = office.desk.services
    path, figures = tmp_path / "export.ndjson", tmp_path / "figures.json"
    path.write_bytes(b"".join(export(services.record, services.unit_of_work)))
    found = services.report_decisions.reconcile()
    figures.write_bytes(msgspec.json.encode(found))
    assert found.total.suspended > 5
    arguments = [str(path), "--key", services.record.verifier_key, "--figures", str(figures)]
    assert nightlight_verify.main(arguments) == 0
    figures.write_bytes(figures.read_bytes().replace(b'"suspended":', b'"suspended":1', 1))
    assert nightlight_verify.main(arguments) == 1
