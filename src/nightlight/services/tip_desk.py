"""What a legal reporter does with a tip before it is filed: read, correct, add to, order again."""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct, structs

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, Unavailable
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.model.incident import IncidentType
from nightlight.model.report_decision import ReportState
from nightlight.report.account_actions import AUTOMATIC
from nightlight.report.check import check_documents, check_schema
from nightlight.report.correct import corrected
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.live_schema import LiveSchema
from nightlight.report.ports import CyberTiplineRefusal, Sent
from nightlight.report.progress import abandoned, denied, found, retried
from nightlight.report.reporter import Reporter
from nightlight.services.drafting import Drafting
from nightlight.services.filing import as_of_now, note_filed, note_given_up, receipt_of
from nightlight.services.review import held_case
from nightlight.services.rules import active_policy
from nightlight.services.sealed_machines import Told
from nightlight.transaction import StoredTip, Transaction, UnitOfWork, let_nothing_be_destroyed


class Preview(Struct, frozen=True, kw_only=True):
    """A tip as it would be filed now; once its report was opened, as it was sent.

    Attributes:
        sent: every document that was sent, the report first; none where none was.
        document: the report's XML.
        fault: why it would not be sent, "" where it would.
        unchecked: why it was not held against the schema, "" where it was.
    """

    tip: CyberTip
    filing: Filing
    document: bytes
    fault: str
    unchecked: str
    sent: tuple[bytes, ...] = ()


class Supplement(Struct, frozen=True, kw_only=True):
    """What was added to a report.

    Attributes:
        tips: the further tips, one at each place that has the report.
        unfiled: tips of the case that are not filed, to which nothing was added.
    """

    tips: tuple[CyberTip, ...]
    unfiled: tuple[StoredTip, ...]


