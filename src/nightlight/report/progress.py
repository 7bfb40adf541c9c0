"""The stored progress of one tip: every change of state is checked, counted and saved here."""

from datetime import datetime, timedelta

from msgspec import structs

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict
from nightlight.model.filing import Filing, TipState, check_tip_transition
from nightlight.report.ports import FilingAction, TipStore

_FIRST_WAIT_S = 30
#: Well under the 24 hours after which NCMEC drops an open report.
_LONGEST_WAIT_S = 3600


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
    ) -> None:
        """Store a step forward; None leaves a field as it is.

        The tip is not due again until the lease ends, so that others leave a live filer alone.
        """
        before = self.filing
        self._store_as(
            action,
            structs.replace(
                before,
                state=state,
                remote_id=before.remote_id if remote_id is None else remote_id,
                uploaded=before.uploaded if uploaded is None else uploaded,
                described=before.described if described is None else described,
                failure="",
                next_attempt_at=self._clock.now() + self._lease,
            ),
        )

    def file(self, receipt: str, *, doubt: str = "") -> None:
        """Store that the tip is filed, with its receipt and what a person must still check."""
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
        """Store that the report is gone and a new one is needed; later, if it was a failure."""
        fresh = structs.replace(
            self.filing,
            state=TipState.DRAFTED,
            remote_id="",
            uploaded=(),
            described=0,
            restarts=self.filing.restarts + 1,
        )
        if failure:
            fresh = self._waiting(fresh, failure)
        self._store_as(FilingAction.STARTED_OVER, fresh)

    def refuse(self, why: str, *, retry_from: TipState | None = None) -> None:
        """Store that nothing more happens until a person acts."""
        filing = self.filing
        if retry_from is None and filing.state is TipState.FINISHING:
            retry_from = TipState.FINISHING
        elif retry_from is None:
            retry_from = TipState.RETRACTING if filing.remote_id else TipState.DRAFTED
        refused = structs.replace(
            filing,
            state=TipState.REFUSED,
            failure=why,
            retry_from=retry_from,
            next_attempt_at=None,
        )
        self._store_as(FilingAction.REFUSED, refused)

    def _waiting(self, filing: Filing, why: str) -> Filing:
        attempts = filing.attempts + 1
        return structs.replace(
            filing, failure=why, attempts=attempts, next_attempt_at=self._wait_until(attempts)
        )

    def _wait_until(self, attempts: int) -> datetime:
        doubled = _FIRST_WAIT_S * 2 ** min(attempts - 1, 20)
        return self._clock.now() + timedelta(seconds=min(doubled, _LONGEST_WAIT_S))

    def _store_as(self, action: FilingAction, filing: Filing) -> None:
        check_tip_transition(self.filing.state, filing.state)
        saved = structs.replace(filing, revision=self.filing.revision + 1)
        self._store.save(saved, action=action)
        self.filing = saved


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
