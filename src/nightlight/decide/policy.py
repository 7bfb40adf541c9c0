"""The policy: what the operator's rules say, parsed and checked before anything is judged.

A policy is a TOML file. Its rules are CEL expressions over declared, typed facts, so a misspelt
name or a comparison of unlike types is refused when the policy is loaded, never found out at 3 a.m.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import Destination
from nightlight.model.deadline import Deadline, soonest
from nightlight.model.effect import DESTRUCTIVE_EFFECTS, EffectKind
from nightlight.model.incident import Annotation, IncidentType
from nightlight.model.report_decision import (
    OTHER_MATTER,
    TAKEN_BACK,
    NotReportedReason,
    Says,
    Threshold,
    ThresholdRule,
)

Severity = Annotated[int, Meta(ge=0, le=100)]
#: One year from the report (REPORT Act), in a leap year too.
LEGAL_DAYS = 366
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Mode(StrEnum):
    """How far a rule may go: ask for nothing, only ask a person, or act."""

    SHADOW = "shadow"
    REVIEW = "review"
    ACT = "act"


class PolicyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When ``when`` holds, the decision asks for ``asks`` because of ``because``.

    Attributes:
        name: unique; every decision names the rules that held.
        when: a CEL expression over the declared facts that is true or false.
        because: the statement of reasons, in words.
        category: what it is a finding of; [confirmed] says what follows.
        severity: orders the review queue, most severe first.
        asks: the effects asked for; remove and suspend only together with preserve.
        mode: shadow asks for nothing, review only for a person, act for all of ``asks``.
    """

    name: Name
    when: str
    because: Annotated[str, Meta(min_length=1, max_length=500)]
    category: Name
    severity: Severity
    asks: tuple[EffectKind, ...]
    mode: Mode = Mode.ACT


class Outcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows for a category once a person confirmed a case of it.

    Attributes:
        asks: effects on the case's subjects and account.
        report: the incident type to report it as; None where it is not reportable.
        report_to: where it is reported; settings say how each place is reached.
        report_after_minutes: how long a drafted tip waits, to be read and corrected.
        bundle: whether a case joins a tip of the same account that still waits.
        annotations: what reports of it say besides.
        urgent: why such a report is escalated to high priority; "" where it is not.
    """

    asks: tuple[EffectKind, ...] = ()
    report: IncidentType | None = None
    report_to: tuple[Destination, ...] = (Destination.NCMEC,)
    report_after_minutes: Annotated[int, Meta(ge=0, le=1440)] = 0
    bundle: bool = False
    annotations: tuple[Annotation, ...] = ()
    urgent: Annotated[str, Meta(max_length=3000)] = ""


class ReportRoute(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the accounts of a country are reported, in place of what their categories say.

    Attributes:
        country: two letters, as the platform tells it of accounts; where it tells nothing, those of
            NIGHTLIGHT_PLATFORM_COUNTRY.
        report_to: where; settings say how each place is reached.
    """

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
    report_to: Annotated[tuple[Destination, ...], Meta(min_length=1)]


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Circuit breaker: at most this many of an effect a day; more becomes review.

    Attributes:
        effect: which effect.
        per_day: how many in any 24 hours.
    """

    effect: EffectKind
    per_day: Annotated[int, Meta(ge=0)]


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long evidence is kept where nothing holds it longer.

    Attributes:
        reported_days: after the report of its case; at least 366, a year whichever year it is (18
            USC 2258A(h)).
        unreported_days: after the decision on its case, where nothing was reported; after its
            sealing, where a deleted post had a signal and no case.
        machine_days: for how long it is kept, sealed, from which machine and network each event
            was sent; evidence has a copy of its own.
    """

    reported_days: Annotated[int, Meta(ge=LEGAL_DAYS)] = LEGAL_DAYS
    unreported_days: Annotated[int, Meta(ge=1)] = LEGAL_DAYS
    machine_days: Annotated[int, Meta(ge=0)] = 90