class TipDesk:
    """Serves those who answer for reports."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        reporter: Reporter,
        drafting: Drafting,
        schema: LiveSchema | None,
    ) -> None:
        """Keep the parts; ``schema`` is None where no CyberTipline is configured."""
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._reporter = reporter
        self._drafting = drafting
        self._schema = schema

    def preview(self, tip_id: TipId) -> Preview:
        """Return a tip as it would be filed now, held against schema and cross rules.

        Once its report was opened it is what was sent, held against the digest of that.

        Raises:
            NotFound: there is no such tip.
        """
        with self._unit_of_work.read() as tx:
            tip, filing = tx.tips.load(tip_id)
            sent = tx.tips.sent(tip_id) if _may_be_sent(filing) else None
            tip = as_of_now(tx, tip, filing)
        if sent is not None:
            return _as_sent(filing, sent)
        document = report_xml(tip, reporter=self._reporter)
        fault, unchecked = self._held(tip, document)
        return Preview(tip=tip, filing=filing, document=document, fault=fault, unchecked=unchecked)

    def correct(
        self, tip_id: TipId, changes: Sequence[tuple[str, str]], *, by: str, reason: str
    ) -> CyberTip:
        """Return the tip as corrected, stored; the record names the fields, not what they say.

        Raises:
            NotFound: there is no such tip.
            Conflict: its report is opened already, or a filer goes on with it now.
            InvalidInput: a field cannot be corrected so, or the document could not be sent.
        """
        _check_told(by, reason)
        with self._unit_of_work.begin() as tx:
            before, filing = tx.tips.load(tip_id)
            _check_unopened(filing)
            tip = corrected(before, changes)
            now_says = as_of_now(tx, tip, filing)
            document = report_xml(now_says, reporter=self._reporter)
            fault, _ = self._held(now_says, document)
            if fault:
                raise InvalidInput(f"it could not be sent so: {fault}", field=changes[0][0])
            fresh = structs.replace(filing, corrected=True, revision=filing.revision + 1)
            tx.tips.rewrite(tip, fresh, at=self._clock.now())
            tx.commit(
                AuditEntry(
                    actor=by,
                    action="tip.corrected",
                    subject=tip_id,
                    reason=reason,
                    detail={
                        "fields": [field for field, _ in changes],
                        "document": sha256(document).hexdigest(),
                        "document_before": self._digest(tx, before, filing),
                    },
                )
            )
        return tip

    def order(
        self, case_id: CaseId, incident_type: IncidentType | None, *, by: str, reason: str
    ) -> list[CyberTip]:
        """Return the tips of a case that stands and has none, drafted on a person's order.

        Raises:
            NotFound: there is no such case.
            Conflict: it does not stand, has its tips already, or its account is explained.
            InvalidInput: a person or a reason is missing, or what it is reported as is not clear.
        """
        _check_told(by, reason)
        return self._drafting.given(
            lambda told: self._order(case_id, incident_type, told, by=by, reason=reason)
        )

    def _order(
        self,
        case_id: CaseId,
        incident_type: IncidentType | None,
        told: Told,
        *,
        by: str,
        reason: str,
    ) -> list[CyberTip]:
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            now = self._clock.now()
            case = held_case(tx, case_id)
            _check_to_be_reported(tx, case)
            policy = active_policy(tx)
            tips = self._drafting.order(tx, case, incident_type, policy=policy, now=now, told=told)
            first, *more = (
                AuditEntry(
                    actor=by,
                    action="tip.ordered",
                    subject=tip.id,
                    reason=reason,
                    policy_version=policy.version,
                    detail={
                        "case": case_id,
                        "destination": tip.destination,
                        "incident_type": tip.incident_type.value,
                    },
                )
                for tip in tips
            )
            tx.commit(first, *more)
        return tips

    def supplement(self, case_id: CaseId, note: str, *, by: str, reason: str) -> Supplement:
        """Return further tips about a reported case, drafted: the note, and what is new since.

        There is one at each place that has the report.

        Raises:
            NotFound: there is no such case.
            Conflict: nothing of it is filed yet, it does not stand, or the same note still waits.
            InvalidInput: the note, a person or a reason is missing.
        """
        if not note.strip():
            raise InvalidInput("a supplement says something", field="note")
        _check_told(by, reason)
        return self._drafting.given(
            lambda told: self._supplement(case_id, note, told, by=by, reason=reason)
        )

    def _supplement(
        self, case_id: CaseId, note: str, told: Told, *, by: str, reason: str
    ) -> Supplement:
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            now = self._clock.now()
            held_case(tx, case_id)
            policy = active_policy(tx)
            unfiled = [
                one
                for one in tx.tips.of_case(case_id)
                if one.filing.state not in (TipState.FILED, TipState.WITHDRAWN)
            ]
            tips = self._drafting.supplement(tx, case_id, note, policy=policy, now=now, told=told)
            first, *more = (
                AuditEntry(
                    actor=by,
                    action="tip.supplemented",
                    subject=tip.id,
                    reason=reason,
                    detail={"case": case_id, "destination": tip.destination},
                )
                for tip in tips
            )
            tx.commit(first, *more)
        return Supplement(tips=tuple(tips), unfiled=tuple(unfiled))

    def retry(self, tip_id: TipId, *, by: str, reason: str, as_it_is: bool = False) -> None:
        """Let a refused tip go on from where it was, on the record.

        Sealed machines that it lacks are read before, unless it is to be filed ``as_it_is``: it
        then says that they may be missing.

        Raises:
            NotFound: there is no such tip.
            Conflict: it was not refused, or a person explained why its account is not reported.
            InvalidInput: a person or a reason is missing.
            Unavailable: what it lacks still cannot be read.
        """
        _check_told(by, reason)
        self._drafting.given(
            lambda told: self._retry(tip_id, told, by=by, reason=reason, as_it_is=as_it_is)
        )

    def _retry(self, tip_id: TipId, told: Told, *, by: str, reason: str, as_it_is: bool) -> None:
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            tip, _ = tx.tips.load(tip_id)
            # Before the tip and the account actions, as filers and reviewers do.
            tx.cases.hold(tip.cases)
            tip, filing = tx.tips.load(tip_id)
            after = retried(filing)
            _check_not_explained(tx, tip, after)
            # What may have been sent stays as it was sent.
            if tip.unread and not as_it_is and after.state is TipState.DRAFTED:
                tip = self._drafting.completed(tx, tip, told, now=now)
                if tip.unread:
                    raise Unavailable(
                        f"what is sealed in {tip.unread[0]} cannot be read",
                        hint="mend vault or keys; `--as-it-is` files it without",
                    )
                tx.tips.rewrite(tip, after, at=now)
            else:
                tx.tips.save(after, at=now)
            tx.commit(
                AuditEntry(
                    actor=by,
                    action="tip.retried",
                    subject=tip_id,
                    reason=reason,
                    detail={"unread": list(tip.unread)},
                )
            )

    def found(self, tip_id: TipId, remote_id: str, *, by: str, reason: str) -> Filing:
        """Return the filing of a tip whose report NCMEC says it has, now filed, on the record.

        Args:
            tip_id: the tip.
            remote_id: the report that NCMEC was asked about.
            by: who asked.
            reason: what NCMEC said; kept in place of the receipt.

        Raises:
            NotFound: there is no such tip.
            Conflict: it was not refused because its report may have been finished.
            InvalidInput: that is not its report, or a person or a reason is missing.
        """
        _check_told(by, reason, hint="the reason is what NCMEC said, and who said it")
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            tip, _ = tx.tips.load(tip_id)
            # Before the tip, as filers and reviewers do.
            tx.cases.hold(tip.cases)
            _, filing = tx.tips.load(tip_id)
            filed = found(filing, remote_id, said=reason, at=now)
            tx.tips.save(filed, at=now)
            tx.commit(
                *note_filed(tx, tip, at=now),
                AuditEntry(
                    actor=by,
                    action="tip.found",
                    subject=tip_id,
                    reason=reason,
                    detail={
                        "case": tip.case_id,
                        "remote_id": remote_id,
                        "line": filed.line,
                        **receipt_of(filed),
                    },
                ),
            )
        return filed

    def abandon(self, tip_id: TipId, *, by: str, reason: str) -> Filing:
        """Return the filing of a refused tip that is given up for good, on the record.

        It is never filed by a retry, and what it says need not be readable. What else of its cases
        is filed counts without it.

        Raises:
            NotFound: there is no such tip.
            Conflict: it was not refused, or its report may have been finished.
            InvalidInput: a person or a reason is missing.
            IntegrityFailure: how far it came cannot be read.
        """
        _check_told(by, reason)
        with self._unit_of_work.begin() as tx:
            cases = tx.tips.cases(tip_id)
            # Before the tip, as filers and reviewers do.
            tx.cases.hold(cases)
            tip = tx.tips.listed(tip_id)
            given_up, now = abandoned(tip.filing), self._clock.now()
            tx.tips.save(given_up, at=now)
            tx.commit(
                *note_given_up(tx, cases, at=now),
                AuditEntry(
                    actor=by,
                    action="tip.abandoned",
                    subject=tip_id,
                    reason=reason,
                    detail={
                        "case": tip.case_id,
                        "destination": tip.destination,
                        "remote_id": tip.filing.remote_id,
                    },
                ),
            )
        return given_up

    def refile(self, tip_id: TipId, remote_id: str, *, by: str, reason: str) -> Filing:
        """Return the filing of a tip whose report NCMEC says it never had, due again.

        The line is asked about that report once more before a new one is opened. Nothing is opened
        of a tip that is withdrawn.

        Raises:
            NotFound: there is no such tip.
            Conflict: it was not refused because its report may have been finished.
            InvalidInput: that is not its report, or a person or a reason is missing.
        """
        _check_told(by, reason, hint="the reason is what NCMEC said, and who said it")
        with self._unit_of_work.begin() as tx:
            tip, _ = tx.tips.load(tip_id)
            # Before the tip and the account actions, as filers and reviewers do.
            tx.cases.hold(tip.cases)
            tip, filing = tx.tips.load(tip_id)
            due = denied(filing, remote_id)
            _check_not_explained(tx, tip, due)
            tx.tips.save(due, at=self._clock.now())
            tx.commit(
                AuditEntry(
                    actor=by,
                    action="tip.denied",
                    subject=tip_id,
                    reason=reason,
                    detail={"case": tip.case_id, "remote_id": remote_id},
                )
            )
        return due

    def check_line(self) -> None:
        """Return only if the line's schema takes reports of ours; nothing where it is not known.

        Raises:
            Unavailable: it takes none at all, or cannot be had.
            CyberTiplineRefusal: the line refuses to give it.
        """
        if self._schema is not None:
            now = self._clock.now()
            check_schema(self._schema.current(), reporter=self._reporter, now=now)

    def _digest(self, tx: Transaction, tip: CyberTip, filing: Filing) -> str:
        document = report_xml(as_of_now(tx, tip, filing), reporter=self._reporter)
        return sha256(document).hexdigest()

    def _held(self, tip: CyberTip, document: bytes) -> tuple[str, str]:
        """Return why a document would not be sent, and why the schema was not asked."""
        schema, unchecked = None, ""
        if tip.destination is Destination.NCMEC:
            try:
                schema = self._schema.current() if self._schema else None
                unchecked = "" if schema else "no CyberTipline is configured"
            except (Unavailable, CyberTiplineRefusal) as error:
                unchecked = str(error)
        files = [
            (file_details_xml(one, remote_id="0", file_id="0"), one.viewed is True)
            for one in tip.files
        ]
        try:
            check_documents(document, files, schema=schema, now=self._clock.now())
        except InvalidInput as fault:
            return str(fault), unchecked
        return "", unchecked


def _check_told(by: str, reason: str, *, hint: str = "") -> None:
    """Return only if it is said who does this, and why: both stand in the record."""
    for field, said in (("by", by), ("reason", reason)):
        if not said.strip():
            raise InvalidInput(
                "it must not be empty: it stands in the record", field=field, hint=hint
            )


def _check_to_be_reported(tx: Transaction, case: Case) -> None:
    """Return only if nobody explained why the case's account is not reported."""
    store = tx.report_decisions
    concerned = [*store.of_case(case.id), *store.standing([case.account_id]).values()]
    for one in concerned:
        if one.decision.state is ReportState.EXPLAINED and one.action.ended_at is None:
            raise Conflict(
                f"{one.action.id} is not reported, as {one.decision.reason}",
                hint=f"nightlight report decide {one.action.id} --report --by WHO --reason WHY",
            )


