"""What each answer of the CyberTipline makes of a tip."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from msgspec import structs
from tests.fakes.cybertip_store import (
    HandClock,
    MemoryMedia,
    MemoryTipStore,
    OpenedBytes,
    make_tip,
    with_files,
)
from tests.fakes.cybertipline import FakeCyberTipline, Trouble

from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted, Unavailable
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId
from nightlight.model.reported_file import ReportedFile
from nightlight.report.ports import Sent
from nightlight.report.progress import denied, found, retried, withdrawn
from nightlight.report.remedy import remedy
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer

_ONE_LETTER = (
    rb'\1\2><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="1"/>'
    rb"</xs:restriction></xs:simpleType></xs:element>"
)


class World:
    """A filer with everything around it."""

    def __init__(self, *, files: int = 1, tips: int = 1, **troubles: Trouble) -> None:
        self.media = MemoryMedia()
        self.tips = [make_tip(self.media, files=files, name=f"tip-{n}") for n in range(tips)]
        self.store = MemoryTipStore(*self.tips)
        self.clock = HandClock()
        self.line = FakeCyberTipline({int(at[1:]): what for at, what in troubles.items()})
        self.filer = self.new_filer()

    def new_filer(self) -> Filer:
        return Filer(
            store=self.store,
            destination=self.line,
            media=self.media,
            reporter=Reporter(person=Contact(email="desk@example.test")),
            clock=self.clock,
        )

    @property
    def tip(self) -> CyberTip:
        return self.tips[0]

    def replace_tip(self, tip: CyberTip) -> None:
        self.store.tips[tip.id] = tip

    def advance(self) -> Filing:
        return self.filer.advance(self.tip.id)


def test_receipt_is_kept_verbatim() -> None:
    world = World()
    assert world.advance().receipt == world.line.receipts[0]


def test_filing_says_when_the_receipt_came() -> None:
    world = World()
    assert world.advance().filed_at == world.clock.at


def test_text_only_tip_is_filed_without_files() -> None:
    world = World(files=0)
    assert world.advance().state is TipState.FILED
    assert world.line.calls == ["schema", "open", "finish"]


def test_media_is_opened_for_a_stated_purpose() -> None:
    world = World()
    world.advance()
    assert world.media.purposes == ["report tip-0 to the CyberTipline"]


def test_a_filed_tip_is_left_alone() -> None:
    world = World()
    first = world.advance()
    calls = len(world.line.calls)
    assert world.advance() == first
    assert len(world.line.calls) == calls


def test_every_step_is_saved_before_its_call() -> None:
    world = World()
    world.advance()
    assert world.store.actions == [
        "tip.open_requested",
        "tip.opened",
        "tip.upload_requested",
        "tip.file_uploaded",
        "tip.description_requested",
        "tip.file_described",
        "tip.finish_requested",
        "tip.filed",
    ]


@pytest.mark.parametrize("call", ["open", "upload", "describe", "finish"])
def test_a_refusal_for_good_waits_for_a_person(call: str) -> None:
    world = World()
    world.line.answers[call] = 4100
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert "4100" in filing.failure
    world.clock.advance(days=9)
    assert world.filer.run_due(limit=10) == []


def test_an_undocumented_answer_waits_for_a_person() -> None:
    world = World()
    world.line.answers["finish"] = 9999
    assert world.advance().state is TipState.REFUSED


@pytest.mark.parametrize("call", ["schema", "open", "upload", "describe", "finish"])
def test_server_trouble_is_retried_later(call: str) -> None:
    world = World()
    world.line.answers[call] = 1000
    filing = world.advance()
    assert filing.attempts == 1
    assert filing.next_attempt_at == world.clock.at + timedelta(seconds=30)
    assert world.filer.run_due(limit=10) == []
    world.line.answers.clear()
    world.clock.advance(seconds=30)
    assert [filing.state for filing in world.filer.run_due(limit=10)] == [TipState.FILED]


def test_each_failure_doubles_the_wait_up_to_an_hour() -> None:
    world = World()
    world.line.answers["open"] = 1000
    waits = []
    for _ in range(9):
        at = world.advance().next_attempt_at
        assert at is not None
        waits.append((at - world.clock.at).total_seconds())
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize("code", [2000, 3000, 3100])
def test_refused_credentials_stop_the_run_and_are_kept_for_later(code: int) -> None:
    world = World(tips=2)
    world.line.answers["open"] = code
    with pytest.raises(NotPermitted):
        world.filer.run_due(limit=10)
    first, second = (world.store.filings[tip.id] for tip in world.tips)
    assert str(code) in first.failure
    assert first.next_attempt_at is not None
    assert second.state is TipState.DRAFTED
    assert world.line.calls.count("open") == 1


def test_an_altered_upload_is_retracted_and_counted() -> None:
    world = World()
    world.line.garble_uploads = 1
    filing = world.advance()
    assert filing.state is TipState.RETRACTING
    assert "MD5" in filing.failure
    world.clock.advance(minutes=1)
    filing = world.advance()
    assert filing.state is TipState.FILED
    assert filing.restarts == 1
    assert [report.state for report in world.line.reports.values()] == ["retracted", "finished"]


def test_a_report_that_may_have_been_finished_and_is_gone_waits_for_a_person() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    assert world.advance().state is TipState.FINISHING
    world.line.expire()
    filing = world.advance()
    assert (filing.state, filing.retry_from) == (TipState.REFUSED, TipState.FINISHING)
    assert "ask NCMEC" in filing.failure
    world.clock.advance(days=9)
    assert world.filer.run_due(limit=10) == []
    assert world.line.calls.count("open") == 1


def test_a_report_that_expired_before_finishing_was_ever_asked_is_opened_anew() -> None:
    world = World()
    world.line.answers["finish"] = 5001
    assert world.advance().state is TipState.DRAFTED
    world.line.answers.clear()
    filing = world.advance()
    assert (filing.state, filing.restarts) == (TipState.FILED, 1)


def test_no_second_report_is_opened_if_somebody_retracted_the_first_one() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    remote_id = world.advance().remote_id
    world.line.retract(remote_id)
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert world.line.calls.count("open") == 1


def test_a_report_that_somebody_finished_early_waits_for_a_person() -> None:
    world = World(files=2)
    world.line.answers["upload"] = 5102
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert filing.retry_from is TipState.FINISHING


def test_a_file_that_the_line_lost_starts_a_new_report() -> None:
    world = World()
    world.line.answers["describe"] = 5002
    assert world.advance().state is TipState.RETRACTING
    world.line.answers.clear()
    assert world.advance().state is TipState.FILED


def test_a_receipt_that_names_other_files_is_kept_and_doubted() -> None:
    class Forgetful(FakeCyberTipline):
        def finish(self, remote_id: str) -> str:
            super().finish(remote_id)
            return "<reportDoneResponse><files/></reportDoneResponse>"

    world = World()
    world.line = Forgetful()
    world.filer = world.new_filer()
    filing = world.advance()
    assert filing.state is TipState.FILED
    assert filing.failure == "the receipt names other files"


def test_a_receipt_that_cannot_be_read_is_kept_and_doubted() -> None:
    class Garbled(FakeCyberTipline):
        def finish(self, remote_id: str) -> str:
            super().finish(remote_id)
            return "thanks"

    world = World()
    world.line = Garbled()
    world.filer = world.new_filer()
    filing = world.advance()
    assert (filing.receipt, filing.failure) == ("thanks", "the receipt names other files")


def narrowed(xsd: bytes) -> bytes:
    """Return a schema that takes the least report, and none that says much."""
    after = re.sub(rb'(name="additionalInfo" )type="[^"]*"([^>]*)/>', _ONE_LETTER, xsd)
    assert after != xsd
    return after


def test_a_document_that_breaks_the_live_schema_is_never_sent() -> None:
    world = World()
    world.line.xsd = narrowed(world.line.xsd)
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert world.line.calls == ["schema"]


def test_a_schema_that_takes_no_report_at_all_refuses_no_tip() -> None:
    world = World()
    good, world.line.xsd = world.line.xsd, OTHER_SCHEMA
    filing = world.advance()
    assert filing.state is TipState.DRAFTED
    assert filing.failure.startswith("the CyberTipline's schema takes no report of ours")
    assert filing.next_attempt_at is not None
    assert "open" not in world.line.calls
    world.line.xsd = good
    world.clock.advance(hours=2)
    assert world.advance().state is TipState.FILED


def test_an_incident_in_the_future_is_never_sent() -> None:
    world = World()
    world.replace_tip(structs.replace(world.tip, incident_at=world.clock.at + timedelta(seconds=1)))
    assert world.advance().state is TipState.REFUSED
    assert "open" not in world.line.calls


def test_an_unusable_schema_is_asked_for_again_later() -> None:
    world = World()
    good, world.line.xsd = world.line.xsd, b"<html/>"
    assert world.advance().state is TipState.DRAFTED
    world.line.xsd = good
    assert world.advance().state is TipState.FILED


def test_the_schema_is_asked_for_once_a_filer() -> None:
    world = World(tips=3)
    world.filer.run_due(limit=10)
    assert world.line.calls.count("schema") == 1


def test_a_file_missing_from_the_vault_waits_for_a_person() -> None:
    world = World()
    world.media.files.clear()
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert world.tip.files[0].digest not in filing.failure
    assert "upload" not in world.line.calls
    assert [report.state for report in world.line.reports.values()] == ["retracted"]
    assert filing.retry_from is TipState.DRAFTED


def test_a_file_that_breaks_while_it_is_sent_is_not_reported_in_part() -> None:
    world = World(files=2)
    broken = world.tip.files[1]
    world.media.torn = {broken.digest}
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert f"the sealed file of {broken.evidence_id} cannot be read" in filing.failure
    assert [report.state for report in world.line.reports.values()] == ["retracted"]


def test_a_vault_that_does_not_answer_is_tried_again() -> None:
    class Away(MemoryMedia):
        def open(self, file: ReportedFile, case_id: CaseId, purpose: str) -> OpenedBytes:
            raise Unavailable(f"no vault for {purpose}", hint=f"{file.evidence_id} of {case_id}")

    world = World()
    world.media, there = Away(), world.media
    world.filer = world.new_filer()
    assert world.advance().state is TipState.OPENED
    world.media = there
    world.filer = world.new_filer()
    filing = world.advance()
    assert (filing.state, filing.restarts) == (TipState.FILED, 0)


def test_of_two_filers_only_one_goes_on() -> None:
    world = World()

    class Slow(FakeCyberTipline):
        """While the first filer waits for its open, a second one files the tip."""

        def open(self, document: bytes) -> str:
            if "open" not in self.calls:
                remote_id = super().open(document)
                world.new_filer().advance(world.tip.id)
                return remote_id
            return super().open(document)

    world.line = Slow()
    world.filer = world.new_filer()
    with pytest.raises(Conflict):
        world.advance()
    assert len(world.line.in_state("finished")) == 1
    assert world.store.filings[world.tip.id].state is TipState.FILED


def test_a_tip_that_another_filer_took_does_not_stop_the_run() -> None:
    class Stale(MemoryTipStore):
        def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
            if filing.tip_id == "tip-0":
                raise Conflict("another filer went on with this tip")
            super().save(filing, action=action, sent=sent)

    world = World(tips=2)
    world.store = Stale(*world.tips)
    world.filer = world.new_filer()
    assert [filing.tip_id for filing in world.filer.run_due(limit=10)] == ["tip-1"]


def test_a_tip_under_way_is_left_alone_until_the_lease_ends() -> None:
    world = World(t1=Trouble.LOST_AFTER)
    opening = next(
        filing
        for filing in (world.advance(), *world.store.history)
        if filing.state is TipState.OPENING and filing.attempts == 0
    )
    assert opening.next_attempt_at == world.clock.at + timedelta(seconds=60)


def test_a_large_upload_is_left_alone_for_longer() -> None:
    world = World()
    large = structs.replace(world.tip.files[0], digest=world.media.add(bytes(4 * 1024 * 1024)))
    world.replace_tip(with_files(world.tip, large))
    world.advance()
    [uploading] = [one for one in world.store.history if one.state is TipState.UPLOADING]
    assert uploading.next_attempt_at == world.clock.at + timedelta(seconds=60 + 16)


def test_a_tip_that_starts_over_without_end_waits_for_a_person() -> None:
    world = World()
    world.line.garble_uploads = 9
    for _ in range(9):
        filing = world.advance()
        world.clock.advance(hours=2)
    assert (filing.state, filing.restarts) == (TipState.REFUSED, 5)
    assert filing.failure == "started over 5 times"
    assert world.line.in_state("open") == []
    world.line.garble_uploads = 0
    world.store.save(retried(filing), action="tip.retried")
    assert world.advance().state is TipState.FILED


def test_an_unknown_tip_is_not_found() -> None:
    world = World()
    with pytest.raises(NotFound):
        world.filer.advance(make_tip(world.media, name="other").id)


def test_the_limit_bounds_a_run() -> None:
    world = World(tips=3)
    assert len(world.filer.run_due(limit=2)) == 2


@pytest.mark.parametrize(
    ("call", "code", "calls_after"),
    [
        ("open", 4000, ["open", "upload", "describe", "finish"]),
        ("upload", 4200, ["open", "upload", "describe", "finish"]),
        ("finish", 4000, ["finish"]),
    ],
)
def test_a_person_can_order_a_refused_tip_to_go_on(
    call: str, code: int, calls_after: list[str]
) -> None:
    world = World()
    world.line.answers[call] = code
    refused = world.advance()
    world.line.answers.clear()
    world.store.save(retried(refused), action="tip.retried")
    before = len(world.line.calls)
    assert world.advance().state is TipState.FILED
    assert world.line.calls[before:] == calls_after


def test_only_a_refused_tip_can_be_retried() -> None:
    with pytest.raises(Conflict):
        retried(World().advance())


def test_a_file_added_to_the_tip_reaches_the_line_under_its_own_name() -> None:
    world = World(files=0)
    other = make_tip(world.media, files=2)
    world.replace_tip(with_files(world.tip, *other.files))
    world.advance()
    assert world.line.in_state("finished")[0].names == ["picture-0.png", "picture-1.png"]


@pytest.mark.parametrize("call", ["upload", "describe"])
def test_a_refused_tip_leaves_no_report_open(call: str) -> None:
    world = World()
    world.line.answers[call] = 4200
    filing = world.advance()
    assert (filing.state, filing.remote_id) == (TipState.REFUSED, "")
    assert "4200" in filing.failure
    assert [report.state for report in world.line.reports.values()] == ["retracted"]


def test_a_refused_tip_says_why_also_if_its_report_could_not_be_retracted_at_once() -> None:
    world = World(t3=Trouble.LOST_BEFORE)
    world.line.answers["upload"] = 4200
    waiting = world.advance()
    assert waiting.state is TipState.RETRACTING
    world.clock.advance(minutes=2)
    [filing] = world.filer.run_due(limit=10)
    assert filing.state is TipState.REFUSED
    assert "4200" in filing.failure


def test_a_report_that_cannot_be_retracted_is_told_of() -> None:
    world = World()
    world.line.answers |= {"upload": 4200, "retract": 4000}
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert filing.remote_id
    assert filing.retry_from is TipState.RETRACTING


def withdraw(world: World) -> Filing:
    """Withdraw the tip and return its filing once nothing more happens."""
    _, filing = world.store.load(world.tip.id)
    world.store.save(withdrawn(filing), action="tip.withdrawn")
    world.clock.advance(hours=2)
    world.filer.run_due(limit=10)
    return world.store.filings[world.tip.id]


def test_a_tip_that_is_not_opened_is_withdrawn_without_a_call() -> None:
    world = World()
    assert withdraw(world).state is TipState.WITHDRAWN
    assert world.line.calls == []


@pytest.mark.parametrize("position", [2, 3, 4])
def test_a_withdrawn_tip_leaves_no_report_open(position: int) -> None:
    troubles: dict[str, Any] = {f"t{position}": Trouble.LOST_BEFORE}
    world = World(**troubles)
    world.advance()
    filing = withdraw(world)
    assert (filing.state, filing.remote_id) == (TipState.WITHDRAWN, "")
    assert filing.failure == "its case was overturned"
    assert [report.state for report in world.line.reports.values()] == ["retracted"]


def test_a_tip_that_was_finished_before_it_was_withdrawn_is_filed_and_doubted() -> None:
    world = World(t4=Trouble.LOST_AFTER)
    assert world.advance().state is TipState.FINISHING
    filing = withdraw(world)
    assert filing.state is TipState.FILED
    assert "5102" in filing.receipt
    assert "tell the authority" in filing.failure


def test_a_withdrawal_that_is_refused_waits_for_a_person() -> None:
    world = World(t2=Trouble.LOST_BEFORE)
    world.advance()
    world.line.answers["retract"] = 4000
    filing = withdraw(world)
    assert (filing.state, filing.retry_from) == (TipState.REFUSED, TipState.WITHDRAWING)


def test_a_filed_tip_cannot_be_withdrawn() -> None:
    with pytest.raises(Conflict):
        withdrawn(World().advance())


OTHER_SCHEMA = (
    b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="other"/></xs:schema>'
)


def test_a_schema_that_changed_after_the_check_is_named_as_the_cause() -> None:
    class Changing(FakeCyberTipline):
        def open(self, document: bytes) -> str:
            self.xsd = narrowed(self.xsd)
            self.answers["open"] = 4100
            return super().open(document)

    world = World()
    world.line = Changing()
    world.filer = world.new_filer()
    filing = world.advance()
    assert filing.state is TipState.REFUSED
    assert "4100" in filing.failure
    assert "the schema has changed" in filing.failure


def test_a_schema_that_changed_for_every_report_lets_the_tip_wait() -> None:
    class Changing(FakeCyberTipline):
        def open(self, document: bytes) -> str:
            self.xsd = OTHER_SCHEMA
            self.answers["open"] = 4100
            return super().open(document)

    world = World()
    world.line = Changing()
    world.filer = world.new_filer()
    filing = world.advance()
    assert filing.state is TipState.OPENING
    assert filing.failure.startswith("the CyberTipline's schema takes no report of ours")


def test_a_schema_that_cannot_be_had_explains_nothing() -> None:
    world = World(t2=Trouble.LOST_BEFORE)
    world.line.answers["open"] = 4100
    assert world.advance().failure == "answered 4100"


def test_the_schema_is_fetched_anew_after_an_hour() -> None:
    world = World(tips=2)
    world.filer.run_due(limit=1)
    world.clock.advance(minutes=61)
    world.filer.run_due(limit=1)
    assert world.line.calls.count("schema") == 2


@pytest.mark.parametrize(("hours", "state"), [(23, TipState.FILED), (25, TipState.DRAFTED)])
def test_a_schema_that_cannot_be_fetched_is_used_for_a_day(hours: int, state: TipState) -> None:
    world = World(tips=2)
    world.filer.run_due(limit=1)
    world.line.answers["schema"] = 1000
    world.clock.advance(hours=hours)
    [filing] = world.filer.run_due(limit=1)
    assert filing.state is state


def test_what_was_sent_is_remembered_by_its_digest() -> None:
    world = World()
    filing = world.advance()
    [report] = world.line.reports.values()
    assert filing.document == sha256(report.document).hexdigest()


def test_tips_of_another_destination_are_left_alone() -> None:
    world = World()
    world.replace_tip(structs.replace(world.tip, destination="hotline"))
    assert world.filer.run_due(limit=10) == []


def lost(world: World, *, withdraws: bool = False) -> Filing:
    """Return the refusal of a tip whose report is gone, and may have been finished."""
    world.advance()
    if withdraws:
        filing = world.store.filings[world.tip.id]
        world.store.save(withdrawn(filing), action="tip.withdrawn")
    world.line.expire()
    world.clock.advance(hours=2)
    world.filer.run_due(limit=10)
    filing = world.store.filings[world.tip.id]
    assert filing.state is TipState.REFUSED
    return filing


def test_a_report_that_ncmec_never_had_is_filed_anew_and_once() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    filing = lost(world)
    world.store.save(denied(filing, filing.remote_id), action="tip.denied")
    world.advance()
    world.clock.advance(hours=1)
    after = world.advance()
    assert after.state is TipState.FILED
    assert after.remote_id != filing.remote_id
    assert [report.state for report in world.line.reports.values()] == ["finished"]


def test_a_report_that_ncmec_has_after_all_is_not_filed_anew() -> None:
    world = World(t4=Trouble.LOST_AFTER)
    world.advance()
    world.line.answers["finish"] = 5001
    filing = world.advance()
    world.line.answers.clear()
    world.store.save(denied(filing, filing.remote_id), action="tip.denied")
    after = world.advance()
    assert (after.state, after.remote_id) == (TipState.FILED, filing.remote_id)
    assert world.line.calls.count("open") == 1


def test_a_report_that_was_still_open_is_finished_and_no_other_is_opened() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    world.advance()
    world.line.answers["finish"] = 5001
    filing = world.advance()
    world.line.answers.clear()
    world.store.save(denied(filing, filing.remote_id), action="tip.denied")
    assert world.advance().receipt == world.line.receipts[0]
    assert world.line.calls.count("open") == 1


def test_a_withdrawn_tip_that_ncmec_never_had_is_not_filed() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    filing = lost(world, withdraws=True)
    assert "ask NCMEC" in filing.failure
    world.store.save(denied(filing, filing.remote_id), action="tip.denied")
    assert world.advance().state is TipState.WITHDRAWN
    assert world.line.calls.count("open") == 1


@pytest.mark.parametrize("withdraws", [False, True])
def test_a_report_that_ncmec_has_is_filed_by_its_word_and_never_again(*, withdraws: bool) -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    filing = lost(world, withdraws=withdraws)
    if withdraws:
        assert remedy(filing, appealed=None, overturned=None).endswith(
            "(nothing is filed anew of it)"
        )
    after = found(filing, filing.remote_id, said="yes, we have it", at=world.clock.at)
    world.store.save(after, action="tip.found")
    assert (after.state, after.filed_at) == (TipState.FILED, world.clock.at)
    assert after.receipt.endswith("NCMEC said: yes, we have it")
    assert ("tell the authority" in after.failure) == withdraws
    assert world.filer.run_due(limit=9) == []
    with pytest.raises(Conflict):
        found(after, filing.remote_id, said="again", at=world.clock.at)


def test_only_the_report_that_may_have_been_finished_can_be_denied() -> None:
    world = World(t4=Trouble.LOST_BEFORE)
    with pytest.raises(Conflict):
        denied(world.store.filings[world.tip.id], "9002")
    filing = lost(world)
    with pytest.raises(InvalidInput, match=filing.remote_id):
        denied(filing, "7000009")
    refused = World()
    refused.line.answers["upload"] = 4000
    with pytest.raises(Conflict, match="report retry tip-0"):
        denied(refused.advance(), "")
    with pytest.raises(Conflict, match="it is settled"):
        denied(World().advance(), "9002")


def test_a_receipt_is_kept_though_the_tip_was_to_be_withdrawn_meanwhile() -> None:
    class Overturning(FakeCyberTipline):
        def finish(self, remote_id: str) -> str:
            filing = world.store.filings[world.tip.id]
            world.store.save(withdrawn(filing), action="tip.withdrawn")
            return super().finish(remote_id)

    world = World()
    world.line = Overturning()
    world.filer = world.new_filer()
    filing = world.advance()
    assert (filing.state, filing.receipt) == (TipState.FILED, world.line.receipts[0])
    assert filing.failure == "filed before its case was overturned: tell the authority"


def test_a_receipt_is_not_stored_over_another_filers_work() -> None:
    class Slow(FakeCyberTipline):
        def finish(self, remote_id: str) -> str:
            filing = world.store.filings[world.tip.id]
            again = structs.replace(filing, revision=filing.revision + 1)
            world.store.save(again, action="tip.finish_requested")
            return super().finish(remote_id)

    world = World()
    world.line = Slow()
    world.filer = world.new_filer()
    with pytest.raises(Conflict):
        world.advance()
    assert world.store.filings[world.tip.id].state is TipState.FINISHING
