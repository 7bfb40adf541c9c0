"""Whether an account that was acted on is reported: the threshold, the decision, its states.

18 USC 2258A(a): apparent violations are reported as soon as reasonably possible once they are
known. So nothing here becomes "not reported" by being forgotten: undecided has a clock, not
reported has a reason, and reported is said only of a tip with a receipt.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from nightlight.errors import Conflict
from nightlight.model.deadline import Deadline, soonest
from nightlight.model.effect import EffectKind
from nightlight.model.ids import AccountActionId, AccountId, TipId
from nightlight.model.role import AccountRole, Knowledge

_Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]

#: Reasons that Nightlight itself gives; every list of reasons has them.
TAKEN_BACK, OTHER_MATTER = "taken_back", "other_matter"


class Says(StrEnum):
    """What a threshold, or a person, says of an account that was acted on."""

    REPORT = "report"
    PERSON = "person"  # neither yes nor no: a person decides
    NOT = "not"


class ThresholdRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When ``when`` holds for an account, the threshold says ``says``; the first that holds counts.

    Attributes:
        name: unique; every report decision names the rule that held.
        when: a CEL expression over what the account did that is true or false.
        says: report, person, or not.
        reason: with says = "not", a name from the list of reasons.
    """

    name: _Name
    when: str
    says: Says
    reason: str = ""


class NotReportedReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an account that was acted on may go unreported.

    Attributes:
        name: what decisions and figures call it.
        because: the reason in words, for whoever reads the figures.
        settles: whether another threshold leaves alone what was explained by it.
    """

    name: _Name
    because: Annotated[str, Meta(min_length=1, max_length=500)]
    settles: bool = False


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on an account that was acted on is reported, by name and version.

    Attributes:
        name: the threshold's name.
        version: the operator's own counting: other content needs another version.
        rules: asked in order once a person confirmed what the account did; the first that holds
            counts, and where none holds, or one cannot be evaluated, a person decides.
        reasons: the only reasons for which an account may go unreported.
        deadlines: by severity; one of them is for severity 0.
        other_matters: categories that are not about the exploitation of children; any category that
            is not named here is.
    """

    name: _Name
    version: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9._-]+$")]
    rules: tuple[ThresholdRule, ...]
    reasons: tuple[NotReportedReason, ...]
    deadlines: tuple[Deadline, ...]
    other_matters: tuple[_Name, ...] = ()

    @property
    def full_name(self) -> str:
        """``name@version``, as recorded with every report decision."""
        return f"{self.name}@{self.version}"

    def reason(self, name: str) -> NotReportedReason | None:
        """Return the reason of this name, None where the list lacks it."""
        return next((one for one in self.reasons if one.name == name), None)

    def due_at(self, severity: int, at: datetime) -> datetime:
        """Return when a decision about something of this severity is overdue."""
        # One of them is for severity 0, or the policy is refused.
        return at + timedelta(hours=soonest(self.deadlines, severity) or 0)


class ReportState(StrEnum):
    """Where a report decision is."""

    UNDECIDED = "undecided"  # has a clock; also what is to be reported and has no receipt yet
    REPORTED = "reported"  # a tip was filed, and its receipt is kept
    EXPLAINED = "explained"  # not reported, for a reason from the policy's list


#: The whole state machine: what may follow what, besides staying.
REPORT_TRANSITIONS: dict[ReportState, frozenset[ReportState]] = {
    ReportState.UNDECIDED: frozenset({ReportState.REPORTED, ReportState.EXPLAINED}),
    ReportState.EXPLAINED: frozenset({ReportState.UNDECIDED, ReportState.REPORTED}),
    ReportState.REPORTED: frozenset(),
}


def check_report_transition(before: ReportState, after: ReportState) -> None:
    """Return only if ``after`` may follow ``before``; staying is always allowed.

    Raises:
        Conflict: it may not.
    """
    if after is not before and after not in REPORT_TRANSITIONS[before]:
        raise Conflict(f"what is {before.value} cannot become {after.value}")


class Part(Struct, frozen=True, kw_only=True):
    """An account's part as it stood when its report was decided.

    Attributes:
        role: creator, distributor, advertiser, engager or bystander; "" while nobody has confirmed
            what the account did.
        acts: how many events show it.
    """

    role: str = ""
    acts: int = 0
    knowledge_for: tuple[Knowledge, ...] = ()
    knowledge_against: tuple[Knowledge, ...] = ()


#: The part of an account of which nothing is confirmed.
NOT_TOLD = Part()


def part_of(told: AccountRole | None) -> Part:
    """Return what counts of a role; ``NOT_TOLD`` for None."""
    if told is None:
        return NOT_TOLD
    return Part(
        role=told.role.value,
        acts=len(told.acts),
        knowledge_for=told.knowledge_for,
        knowledge_against=told.knowledge_against,
    )


class AccountAction(Struct, frozen=True, kw_only=True):
    """An account was locked or suspended, once, however often that was asked for until it ended.

    Attributes:
        effect: the graver of what was asked for: suspend over lock.
        category: of the gravest finding for which it was asked.
        severity: of that finding.
        asked_by: "policy", or the person who asked for it first.
        at: when it was asked for first; the month of the figures.
        ended_at: when the account was reinstated, None while it stands.
        record_name: what the record calls it where everybody may look: keyed, so that nobody can
            tell from public ids whose it is; "" until it is stored, and in one from before.
    """

    id: AccountActionId
    account_id: AccountId
    effect: EffectKind
    category: str
    severity: int
    asked_by: str
    at: datetime
    ended_at: datetime | None = None
    record_name: str = ""

    @property
    def month(self) -> str:
        """The month of the figures it belongs to, in UTC: ``YYYY-MM``."""
        return f"{self.at:%Y-%m}"

    @property
    def shown_as(self) -> str:
        """Its record name; in one from before its id, under which the record knows it already."""
        return self.record_name or self.id


class ReportDecision(Struct, frozen=True, kw_only=True):
    """One version of what was decided about reporting an account action; none is ever changed.

    Attributes:
        version: 1, 2, ...; the newest holds.
        says: what the threshold said, or a person.
        rule: the threshold's rule that held; "" where none did or a person decided.
        reason: why not reported: a name from the policy's list; "" unless explained.
        tip_id: the tip with the receipt; "" unless reported.
        part: role and knowledge as they stood.
        threshold: ``name@version`` of the threshold that was asked.
        decided_by: "policy", "nightlight", or a person.
        note: the person's words.
        due_at: when it is overdue; None unless undecided.
    """

    action_id: AccountActionId
    version: int
    state: ReportState
    says: Says
    decided_by: str
    decided_at: datetime
    threshold: str
    rule: str = ""
    reason: str = ""
    tip_id: TipId = TipId("")
    part: Part = NOT_TOLD
    note: str = ""
    due_at: datetime | None = None


class Accounted(Struct, frozen=True, kw_only=True):
    """An account action with the report decision that holds."""

    action: AccountAction
    decision: ReportDecision
