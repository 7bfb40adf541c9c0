"""The simulated CyberTipline answers whatever is sent to it as documented, over real sockets."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from tests.fakes.simulators import Simulator
from typer.testing import CliRunner

from nightlight.cli.simulate import app
from nightlight.errors import InvalidInput

REPORT = """<?xml version="1.0" encoding="{encoding}"?>
<report><incidentSummary>
<incidentType>Online Enticement of Children for Sexual Acts</incidentType>
<incidentDateTime>2026-01-02T03:04:05Z</incidentDateTime>
</incidentSummary><reporter><reportingPerson>
<firstName>Zorbl{letter}</firstName><lastName>Quib</lastName><email>a@example.test</email>
</reportingPerson></reporter></report>
"""
DETAILS = "<fileDetails><reportId>{report}</reportId><fileId>{file}</fileId></fileDetails>"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator("cybertipline") as running:
        yield running


def call(simulator: Simulator, path: str, **what: Any) -> dict[str, str]:
    """Return what was answered; a call is always answered, and with XML."""
    answer = httpx.post(
        f"{simulator.url}/ispws{path}", auth=("sim", "sim"), trust_env=False, **what
    )
    assert answer.status_code == 200, answer.text
    root = etree.fromstring(answer.content)
    return {str(one.tag): one.text or "" for one in root}


def document(
    encoding: str = "UTF-8", letter: str = "\N{LATIN SMALL LETTER A WITH DIAERESIS}"
) -> bytes:
    return REPORT.format(encoding=encoding, letter=letter).encode(encoding)


def opened(simulator: Simulator) -> str:
    told = call(simulator, "/submit", content=document())
    assert told["responseCode"] == "0"
    return told["reportId"]


def kept(simulator: Simulator, report_id: str) -> dict[str, Any]:
    [found] = [one for one in simulator.state()["reports"] if one["id"] == report_id]
    return dict(found)


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "UTF-32", "windows-1252", "UTF-8"])
def test_a_report_in_any_encoding_is_taken_and_told_as_it_reads(
    simulator: Simulator, encoding: str
) -> None:
    told = call(simulator, "/submit", content=document(encoding))
    assert told["responseCode"] == "0"
    xml = kept(simulator, told["reportId"])["xml"]
    assert "Zorbl\N{LATIN SMALL LETTER A WITH DIAERESIS}<" in xml
    assert simulator.get("/").status_code == 200


def test_details_in_another_encoding_are_taken(simulator: Simulator) -> None:
    report = opened(simulator)
    file = call(simulator, "/upload", files={"id": (None, report), "file": ("a", b"zorble")})
    details = DETAILS.format(report=f" {report}\n", file=file["fileId"])
    assert call(simulator, "/fileinfo", content=details.encode("UTF-16"))["responseCode"] == "0"
    assert "fileDetails" in kept(simulator, report)["files"][0]["details"]


NAMES = [
    "bild-\N{LATIN SMALL LETTER A WITH DIAERESIS}.png",
    "\N{CJK UNIFIED IDEOGRAPH-65E5}\N{CJK UNIFIED IDEOGRAPH-672C}.png",
    "plain name.png",
]


@pytest.mark.parametrize("name", NAMES)
def test_file_names_are_told_as_they_were_sent(simulator: Simulator, name: str) -> None:
    report = opened(simulator)
    body = (
        f'--B\r\nContent-Disposition: form-data; name="id"\r\n\r\n{report}\r\n--B\r\n'
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nzorb\r\n--B--\r\n'
    )
    told = call(simulator, "/upload", content=body.encode(), headers=MULTIPART)
    assert told["responseCode"] == "0"
    assert kept(simulator, report)["files"][0]["name"] == name


MULTIPART = {"content-type": "multipart/form-data; boundary=B"}
ODD_NAMES = {
    "bytes that are no text": (b'filename="bild-\xff.png"', "0"),
    "percent encoded": (b"filename*=UTF-8''bild-%C3%A4.png", "0"),
    "an unknown encoding": (b"filename*=nonsense''bild-%C3%A4.png", "0"),
    "an encoding of domain names": (b"filename*=idna''bild-%C3%A4.png", "4000"),
    "half a pair of surrogates": (b"filename*=utf-7''%2B2AA-.png", "0"),
    "no name at all": (b"", "0"),
}


@pytest.mark.parametrize(("field", "code"), ODD_NAMES.values(), ids=ODD_NAMES)
def test_odd_file_names_are_answered(simulator: Simulator, field: bytes, code: str) -> None:
    report = opened(simulator).encode()
    body = (
        b'--B\r\nContent-Disposition: form-data; name="id"\r\n\r\n' + report + b"\r\n--B\r\n"
        b'Content-Disposition: form-data; name="file"; ' + field + b"\r\n\r\nzorb\r\n--B--\r\n"
    )
    told = call(simulator, "/upload", content=body, headers=MULTIPART)
    assert told["responseCode"] == code
    assert simulator.get("/_state").status_code == 200


FAR = [
    "9" * 20,
    "9" * 5_000,
    "0",
    "-1",
    "".join(chr(0xFF10 + int(one)) for one in "7000001"),
    "\N{ARABIC-INDIC DIGIT SEVEN}",
]


@pytest.mark.parametrize("way", ["/finish", "/retract", "/upload"])
def test_what_is_no_id_is_that_of_no_report(simulator: Simulator, way: str) -> None:
    for one in [*FAR, f"0{opened(simulator)}"]:
        assert call(simulator, way, files={"id": (None, one)})["responseCode"] == "5001", one


def test_time_goes_no_further_than_dates_do(tmp_path: Path) -> None:
    state = tmp_path / "tips.db"
    with Simulator("cybertipline", "--state", str(state)) as simulator:
        for body in (b'{"seconds": 1e12}', b'{"seconds": 1e308}', b'{"seconds": 1e400}', b"\xff"):
            assert simulator.post("/_clock", body).status_code == 422
        assert simulator.post("/_clock", {"seconds": 31_557_500_000.0}).status_code == 200
        assert simulator.post("/_clock", {"seconds": 31_557_500_000.0}).status_code == 422
        opened(simulator)
        assert len(simulator.state()["reports"]) == 1
    # As a former version left it.
    with sqlite3.connect(state) as database:
        database.execute("UPDATE clock SET ahead_s = 1e12")
    database.close()
    with Simulator("cybertipline", "--state", str(state)) as simulator:
        opened(simulator)
        assert simulator.get("/_state").status_code == 200


def test_the_scheme_is_taken_in_any_case_and_wrong_credentials_are_not(
    simulator: Simulator,
) -> None:
    def status(given: str) -> int:
        headers = httpx.Headers({b"authorization": given.encode("latin-1")})
        url = f"{simulator.url}/ispws/status"
        return httpx.get(url, headers=headers, trust_env=False).status_code

    assert [status(f"{scheme} c2ltOnNpbQ==") for scheme in ("Basic", "basic", "BASIC")] == [200] * 3
    wrong = ["", "Basic", "Basic c2lt", "Bearer c2ltOnNpbQ==", "c2ltOnNpbQ==", "Basic \xe4"]
    assert [status(one) for one in wrong] == [401] * len(wrong)


@pytest.mark.parametrize(("kind", "code"), [("error_401", 401), ("error_503", 503)])
def test_it_turns_away_or_is_busy_on_request_and_without_effect(
    simulator: Simulator, kind: str, code: int
) -> None:
    before = len(simulator.state()["reports"])
    simulator.fault(kind=kind, path="/submit")
    answer = httpx.post(
        f"{simulator.url}/ispws/submit", content=document(), auth=("sim", "sim"), trust_env=False
    )
    assert (answer.status_code, answer.content) == (code, b"")
    assert len(simulator.state()["reports"]) == before
    opened(simulator)


def test_a_fault_that_is_no_text_is_refused(simulator: Simulator) -> None:
    assert simulator.post("/_faults", b'{"kind": "code", "path": "\xff"}').status_code == 422


def test_a_state_that_cannot_be_written_is_answered_as_not_saved(tmp_path: Path) -> None:
    state = tmp_path / "tips.db"
    with Simulator("cybertipline", "--state", str(state)) as simulator:
        opened(simulator)
        with sqlite3.connect(state) as database:
            database.execute("DROP TABLE report")
        database.close()
        assert call(simulator, "/submit", content=document())["responseCode"] == "1100"


NEEDED = {
    "cybertipline": [],
    "dsa": [],
    "kms": ["--token", "zorble"],
    "platform": ["--secret", "whsec_em9yYmxl"],
}


@pytest.mark.parametrize("partner", NEEDED)
def test_a_state_that_is_none_is_refused(partner: str, tmp_path: Path) -> None:
    text, other, mine = (tmp_path / name for name in ("text", "other.db", "mine.db"))
    text.write_text("quibble " * 1_000)
    with sqlite3.connect(other) as database:
        for table in ("report", "statement", "transit", "delivery", "effect", "post"):
            database.execute(f"CREATE TABLE {table} (zorble TEXT)")
    database.close()
    with sqlite3.connect(mine) as database:
        database.execute("CREATE TABLE mine (zorble TEXT)")
    database.close()
    foreign = (text, other, mine)
    before = [one.read_bytes() for one in foreign]
    for path in (*foreign, tmp_path / "none" / "x.db", tmp_path):
        arguments = [partner, "--state", str(path), *NEEDED[partner]]
        refused = CliRunner().invoke(app, arguments)
        assert isinstance(refused.exception, InvalidInput), path
    assert [one.read_bytes() for one in foreign] == before


def test_a_state_that_is_none_leaves_with_2_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("quibble")
    command = [sys.executable, "-m", "nightlight", "simulate", "cybertipline", "--state"]
    done = subprocess.run(
        [*command, str(tmp_path / "text")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no state can be kept there" in done.stderr
    assert "Traceback" not in done.stderr
