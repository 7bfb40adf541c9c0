"""Files tips: each step is stored before the call it describes, so a tip is filed once.

Owns the order of the calls and what an answer, or its absence, means for the tip. Leaves when to
run to the worker, and storage and transport to the ports.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from hashlib import md5, sha256
from typing import Protocol

from nightlight.audit.clock import Clock
from nightlight.errors import (
    Conflict,
    InvalidInput,
    NightlightError,
    NotPermitted,
    Unavailable,
)
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import SETTLED, UNFINISHED, Filing, Line, TipState
from nightlight.model.ids import TipId
from nightlight.report.check import check_documents, check_schema
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.live_schema import LiveSchema
from nightlight.report.ports import (
    AnswerKind,
    CyberTipline,
    CyberTiplineRefusal,
    FilingAction,
    MediaSource,
    Sent,
    TipStore,
)
from nightlight.report.progress import ASK_FIRST, Progress
from nightlight.report.reporter import Reporter
from nightlight.report.round import file_each
from nightlight.report.schema import Schema, parsed

#: Answers that say the open report is gone, so that nothing of it can ever be finished.
_GONE = frozenset({AnswerKind.NO_SUCH_REPORT, AnswerKind.RETRACTED})


class _Digest(Protocol):
    """What counts bytes into a hash."""

    def update(self, data: bytes, /) -> None:
        """Count these bytes."""
        ...


class _Spoilt(Exception):  # noqa: N818  says what the open report is
    """The open report can no longer become right: it must be given up for a new one."""


class Filer:
    """Advances tips towards their receipt, resuming each where it stopped."""

    def __init__(
        self,
        *,
        store: TipStore,
        destination: CyberTipline,
        media: MediaSource,
        reporter: Reporter,
        clock: Clock,
        schema: LiveSchema | None = None,
        name: Destination = Destination.NCMEC,
        line: Line | None = None,
        lease_s: float = 60.0,
    ) -> None:
        """Keep the parts.

        Args:
            store: tips and their progress.
            destination: where tips are filed.
            media: the sealed files.
            reporter: who reports.
            clock: the time.
            schema: what documents must follow; by default the destination's, kept in memory.
            name: the destination's name; other tips are left alone.
            line: which CyberTipline that is; a report goes on only where it was opened.
            lease_s: how long a tip under way is left alone by other filers; one that died is
                taken over after it. Longer than one call may take; an upload has more by its size.
        """
        self._store = store
        self._destination = destination
        self._media = media
        self._reporter = reporter
        self._clock = clock
        self._name = name
        self._line = line or Line()
        self._lease = timedelta(seconds=lease_s)
        self._schema = schema or LiveSchema(fetch=destination.schema, clock=clock)

    def advance(self, tip_id: TipId) -> Filing:
        """Return the filing as stored after going on for as long as the answers allow.

        A partner that fails or refuses is no error here: the filing says what happened, and when
        the next attempt is due.

        Raises:
            NotPermitted: the credentials are not taken; stored, but every tip will meet this.
            Conflict: another filer went on with this tip.
        """
        tip, filing = self._store.load(tip_id)
        run = Progress(store=self._store, clock=self._clock, filing=filing, lease=self._lease)
        self._attempt(tip, run)
        if run.filing.refusal and run.filing.next_attempt_at is None:
            self._attempt(tip, run)  # a refused tip's open report is retracted at once
        return run.filing

    def _attempt(self, tip: CyberTip, run: Progress) -> None:
        try:
            self._resume_or_heed(tip, run)
        except _Spoilt as fault:
            run.give_up_report(str(fault))
        except Unavailable as failure:
            run.postpone(str(failure))

    def _resume_or_heed(self, tip: CyberTip, run: Progress) -> None:
        try:
            self._resume(tip, run)
        except CyberTiplineRefusal as refusal:
            self._heed(refusal, tip, run)

    def run_due(self, limit: int) -> list[Filing]:
        """Return the filings of up to ``limit`` due tips after advancing each.

        Raises:
            NotPermitted: the credentials are not taken; the remaining tips were left alone.
        """
        due = self._store.due(self._clock.now(), limit, destination=self._name)
        return file_each(due, self.advance, store=self._store)

    def _resume(self, tip: CyberTip, run: Progress) -> None:
        """Go on from the stored state, which may name a call whose answer was lost."""
        if run.filing.remote_id and not self._line.has(run.filing.line):
            self._leave_elsewhere(run)
        match run.filing.state:
            case TipState.WITHDRAWING:
                self._withdraw(run)
            case _ if self._set_aside(run):
                return
            case TipState.UPLOADING | TipState.RETRACTING:
                # A file may have arrived: a second copy must not, so this report is given up.
                self._retract(run)
            case TipState.DESCRIBING:
                self._describe_again(tip, run)
            case _:
                pass
        # A report that is given up on the way is retracted by an attempt of its own.
        while run.filing.state not in SETTLED | {TipState.RETRACTING} and not self._set_aside(run):
            self._step(tip, run)

    def _leave_elsewhere(self, run: Progress) -> None:
        """Leave a report behind that was opened at another line: its id says nothing at this one.

        Unfinished it expires there by itself. One that may have been finished there waits for a
        person, and for that line.
        """
        filing = run.filing
        withdrawing = filing.state is TipState.WITHDRAWING
        if filing.finish_asked and filing.remote_id not in filing.denied:
            run.refuse(
                f"report {filing.remote_id} was opened at {filing.line}, where {ASK_FIRST}",
                retry_from=TipState.WITHDRAWING if withdrawing else TipState.FINISHING,
            )
        elif withdrawing:
            run.withdraw()
        elif filing.refusal:
            run.refuse_retracted()
        else:
            run.start_over()

    def _set_aside(self, run: Progress) -> bool:
        """Return whether a case is contested: nothing is filed then, nor any report left open."""
        if self._store.stands(run.filing.tip_id):
            return False
        if run.filing.state in UNFINISHED:
            self._retract(run, contested=True)
        return True

    def _step(self, tip: CyberTip, run: Progress) -> None:
        filing = run.filing
        if filing.state in (TipState.DRAFTED, TipState.OPENING):
            # An unanswered open is repeated: an empty report expires at NCMEC by itself.
            self._open(tip, run)
        elif filing.state is TipState.FINISHING or filing.described == len(tip.files):
            self._finish(run)
        elif filing.described < len(filing.uploaded):
            self._describe(tip, run)
        else:
            self._upload(tip, run)

    def _open(self, tip: CyberTip, run: Progress) -> None:
        try:
            document = self._checked_report(tip)
        except InvalidInput as fault:
            self._check_schema()
            run.refuse(f"the document was not sent: {fault}")
            return
        run.save(
            TipState.OPENING,
            FilingAction.OPEN_REQUESTED,
            document=sha256(document).hexdigest(),
            line=self._line.address.rstrip("/"),
            sent=Sent(tip=tip, documents=(document,)),
        )
        remote_id = self._destination.open(document)
        try:
            run.save(TipState.OPENED, FilingAction.OPENED, remote_id=remote_id)
        except Conflict:
            # Nobody else knows this id, so nobody would ever finish or retract it.
            with suppress(CyberTiplineRefusal, Unavailable):
                self._destination.retract(remote_id)
            raise

    def _upload(self, tip: CyberTip, run: Progress) -> None:
        file = tip.files[len(run.filing.uploaded)]
        try:
            opened = self._media.open(file, tip.case_id, f"report {tip.id} to the CyberTipline")
            run.save(TipState.UPLOADING, FilingAction.UPLOAD_REQUESTED, sends=opened.byte_count)
            sent = md5(usedforsecurity=False)
            file_id, arrived = self._destination.upload(
                run.filing.remote_id,
                file.file_name,
                file.content_type,
                _digested(opened.parts(), sent),
                opened.byte_count,
            )
        except (Conflict, CyberTiplineRefusal, Unavailable):
            raise
        except NightlightError as failure:
            run.refuse(f"the sealed file of {file.evidence_id} cannot be read: {failure.code}")
            return
        if arrived.lower() != sent.hexdigest():
            raise _Spoilt("a file arrived altered: the MD5 differs from what was sent")
        uploaded = (*run.filing.uploaded, file_id)
        run.save(TipState.OPENED, FilingAction.FILE_UPLOADED, uploaded=uploaded)

    def _describe(self, tip: CyberTip, run: Progress) -> None:
        index = run.filing.described
        document = file_details_xml(
            tip.files[index],
            remote_id=run.filing.remote_id,
            file_id=run.filing.uploaded[index],
        )
        run.save(
            TipState.DESCRIBING,
            FilingAction.DESCRIPTION_REQUESTED,
            sent=Sent(tip=tip, documents=(document,)),
        )
        self._destination.describe(document)
        run.save(TipState.OPENED, FilingAction.FILE_DESCRIBED, described=index + 1)

    def _describe_again(self, tip: CyberTip, run: Progress) -> None:
        """Describe a file whose first description was not answered.

        Details are taken once, and NCMEC documents no code for a second time: a refusal here can
        mean "already there" or "never". A new report is right in both cases.
        """
        try:
            self._describe(tip, run)
        except CyberTiplineRefusal as refusal:
            if refusal.kind in (AnswerKind.INVALID, AnswerKind.SERVER, AnswerKind.UNKNOWN):
                raise _Spoilt(f"a repeated description was refused: {refusal}") from refusal
            raise

    def _finish(self, run: Progress) -> None:
        asked_before = run.filing.state is TipState.FINISHING
        run.save(TipState.FINISHING, FilingAction.FINISH_REQUESTED)
        try:
            receipt = self._destination.finish(run.filing.remote_id)
        except CyberTiplineRefusal as refusal:
            if asked_before and _is_in_doubt(run.filing, refusal.kind):
                # An earlier call may have finished it: a new report could be a second one.
                run.refuse(f"{refusal}; {ASK_FIRST}", retry_from=TipState.FINISHING)
                return
            if refusal.kind is not AnswerKind.FINISHED:
                raise
            run.file(refusal.body)  # an earlier call finished it, and its answer was lost
            return
        named = _files_in(receipt)
        doubt = "" if named == sorted(run.filing.uploaded) else "the receipt names other files"
        run.file(receipt, doubt=doubt)

    def _retract(self, run: Progress, *, contested: bool = False) -> None:
        """Retract the report and let the tip start over, unless it was finished before."""
        run.save(TipState.RETRACTING, FilingAction.RETRACTION_REQUESTED)
        try:
            answer = self._take_back(run)
        except CyberTiplineRefusal as refusal:
            if refusal.kind is not AnswerKind.FINISHED or not run.filing.finish_asked:
                raise
            # An earlier call finished it, and its answer was lost.
            if contested:
                run.file_appealed(refusal.body)
            else:
                run.file(refusal.body)
            return
        if run.filing.finish_asked and _is_in_doubt(run.filing, answer):
            run.refuse(f"the report is gone; {ASK_FIRST}", retry_from=TipState.FINISHING)
        elif run.filing.refusal:
            run.refuse_retracted()
        elif contested:
            run.pause()
        else:
            run.start_over()

    def _withdraw(self, run: Progress) -> None:
        """Retract the report of a tip that is to be withdrawn, unless it was finished before."""
        run.save(TipState.WITHDRAWING, FilingAction.RETRACTION_REQUESTED)
        try:
            answer = self._take_back(run)
        except CyberTiplineRefusal as refusal:
            if refusal.kind is not AnswerKind.FINISHED:
                raise
            run.file_withdrawn(refusal.body)
            return
        if run.filing.finish_asked and _is_in_doubt(run.filing, answer):
            # What is left of it would be drafted anew, and be filed twice if it was finished.
            run.refuse(f"the report is gone; {ASK_FIRST}", retry_from=TipState.WITHDRAWING)
            return
        run.withdraw()

    def _take_back(self, run: Progress) -> AnswerKind | None:
        """Retract the open report; return why it was gone already, None where it was not."""
        try:
            self._destination.retract(run.filing.remote_id)
        except CyberTiplineRefusal as refusal:
            if refusal.kind not in _GONE:
                raise
            return refusal.kind
        return None

    def _heed(self, refusal: CyberTiplineRefusal, tip: CyberTip, run: Progress) -> None:
        """Store what a refusal means in the state in which it came."""
        state, why = run.filing.state, str(refusal)
        match refusal.kind:
            case AnswerKind.SERVER:
                run.postpone(why)
            case AnswerKind.CREDENTIALS:
                run.postpone(why)
                raise NotPermitted(why, hint="check the CyberTipline's credentials") from refusal
            case AnswerKind.NO_SUCH_REPORT if state is not TipState.OPENING:
                run.start_over(failure=why)  # expired unfinished: nothing was ever filed
            case AnswerKind.INVALID if state in (TipState.OPENING, TipState.DESCRIBING):
                explained = self._explained(tip, why)
                if state is TipState.OPENING:
                    self._check_schema()
                run.refuse(explained)
            case AnswerKind.NO_SUCH_FILE if state is TipState.DESCRIBING:
                run.give_up_report(why)
            # A report that somebody else retracted or finished is a person's to decide about.
            case AnswerKind.RETRACTED:
                run.refuse(why, retry_from=TipState.RETRACTING)
            case AnswerKind.FINISHED:
                run.refuse(why, retry_from=TipState.FINISHING)
            case _:
                run.refuse(why)

    def _explained(self, tip: CyberTip, why: str) -> str:
        """Return why a document was refused; the schema may have changed since it was checked."""
        try:
            self._check(tip, self._schema.fetched())
        except InvalidInput as fault:
            return f"{why}; the schema has changed: {fault}"
        except (Unavailable, CyberTiplineRefusal):
            return why
        return why

    def _check_schema(self) -> None:
        """Return only if a tip can be at fault, and not the schema for all of them."""
        schema = self._schema.current()
        check_schema(schema, reporter=self._reporter, now=self._clock.now())

    def _checked_report(self, tip: CyberTip) -> bytes:
        """Return the tip's document; it and every file's details may be sent as they are."""
        return self._check(tip, self._schema.current())

    def _check(self, tip: CyberTip, schema: Schema) -> bytes:
        document = report_xml(tip, reporter=self._reporter)
        check_documents(
            document,
            [
                (file_details_xml(file, remote_id="0", file_id="0"), file.viewed is True)
                for file in tip.files
            ],
            schema=schema,
            now=self._clock.now(),
        )
        return document


def _digested(parts: Iterator[bytes], digest: _Digest) -> Iterator[bytes]:
    """Yield the parts, each counted into the digest."""
    for part in parts:
        digest.update(part)
        yield part


def _is_in_doubt(filing: Filing, answer: AnswerKind | None) -> bool:
    """Return whether a report that was asked to finish is gone, and NCMEC did not deny it yet."""
    return answer is AnswerKind.NO_SUCH_REPORT and filing.remote_id not in filing.denied


def _files_in(receipt: str) -> list[str]:
    """Return the file ids that a receipt names, sorted; none where it cannot be read."""
    try:
        root = parsed(receipt.encode())
    except InvalidInput:
        return []
    return sorted(element.text or "" for element in root.iter("fileId"))
