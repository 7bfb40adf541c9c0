"""Filing over real HTTP with the simulated CyberTipline in a process of its own."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs
from tests.fakes.cybertip_store import HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.simulators import Simulator
from tests.synthetic.ncmec_schema import SCHEMA_FILES, SCHEMAS
from tests.synthetic.tips import generated_tip

from nightlight.adapters.cybertipline import HttpCyberTipline
from nightlight.errors import InvalidInput, NotPermitted, Unavailable
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import Filing, TipState
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.ports import AnswerKind, CyberTiplineRefusal
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.schema import validate
from nightlight.report.submit import Filer
from nightlight.simulate.faults import read_script

REPORTER = Reporter(person=Contact(first_name="Zor", last_name="Bleflux", email="d@example.test"))


@pytest.fixture(scope="module", params=[None, *SCHEMA_FILES], ids=lambda p: p.stem if p else "own")
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    given = ["--schema", str(request.param)] if request.param else []
    with Simulator("cybertipline", *given) as running:
        yield running


@pytest.fixture
def line(simulator: Simulator) -> Iterator[HttpCyberTipline]:
    simulator.clear_faults()
    with line_to(simulator, password="sim") as connected:
        yield connected


def line_to(simulator: Simulator, *, password: str) -> HttpCyberTipline:
    return HttpCyberTipline(base_url=f"{simulator.url}/ispws", username="sim", password=password)


def upload(line: HttpCyberTipline, remote_id: str, data: bytes) -> tuple[str, str]:
    return line.upload(remote_id, "a.png", "image/png", iter((data,)), len(data))


def full_tip(media: MemoryMedia, name: str = "full") -> CyberTip:
    """Return a tip that uses every field there is, some with more than they can carry."""
    tip = make_tip(media, files=2, name=name)
    full = structs.replace(
        generated_tip(7),
        id=tip.id,
        case_id=tip.case_id,
        files=tip.files,
        incident_at=tip.incident_at,
    )
    party = structs.replace(
        tip.reported[0],
        account_id=tip.account_id,
        bio="x" * 5000 + "\x00",
        handle="h" * 999,
    )
    return structs.replace(full, account_id=tip.account_id, reported=(party,))


class Tipping:
    """A tip on its way to a real line."""

    def __init__(self, line: HttpCyberTipline, *, name: str, files: int = 1) -> None:
        self.media = MemoryMedia()
        self.tip = make_tip(self.media, files=files, name=name)
        self.store = MemoryTipStore(self.tip)
        self.clock = HandClock()
        self.line = line

    def advance(self) -> Filing:
        # A new filer each time, as after a restart.
        filer = Filer(
            store=self.store,
            destination=self.line,
            media=self.media,
            reporter=REPORTER,
            clock=self.clock,
        )
        return filer.advance(self.tip.id)

    def advance_until_filed(self) -> Filing:
        for _ in range(6):
            filing = self.advance()
            if filing.state is TipState.FILED:
                return filing
        raise AssertionError(f"not filed: {filing}")


def reports_about(simulator: Simulator, tip: CyberTip) -> list[dict[str, Any]]:
    reports = simulator.state()["reports"]
    return [report for report in reports if report["esp_identifier"] == tip.account_id]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_document_without_its_summary_breaks_the_schema(schema: bytes) -> None:
    with pytest.raises(InvalidInput):
        validate(b"<report><reporter/></report>", schema)


def test_a_tip_is_filed_with_its_files_and_details(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    tipping = Tipping(line, name="whole", files=2)
    filing = tipping.advance()
    assert filing.state is TipState.FILED
    (report,) = reports_about(simulator, tipping.tip)
    assert report["state"] == "finished"
    assert report["id"] == filing.remote_id
    sent = [tipping.media.files[file.digest] for file in tipping.tip.files]
    arrived = [hashlib.md5(data, usedforsecurity=False).hexdigest() for data in sent]
    assert [file["md5"] for file in report["files"]] == arrived
    assert [file["content_type"] for file in report["files"]] == ["image/png"] * 2
    assert all("fileViewedByEsp" in file["details"] for file in report["files"])
    assert all(file_id in filing.receipt for file_id in filing.uploaded)


def test_every_field_is_taken(simulator: Simulator, line: HttpCyberTipline) -> None:
    tipping = Tipping(line, name="full")
    tipping.tip = full_tip(tipping.media)
    tipping.store = MemoryTipStore(tipping.tip)
    assert tipping.advance().state is TipState.FILED
    assert len(reports_about(simulator, tipping.tip)) == 1


@pytest.mark.parametrize("kind", ["drop_answer", "drop_request", "error_500"])
@pytest.mark.parametrize("path", ["/xsd", "/submit", "/upload", "/fileinfo", "/finish"])
def test_one_finished_report_whatever_call_fails(
    simulator: Simulator, line: HttpCyberTipline, path: str, kind: str
) -> None:
    simulator.fault(path=path, kind=kind)
    tipping = Tipping(line, name=f"{kind}{path}")
    filing = tipping.advance_until_filed()
    assert filing.attempts >= 1
    finished = [r for r in reports_about(simulator, tipping.tip) if r["state"] == "finished"]
    assert [report["id"] for report in finished] == [filing.remote_id]
    assert len(finished[0]["files"]) == 1
    assert finished[0]["files"][0]["details"]


def test_the_answer_to_a_repeated_finish_is_kept_as_the_receipt(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    simulator.fault(path="/finish", kind="drop_answer")
    tipping = Tipping(line, name="again")
    assert "5102" in tipping.advance_until_filed().receipt


def test_a_line_that_forgot_the_report_gets_a_new_one(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    simulator.fault(path="/upload", kind="code", code=1110)
    tipping = Tipping(line, name="expired")
    assert tipping.advance().state is TipState.UPLOADING
    httpx.post(f"{simulator.url}/_expire", trust_env=False)
    assert tipping.advance_until_filed().restarts == 1
    assert len(reports_about(simulator, tipping.tip)) == 1


def test_a_killed_line_keeps_what_it_answered(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "tips.sqlite"))
    simulator = Simulator("cybertipline", *state)
    with simulator:
        simulator.fault(path="/finish", kind="drop_request")
        with line_to(simulator, password="sim") as line:
            tipping = Tipping(line, name="killed", files=2)
            assert tipping.advance().state is TipState.FINISHING
        simulator.kill()
        simulator.start()
        with line_to(simulator, password="sim") as line:
            tipping.line = line
            filing = tipping.advance()
        assert filing.state is TipState.FILED
        assert filing.restarts == 0
        (report,) = reports_about(simulator, tipping.tip)
        assert [file["id"] for file in report["files"]] == list(filing.uploaded)


def test_a_line_that_is_down_is_unavailable(simulator: Simulator) -> None:
    with Simulator("cybertipline") as other:
        url = other.url
    with (
        HttpCyberTipline(base_url=f"{url}/ispws", username="sim", password="sim") as line,
        pytest.raises(Unavailable),
    ):
        line.status()
    assert simulator.get("/ispws/status").status_code == 401


def test_an_id_is_not_used_again_after_a_report_expired(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    document = report_xml(make_tip(MemoryMedia()), reporter=REPORTER)
    first = line.open(document)
    httpx.post(f"{simulator.url}/_expire", trust_env=False)
    assert line.open(document) != first


def test_status_answers_whoever_has_the_credentials(line: HttpCyberTipline) -> None:
    line.status()


def test_wrong_credentials_are_refused_as_such(simulator: Simulator) -> None:
    with line_to(simulator, password="wrong") as stranger:
        with pytest.raises(CyberTiplineRefusal) as caught:
            stranger.status()
        assert caught.value.kind is AnswerKind.CREDENTIALS
        with pytest.raises(NotPermitted):
            Tipping(stranger, name="stranger").advance()


def code_of(call: Any, *arguments: object) -> int:
    with pytest.raises(CyberTiplineRefusal) as caught:
        call(*arguments)
    return caught.value.answer_code


def open_report(line: HttpCyberTipline) -> str:
    return line.open(report_xml(make_tip(MemoryMedia(), name="codes"), reporter=REPORTER))


def test_what_is_not_xml_is_4110(line: HttpCyberTipline) -> None:
    assert code_of(line.open, b"no xml") == 4110


def test_what_breaks_the_schema_is_4100(line: HttpCyberTipline) -> None:
    assert code_of(line.open, b"<report><other/></report>") == 4100


def test_an_unknown_report_is_5001(line: HttpCyberTipline) -> None:
    assert code_of(line.finish, "1") == 5001
    assert code_of(line.retract, "1") == 5001
    assert code_of(upload, line, "1", b"a") == 5001


def test_a_retracted_report_is_5101(line: HttpCyberTipline) -> None:
    remote_id = open_report(line)
    line.retract(remote_id)
    assert code_of(line.finish, remote_id) == 5101
    assert code_of(line.retract, remote_id) == 5101


def test_a_finished_report_is_5102(line: HttpCyberTipline) -> None:
    remote_id = open_report(line)
    line.finish(remote_id)
    assert code_of(line.finish, remote_id) == 5102
    assert code_of(line.retract, remote_id) == 5102


def test_details_are_taken_once_and_only_of_known_files(line: HttpCyberTipline) -> None:
    remote_id = open_report(line)
    file_id, _ = upload(line, remote_id, b"a")
    (file,) = make_tip(MemoryMedia()).files
    known = file_details_xml(file, remote_id=remote_id, file_id=file_id)
    line.describe(known)
    assert code_of(line.describe, known) == 4000
    unknown = file_details_xml(file, remote_id=remote_id, file_id="other")
    assert code_of(line.describe, unknown) == 5002


@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"\r\n--", b"a\r\n--b\r\n", b"\x00\xff\r", bytes(range(256)) * 500]
)
@pytest.mark.parametrize("name", ["", 'a"b.png', "ñ\r\nx.png", "\ud800.png"])
def test_a_file_arrives_unaltered_whatever_it_holds(
    line: HttpCyberTipline, data: bytes, name: str
) -> None:
    _, arrived = line.upload(open_report(line), name, "", iter((data,)), len(data))
    assert arrived == hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_an_error_names_the_request_id_but_nothing_that_was_sent(line: HttpCyberTipline) -> None:
    with pytest.raises(CyberTiplineRefusal) as caught:
        line.open(b"<report>zorbleflux</report>")
    assert "Request-ID" in str(caught.value)
    assert "none" not in str(caught.value)
    assert "zorbleflux" not in str(caught.value)


def test_the_page_says_that_it_is_simulated_and_lists_tips(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    remote_id = open_report(line)
    page = simulator.get("/").text
    assert "SIMULATED CyberTipline: nothing here reaches NCMEC" in page
    assert remote_id in page


def test_a_fault_hits_after_and_as_often_as_asked(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    simulator.fault(path="/status", kind="code", code=1000, times=2, after=1)
    line.status()
    assert code_of(line.status) == 1000
    assert code_of(line.status) == 1000
    line.status()


def test_an_unknown_fault_is_refused(simulator: Simulator) -> None:
    answer = httpx.post(
        f"{simulator.url}/_faults", json={"path": "/x", "kind": "other"}, trust_env=False
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("address", ["http://report.example.test/ispws", "ftp://x", "report"])
def test_credentials_are_never_sent_unencrypted_to_another_machine(address: str) -> None:
    with pytest.raises(InvalidInput):
        HttpCyberTipline(base_url=address, username="sim", password="sim")


def test_a_simulator_ends_cleanly_when_asked() -> None:
    with Simulator("cybertipline") as running:
        assert running.stop() == 0


def test_two_simulators_do_not_share_a_port() -> None:
    with Simulator("cybertipline") as running:
        port = running.url.rpartition(":")[2]
        with pytest.raises(AssertionError, match="did not start"):
            Simulator("cybertipline", "--port", port).start()


def test_an_unfinished_report_is_gone_a_day_after_opening_or_an_hour_after_its_last_change(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    tip = make_tip(MemoryMedia(), name="slow")
    remote_id = line.open(report_xml(tip, reporter=REPORTER))
    simulator.post("/_clock", {"seconds": 23.9 * 3600})
    upload(line, remote_id, b"harmless")
    simulator.post("/_clock", {"seconds": 3000})
    assert [one["state"] for one in reports_about(simulator, tip)] == ["open"]
    simulator.post("/_clock", {"seconds": 601})
    assert reports_about(simulator, tip) == []
    assert refused(lambda: line.finish(remote_id)) == 5001


@pytest.mark.parametrize("kind", ["truncate", "drop_answer"])
def test_an_answer_that_breaks_off_is_no_answer(
    simulator: Simulator, line: HttpCyberTipline, kind: str
) -> None:
    simulator.fault(path="/submit", kind=kind)
    tip = make_tip(MemoryMedia(), name=f"cut-{kind}")
    with pytest.raises(Unavailable):
        line.open(report_xml(tip, reporter=REPORTER))
    assert len(reports_about(simulator, tip)) == 1


def test_a_late_answer_is_an_answer(simulator: Simulator, line: HttpCyberTipline) -> None:
    simulator.fault(path="/status", kind="delay", delay_s=0.01)
    line.status()


def test_a_file_that_is_said_to_have_arrived_altered_is_filed_anew(
    simulator: Simulator, line: HttpCyberTipline
) -> None:
    simulator.fault(path="/upload", kind="wrong_md5")
    tipping = Tipping(line, name="altered")
    assert tipping.advance().state is TipState.RETRACTING
    tipping.advance_until_filed()
    states = [one["state"] for one in reports_about(simulator, tipping.tip)]
    assert sorted(states) == ["finished", "retracted"]


def test_the_schema_may_change_while_it_runs(simulator: Simulator, line: HttpCyberTipline) -> None:
    before = line.schema()
    tip = make_tip(MemoryMedia(), name="changed")
    assert simulator.post("/_schema", b"<nonsense/>").status_code == 422
    assert simulator.post("/_schema", changed_schema(before)).status_code == 204
    assert line.schema() != before
    assert refused(lambda: line.open(report_xml(tip, reporter=REPORTER))) == 4100
    assert simulator.post("/_schema", before).status_code == 204


def changed_schema(schema: bytes) -> bytes:
    """Return the schema with another name for an element that every report has."""
    return schema.replace(b'name="incidentDateTime"', b'name="incidentMoment"')


def refused(call: Callable[[], object]) -> int:
    """Return the code with which a call was refused."""
    with pytest.raises(CyberTiplineRefusal) as refusal:
        call()
    return refusal.value.answer_code


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("faults.json", '[{"path": "/submit", "kind": "code", "code": 1100}]'),
        ("faults.toml", '[[faults]]\npath = "/submit"\nkind = "code"\ncode = 1100\n'),
    ],
)
def test_faults_come_from_a_script_and_strict_checks_the_cross_rules(
    tmp_path: Path, name: str, script: str
) -> None:
    (tmp_path / name).write_text(script)
    with (
        Simulator("cybertipline", "--faults", str(tmp_path / name), "--strict") as running,
        line_to(running, password="sim") as strict,
    ):
        tip = make_tip(MemoryMedia(), name="scripted")
        document = report_xml(tip, reporter=REPORTER)
        assert refused(lambda: strict.open(document)) == 1100
        remote_id = strict.open(document)
        file_id, _ = upload(strict, remote_id, b"harmless")
        unviewed = structs.replace(tip.files[0], viewed=False, exif_viewed=True)
        details = file_details_xml(unviewed, remote_id=remote_id, file_id=file_id)
        assert refused(lambda: strict.describe(details)) == 4100
        ahead = structs.replace(tip, incident_at=datetime(2999, 1, 1, tzinfo=UTC))
        assert refused(lambda: strict.open(report_xml(ahead, reporter=REPORTER))) == 4100


def test_a_script_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text('[{"kind": "gremlins"}]')
    with pytest.raises(InvalidInput):
        read_script(tmp_path / "faults.json")
