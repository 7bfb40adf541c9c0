"""Report decisions: what is undecided, what a person decides, and how it all adds up."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountActionId, TipId
from nightlight.model.report_decision import (
    Accounted,
    ReportDecision,
    ReportState,
    Says,
    Threshold,
)
from nightlight.report.account_actions import (
    AUTOMATIC,
    PersonsWord,
    escalated,
    heard,
    put_before_a_person,
    question,
)
from nightlight.report.reconciliation import Reconciliation, reconcile
from nightlight.report.threshold import Answer, compiled
from nightlight.report.wanted import Wanted, wanted
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

#: Account actions read, or escalated, at once.
_PAGE = 5_000
_ESCALATED_AT_ONCE = 500


class Flip(Struct, frozen=True, kw_only=True):
    """An account action of which a threshold says something else than what was decided.

    Attributes:
        one: the account action with its decision.
        answer: what the threshold says now.
    """

    one: Accounted
    answer: Answer

    @property
    def is_reportable(self) -> bool:
        """Whether it is to be reported now and was not."""
        return self.answer.says is Says.REPORT

    @property
    def asks_a_person(self) -> bool:
        """Whether no person decided that it goes unreported, and the threshold no longer does."""
        return self.answer.says is Says.PERSON


class Waiting(Struct, frozen=True, kw_only=True):
    """What is undecided, with the tip that is on its way for it, if there is one.

    Attributes:
        wanted: what it waits for, and the command that goes on with it.
    """

    one: Accounted
    wanted: Wanted
    tip: tuple[TipId, TipState] | None = None


class ReportDecisions:
    """Answers for every account that was acted on."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        """Keep the parts."""
        self._unit_of_work = unit_of_work
        self._clock = clock

    def reconcile(self) -> Reconciliation:
        """Return what became of every account that was acted on, by month and in all."""
        now = self._clock.now()
        with self._unit_of_work.read() as tx:
            return reconcile(tx.report_decisions.count(now), at=now)

    def undecided(self, limit: int) -> list[Waiting]:
        """Return what is undecided, the soonest due first."""
        with self._unit_of_work.read() as tx:
            found = tx.report_decisions.undecided(limit)
            return _waiting(tx, found)

    def to_report(self, found: Sequence[Accounted]) -> list[Wanted]:
        """Return what each of these waits for now that it is to be reported, in their order."""
        said = [replace(one, decision=replace(one.decision, says=Says.REPORT)) for one in found]
        with self._unit_of_work.read() as tx:
            return [one.wanted for one in _waiting(tx, said)]

    def overdue(self) -> int:
        """Return how much is undecided beyond its deadline."""
        with self._unit_of_work.read() as tx:
            return tx.report_decisions.count_overdue(self._clock.now())

    def history(self, action_id: AccountActionId) -> tuple[Accounted, list[ReportDecision]]:
        """Return an account action and every version of its report decision, oldest first.

        Raises:
            NotFound: there is none with this id.
        """
        with self._unit_of_work.begin() as tx:
            return tx.report_decisions.get(action_id), tx.report_decisions.history(action_id)

    def decide(self, word: PersonsWord) -> Accounted:
        """Return the account action as a person decided it.

        Raises:
            NotFound: there is no such account action.
            InvalidInput: name or words are missing, or the policy's list lacks the reason.
            Conflict: it is reported, or a tip for it is on its way.
        """
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)  # what is undecided keeps its evidence
            threshold = active_policy(tx).reporting
            store = tx.report_decisions
            after, entries = heard(store, word, threshold=threshold, at=self._clock.now())
            tx.commit(*entries)
        return after

    def compare(self, threshold: Threshold | None = None) -> list[Flip]:
        """Return where a threshold differs from what was decided; the one in force where None.

        Nothing is changed.
        """
        with self._unit_of_work.read() as tx:
            return list(flips(tx, threshold or active_policy(tx).reporting))

    def reconsider(self, *, by: str, note: str) -> list[Flip]:
        """Return what the threshold in force would report now, or ask about, put before a person.

        What was explained is undecided again, with a new clock.

        Raises:
            InvalidInput: name or words are missing.
        """
        if not by.strip() or not note.strip():
            raise InvalidInput("reconsidering needs a person's name and words", field="reason")
        with self._unit_of_work.begin() as tx:
            tx.events.offset()  # no case is decided meanwhile
            threshold = active_policy(tx).reporting
            found = [one for one in flips(tx, threshold) if one.is_reportable or one.asks_a_person]
            entries = put_before_a_person(
                tx.report_decisions,
                [one.one for one in found],
                threshold=threshold,
                by=by,
                note=note,
                at=self._clock.now(),
            )
            if entries:
                tx.commit(*entries)
        return found

    def escalate(self) -> int:
        """Return how many undecided ones were overdue and are now in the record as that."""
        now = self._clock.now()
        with self._unit_of_work.read() as tx:
            if not tx.report_decisions.count_overdue(now):
                return 0
        with self._unit_of_work.begin() as tx:
            entries = escalated(tx.report_decisions, now=now, limit=_ESCALATED_AT_ONCE)
            if entries:
                tx.commit(*entries)
        return len(entries)


def _waiting(tx: Transaction, found: Sequence[Accounted]) -> list[Waiting]:
    tips = tx.report_decisions.tips([one.action.id for one in found])
    cases = tx.report_decisions.cases_of({one.action.account_id for one in found})
    reportable = active_policy(tx).reportable
    return [
        Waiting(
            one=one,
            tip=tips.get(one.action.id),
            wanted=wanted(
                one,
                tip=tips.get(one.action.id),
                cases=cases.get(one.action.account_id, []),
                reportable=reportable,
            ),
        )
        for one in found
    ]


def flips(tx: Transaction, threshold: Threshold) -> Iterator[Flip]:
    """Yield the account actions of which a threshold says something else than what was decided.

    What was explained by a reason that settles is passed over: the finding itself did not hold, or
    it is reported already.
    """
    asked, after = compiled(threshold), ""
    while page := tx.report_decisions.page(after, _PAGE):
        after = page[-1].action.id
        for one in page:
            decision = one.decision
            reason = threshold.reason(decision.reason)
            if reason is not None and reason.settles:
                continue
            answer = asked.ask(question(one.action, decision.part))
            was = decision.state is ReportState.REPORTED or decision.says is Says.REPORT
            if answer.says is (Says.NOT if was else Says.REPORT) or (
                answer.says is Says.PERSON
                and decision.state is ReportState.EXPLAINED
                and decision.decided_by in AUTOMATIC
            ):
                yield Flip(one=one, answer=answer)


def check_versioned(tx: Transaction, threshold: Threshold) -> None:
    """Return only if no other threshold has this name and version.

    Raises:
        InvalidInput: another of the same name and version was in force before.
    """
    known = tx.report_decisions.find_threshold(threshold.full_name)
    if known is not None and known != threshold:
        raise InvalidInput(
            f"the threshold {threshold.full_name} has other content than before",
            field="policy.reporting.version",
            hint="give it another version",
        )