#: The threshold of policies that bring none of their own; it never says "not".
DEFAULT_THRESHOLD = Threshold(
    name="own-material",
    version="1",
    rules=(
        ThresholdRule(
            name="published",
            when="role in ['creator', 'distributor', 'advertiser']",
            says=Says.REPORT,
        ),
    ),
    reasons=(
        NotReportedReason(
            name=TAKEN_BACK,
            because="A person dismissed the finding, or overturned it on appeal.",
            settles=True,
        ),
        NotReportedReason(
            name=OTHER_MATTER,
            because="It was acted on for something other than the exploitation of children.",
        ),
        NotReportedReason(
            name="reported_elsewhere",
            because="It was reported by another way; the note says where and under which id.",
            settles=True,
        ),
        NotReportedReason(
            name="no_apparent_violation",
            because="A person looked at all that is known, and it shows no apparent violation.",
        ),
        NotReportedReason(
            name="below_threshold",
            because="What the account did and knew stays below the threshold.",
        ),
        NotReportedReason(
            name="wrong_account",
            because="Somebody else did it: the account was taken over or mistaken for another.",
        ),
    ),
    deadlines=(
        Deadline(from_severity=90, hours=24),
        Deadline(from_severity=70, hours=48),
        Deadline(from_severity=40, hours=72),
        Deadline(from_severity=0, hours=168),
    ),
)


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named policy; ``version`` names it and its exact content.

    Attributes:
        name: the policy's name.
        revision: the operator's own counting, as recorded with every decision.
        rules: what makes a decision.
        confirmed: by category, what follows once a person confirmed a case of it.
        quotas: circuit breakers.
        filing_deadlines: by when tips are filed: 24 hours from severity 80 on, 72 below, unless
            it says otherwise.
        report_routes: by country, where else its accounts are reported; at most one a country.
        retention: for how long evidence is kept.
        reporting: from where on accounts that were acted on are reported; the one of the default
            policy, shown below, where it is missing.
        digest: computed from the file; what the file says is not used.
    """

    name: Name
    revision: Annotated[str, Meta(min_length=1, max_length=64)]
    rules: tuple[PolicyRule, ...]
    confirmed: dict[str, Outcome]
    quotas: tuple[Quota, ...] = ()
    filing_deadlines: tuple[Deadline, ...] = (
        Deadline(from_severity=80, hours=24),
        Deadline(from_severity=0, hours=72),
    )
    report_routes: tuple[ReportRoute, ...] = ()
    retention: Retention = Retention()
    reporting: Threshold = DEFAULT_THRESHOLD
    digest: str = ""

    @property
    def version(self) -> str:
        """``name@revision:digest``, as recorded with every decision."""
        return f"{self.name}@{self.revision}:{self.digest}"

    @property
    def reportable(self) -> frozenset[str]:
        """The categories whose confirmed cases are reported."""
        return frozenset(
            name for name, outcome in self.confirmed.items() if outcome.report is not None
        )

    def places(self, outcome: Outcome, country: str) -> tuple[Destination, ...]:
        """Return where a confirmed case is reported whose account is of this country."""
        wanted = country.strip().upper()
        routes = [one.report_to for one in self.report_routes if one.country == wanted]
        return routes[0] if routes else outcome.report_to

    def filing_hours(self, severity: int) -> int | None:
        """Return within how many hours a tip of this severity is filed, None without a deadline."""
        return soonest(self.filing_deadlines, severity)


def parse_policy(body: bytes) -> Policy:
    """Return the policy in a TOML file.

    Raises:
        InvalidInput: the file is not TOML, or a field is missing, unknown or out of range.
    """
    try:
        raw = tomllib.loads(body.decode())
        policy = msgspec.convert(raw, Policy)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(
            f"not a TOML file: {error}",
            field="policy",
            hint="docs/reference/policy.md shows a whole one",
        ) from error
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise InvalidInput(
            what,
            field=f"policy{where.rstrip('`')}",
            hint="docs/reference/policy.md says what every field takes",
        ) from error
    _check_rules(policy)
    _check_quotas(policy)
    _check_routes(policy)
    _check_threshold(policy.reporting)
    digest = hashlib.sha256(body).hexdigest()[:12]
    return msgspec.structs.replace(policy, digest=digest)


def _check_rules(policy: Policy) -> None:
    twice = _twice([rule.name for rule in policy.rules])
    if twice:
        raise InvalidInput(
            f"rule {twice!r} stands twice", field="policy.rules", hint="give each its own name"
        )
    for rule in policy.rules:
        if rule.category not in policy.confirmed:
            raise InvalidInput(
                f"rule {rule.name!r} has category {rule.category!r}, which [confirmed] lacks",
                field="policy.confirmed",
                hint=f"add [confirmed.{rule.category}]",
            )
        if not rule.asks and rule.mode is Mode.ACT:
            raise InvalidInput(
                f"rule {rule.name!r} acts but asks for nothing",
                field=f"policy.rules.{rule.name}.asks",
                hint='ask for an effect, or set mode = "shadow"',
            )
        _check_preserves(rule.asks, f"policy.rules.{rule.name}.asks")
    for category, outcome in policy.confirmed.items():
        _check_preserves(outcome.asks, f"policy.confirmed.{category}.asks")


def _check_preserves(asks: Sequence[EffectKind], field: str) -> None:
    destructive = DESTRUCTIVE_EFFECTS & set(asks)
    if destructive and EffectKind.PRESERVE not in asks:
        raise InvalidInput(
            f"asks for {min(destructive)} without preserve",
            field=field,
            hint='add "preserve": nothing is deleted before it is preserved',
        )


def _check_quotas(policy: Policy) -> None:
    twice = _twice([quota.effect.value for quota in policy.quotas])
    if twice:
        raise InvalidInput(
            f"effect {twice!r} has two quotas", field="policy.quotas", hint="keep one"
        )


def _check_routes(policy: Policy) -> None:
    twice = _twice([route.country for route in policy.report_routes])
    if twice:
        raise InvalidInput(
            f"country {twice!r} has two routes", field="policy.report_routes", hint="keep one"
        )


def _check_threshold(threshold: Threshold) -> None:
    twice = _twice([rule.name for rule in threshold.rules])
    if twice:
        raise InvalidInput(
            f"rule {twice!r} stands twice",
            field="policy.reporting.rules",
            hint="give each its own name",
        )
    names = [one.name for one in threshold.reasons]
    twice = _twice(names)
    if twice:
        raise InvalidInput(
            f"reason {twice!r} stands twice", field="policy.reporting.reasons", hint="keep one"
        )
    for name in (TAKEN_BACK, OTHER_MATTER):
        if name not in names:
            raise InvalidInput(
                f"the list of reasons lacks {name!r}, which Nightlight itself gives",
                field="policy.reporting.reasons",
                hint="docs/reference/policy.md shows a whole list",
            )
    if all(one.from_severity for one in threshold.deadlines):
        raise InvalidInput(
            "no deadline is for severity 0",
            field="policy.reporting.deadlines",
            hint="add one with from_severity = 0",
        )
    for rule in threshold.rules:
        _check_reason(rule, names)


def _check_reason(rule: ThresholdRule, names: Sequence[str]) -> None:
    field = f"policy.reporting.rules.{rule.name}.reason"
    if rule.says is Says.NOT and rule.reason not in names:
        raise InvalidInput(
            "says not to report without a reason from the list",
            field=field,
            hint=f"one of: {', '.join(names)}",
        )
    if rule.says is not Says.NOT and rule.reason:
        raise InvalidInput(
            f"gives a reason not to report, but says {rule.says}",
            field=field,
            hint='leave it out, or set says = "not"',
        )


def _twice(names: Sequence[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
