"""Files tips as encrypted packages: for destinations that take no calls.

One step, stored before it is done. Writing a package again replaces it, so a tip whose writing was
cut off is written anew under the same name, and there is one package a tip.
"""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import SETTLED, Filing, TipState
from nightlight.model.ids import TipId
from nightlight.report.check import check_documents
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.ports import FilingAction, MediaSource, PackageBox, Sent, TipStore
from nightlight.report.progress import Progress
from nightlight.report.reporter import Reporter
from nightlight.report.round import file_each

_LEASE = timedelta(minutes=10)


class PackageFiler:
    """Writes the packages of one destination's tips."""

    def __init__(
        self,
        *,
        store: TipStore,
        box: PackageBox,
        media: MediaSource,
        reporter: Reporter,
        clock: Clock,
        name: Destination,
        line: str = "",
    ) -> None:
        """Keep the parts; ``line`` is the public key of who the packages are for."""
        self._store = store
        self._box = box
        self._media = media
        self._reporter = reporter
        self._clock = clock
        self._name = name
        self._line = line

    def advance(self, tip_id: TipId) -> Filing:
        """Return the filing as stored after writing the package, or taking it away.

        Raises:
            Conflict: another filer went on with this tip.
        """
        tip, filing = self._store.load(tip_id)
        run = Progress(store=self._store, clock=self._clock, filing=filing, lease=_LEASE)
        try:
            if filing.state is TipState.WITHDRAWING:
                if fetched := self._box.remove(tip.id):
                    run.file_withdrawn(fetched)
                else:
                    run.withdraw()
            elif filing.state not in SETTLED:
                self._pack(tip, run)
        except Unavailable as failure:
            run.postpone(str(failure))
        return run.filing

    def run_due(self, limit: int) -> list[Filing]:
        """Return the filings of up to ``limit`` due tips after advancing each."""
        due = self._store.due(self._clock.now(), limit, destination=self._name)
        return file_each(due, self.advance, store=self._store)

    def _pack(self, tip: CyberTip, run: Progress) -> None:
        try:
            report, details = self._checked(tip)
        except InvalidInput as fault:
            run.refuse(f"the package was not made: {fault}")
            return
        run.save(
            TipState.PACKING,
            FilingAction.PACKING_REQUESTED,
            document=sha256(report).hexdigest(),
            line=self._line,
            sent=Sent(tip=tip, documents=(report, *details)),
        )
        try:
            receipt = self._box.put(tip.id, self._members(tip, report, details))
        except Unavailable:
            raise
        except NightlightError as failure:
            run.refuse(f"the package was not made: {failure.code}")
            return
        run.file(receipt)

    def _checked(self, tip: CyberTip) -> tuple[bytes, list[bytes]]:
        report = report_xml(tip, reporter=self._reporter)
        details = [
            file_details_xml(file, remote_id="0", file_id=str(place))
            for place, file in enumerate(tip.files, start=1)
        ]
        viewed = [file.viewed is True for file in tip.files]
        check_documents(
            report, list(zip(details, viewed, strict=True)), schema=None, now=self._clock.now()
        )
        return report, details

    def _members(
        self, tip: CyberTip, report: bytes, details: list[bytes]
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        yield "report.xml", iter((report,))
        for place, (file, told) in enumerate(zip(tip.files, details, strict=True), start=1):
            yield f"file-{place}.xml", iter((told,))
            opened = self._media.open(file, tip.case_id, f"report {tip.id} to {self._name}")
            yield f"file-{place}", opened.parts()
