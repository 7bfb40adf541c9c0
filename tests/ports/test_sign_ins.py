"""Sign-ins: kept sealed for a while, the newest few, and named in the report of their account."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from sqlalchemy import func, select
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.synthetic.builders import TEXT, at, event_of
from tests.synthetic.ncmec_schema import SCHEMAS

from nightlight.adapters.sql.database import open_engine
from nightlight.adapters.sql.schema import metadata
from nightlight.model.case import CaseStep
from nightlight.model.event import (
    KEPT_SIGN_INS,
    AccountCreated,
    AccountSignedIn,
    Event,
    EventType,
    PostCreated,
)
from nightlight.model.ids import AccountId
from nightlight.preserve.surroundings import Seen
from nightlight.report.document import report_xml
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.schema import validate
from nightlight.review.resolve import Resolution
from nightlight.services.retention import Retention

ADA = AccountId("ada")
ADVERT = event_of(PostCreated(post_id="p", account_id=ADA, text=TEXT), minutes=500)
REGISTERED = event_of(AccountCreated(account_id=ADA, handle="q", network="192.0.2.1"), minutes=-99)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Desk:
    return Desk(tmp_path / "home", database_url=database_url)


def sign_in(minutes: int, *, by: str = ADA, device: str = "") -> Event:
    data = AccountSignedIn(account_id=by, device=device, network=f"192.0.2.{minutes}")
    return event_of(data, minutes=minutes)


def kept(desk: Desk, account_id: AccountId = ADA) -> list[str]:
    """Return the networks of the sign-ins whose machine is kept, newest first."""
    with desk.services.unit_of_work.read() as tx:
        told = tx.events.account_machines(account_id, 1000)
        return [one.network for event, one in told if event.type is EventType.ACCOUNT_SIGNED_IN]


def sealed(desk: Desk) -> list[Seen]:
    [case] = desk.outcome().cases
    [found] = [one for one in desk.evidence(case.id) if one.kind == "surroundings"]
    told = msgspec.json.decode(desk.services.vault.open(found.digest, ACCESS))
    return [msgspec.convert(one, Seen) for one in told["seen"]]


def document_of(desk: Desk) -> bytes:
    """Confirm the one case and return the report that is drafted of it."""
    [case] = desk.outcome().cases
    resolution = Resolution(step=CaseStep.CONFIRM, reviewer="ana", reason="r")
    desk.services.review.decide(case.id, resolution)
    with desk.services.unit_of_work.read() as tx:
        [stored] = tx.tips.newest(9)
        tip = tx.tips.load(stored.tip_id)[0]
    return report_xml(tip, reporter=Reporter(person=Contact(email="d@example.test")))


def test_sign_ins_are_sealed_with_a_finding_and_stand_in_its_report_as_logins(desk: Desk) -> None:
    desk.take_in(REGISTERED, sign_in(5, device="blip"), sign_in(6, by="bo"), ADVERT, sign_in(7))
    assert [(one.event_type, one.at, one.machine.network) for one in sealed(desk)] == [
        (EventType.ACCOUNT_CREATED, at(-99), "192.0.2.1"),
        (EventType.ACCOUNT_SIGNED_IN, at(7), "192.0.2.7"),
        (EventType.ACCOUNT_SIGNED_IN, at(5), "192.0.2.5"),
    ]
    document = document_of(desk)
    for schema in SCHEMAS:
        validate(document, schema)
    told = etree.fromstring(document)
    assert [
        (one.findtext("ipAddress"), one.findtext("eventName"), one.findtext("dateTime"))
        for one in told.iter("ipCaptureEvent")
    ] == [
        ("192.0.2.1", "Registration", "2026-03-01T10:21:00.000+00:00"),
        ("192.0.2.5", "Login", "2026-03-01T12:05:00.000+00:00"),
        ("192.0.2.7", "Login", "2026-03-01T12:07:00.000+00:00"),
    ]
    [device] = told.iter("deviceId")
    assert (device.findtext("idValue"), device.findtext("eventName")) == ("blip", "Login")


@pytest.mark.parametrize("size", [1, 1000])
def test_the_newest_sign_ins_of_an_account_are_kept_whatever_their_order(
    desk: Desk, size: int
) -> None:
    late = [sign_in(minute) for minute in range(1, 6)]
    desk.take_in(
        REGISTERED,
        *(sign_in(minute) for minute in range(10, 10 + KEPT_SIGN_INS)),
        sign_in(3, by="bo"),
        *late,
        sign_in(99),
        size=size,
    )
    newest = [99, *reversed(range(11, 10 + KEPT_SIGN_INS))]
    assert kept(desk) == [f"192.0.2.{minute}" for minute in newest]
    assert kept(desk, AccountId("bo")) == ["192.0.2.3"]
    with desk.services.unit_of_work.read() as tx:
        assert tx.events.machines([late[0].key]) == {}
        assert (
            tx.events.account_machines(ADA, 1)[0][0]
            == tx.events.find([REGISTERED.key])[REGISTERED.key]
        )


def test_they_are_forgotten_after_their_days_but_for_what_a_case_needs(desk: Desk) -> None:
    desk.take_in(sign_in(5), sign_in(6, by="bo"), ADVERT)
    services = desk.services
    for days, gone in ((89, 0), (91, 2)):
        then = HandClock(services.clock.now() + timedelta(days=days))
        retention = Retention(
            unit_of_work=services.unit_of_work, destroying=services.destroying, clock=then
        )
        assert retention.forget_machines() == gone
    assert kept(desk) == kept(desk, AccountId("bo")) == []
    assert [one.machine.network for one in sealed(desk)] == ["192.0.2.5"]


def rows(url: str) -> Counter[str]:
    """Return how many rows each table has."""
    engine = open_engine(url)
    with engine.connect() as connection:
        counted = Counter(
            {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }
        )
    engine.dispose()
    return counted


def test_a_sign_in_leaves_nothing_but_the_event_and_that_its_account_was_seen(
    desk: Desk, database_url: str
) -> None:
    desk.take_in(REGISTERED)
    before = rows(database_url)
    told = [sign_in(9), sign_in(5, by="bo", device="blip"), sign_in(4, by="bo"), sign_in(10)]
    [batch] = desk.take_in(*told)
    assert (batch.events, batch.signals, batch.judged) == (4, (), ())
    assert rows(database_url) - before == {"event_log": 4, "account": 1, "audit_entry": 1}
    with desk.services.unit_of_work.read() as tx:
        assert tx.context.accounts([AccountId("bo")])[AccountId("bo")].first_seen == at(4)
        stored = repr(msgspec.json.encode([one.event.data for one in tx.events.read_after(0, 9)]))
    assert "192.0.2" not in stored
    assert "blip" not in stored
