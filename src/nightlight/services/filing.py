"""Tips as the filer needs them: each step is committed with its audit entry."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, NightlightError, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.case import STANDING, CaseState, CaseStep, next_state
from nightlight.model.custody import Access, ReadKind
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.effect import EffectKind
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.person import Disabled
from nightlight.model.reported_file import ReportedFile
from nightlight.preserve.vault import Vault
from nightlight.report.account_actions import settle
from nightlight.report.draft import follows
from nightlight.report.ports import FilingAction, OpenedMedia, Sent, TipFiler
from nightlight.report.progress import SET_ASIDE
from nightlight.services.sealed_machines import Told
from nightlight.transaction import Transaction, UnitOfWork

#: What a tip says of a report before it.
_LOST = (
    "Report {} was opened about this before. Whether it was finished was never answered; NCMEC said"
    " that it does not have it, so this is filed anew."
)
#: What a tip says that is filed without what is sealed.
_UNREAD = (
    "IP addresses and devices that were kept with this may be missing here: they could not be read."
)
#: What cannot be read is tried again after so long: somebody may have mended it.
_SET_ASIDE_FOR = timedelta(hours=1)
#: Steps by which a report comes into being at its destination.
_COMMITTING = frozenset({TipState.OPENING, TipState.FINISHING, TipState.PACKING})


class Redrafts(Protocol):
    """Drafts anew what else a tip reported, once it is certain that the tip is not filed."""

    def given(self, act: Callable[[Told], None]) -> None:
        """Let ``act`` be done with a transaction of its own, given what is sealed."""
        ...

    def redraft(self, tx: Transaction, tip: CyberTip, *, now: datetime, told: Told) -> list[str]:
        """Return the cases that a withdrawn tip also reported, drafted anew."""
        ...


class StoredTips:
    """The filer's store: progress, the case's state and the record change together."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, drafting: Redrafts) -> None:
        self._drafting = drafting
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._line_is_noted = False

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return the tip as it would be filed now, and its filing as last saved."""
        with self._unit_of_work.read() as tx:
            tip, filing = tx.tips.load(tip_id)
            return as_of_now(tx, tip, filing), filing

    def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
        """Commit the filing, what is about to be sent, and an audit entry.

        Its cases may become reported.

        A case does once every tip of it is filed, but for what was withdrawn.

        What a withdrawn tip reported besides is drafted anew. Account actions are reported once
        all that asked for them is.

        Raises:
            Conflict: another filer went on with this tip, or a case was appealed meanwhile.
        """
        self._drafting.given(lambda told: self._save(filing, action, sent, told))

    def _save(self, filing: Filing, action: str, sent: Sent | None, told: Told) -> None:
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            tip, _ = tx.tips.load(filing.tip_id)
            # Before its tip: a reviewer holds the case and then takes back the tip, and of two
            # who file the last tips of a case the second must see that the first is filed.
            tx.cases.hold(tip.cases)
            if filing.state in _COMMITTING:
                for case_id in tip.cases:
                    _check_stands(tx, case_id)
            tx.tips.save(filing, at=now)
            if sent is not None:
                described = filing.state is TipState.DESCRIBING
                first = filing.described + 1 if described else 0
                tx.tips.keep_sent(sent.tip, sent.documents, first=first)
            accounted: list[AuditEntry] = []
            redrafted: dict[str, str | int | float | bool | list[str]] = {}
            if filing.state is TipState.WITHDRAWN:
                redrafted = {"redrafted": self._drafting.redraft(tx, tip, now=now, told=told)}
            if filing.state is TipState.FILED:
                accounted = note_filed(tx, tip, at=now)
            elif filing.state is TipState.WITHDRAWN:
                accounted = settle(tx.report_decisions, tip.cases, tip.account_id, at=now)
            tx.commit(
                *accounted,
                AuditEntry(
                    actor="nightlight",
                    action=action,
                    subject=filing.tip_id,
                    reason=filing.failure,
                    detail={
                        "case": tip.case_id,
                        "destination": tip.destination,
                        "state": filing.state.value,
                        "remote_id": filing.remote_id,
                        "attempts": filing.attempts,
                        "line": filing.line,
                        **receipt_of(filing),
                        "document": filing.document,
                        **redrafted,
                    },
                ),
            )

    def set_aside(self, tip_id: TipId, trouble: str) -> Filing:
        """Return a tip that cannot be filed as it is stored, let to wait; the record says so once.

        Nothing of it is changed: it is tried again every hour, and may be mended meanwhile.
        """
        with self._unit_of_work.begin() as tx:
            until = self._clock.now() + _SET_ASIDE_FOR
            is_new = tx.tips.set_aside(tip_id, trouble, until=until)
            tip = tx.tips.listed(tip_id)
            if is_new:
                tx.commit(
                    AuditEntry(
                        actor="nightlight",
                        action=FilingAction.SET_ASIDE,
                        subject=tip_id,
                        reason=trouble,
                        detail={
                            "case": tip.case_id,
                            "destination": tip.destination,
                            "state": tip.filing.state.value,
                        },
                    )
                )
            else:
                tx.commit_unrecorded()
        return replace(tip.filing, failure=f"{SET_ASIDE}: {trouble}")

    def due(self, now: datetime, limit: int, *, destination: str) -> Sequence[TipId]:
        """Return a destination's tips that are not settled and need not wait beyond ``now``."""
        self._note_line()
        with self._unit_of_work.read() as tx:
            return tx.tips.due(now, limit, destination=destination)

    def _note_line(self) -> None:
        """Note once, on the record, that reports from before lines were kept are of the one now."""
        if self._line_is_noted:
            return
        with self._unit_of_work.begin() as tx:
            if count := tx.tips.note_line():
                tx.commit(
                    AuditEntry(
                        actor="nightlight",
                        action="tip.line_noted",
                        subject=f"{count} tips",
                        reason="they are from before it was kept where tips were filed",
                        detail={"tips": count},
                    )
                )
        self._line_is_noted = True

    def stands(self, tip_id: TipId) -> bool:
        """Return whether every case of a tip stands."""
        with self._unit_of_work.read() as tx:
            return tx.tips.stands(tip_id)


