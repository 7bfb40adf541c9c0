"""A CyberTipline in memory that can fail at every step, before or after its effect."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import TypeVar

from lxml import etree

from nightlight.errors import Unavailable
from nightlight.report.ports import CyberTiplineRefusal
from nightlight.simulate.cybertipline import builtin_schema

T = TypeVar("T")


class Killed(BaseException):
    """The process died here; nothing may catch it."""


class Trouble(Enum):
    """How a call goes wrong."""

    LOST_BEFORE = auto()
    LOST_AFTER = auto()
    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()
    SERVER_ERROR = auto()


class Report:
    """One report as the line has it."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.state = "open"
        self.files: dict[str, bytes] = {}
        self.names: list[str] = []
        self.details: dict[str, bytes] = {}


class FakeCyberTipline:
    """Keeps reports by NCMEC's rules; call number N meets the trouble planned for N."""

    def __init__(self, troubles: Mapping[int, Trouble] | None = None) -> None:
        self.reports: dict[str, Report] = {}
        self.calls: list[str] = []
        self.receipts: list[str] = []
        self.answers: dict[str, int] = {}
        self.garble_uploads = 0
        self.xsd = builtin_schema()
        self._troubles = troubles or {}

    def in_state(self, state: str) -> list[Report]:
        return [report for report in self.reports.values() if report.state == state]

    def expire(self) -> None:
        """Drop every open report, as NCMEC does after a day."""
        gone = [name for name, report in self.reports.items() if report.state == "open"]
        for name in gone:
            del self.reports[name]

    def status(self) -> None:
        self._call("status", lambda: None)

    def schema(self) -> bytes:
        return self._call("schema", lambda: self.xsd)

    def open(self, document: bytes) -> str:
        return self._call("open", lambda: self._opened(document))

    def upload(
        self,
        remote_id: str,
        file_name: str,
        content_type: str,
        content: Iterator[bytes],
        byte_count: int,
    ) -> tuple[str, str]:
        assert content_type
        data = b"".join(content)
        assert len(data) == byte_count
        return self._call("upload", lambda: self._uploaded(remote_id, file_name, data))

    def describe(self, document: bytes) -> None:
        self._call("describe", lambda: self._described(document))

    def finish(self, remote_id: str) -> str:
        return self._call("finish", lambda: self._finished(remote_id))

    def retract(self, remote_id: str) -> None:
        self._call("retract", lambda: self._retracted(remote_id))

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        number = len(self.calls)
        self.calls.append(name)
        trouble = self._troubles.get(number)
        if trouble is Trouble.LOST_BEFORE:
            raise Unavailable("no answer")
        if trouble is Trouble.KILLED_BEFORE:
            raise Killed
        if trouble is Trouble.SERVER_ERROR:
            raise _refused(1000)
        if name in self.answers:
            raise _refused(self.answers[name])
        answer = effect()
        if trouble is Trouble.LOST_AFTER:
            raise Unavailable("no answer")
        if trouble is Trouble.KILLED_AFTER:
            raise Killed
        return answer

    def _opened(self, document: bytes) -> str:
        remote_id = str(9001 + self.calls.count("open"))
        self.reports[remote_id] = Report(document)
        return remote_id

    def _uploaded(self, remote_id: str, file_name: str, data: bytes) -> tuple[str, str]:
        report = self._open_report(remote_id)
        if self.garble_uploads:
            self.garble_uploads -= 1
            data += b"!"
        file_id = f"{remote_id}-{len(report.files)}"
        report.files[file_id] = data
        report.names.append(file_name)
        return file_id, hashlib.md5(data, usedforsecurity=False).hexdigest()

    def _described(self, document: bytes) -> None:
        root = etree.fromstring(document)
        report = self._open_report(root.findtext("reportId") or "")
        file_id = root.findtext("fileId") or ""
        if file_id not in report.files:
            raise _refused(5002)
        if file_id in report.details:
            raise _refused(4000)
        report.details[file_id] = document

    def _finished(self, remote_id: str) -> str:
        report = self._open_report(remote_id)
        report.state = "finished"
        ids = "".join(f"<fileId>{file_id}</fileId>" for file_id in report.files)
        receipt = (
            "<reportDoneResponse><responseCode>0</responseCode>"
            f"<reportId>{remote_id}</reportId><files>{ids}</files></reportDoneResponse>"
        )
        self.receipts.append(receipt)
        return receipt

    def _retracted(self, remote_id: str) -> None:
        self._open_report(remote_id).state = "retracted"

    def _open_report(self, remote_id: str) -> Report:
        report = self.reports.get(remote_id)
        if report is None:
            raise _refused(5001)
        if report.state == "retracted":
            raise _refused(5101)
        if report.state == "finished":
            raise _refused(5102)
        return report


def _refused(code: int) -> CyberTiplineRefusal:
    body = f"<reportResponse><responseCode>{code}</responseCode></reportResponse>"
    return CyberTiplineRefusal(f"answered {code}", answer_code=code, body=body)
