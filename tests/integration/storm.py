"""Many tips filed by processes that are killed, with a CyberTipline that fails by a script."""

import random
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from sqlalchemy import text
from tests.fakes.simulators import Simulator
from tests.integration.launcher import Launcher
from tests.synthetic.builders import make_case
from tests.synthetic.ncmec_schema import SCHEMA_FILES
from tests.synthetic.tips import generated_tip

from nightlight.adapters.sql.database import open_engine
from nightlight.bootstrap import build_services
from nightlight.model.audit import AuditEntry
from nightlight.model.case import CaseState
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import SETTLED, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.person import ReportedParty
from nightlight.services import Services
from nightlight.settings import read_settings
from nightlight.simulate.faults import Fault

_ROUNDS = 80
_DAY_S = 25 * 3600
_CALLS = ("/submit", "/upload", "/fileinfo", "/finish", "/retract", "/xsd")
_KINDS = ("drop_answer", "drop_request", "error_500", "delay", "truncate", "wrong_md5", "code")
_CODES = (1000, 1100, 1110, 1111, 1300, 2000, 3000, 4100, 4200)


def script(chance: random.Random, *, faults: int, within: int) -> list[Fault]:
    """Return so many faults at random calls, each within so many calls of its kind."""
    return [
        Fault(
            path=chance.choice(_CALLS),
            kind=chance.choice(_KINDS),  # type: ignore[arg-type]  # each is one of the kinds
            code=chance.choice(_CODES),
            delay_s=0.01,
            after=chance.randint(0, within),
        )
        for _ in range(faults)
    ]


class Storm:
    """Nightlight with drafted tips, and a simulated CyberTipline that fails."""

    def __init__(
        self, folder: Path, *, tips: int, faults: int, seed: int, environment: dict[str, str]
    ) -> None:
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311  moments, not secrets
        self._tips = tips
        listed = folder / "faults.json"
        listed.write_bytes(msgspec.json.encode(script(self._chance, faults=faults, within=tips)))
        schema = ["--schema", str(SCHEMA_FILES[0])] if SCHEMA_FILES else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.line = Simulator(
            "cybertipline", "--state", str(folder / "line.db"), "--faults", str(listed),
            "--strict", "--port", port, *schema,
        )  # fmt: skip
        self._environment = environment | {
            "NIGHTLIGHT_HOME": str(folder / "home"),
            "NIGHTLIGHT_CYBERTIPLINE_URL": f"http://127.0.0.1:{port}/ispws",
            "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
            "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
            "NIGHTLIGHT_REPORTER_EMAIL": "reporter@zorbleflux.example.test",
        }
        self._launcher = Launcher(environment)
        self.kills = 0
        self.retries = 0

    def __enter__(self) -> Self:
        self.line.start()
        self.services = self._services()
        self._engine = open_engine(f"sqlite:///{self._folder / 'home' / 'nightlight.db'}")
        self._draft()
        return self

    def __exit__(self, *_: object) -> None:
        self._launcher.close()
        self.line.kill()
        self._engine.dispose()

    def _services(self) -> Services:
        return build_services(read_settings(self._environment))

    def _draft(self) -> None:
        now = self.services.clock.now()
        with self.services.unit_of_work.begin() as tx:
            for number in range(self._tips):
                tip = self._tip(number)
                tx.cases.save(
                    make_case(id=tip.case_id, state=CaseState.CONFIRMED, account_id=tip.account_id)
                )
                tx.tips.draft(tip, at=now)
            tx.commit(AuditEntry(actor="test", action="case.confirmed", subject="all"))

    def _tip(self, number: int) -> CyberTip:
        """Return a generated tip of its own account, with files that lie in the vault."""
        made, account = generated_tip(number), f"stormy-{number}"
        files = tuple(
            replace(
                file,
                digest=self.services.vault.seal(f"harmless {number} {place}".encode()),
                evidence_id=f"evidence-{number}-{place}",
                content_type="image/png",
            )
            for place, file in enumerate(made.files)
        )
        return replace(
            made,
            id=TipId(f"tip-{number}"),
            case_id=CaseId(f"case-{number}"),
            account_id=AccountId(account),
            bundled=(),
            destination=Destination.NCMEC,
            reported=(ReportedParty(account_id=account), *made.reported[1:]),
            files=files,
            unread=(),  # its evidence is there, and was read when it was drafted
        )

    def run(self, *, kills: int) -> None:
        """File every tip; the process is killed so many times on the way."""
        output = self._folder / "output.txt"
        for _ in range(kills + _ROUNDS):
            if not self._waiting():
                return
            self._let_time_pass()
            command = self._launcher.start(
                "report", "file", environment=self._environment, output=output
            )
            if self.kills < kills:
                time.sleep(self._chance.uniform(0.0, 1.0))
                if command.poll() is None:
                    command.kill()
                    self.kills += 1
            command.wait()
            self._retry_refused()
        raise AssertionError("tips are never filed")

    def _waiting(self) -> int:
        with self.services.unit_of_work.read() as tx:
            return sum(one.filing.state is not TipState.FILED for one in tx.tips.newest(10_000))

    def _let_time_pass(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text("UPDATE cybertip SET next_us = 0"))

    def _retry_refused(self) -> None:
        """Do as a person does: order what was refused to go on."""
        with self.services.unit_of_work.read() as tx:
            refused = [one.tip_id for one in tx.tips.refused()]
        for tip_id in refused:
            self.services.tip_desk.retry(tip_id, by="a test person", reason="looked at it")
        self.retries += len(refused)

    def check(self) -> Counter[str]:
        """Return how many reports the line has by state, having checked everything else.

        Every tip is filed once, whole and with its receipt; a day later no report is open.
        """
        before = Counter(one["state"] for one in self._reports())
        with self.services.unit_of_work.read() as tx:
            stored = tx.tips.newest(10_000)
            tips = {one.tip_id: tx.tips.load(one.tip_id) for one in stored}
        assert len(tips) == self._tips
        finished = {one["id"]: one for one in self._reports() if one["state"] == "finished"}
        assert len(finished) == self._tips
        for tip, filing in tips.values():
            assert filing.state in SETTLED
            report = finished.pop(filing.remote_id)
            _check_report(report, tip, self.services)
            told = [f"<fileId>{file['id']}</fileId>" in filing.receipt for file in report["files"]]
            assert all(told) or "5102" in filing.receipt
            assert filing.filed_at is not None
        assert finished == {}
        assert self.services.record.verify().intact
        self.line.post("/_clock", {"seconds": _DAY_S})
        assert "open" not in {one["state"] for one in self._reports()}
        return before

    def _reports(self) -> list[dict[str, Any]]:
        reports: list[dict[str, Any]] = self.line.state()["reports"]
        return reports


def _check_report(report: dict[str, Any], tip: CyberTip, services: Services) -> None:
    assert report["esp_identifier"] == tip.account_id
    assert len(report["files"]) == len(tip.files)
    assert all(file["details"] for file in report["files"])
    assert services.settings.cybertipline is not None