def _check_not_explained(tx: Transaction, tip: CyberTip, after: Filing) -> None:
    """Return only if no person explained why an account is not reported whose tip goes on.

    What is being withdrawn goes on to nothing else.
    """
    if after.state is TipState.WITHDRAWING:
        return
    concerned = [one for case_id in tip.cases for one in tx.report_decisions.of_case(case_id)]
    for one in concerned:
        decision = one.decision
        if decision.state is ReportState.EXPLAINED and decision.decided_by not in AUTOMATIC:
            raise Conflict(
                f"{decision.decided_by} decided: {one.action.id} is {decision.reason}",
                hint=(
                    f"nightlight report abandon {tip.id} gives the tip up; to file it after all:"
                    f" nightlight report decide {one.action.id} --report --by WHO --reason WHY"
                ),
            )


def _may_be_sent(filing: Filing) -> bool:
    """Return whether documents of the tip may have arrived, and nothing is to be sent anew."""
    return bool(filing.remote_id) or filing.state in (
        TipState.OPENING,
        TipState.PACKING,
        TipState.FILED,
    )


def _as_sent(filing: Filing, sent: Sent) -> Preview:
    is_whole = sha256(sent.documents[0]).hexdigest() == filing.document
    return Preview(
        tip=sent.tip,
        filing=filing,
        document=sent.documents[0],
        fault="" if is_whole else "what is kept is not what was sent: its digest differs",
        unchecked="",
        sent=sent.documents,
    )


def _check_unopened(filing: Filing) -> None:
    unopened = filing.state is TipState.DRAFTED or (
        filing.state is TipState.REFUSED and not filing.remote_id
    )
    if not unopened:
        raise Conflict(
            f"the tip is {filing.state.value}: it may have been sent as it is",
            hint="`nightlight report supplement` adds to what was filed",
        )