def receipt_of(filing: Filing) -> dict[str, str]:
    """Return what the record says of a receipt: its digest, which shows that it is as it came."""
    return {"receipt": sha256(filing.receipt.encode()).hexdigest()} if filing.receipt else {}


def note_filed(tx: Transaction, tip: CyberTip, *, at: datetime) -> list[AuditEntry]:
    """Return what the record says of account actions, now that a tip is stored as filed.

    Its cases, which the transaction holds, are reported once every tip of them is filed.
    """
    for case_id in tip.cases:
        if _is_filed_everywhere(tx, case_id):
            _report_case(tx, case_id)
    return settle(tx.report_decisions, tip.cases, tip.account_id, at=at)


def note_given_up(tx: Transaction, cases: Sequence[CaseId], *, at: datetime) -> list[AuditEntry]:
    """Return what the record says of account actions, now that a tip is stored as withdrawn.

    Its cases, all of one account, which the transaction holds, are reported if all the other tips
    of them are filed.
    """
    for case_id in cases:
        filed = [
            one
            for one in tx.tips.of_case(case_id)
            if one.filing.state is TipState.FILED and not one.elsewhere
        ]
        if filed and _is_filed_everywhere(tx, case_id):
            _report_case(tx, case_id)
    return settle(tx.report_decisions, cases, tx.cases.get(cases[0]).account_id, at=at)


def as_of_now(tx: Transaction, tip: CyberTip, filing: Filing) -> CyberTip:
    """Return a tip with what may have changed since it was drafted.

    That is who viewed its files, as the view log has it, which reports of the account were filed
    meanwhile, that it is suspended, once the platform confirmed that, of a report before this one
    that was lost, and that something could not be read that would name machines.
    """
    tip = _without_elsewhere(tx, tip)
    log = [view for case_id in tip.cases for view in _views(tx, case_id)]
    viewed = {digest for digest, exif in log if not exif}
    exif = {digest for digest, exif in log if exif}
    files = tuple(
        replace(
            file,
            viewed=file.digest in viewed,
            exif_viewed=file.digest in exif if file.digest in viewed else None,
        )
        for file in tip.files
    )
    earlier = earlier_reports(tx, tip.account_id, besides=tip.id)
    disabled = _disabled(tx, tip.account_id)
    reported = tuple(
        replace(
            party,
            prior_reports=tuple(dict.fromkeys((*party.prior_reports, *earlier))),
            disabled=party.disabled or disabled,
        )
        if party.account_id == tip.account_id
        else party
        for party in tip.reported
    )
    lost = [_LOST.format(one) for one in filing.denied if one != filing.remote_id]
    unread = [_UNREAD] if tip.unread else []
    narrative = "\n".join((tip.narrative, *lost, *unread))
    return replace(tip, files=files, reported=reported, narrative=narrative)


def earlier_reports(
    tx: Transaction, account_id: AccountId, *, besides: TipId | None = None
) -> tuple[int, ...]:
    """Return the ids of the CyberTipline reports that were filed about an account."""
    if not account_id:
        return ()
    return tuple(
        int(one.filing.remote_id)
        for one in tx.tips.of_account(account_id)
        if one.filing.state is TipState.FILED
        and one.destination == Destination.NCMEC
        and one.tip_id != besides
        and one.filing.remote_id.isdecimal()
        and not one.elsewhere
    )


