"""Whether a tip's documents may be sent: the schema and the cross rules together. Pure."""

from collections.abc import Sequence
from datetime import datetime

from nightlight.errors import InvalidInput, Unavailable
from nightlight.model.cybertip import CyberTip
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.incident import IncidentType, WebPage
from nightlight.report.document import report_xml
from nightlight.report.reporter import Reporter
from nightlight.report.rules import breaches_of_file, breaches_of_report, check_breaches
from nightlight.report.schema import Schema

#: Why every tip waits where the schema itself is at fault.
NO_REPORT_TAKEN = "the CyberTipline's schema takes no report of ours"


def check_documents(
    report: bytes, files: Sequence[tuple[bytes, bool]], *, schema: Schema | None, now: datetime
) -> None:
    """Return only if the report and the details of every file may be sent as they are.

    Args:
        report: the ``report`` document.
        files: each ``fileDetails`` document, and whether a person viewed that file whole.
        schema: what the CyberTipline takes today; None for a place that has no schema.
        now: the time.

    Raises:
        InvalidInput: names elements and rules, never a value.
    """
    if schema is not None:
        for document in (report, *(one for one, _ in files)):
            schema.check(document)
    check_breaches(breaches_of_report(report, now=now))
    for details, viewed in files:
        check_breaches(breaches_of_file(details, viewed=viewed, now=now))


def check_schema(schema: Schema, *, reporter: Reporter, now: datetime) -> None:
    """Return only if the schema takes a report that says no more than every report does.

    Raises:
        Unavailable: it takes no report of ours at all: no tip is at fault, and all wait.
    """
    least = CyberTip(
        id=TipId(""),
        case_id=CaseId(""),
        account_id=AccountId(""),
        incident_type=IncidentType.CSAM,
        incident_at=now,
        platform="",
        places=(WebPage(info="-"),),
        reported=(),
        narrative="-",
        files=(),
    )
    try:
        schema.check(report_xml(least, reporter=reporter))
    except InvalidInput as fault:
        raise Unavailable(
            f"{NO_REPORT_TAKEN}: {fault}", hint="upgrade Nightlight; report by hand until then"
        ) from fault
