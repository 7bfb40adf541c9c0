"""Whether a tip's documents may be sent: the schema and the cross rules together. Pure."""

from collections.abc import Sequence
from datetime import datetime

from nightlight.report.rules import breaches_of_file, breaches_of_report, check_breaches
from nightlight.report.schema import Schema


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
