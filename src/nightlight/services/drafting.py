"""Drafts tips of confirmed cases, in the caller's transaction, and takes them back."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from nightlight.decide.policy import Outcome, Policy
from nightlight.errors import Conflict, IntegrityFailure, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.case import STANDING, Case, CaseState
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import TipState
from nightlight.model.ids import CaseId
from nightlight.model.incident import IncidentType
from nightlight.report.progress import (
    APPEALED,
    OVERTURNED,
    drafted_anew,
    held_unread,
    withdrawn,
)
from nightlight.services.rules import active_policy
from nightlight.services.sealed_machines import SealedMachines, Told
from nightlight.services.tip_content import TipContent, outcome_of
from nightlight.transaction import StoredTip, Transaction, is_live

_T = TypeVar("_T")
#: What a person must do about what was filed of a case that does not stand.
_TELL = "its case was overturned after it was filed: tell the authority"
#: Tips that are taken back already.
_TAKEN_BACK = frozenset({TipState.WITHDRAWN, TipState.WITHDRAWING})


class Drafting:
    """Drafts the tips that the policy asks for, each at every place it names.

    Whoever drafts does so within ``given``, and passes on what that tells of sealed machines.
    """

    def __init__(
        self,
        *,
        platform_name: str,
        classify: bool,
        machines: SealedMachines,
        platform_country: str = "",
    ) -> None:
        """Keep what every tip says.

        Args:
            platform_name: the platform's name.
            classify: whether tips carry a hash bank's industry classification.
            machines: reads the machines that were sealed with findings.
            platform_country: the country of accounts of which the platform tells none; "" where
                that is open.
        """
        self._content = TipContent(platform_name=platform_name, classify=classify)
        self._machines = machines
        self._platform_country = platform_country

    def given(self, act: Callable[[Told], _T]) -> _T:
        """Return what ``act`` does with a transaction of its own, given what is sealed.

        It is begun anew once what it asked for was read: no vault is read in its transaction.
        """
        return self._machines.given(act)

    def draft(
        self, tx: Transaction, case: Case, *, policy: Policy, now: datetime, told: Told
    ) -> list[AuditEntry]:
        """Store the tips of a case that was just confirmed, and return what the record says.

        Nothing where it is not reportable. Where the policy bundles, a case joins a tip of its
        account that is not opened yet.
        """
        outcome = policy.confirmed.get(case.category, Outcome())
        if outcome.report is None:
            return []
        entries = []
        for destination in policy.places(outcome, self._country(tx, case)):
            waiting = _waiting(tx, case, destination) if outcome.bundle else None
            if waiting is None:
                self._draft(tx, [case], destination, policy=policy, now=now, told=told)
                continue
            self._join(tx, case, waiting, policy=policy, now=now, told=told)
            detail: dict[str, str | int | float | bool | list[str]] = {"case": case.id}
            entries.append(
                AuditEntry(
                    actor="nightlight", action="tip.bundled", subject=waiting.tip_id, detail=detail
                )
            )
        return entries

    def _country(self, tx: Transaction, case: Case) -> str:
        known = tx.context.accounts([case.account_id]).get(case.account_id)
        return (known.country if known else "") or self._platform_country

    def withdraw(
        self, tx: Transaction, case: Case, *, policy: Policy, now: datetime, told: Told
    ) -> list[AuditEntry]:
        """Take back the unfiled tips of an overturned case; what else they reported is redrafted.

        A filed report cannot be taken back: it says from now on that the authority has to be told,
        and the record does where what is stored of it cannot be read, which stays as it is.
        """
        entries: list[AuditEntry] = []
        for stored in tx.tips.of_case(case.id):
            filing = stored.filing
            if filing.state is TipState.FILED:
                said = replace(filing, failure=_TELL, revision=filing.revision + 1)
                try:
                    tx.tips.save(said, at=now)
                except IntegrityFailure as failure:
                    entries.append(_left(case, stored, f"{_TELL}; {failure}"))
            elif filing.state is not TipState.WITHDRAWN and filing.taken_back_for != OVERTURNED:
                entries.append(
                    self._take_back(
                        tx, case, stored, why=OVERTURNED, policy=policy, now=now, told=told
                    )
                )
        return entries

    def set_apart(
        self, tx: Transaction, case: Case, *, policy: Policy, now: datetime, told: Told
    ) -> list[AuditEntry]:
        """Take back the unfiled bundles of an appealed case, which wait for nobody else's appeal.

        Their other cases are drafted apart from it, and are filed in their time. One that cannot be
        read is left as it is: nothing files it while one of its cases does not stand.
        """
        return [
            self._take_back(tx, case, stored, why=APPEALED, policy=policy, now=now, told=told)
            for stored in tx.tips.of_case(case.id)
            if stored.filing.state not in _TAKEN_BACK | {TipState.FILED}
            and len(tx.tips.cases(stored.tip_id)) > 1
        ]

    def _take_back(
        self,
        tx: Transaction,
        case: Case,
        stored: StoredTip,
        *,
        why: str,
        policy: Policy,
        now: datetime,
        told: Told,
    ) -> AuditEntry:
        """Withdraw a tip at once, or let its open report be retracted first.

        What may be filed is redrafted only once it is certain that it is not, or the rest of it
        would be filed twice. One that cannot be read is left, and stops nobody's decision.
        """
        try:
            tip, filing = tx.tips.load(stored.tip_id)
        except IntegrityFailure as failure:
            return _left(case, stored, f"{why}; {failure}")
        after = withdrawn(filing, why=why)
        tx.tips.save(after, at=now)
        gone = after.state is TipState.WITHDRAWN
        redrafted = self._redraft(tx, tip, policy=policy, now=now, told=told) if gone else []
        return AuditEntry(
            actor="nightlight",
            action="tip.withdrawn",
            subject=stored.tip_id,
            reason=why,
            detail={"case": case.id, "redrafted": redrafted, "corrected": filing.corrected},
        )

    def redraft(self, tx: Transaction, tip: CyberTip, *, now: datetime, told: Told) -> list[str]:
        """Return the cases that a withdrawn tip also reported, drafted anew."""
        return self._redraft(tx, tip, policy=active_policy(tx), now=now, told=told)

    def _redraft(
        self, tx: Transaction, tip: CyberTip, *, policy: Policy, now: datetime, told: Told
    ) -> list[str]:
        """Draft what is not overturned; what is under appeal waits in a tip of its own.

        None of it waits longer than the tip that it was in, but for a person where that was
        corrected.
        """
        cases = [tx.cases.get(name) for name in tip.cases]
        standing = [one for one in cases if one.state in STANDING]
        contested = [[one] for one in cases if one.state is CaseState.APPEALED]
        [before] = [one for one in tx.tips.of_case(tip.case_id) if one.tip_id == tip.id]
        groups = [group for group in (standing, *contested) if group]
        for group in groups:
            anew = self._draft(
                tx,
                group,
                tip.destination,
                policy=policy,
                now=now,
                told=told,
                deadline_at=before.deadline_at,
                from_at=max(now, min(before.drafted_at, now + _wait(policy, group))),
                former=tip.incident_type,
            )
            _, fresh = tx.tips.load(anew.id)
            tx.tips.save(drafted_anew(fresh, before.filing), at=now)
        return [one.id for group in groups for one in group]

    def order(
        self,
        tx: Transaction,
        case: Case,
        incident_type: IncidentType | None,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
    ) -> list[CyberTip]:
        """Return the tips of a case that stands, stored, at each place that has none of it.

        Args:
            tx: the caller's transaction.
            case: the case.
            incident_type: what it is reported as where the policy does not report its category.
            policy: the policy in force.
            now: when they are drafted.
            told: the machines that are sealed with it.

        Raises:
            Conflict: it does not stand, or has a tip at every place already.
            InvalidInput: the policy says otherwise what it is reported as, or nobody does.
        """
        _check_standing(case)
        outcome = outcome_of(policy, case)
        _check_type(case, outcome, incident_type)
        there = {one.destination: one for one in tx.tips.of_case(case.id) if is_live(one)}
        places = policy.places(outcome, self._country(tx, case))
        fresh = [one for one in places if one not in there]
        if not fresh:
            known = ", ".join(f"{there[one].tip_id} ({there[one].filing.state})" for one in places)
            raise Conflict(
                f"the case has its tip already: {known}",
                hint="`nightlight report list` says what is to be done about it",
            )
        return [
            self._draft(tx, [case], one, policy=policy, now=now, told=told, former=incident_type)
            for one in fresh
        ]

    def supplement(
        self,
        tx: Transaction,
        case_id: CaseId,
        note: str,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
    ) -> list[CyberTip]:
        """Return further tips about a reported case, stored, one at each place that has it.

        Each says the note, and has the files that are new since to its place.

        Raises:
            NotFound: there is no such case.
            Conflict: nothing of it is filed yet, it does not stand, or the same note still waits.
        """
        case = tx.cases.get(case_id)
        _check_standing(case)
        stored = tx.tips.of_case(case_id)
        filed = [one for one in stored if one.filing.state is TipState.FILED and not one.elsewhere]
        if not filed:
            raise Conflict(
                "nothing about this case is filed yet",
                hint="`nightlight report correct` changes a tip that waits"
                if stored
                else f"nightlight report draft {case_id} --by WHO --reason WHY",
            )
        _check_new(tx, stored, note)
        return [
            self._supplement(
                tx,
                case,
                [one for one in filed if one.destination is destination],
                note,
                policy=policy,
                now=now,
                told=told,
            )
            for destination in dict.fromkeys(one.destination for one in filed)
        ]

    def _supplement(
        self,
        tx: Transaction,
        case: Case,
        filed: Sequence[StoredTip],
        note: str,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
    ) -> CyberTip:
        """Return a further tip at the one place where these were filed."""
        tips = [tx.tips.load(one.tip_id)[0] for one in filed]
        packages = [one.tip_id for one in filed if not one.filing.remote_id]
        follows = [f"It follows package(s) {', '.join(packages)}."] if packages else []
        return self._draft(
            tx,
            [case],
            filed[0].destination,
            policy=policy,
            now=now,
            told=told,
            note="\n".join([note, *follows]),
            leave_out={
                name
                for one in tips
                for file in one.files
                for name in (file.digest, file.evidence_id)
            },
            former=tips[0].incident_type,
        )

    def completed(self, tx: Transaction, tip: CyberTip, told: Told, *, now: datetime) -> CyberTip:
        """Return a tip with the machines that could not be read when it was drafted.

        ``unread`` names what still cannot be.
        """
        return self._content.completed(tx, tip, told, now=now)

    def _draft(
        self,
        tx: Transaction,
        cases: Sequence[Case],
        destination: Destination,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
        note: str = "",
        leave_out: set[str] | None = None,
        deadline_at: datetime | None = None,
        from_at: datetime | None = None,
        former: IncidentType | None = None,
    ) -> CyberTip:
        """Return a tip, stored; it keeps the times and the type that it had before, if any."""
        there = [
            one
            for one in tx.tips.of_case(cases[0].id)
            if (one.case_id, one.destination) == (cases[0].id, destination)
        ]
        tip = self._content.tip(
            tx,
            cases,
            destination,
            policy=policy,
            now=now,
            told=told,
            number=len(there) + 1,
            note=note,
            leave_out=leave_out or set(),
            former=former,
        )
        deadlines = [one for one in (deadline_at, _deadline(policy, cases, now)) if one]
        tx.tips.draft(
            tip,
            at=from_at or now + _wait(policy, cases),
            deadline_at=min(deadlines, default=None),
        )
        if tip.unread:
            _, fresh = tx.tips.load(tip.id)
            tx.tips.save(held_unread(fresh, tip.unread), at=now)
        return tip

    def _join(
        self,
        tx: Transaction,
        case: Case,
        waiting: StoredTip,
        *,
        policy: Policy,
        now: datetime,
        told: Told,
    ) -> None:
        before, filing = tx.tips.load(waiting.tip_id)
        cases = [*(tx.cases.get(name) for name in before.cases), case]
        tip = self._content.tip(
            tx,
            cases,
            waiting.destination,
            policy=policy,
            now=now,
            told=told,
            former=before.incident_type,
        )
        held = held_unread(filing, tip.unread) if tip.unread else None
        # The more urgent of the two says when.
        own = now + _wait(policy, [case])
        sooner = min(own, filing.next_attempt_at or own)
        tx.tips.rewrite(
            replace(tip, id=before.id),
            held or replace(filing, next_attempt_at=sooner, revision=filing.revision + 1),
            at=now,
            deadline_at=_deadline(policy, [case], now),
        )


def _left(case: Case, stored: StoredTip, why: str) -> AuditEntry:
    """Return what the record says of a tip that is left as it is, as it cannot be read."""
    return AuditEntry(
        actor="nightlight",
        action="tip.set_aside",
        subject=stored.tip_id,
        reason=why,
        detail={"case": case.id},
    )


def _check_standing(case: Case) -> None:
    if case.state not in STANDING:
        raise Conflict(f"the case is {case.state}", hint="only what stands is reported")


def _check_new(tx: Transaction, stored: Sequence[StoredTip], note: str) -> None:
    """Return only if no tip that waits says a note already."""
    for one in stored:
        settled = one.filing.state in _TAKEN_BACK | {TipState.FILED}
        if not settled and f"{tx.tips.load(one.tip_id)[0].narrative}\n".startswith(f"{note}\n"):
            raise Conflict(
                f"{one.tip_id} says so already, and is {one.filing.state.value}",
                hint="`nightlight report list` says what is to be done about it",
            )


def _check_type(case: Case, outcome: Outcome, incident_type: IncidentType | None) -> None:
    """Return only if one thing is said of what a case is reported as."""
    if outcome.report is None and incident_type is None:
        raise InvalidInput(
            f"the policy does not report {case.category}, so say as what it is reported",
            field="--as",
            hint=f"one of: {', '.join(IncidentType)}",
        )
    if outcome.report is not None and incident_type not in (None, outcome.report):
        raise InvalidInput(
            f"the policy reports {case.category} as {outcome.report.value}",
            field="--as",
            hint="draft it as that; `nightlight report correct` changes incident_type",
        )


def _waiting(tx: Transaction, case: Case, destination: Destination) -> StoredTip | None:
    """Return a tip of the case's account that another case may join."""
    if not case.account_id:
        return None
    return next(
        (
            one
            for one in tx.tips.of_account(case.account_id)
            if one.destination == destination
            and one.filing.state is TipState.DRAFTED
            and not one.filing.corrected
            and _may_be_joined(tx, one)
        ),
        None,
    )


def _may_be_joined(tx: Transaction, stored: StoredTip) -> bool:
    """Return whether a tip waits for no appeal, and is no supplement, which says its own."""
    if not _can_be_read(tx, stored):
        return False
    cases = tx.tips.cases(stored.tip_id)
    return all(tx.cases.get(name).state in STANDING for name in cases) and not any(
        one.filing.state is TipState.FILED and one.destination == stored.destination
        for name in cases
        for one in tx.tips.of_case(name)
    )


def _can_be_read(tx: Transaction, stored: StoredTip) -> bool:
    try:
        tx.tips.load(stored.tip_id)
    except IntegrityFailure:
        return False
    return True


def _wait(policy: Policy, cases: Sequence[Case]) -> timedelta:
    """Return how long a tip of these cases waits: the most urgent one says it."""
    return timedelta(minutes=min(outcome_of(policy, one).report_after_minutes for one in cases))


def _deadline(policy: Policy, cases: Sequence[Case], now: datetime) -> datetime | None:
    hours = policy.filing_hours(max(one.severity for one in cases))
    return None if hours is None else now + timedelta(hours=hours)
