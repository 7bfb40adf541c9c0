"""The stored progress of one tip: every change of state is checked, counted and saved here."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import structs

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.filing import Filing, TipState, check_tip_transition
from nightlight.report.ports import FilingAction, Sent, TipStore

_FIRST_WAIT_S = 30
#: Well under the 24 hours after which NCMEC drops an open report.
_LONGEST_WAIT_S = 3600
#: After so many new reports, and after so many more, a tip waits for a person.
_RESTARTS = 5
#: A slower upload than this may be taken for dead.
_SLOWEST_BYTES_S = 256 * 1024

#: Why a tip was withdrawn.
OVERTURNED = "its case was overturned"
APPEALED = "one of its cases was appealed"
ABANDONED = "a person abandoned it"
#: What a person must do about a tip that was filed before it could be withdrawn.
_FILED_BEFORE = {
    OVERTURNED: f"filed before {OVERTURNED}: tell the authority",
    APPEALED: f"filed before {APPEALED}: tell the authority if that is overturned",
}
#: Why a tip waits that cannot be filed as it is stored.
SET_ASIDE = "set aside"
#: What a person must do where the answer to /finish was lost and the report is gone.
ASK_FIRST = "it may have been finished: ask NCMEC whether they have this report"
#: Why a tip waits whose report was taken back.
_PAUSED = "its case was appealed: nothing of it is open, and it waits for the end of the appeal"
#: What is to be known of a tip that was withdrawn while a report was asked for.
_NEVER_TOLD = "a report may be open whose id was never answered; unfinished, it expires in a day"
#: Why a tip waits that was drafted anew.
_CORRECTED = "{} was corrected, and this was drafted anew: make the corrections again, then retry"
#: Why a tip waits that lacks what is sealed.
_UNREAD = (
    "the addresses and devices sealed in {} cannot be read: `report retry` reads them once vault or"
    " keys are mended; with --as-it-is it is filed without them"
)
#: States in which the open report is not finished for certain.
_RETRACTABLE = frozenset({TipState.OPENED, TipState.UPLOADING, TipState.DESCRIBING})
#: States of which a filer that is at it soon stores an answer that must be kept.
_ANSWERED_SOON = frozenset({TipState.FINISHING, TipState.WITHDRAWING})
#: States that a refused tip goes on in: the report may be finished, or may be open still.
_RESUMED = frozenset({TipState.FINISHING, TipState.RETRACTING, TipState.WITHDRAWING})


class Progress:
    """One filing, changed only by saving it."""

    def __init__(self, *, store: TipStore, clock: Clock, filing: Filing, lease: timedelta) -> None:
        self._store = store
        self._lease = lease
        self._clock = clock
        self.filing = filing

    def save(
        self,
        state: TipState,
        action: FilingAction,
        *,
        remote_id: str | None = None,
        uploaded: tuple[str, ...] | None = None,
        described: int | None = None,
        document: str | None = None,
        line: str | None = None,
        sent: Sent | None = None,
        sends: int = 0,
    ) -> None:
        """Store a step forward; None leaves a field as it is.

        The tip is not due again until the lease ends, so that others leave a live filer alone. It
        lasts longer where the step ``sends`` many bytes. What is to be ``sent`` is kept with it.
        """
        before = self.filing
        self._store_as(
            action,
            structs.replace(
                before,
                state=state,
                remote_id=before.remote_id if remote_id is None else remote_id,
                opened_at=before.opened_at if remote_id is None else self._clock.now(),
                uploaded=before.uploaded if uploaded is None else uploaded,
                described=before.described if described is None else described,
                document=before.document if document is None else document,
                line=before.line if line is None else line,
                finish_asked=before.finish_asked or state is TipState.FINISHING,
                failure="",
                next_attempt_at=self._clock.now()
                + self._lease
                + timedelta(seconds=sends // _SLOWEST_BYTES_S),
            ),
            sent,
        )

    def file(self, receipt: str, *, doubt: str = "") -> None:
        """Store that the tip is filed, with its receipt and what a person must still check.

        The receipt is kept also where the tip was to be withdrawn while it was finished.
        """
        try:
            self._store_filed(receipt, doubt)
        except Conflict:
            _, meanwhile = self._store.load(self.filing.tip_id)
            if meanwhile.state is not TipState.WITHDRAWING:
                raise
            self.filing = meanwhile
            self._store_filed(receipt, _FILED_BEFORE.get(meanwhile.taken_back_for, doubt))

    def file_appealed(self, receipt: str) -> None:
        """Store that a tip of which a case is appealed turned out to be filed before."""
        self.file(receipt, doubt=_FILED_BEFORE[APPEALED])

    def file_withdrawn(self, receipt: str) -> None:
        """Store that a tip that was to be withdrawn turned out to be filed."""
        self.file(receipt, doubt=_FILED_BEFORE[self.filing.taken_back_for or OVERTURNED])

    def _store_filed(self, receipt: str, doubt: str) -> None:
        filed = structs.replace(
            self.filing,
            state=TipState.FILED,
            receipt=receipt,
            failure=doubt,
            filed_at=self._clock.now(),
            next_attempt_at=None,
        )
        self._store_as(FilingAction.FILED, filed)

    def postpone(self, why: str) -> None:
        """Store that this attempt failed, and when the next one is due."""
        self._store_as(FilingAction.POSTPONED, self._waiting(self.filing, why))

    def give_up_report(self, why: str) -> None:
        """Store that the open report must be retracted before the tip starts over, later."""
        given_up = structs.replace(self.filing, state=TipState.RETRACTING)
        self._store_as(FilingAction.RETRACTION_REQUESTED, self._waiting(given_up, why))

    def start_over(self, *, failure: str = "") -> None:
        """Store that the report is gone and a new one is needed; later, if it was a failure.

        After every few of them a person must look: a tip that never gets done is not filed.
        """
        fresh = structs.replace(
            _unopened(self.filing), state=TipState.DRAFTED, restarts=self.filing.restarts + 1
        )
        if fresh.restarts % _RESTARTS == 0:
            why = f"started over {fresh.restarts} times {failure}".strip()
            self._settle_refused(structs.replace(fresh, failure=why, retry_from=TipState.DRAFTED))
            return
        if failure:
            fresh = self._waiting(fresh, failure)
        self._store_as(FilingAction.STARTED_OVER, fresh)

    def pause(self) -> None:
        """Store that the report is gone, and that a new one waits for the end of an appeal."""
        paused = structs.replace(
            _unopened(self.filing), state=TipState.DRAFTED, failure=_PAUSED, next_attempt_at=None
        )
        self._store_as(FilingAction.PAUSED, paused)

    def refuse(self, why: str, *, retry_from: TipState | None = None) -> None:
        """Store that nothing more happens until a person acts.

        A report that is open is retracted first, so that it is not left open and forgotten; one
        that may be finished is left as it is.
        """
        filing = self.filing
        if retry_from is None and filing.remote_id and filing.state in _RETRACTABLE:
            given_up = structs.replace(
                filing,
                state=TipState.RETRACTING,
                refusal=why,
                failure=why,
                next_attempt_at=None,
            )
            self._store_as(FilingAction.RETRACTION_REQUESTED, given_up)
            return
        if retry_from is None:
            retry_from = filing.state if filing.state in _RESUMED else TipState.DRAFTED
        self._settle_refused(structs.replace(filing, failure=why, retry_from=retry_from))

    def refuse_retracted(self) -> None:
        """Store that the report is retracted and the tip refused for what it was given up for."""
        gone = _unopened(self.filing)
        self._settle_refused(
            structs.replace(gone, failure=self.filing.refusal, retry_from=TipState.DRAFTED)
        )

    def withdraw(self) -> None:
        """Store that nothing is filed, and why nothing will be."""
        gone = structs.replace(
            _unopened(self.filing),
            state=TipState.WITHDRAWN,
            failure=self.filing.taken_back_for or OVERTURNED,
            next_attempt_at=None,
        )
        self._store_as(FilingAction.WITHDRAWN, gone)

    def _settle_refused(self, filing: Filing) -> None:
        refused = structs.replace(filing, state=TipState.REFUSED, refusal="", next_attempt_at=None)
        self._store_as(FilingAction.REFUSED, refused)

    def _waiting(self, filing: Filing, why: str) -> Filing:
        attempts = filing.attempts + 1
        return structs.replace(
            filing, failure=why, attempts=attempts, next_attempt_at=self._wait_until(attempts)
        )

    def _wait_until(self, attempts: int) -> datetime:
        doubled = _FIRST_WAIT_S * 2 ** min(attempts - 1, 20)
        return self._clock.now() + timedelta(seconds=min(doubled, _LONGEST_WAIT_S))

    def _store_as(self, action: FilingAction, filing: Filing, sent: Sent | None = None) -> None:
        check_tip_transition(self.filing.state, filing.state)
        saved = structs.replace(filing, revision=self.filing.revision + 1)
        self._store.save(saved, action=action, sent=sent)
        self.filing = saved


def _unopened(filing: Filing) -> Filing:
    """Return a filing without what belonged to a report that is gone."""
    return structs.replace(
        filing, remote_id="", opened_at=None, uploaded=(), described=0, finish_asked=False, line=""
    )


def drafted_anew(fresh: Filing, former: Filing) -> Filing:
    """Return the filing of what was drafted anew from a withdrawn tip, ready to be saved.

    It goes on to name reports that were lost. What a person had corrected waits for a person, as
    it says again what it said before that.
    """
    kept = structs.replace(fresh, denied=former.denied, revision=fresh.revision + 1)
    if not former.corrected:
        return kept
    check_tip_transition(fresh.state, TipState.REFUSED)
    return structs.replace(
        kept,
        state=TipState.REFUSED,
        failure=_CORRECTED.format(former.tip_id),
        retry_from=TipState.DRAFTED,
        next_attempt_at=None,
        corrected=True,
    )


def held_unread(fresh: Filing, unread: Sequence[str]) -> Filing:
    """Return the filing of a tip that was just drafted and lacks what is sealed, to be saved.

    Nothing is filed without it unless a person says so.
    """
    check_tip_transition(fresh.state, TipState.REFUSED)
    more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
    return structs.replace(
        fresh,
        state=TipState.REFUSED,
        failure=_UNREAD.format(f"{unread[0]}{more}"),
        retry_from=TipState.DRAFTED,
        next_attempt_at=None,
        revision=fresh.revision + 1,
    )


def retried(filing: Filing) -> Filing:
    """Return a refused filing as a person's order to try again leaves it, ready to be saved.

    A report that may have been finished is asked to finish again, never opened anew.

    Raises:
        Conflict: the tip was not refused.
    """
    if filing.state is not TipState.REFUSED or filing.retry_from is None:
        raise Conflict(f"a tip that is {filing.state.value} needs no retry")
    check_tip_transition(filing.state, filing.retry_from)
    return structs.replace(
        filing,
        state=filing.retry_from,
        failure="",
        retry_from=None,
        next_attempt_at=None,
        revision=filing.revision + 1,
    )


def abandoned(filing: Filing) -> Filing:
    """Return a refused filing that a person gave up for good, ready to be saved.

    Raises:
        Conflict: the tip was not refused, or its report may have been finished.
    """
    if filing.state is not TipState.REFUSED:
        raise Conflict(
            f"a tip that is {filing.state.value} is not abandoned",
            hint="an appeal stops it, and overturning its case stops it for good",
        )
    if filing.finish_asked or filing.retry_from is TipState.FINISHING:
        raise Conflict(
            f"report {filing.remote_id} may have been finished",
            hint="ask NCMEC about it: `nightlight report list` has the command",
        )
    if filing.taken_back_for:
        raise Conflict(
            "it was being taken back, and what else it is about is drafted again once it is",
            hint=f"`nightlight report retry {filing.tip_id}` takes it back",
        )
    check_tip_transition(filing.state, TipState.WITHDRAWN)
    return structs.replace(
        _unopened(filing),
        state=TipState.WITHDRAWN,
        failure=f"{ABANDONED}: {filing.failure}",
        taken_back_for=ABANDONED,
        retry_from=None,
        refusal="",
        next_attempt_at=None,
        revision=filing.revision + 1,
    )


def denied(filing: Filing, remote_id: str) -> Filing:
    """Return a refused filing once NCMEC said that it never had the report, ready to be saved.

    The line is asked once more: what it has after all is filed, and nothing is opened anew.

    Raises:
        Conflict: the tip was not refused because its report may have been finished.
        InvalidInput: that is not the report.
    """
    _check_lost(filing, remote_id)
    return structs.replace(retried(filing), denied=(*filing.denied, remote_id))


def found(filing: Filing, remote_id: str, *, said: str, at: datetime) -> Filing:
    """Return a refused filing as filed, once NCMEC said that it has the report, ready to be saved.

    Raises:
        Conflict: the tip was not refused because its report may have been finished.
        InvalidInput: that is not the report.
    """
    _check_lost(filing, remote_id)
    check_tip_transition(filing.state, TipState.FILED)
    return structs.replace(
        filing,
        state=TipState.FILED,
        receipt=f"The answer to finishing report {remote_id} was lost. NCMEC said: {said}",
        failure=_FILED_BEFORE.get(filing.taken_back_for, ""),
        retry_from=None,
        filed_at=at,
        next_attempt_at=None,
        revision=filing.revision + 1,
    )


def _check_lost(filing: Filing, remote_id: str) -> None:
    in_doubt = filing.retry_from is TipState.FINISHING or (
        filing.retry_from is TipState.WITHDRAWING and filing.finish_asked
    )
    if not in_doubt:
        raise Conflict(
            f"the tip is {filing.state.value}, and no report of it is lost",
            hint=_instead(filing),
        )
    if remote_id != filing.remote_id:
        raise InvalidInput(
            f"the report that may have been finished is {filing.remote_id}, not {remote_id}",
            field="report",
            hint=f"ask NCMEC about {filing.remote_id}, and give that number",
        )


def _instead(filing: Filing) -> str:
    """Return what there is to be done about a tip of which no report is lost."""
    match filing.state:
        case TipState.REFUSED:
            return f"nightlight report retry {filing.tip_id} --by WHO --reason WHY lets it go on"
        case TipState.FILED | TipState.WITHDRAWN:
            return "nothing is to be done: it is settled"
        case _:
            return "nothing is to be done: it goes on by itself"


def withdrawn(filing: Filing, *, why: str = OVERTURNED) -> Filing:
    """Return a filing as the end of its case, or of its bundle, leaves it, ready to be saved.

    An open report must be retracted before; one whose id was never answered expires by itself. A
    filer that is finishing or retracting it now is left the time to store what is answered.

    Raises:
        Conflict: the tip is filed, or withdrawn already.
    """
    if filing.state in (TipState.FILED, TipState.WITHDRAWN):
        raise Conflict(f"a tip that is {filing.state.value} cannot be withdrawn")
    begun = filing.remote_id or filing.state is TipState.PACKING
    after = TipState.WITHDRAWING if begun else TipState.WITHDRAWN
    check_tip_transition(filing.state, after)
    return structs.replace(
        filing,
        state=after,
        failure=f"{why}; {_NEVER_TOLD}" if filing.state is TipState.OPENING else why,
        taken_back_for=why,
        retry_from=None,
        refusal="",
        next_attempt_at=filing.next_attempt_at if filing.state in _ANSWERED_SOON else None,
        revision=filing.revision + 1,
    )
