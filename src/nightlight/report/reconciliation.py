"""Adds up what became of every account that was acted on. Pure.

suspended = reported + reported elsewhere + explained + undecided, by month and in all; what is left
is unexplained, and the database does not let there be any.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from nightlight.model.report_decision import ReportState
from nightlight.report.ports import Counted

_DAY_S = 24 * 60 * 60


class Ages(Struct, frozen=True, kw_only=True):
    """How many undecided account actions are how old."""

    under_1_day: int = 0
    under_7_days: int = 0
    under_30_days: int = 0
    older: int = 0


class Sums(Struct, frozen=True, kw_only=True):
    """What became of the accounts that were acted on in a month, or ever.

    Attributes:
        suspended: account actions: accounts that were locked or suspended.
        reported_elsewhere: reported at another line than the one in force, as at a test service: no
            report of it is where reports go now.
        oldest_undecided_days: full days since the oldest undecided one was acted on.
        overdue: undecided ones beyond their deadline.
    """

    suspended: int = 0
    reported: int = 0
    explained: int = 0
    undecided: int = 0
    unexplained: int = 0
    oldest_undecided_days: int = 0
    overdue: int = 0
    reported_elsewhere: int = 0
    undecided_ages: Ages = Ages()


class Month(Sums, frozen=True, kw_only=True):
    """The sums of one month, ``YYYY-MM`` in UTC.

    Attributes:
        explained_by_reason: how many of the month are explained by which reason.
    """

    month: str
    explained_by_reason: dict[str, int]


class Reconciliation(Struct, frozen=True, kw_only=True):
    """Every account action accounted for, as of a moment."""

    at: datetime
    total: Sums
    months: tuple[Month, ...]
    explained_by_reason: dict[str, int]
    overdue: int


def reconcile(counted: Iterable[Counted], *, at: datetime) -> Reconciliation:
    """Return the sums by month and in all."""
    rows = list(counted)
    by_month: dict[str, list[Counted]] = {}
    for one in rows:
        by_month.setdefault(one.month, []).append(one)
    total = _sums(rows, at)
    months = [
        Month(
            month=name,
            explained_by_reason=_by_reason(by_month[name]),
            **_fields(_sums(by_month[name], at)),
        )
        for name in sorted(by_month)
    ]
    return Reconciliation(
        at=at,
        total=total,
        months=tuple(months),
        explained_by_reason=_by_reason(rows),
        overdue=total.overdue,
    )


def _fields(sums: Sums) -> dict[str, Any]:
    return {name: getattr(sums, name) for name in sums.__struct_fields__}


def _sums(rows: Sequence[Counted], at: datetime) -> Sums:
    undecided = [one for one in rows if one.state is ReportState.UNDECIDED]
    oldest = min((one.oldest_at for one in undecided), default=at)
    elsewhere = sum(one.elsewhere for one in rows)
    ages = [sum(one.ages[place] for one in undecided) for place in range(4)]
    return Sums(
        suspended=sum(one.count for one in rows),
        reported=_count(rows, ReportState.REPORTED) - elsewhere,
        reported_elsewhere=elsewhere,
        explained=_count(rows, ReportState.EXPLAINED),
        undecided=_count(rows, ReportState.UNDECIDED),
        unexplained=_count(rows, None),
        oldest_undecided_days=int((at - oldest).total_seconds() // _DAY_S),
        overdue=sum(one.overdue for one in undecided),
        undecided_ages=Ages(
            under_1_day=ages[0], under_7_days=ages[1], under_30_days=ages[2], older=ages[3]
        ),
    )


def _by_reason(rows: Sequence[Counted]) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for one in rows:
        if one.state is ReportState.EXPLAINED:
            reasons[one.reason] = reasons.get(one.reason, 0) + one.count
    return dict(sorted(reasons.items()))


def _count(rows: Sequence[Counted], state: ReportState | None) -> int:
    return sum(one.count for one in rows if one.state is state)
