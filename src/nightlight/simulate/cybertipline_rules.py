"""How the simulated CyberTipline answers: NCMEC's documented codes, as XML."""

from collections.abc import Mapping
from contextlib import suppress

from lxml import etree

from nightlight.errors import InvalidInput
from nightlight.report.rules import breaches_of_file, breaches_of_report, check_breaches
from nightlight.report.schema import Schema, parsed
from nightlight.simulate.cybertipline_state import ReportState, ReportStore, StoredReport
from nightlight.simulate.multipart import Part

#: Encodings of which the bytes say the same as UTF-8.
_AS_IT_ARRIVED = frozenset({"UTF-8", "US-ASCII", "ASCII"})
OK = 0
NOT_SAVED = 1100
INVALID = 4000
_BREAKS_SCHEMA = 4100
_NOT_XML = 4110
_NO_SUCH_REPORT = 5001
_NO_SUCH_FILE = 5002
_RETRACTED = 5101
_FINISHED = 5102

#: Every code that NCMEC documents; its list says of itself that it is not complete.
DESCRIPTIONS: Mapping[int, str] = {
    OK: "ok",
    1000: "the server failed",
    NOT_SAVED: "what was sent could not be saved",
    1110: "the file could not be taken in",
    1111: "the file could not be taken in whole",
    1210: "what was asked for was not found",
    1300: "what was sent could not be updated",
    2000: "the credentials were not taken",
    3000: "this is not allowed",
    3100: "this is not allowed to this user",
    3300: "this is not allowed for this report",
    INVALID: "the request is incomplete or repeats what is taken once",
    _BREAKS_SCHEMA: "the document breaks the schema",
    _NOT_XML: "the document is not the XML that is taken here",
    4200: "the file was not taken",
    _NO_SUCH_REPORT: "there is no such report",
    _NO_SUCH_FILE: "there is no such file in this report",
    _RETRACTED: "the report was retracted before",
    _FINISHED: "the report was finished before",
}


class Refused(Exception):  # noqa: N818  the name is the answer
    """A request that is answered with a code other than 0."""

    def __init__(self, code: int, report_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.report_id = report_id


def answer(code: int, *, report_id: str = "", file_id: str = "", md5: str = "") -> bytes:
    """Return a reportResponse."""
    root = etree.Element("reportResponse")
    etree.SubElement(root, "responseCode").text = str(code)
    etree.SubElement(root, "responseDescription").text = DESCRIPTIONS.get(code, "")
    for tag, value in (("reportId", report_id), ("fileId", file_id), ("hash", md5)):
        if value:
            etree.SubElement(root, tag).text = value
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _text(document: bytes, root: etree._Element) -> str:
    """Return a document as it arrived; where it is in another encoding, written anew."""
    with suppress(UnicodeDecodeError):
        if (root.getroottree().docinfo.encoding or "UTF-8").upper() in _AS_IT_ARRIVED:
            return document.decode()
    return etree.tostring(root.getroottree(), encoding="unicode")


class Rules:
    """The calls of the API, on stored reports; each returns its answer or raises ``Refused``."""

    def __init__(self, store: ReportStore, schema: Schema, *, strict: bool = False) -> None:
        """Keep the reports; ``strict`` refuses documents that break a cross rule, too."""
        self._store = store
        self._strict = strict
        self.schema = schema

    def submit(self, document: bytes) -> bytes:
        """Open a report."""
        root = self._checked(document, "report")
        return answer(OK, report_id=self._store.open(_text(document, root)))

    def upload(self, parts: dict[str, Part]) -> bytes:
        """Add a file to an open report."""
        report = self._open_report(parts)
        file = parts.get("file")
        if file is None:
            raise Refused(INVALID, report.id)
        stored = self._store.add_file(
            report, name=file.file_name, content_type=file.content_type, data=file.content
        )
        return answer(OK, report_id=report.id, file_id=stored.id, md5=stored.md5)

    def describe(self, document: bytes) -> bytes:
        """Take the details of one file, once."""
        root = self._checked(document, "fileDetails")
        report = self._open((root.findtext("reportId") or "").strip())
        found = [file for file in report.files if file.id == root.findtext("fileId")]
        if not found:
            raise Refused(_NO_SUCH_FILE, report.id)
        if found[0].details:
            # NCMEC documents that details are taken once, and no code for a second time.
            raise Refused(INVALID, report.id)
        self._store.describe(report, found[0], _text(document, root))
        return answer(OK, report_id=report.id, file_id=found[0].id)

    def finish(self, parts: dict[str, Part]) -> bytes:
        """Make a report final and return the receipt."""
        report = self._open_report(parts)
        self._store.finish(report)
        root = etree.Element("reportDoneResponse")
        etree.SubElement(root, "responseCode").text = str(OK)
        etree.SubElement(root, "reportId").text = report.id
        files = etree.SubElement(root, "files")
        for file in report.files:
            etree.SubElement(files, "fileId").text = file.id
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def retract(self, parts: dict[str, Part]) -> bytes:
        """Withdraw a report that is not finished."""
        report = self._open_report(parts)
        self._store.retract(report)
        return answer(OK, report_id=report.id)

    def _checked(self, document: bytes, root_tag: str) -> etree._Element:
        try:
            root = parsed(document)
        except InvalidInput:
            raise Refused(_NOT_XML) from None
        if root.tag != root_tag:
            raise Refused(_NOT_XML)
        try:
            self.schema.check(document)
            self._check_strictly(document, root_tag)
        except InvalidInput:
            raise Refused(_BREAKS_SCHEMA) from None
        return root

    def _check_strictly(self, document: bytes, root_tag: str) -> None:
        if not self._strict:
            return
        now = self._store.now()
        if root_tag == "report":
            check_breaches(breaches_of_report(document, now=now))
        else:
            # Whether a person viewed the file is known to the sender alone.
            check_breaches(breaches_of_file(document, viewed=True, now=now))

    def _open_report(self, parts: dict[str, Part]) -> StoredReport:
        field = parts.get("id")
        if field is None:
            raise Refused(INVALID)
        return self._open(field.content.decode(errors="replace").strip())

    def _open(self, report_id: str) -> StoredReport:
        self._store.drop_expired()
        report = self._store.report(report_id)
        if report is None:
            raise Refused(_NO_SUCH_REPORT)
        if report.state is ReportState.RETRACTED:
            raise Refused(_RETRACTED, report.id)
        if report.state is ReportState.FINISHED:
            raise Refused(_FINISHED, report.id)
        return report
