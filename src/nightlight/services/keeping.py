"""For how long evidence is kept, by the policy in force and by everything that could keep it."""

from collections.abc import Sequence

from msgspec import Struct

from nightlight.decide.policy import LEGAL_DAYS
from nightlight.model.case import Evidence
from nightlight.model.ids import CaseId
from nightlight.preserve.retention import Kept, Periods, kept
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction


class Retained(Struct, frozen=True, kw_only=True):
    """Evidence and for how long it is kept."""

    evidence: Evidence
    kept: Kept


def periods_of(tx: Transaction) -> Periods:
    """Return the periods of the policy in force."""
    retention = active_policy(tx).retention
    return Periods(
        reported_days=retention.reported_days,
        unreported_days=retention.unreported_days,
        legal_days=LEGAL_DAYS,
    )


def kept_of(tx: Transaction, evidence: Evidence) -> Kept:
    """Return for how long evidence is kept."""
    return kept(evidence, tx.custody.standing(evidence.case_id), periods_of(tx))


def retained(tx: Transaction, case_ids: Sequence[CaseId], periods: Periods) -> list[Retained]:
    """Return the evidence of cases that is there, and for how long it is kept."""
    standings = tx.custody.standings(case_ids)
    return [
        Retained(evidence=one, kept=kept(one, standings[one.case_id], periods))
        for one in tx.evidence.of_cases(case_ids)
    ]