def _without_elsewhere(tx: Transaction, tip: CyberTip) -> CyberTip:
    """Return a tip without what it says of reports at another line: their ids say nothing here."""
    gone = {
        int(one.filing.remote_id)
        for one in tx.tips.of_account(tip.account_id)
        if one.elsewhere and one.filing.remote_id.isdecimal()
    }
    narrative, reported = tip.narrative, []
    for party in tip.reported:
        kept = tuple(one for one in party.prior_reports if one not in gone)
        if party.account_id == tip.account_id and kept != party.prior_reports:
            [said] = follows(party.prior_reports)
            narrative = narrative.replace(said, "".join(follows(kept)))
            party = replace(party, prior_reports=kept)  # noqa: PLW2901
        reported.append(party)
    return replace(tip, narrative=narrative, reported=tuple(reported))


def _disabled(tx: Transaction, account_id: AccountId) -> Disabled | None:
    """Return that the platform closed an account and did not open it again, None otherwise.

    An appeal can still lift it, so it is never said to be for good.
    """
    if not account_id:
        return None
    last = tx.outbox.last_delivered(account_id, (EffectKind.SUSPEND, EffectKind.REINSTATE))
    if last is None or last.effect.kind is not EffectKind.SUSPEND:
        return None
    return Disabled(permanently=False, at=last.delivered_at)


def _views(tx: Transaction, case_id: CaseId) -> list[tuple[str, bool]]:
    """Return the digest of each viewed file of a case, and whether it is its EXIF data's view."""
    digests = {one.id: one.digest for one in tx.evidence.of_case(case_id)}
    return [
        (digests[one.evidence_id], one.what is ReadKind.EXIF_VIEWED)
        for one in tx.views.of(list(digests))
        if one.what in (ReadKind.VIEWED, ReadKind.EXIF_VIEWED)
    ]


def _check_stands(tx: Transaction, case_id: CaseId) -> None:
    case = tx.cases.get(case_id)
    if case.state not in STANDING:
        raise Conflict(f"the case is {case.state}: its tip waits", hint="answer the appeal first")


def _is_filed_everywhere(tx: Transaction, case_id: CaseId) -> bool:
    """Return whether every tip of a case is filed, but for what was withdrawn."""
    states = {one.filing.state for one in tx.tips.of_case(case_id)}
    return states <= {TipState.FILED, TipState.WITHDRAWN}


def _report_case(tx: Transaction, case_id: CaseId) -> None:
    case = tx.cases.get(case_id)
    # An appeal may have come in meanwhile: the tip is filed all the same, the case stays there.
    if case.state is CaseState.CONFIRMED:
        tx.cases.save(replace(case, state=next_state(case.state, CaseStep.REPORT)))


class VaultMedia:
    """The filer's access to sealed media: every opening is an audit entry."""

    def __init__(self, *, vault: Vault, unit_of_work: UnitOfWork) -> None:
        self._vault = vault
        self._unit_of_work = unit_of_work

    def open(self, file: ReportedFile, case_id: CaseId, purpose: str) -> OpenedMedia:
        """Return a file, found whole; the record says of what evidence, and what for, before.

        It is read to its end once, so that nothing of a broken file is sent anywhere.

        Raises:
            NotFound: nothing is sealed of it; nothing is recorded then.
            IntegrityFailure: what is stored is not what was sealed.
        """
        if not self._vault.has(file.digest):
            raise NotFound("nothing is sealed under this digest")
        access = Access(person="nightlight", purpose=purpose)
        with self._unit_of_work.begin() as tx:
            access.check()
            tx.commit(
                AuditEntry(
                    actor="nightlight",
                    action="evidence.opened",
                    subject=file.evidence_id,
                    reason=purpose,
                    detail={"case": _case_of(tx, file.evidence_id) or case_id},
                )
            )
        byte_count = sum(map(len, self._vault.open_parts(file.digest, access)))
        return _Opened(self._vault, file.digest, access, byte_count)


class _Opened:
    """A sealed file that is read from the vault as it is needed."""

    def __init__(self, vault: Vault, digest: str, access: Access, byte_count: int) -> None:
        self._vault = vault
        self._digest = digest
        self._access = access
        self.byte_count = byte_count

    def parts(self) -> Iterator[bytes]:
        """Yield its bytes in parts, each as it was sealed."""
        return self._vault.open_parts(self._digest, self._access)


def _case_of(tx: Transaction, evidence_id: str) -> CaseId | None:
    """Return the case that evidence belongs to now, None where only the vault knows of it."""
    try:
        return tx.evidence.get(evidence_id).case_id
    except NotFound:
        return None


class Filers:
    """Files tips with every destination that is configured."""

    def __init__(self, *filers: TipFiler) -> None:
        self._filers = filers

    def run_due(self, limit: int) -> list[Filing]:
        """Return the filings of up to ``limit`` due tips a destination after advancing each.

        Raises:
            NightlightError: a destination cannot be served, as where it does not take the
                credentials; the others were.
        """
        filings: list[Filing] = []
        failures: list[NightlightError] = []
        for filer in self._filers:
            try:
                filings += filer.run_due(limit)
            except NightlightError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return filings
