"""Tips name addresses and devices for as long as evidence does, though the log forgets them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.desk import Desk
from tests.fakes.drafting import drafting_of
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import Unavailable
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseState, CaseStep, EvidenceKind
from nightlight.model.cybertip import CyberTip
from nightlight.model.event import AccountCreated, AccountSignedIn, Event, PostCreated
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId
from nightlight.review.resolve import Resolution
from nightlight.services.filing import StoredTips, as_of_now
from nightlight.services.rules import default_policy

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
_ADVERTS = "[confirmed.advert]\n"
BUNDLED = default_policy().decode().replace(_ADVERTS, f"{_ADVERTS}bundle = true\n")
#: Where what matters is not the database.
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
#: What a tip says that was drafted at once.
KNOWN = ("192.0.2.1 registration", "192.0.2.5 login", "192.0.2.77 other")


class Office(Desk):
    """A desk over a clock that is moved by hand, and an account that sells."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.clock = HandClock(NOON)
        self.vault = home / "vault"
        super().__init__(home, database_url=database_url, clock=self.clock, policy=BUNDLED.encode())
        self.take_in(
            event_of(AccountCreated(account_id="ada", handle="q", network="192.0.2.1")),
            sign_in(minutes=5, network="192.0.2.5", device="blip"),
            post("other", minutes=6, text="a quibble", network="192.0.2.200"),
            event_of(AccountSignedIn(account_id="bo", network="192.0.2.201"), minutes=7),
            post("post-1", minutes=8, text=TEXT, network="192.0.2.77"),
        )

    def pass_days(self, days: int) -> None:
        """Let the worker forget and destroy what is due, month by month."""
        for day in range(0, days, 30):
            self.clock.at += min(30, days - day) * DAY
            self.services.retention.forget_machines()
            assert self.services.retention.run_due().destroyed == 0

    def open_case(self) -> CaseId:
        [case] = [one for one in self.outcome().cases if one.state is CaseState.OPEN]
        return case.id

    def decide(self, case_id: CaseId, step: CaseStep = CaseStep.CONFIRM) -> None:
        resolution = Resolution(step=step, reviewer="ana", reason="r")
        self.services.review.decide(case_id, resolution)

    def tips(self, *states: TipState) -> list[tuple[CyberTip, Filing]]:
        with self.services.unit_of_work.read() as tx:
            found = [tx.tips.load(one.tip_id) for one in tx.tips.newest(9)]
        return [one for one in found if one[1].state in (states or TipState)]

    def note(self, filing: Filing, state: TipState) -> None:
        """Let a tip's progress be stored as a filer does."""
        services = self.services
        StoredTips(
            unit_of_work=services.unit_of_work, clock=self.clock, drafting=drafting_of(services)
        ).save(
            replace(filing, state=state, remote_id="77", revision=filing.revision + 1),
            action=f"tip.{state}",
        )

    def entries(self, action: str) -> list[AuditEntry]:
        with self.services.unit_of_work.read() as tx:
            return [one.entry for one in tx.audit.entries() if one.entry.action == action]

    def around(self, case_id: CaseId) -> str:
        [found] = [e.id for e in self.evidence(case_id) if e.kind is EvidenceKind.SURROUNDINGS]
        return found


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    return Office(tmp_path / "home", database_url)


def sign_in(*, minutes: float, network: str, device: str = "") -> Event:
    data = AccountSignedIn(account_id="ada", device=device, network=network)
    return event_of(data, minutes=minutes)


def post(name: str, *, minutes: float, text: str, network: str) -> Event:
    data = PostCreated(post_id=name, account_id="ada", text=text, network=network)
    return event_of(data, minutes=minutes)


def named(tip: CyberTip) -> tuple[str, ...]:
    return tuple(f"{one.address} {one.event}" for one in tip.reported[0].ip_captures)


def test_a_tip_drafted_after_two_years_names_what_the_log_has_forgotten(office: Office) -> None:
    office.pass_days(729)
    with office.services.unit_of_work.read() as tx:
        assert tx.events.account_machines(AccountId("ada"), 99) == []
    now = 729 * MINUTES_A_DAY
    office.take_in(sign_in(minutes=now, network="192.0.2.9"))
    case_id = office.open_case()
    office.decide(case_id)
    [(tip, filing)] = office.tips()
    assert named(tip) == (*KNOWN, "192.0.2.9 login")
    assert [(one.id_value, one.event) for one in tip.reported[0].devices] == [("blip", "login")]
    assert (tip.unread, filing.state) == ((), TipState.DRAFTED)


@on_sqlite
def test_nightlight_reading_evidence_for_a_tip_is_on_the_record_and_is_nobodys_view(
    office: Office,
) -> None:
    case_id = office.open_case()
    office.decide(case_id)
    [read] = office.entries("evidence.opened")
    assert (read.actor, read.subject) == ("nightlight", office.around(case_id))
    assert read.detail["case"] == case_id
    actions = office.actions()
    assert actions.index("evidence.opened") < actions.index("case.confirmed")
    with office.services.unit_of_work.read() as tx:
        kept = [one.id for one in tx.evidence.of_case(case_id)]
        assert tx.views.of(kept) == []
        assert tx.cases.get(case_id).viewed == ()
    assert office.entries("evidence.viewed") == office.entries("evidence.open_failed") == []


def test_what_is_drafted_anew_after_an_appeal_names_what_the_log_has_forgotten(
    office: Office,
) -> None:
    first = office.open_case()
    office.decide(first)
    office.take_in(post("post-2", minutes=99, text=TEXT, network="192.0.2.78"))
    second = office.open_case()
    office.decide(second)
    [(bundle, filing)] = office.tips()
    assert bundle.cases == (first, second)
    office.note(filing, TipState.OPENING)
    [(_, filing)] = office.tips()
    office.note(filing, TipState.OPENED)
    office.pass_days(200)
    office.decide(first, CaseStep.APPEAL)
    [(_, filing)] = office.tips(TipState.WITHDRAWING)
    office.note(filing, TipState.WITHDRAWN)
    told = {tip.case_id: named(tip) for tip, _ in office.tips(TipState.DRAFTED)}
    assert told == {first: KNOWN, second: (*KNOWN[:2], "192.0.2.78 other")}


def test_a_supplement_names_what_the_log_has_forgotten(office: Office) -> None:
    case_id = office.open_case()
    office.decide(case_id)
    [(_, filing)] = office.tips()
    for state in (TipState.OPENING, TipState.OPENED, TipState.FINISHING, TipState.FILED):
        office.note(filing, state)
        [(_, filing)] = office.tips()
    office.pass_days(300)
    supplement = office.services.tip_desk.supplement(case_id, "It goes on.", by="lena", reason="r")
    assert [named(one) for one in supplement.tips] == [KNOWN]


@on_sqlite
def test_the_machine_of_what_is_not_reported_is_not_named_though_it_was_sealed(
    office: Office,
) -> None:
    office.decide(office.open_case())
    [(tip, _)] = office.tips()
    assert named(tip) == KNOWN, "neither of another post nor of another account"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("postgresql", "gone"), ("sqlite", "gone"), ("sqlite", "changed"), ("sqlite", "away")],
)
def test_a_tip_that_lacks_what_is_sealed_waits_for_a_person_and_is_completed_by_retrying(
    office: Office, fault: str
) -> None:
    office.pass_days(100)
    case_id = office.open_case()
    evidence_id = office.around(case_id)
    mend = broken(office, evidence_id, fault)
    office.decide(case_id)
    [(tip, filing)] = office.tips()
    assert (named(tip), tip.unread) == ((), (evidence_id,))
    assert (filing.state, filing.next_attempt_at) == (TipState.REFUSED, None)
    assert evidence_id in filing.failure
    assert [one.subject for one in office.entries("evidence.open_failed")] == [evidence_id]
    assert office.outcome().cases[0].state is CaseState.CONFIRMED
    assert office.outcome().effects, "what protects people does not wait for the vault"
    office.clock.at += DAY
    with office.services.unit_of_work.read() as tx:
        assert tx.tips.due(office.clock.now(), 9, destination="ncmec") == []
        assert [one.tip_id for one in tx.tips.refused()] == [tip.id]

    desk = office.services.tip_desk
    with pytest.raises(Unavailable, match=evidence_id):
        desk.retry(tip.id, by="lena", reason="r")
    assert office.tips() == [(tip, filing)]
    mend()
    desk.retry(tip.id, by="lena", reason="the vault is back")
    [(completed, filing)] = office.tips()
    assert (named(completed), completed.unread) == (KNOWN, ())
    assert completed.reported[0].devices[0].id_value == "blip"
    assert filing.state is TipState.DRAFTED
    assert office.entries("tip.retried")[-1].detail["unread"] == []


@on_sqlite
def test_a_person_may_file_without_what_cannot_be_read_and_the_tip_then_says_so(
    office: Office,
) -> None:
    office.pass_days(100)
    case_id = office.open_case()
    evidence_id = office.around(case_id)
    broken(office, evidence_id, "gone")
    office.decide(case_id)
    [(tip, _)] = office.tips()
    office.services.tip_desk.retry(tip.id, by="lena", reason="lost for good", as_it_is=True)
    [(tip, filing)] = office.tips()
    assert (filing.state, tip.unread) == (TipState.DRAFTED, (evidence_id,))
    with office.services.unit_of_work.read() as tx:
        assert "could not be read" in as_of_now(tx, tip, filing).narrative
        assert "could not be read" not in tip.narrative
    assert office.entries("tip.retried")[-1].detail["unread"] == [evidence_id]


def test_a_case_that_joins_a_tip_holds_it_where_something_of_it_cannot_be_read(
    office: Office,
) -> None:
    first = office.open_case()
    office.decide(first)
    [(_, filing)] = office.tips()
    assert filing.state is TipState.DRAFTED
    office.take_in(post("post-2", minutes=99, text=TEXT, network="192.0.2.78"))
    second = office.open_case()
    broken(office, office.around(second), "gone")
    office.decide(second)
    [(tip, filing)] = office.tips()
    assert (tip.cases, filing.state) == ((first, second), TipState.REFUSED)
    assert named(tip) == (*KNOWN, "192.0.2.78 other"), "the log still has it"
    assert tip.unread == (office.around(second),)


@on_sqlite
def test_a_report_that_may_be_finished_is_not_changed_by_retrying(office: Office) -> None:
    broken(office, office.around(office.open_case()), "gone")
    office.decide(office.open_case())
    [(tip, filing)] = office.tips()
    with office.services.unit_of_work.begin() as tx:
        asked = replace(filing, retry_from=TipState.FINISHING, remote_id="77")
        tx.tips.save(replace(asked, revision=filing.revision + 1), at=office.clock.now())
        tx.commit(AuditEntry(actor="test", action="tip.refused", subject=tip.id))
    office.services.tip_desk.retry(tip.id, by="lena", reason="r")
    [(after, filing)] = office.tips()
    assert (after, filing.state) == (tip, TipState.FINISHING)


def broken(office: Office, evidence_id: str, fault: str) -> Callable[[], object]:
    """Let sealed evidence be unreadable; return what mends it."""
    [evidence] = [
        one
        for case in office.outcome().cases
        for one in office.evidence(case.id)
        if one.id == evidence_id
    ]
    [file] = office.vault.rglob(office.services.vault.name_of(evidence.digest))
    body = file.read_bytes()
    if fault == "away":
        office.vault.rename(office.vault.with_name("elsewhere"))
        return lambda: office.vault.with_name("elsewhere").rename(office.vault)
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    return lambda: file.write_bytes(body)
