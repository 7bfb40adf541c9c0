"""What a person must do about a tip, with the command that does it. Pure."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
from msgspec import Struct

from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId
from nightlight.report.progress import ASK_FIRST, SET_ASIDE

#: NCMEC drops an unfinished report after a day, or an hour after its last change if that is later.
EXPIRES_AFTER = timedelta(hours=24)


class _PackageReceipt(Struct, frozen=True, kw_only=True):
    """What of a package's receipt is read here."""

    package: str


def remedy(
    filing: Filing,
    *,
    appealed: CaseId | None,
    overturned: CaseId | None,
    trouble: str = "",
    elsewhere: str = "",
    undrafted: CaseId | None = None,
) -> str:
    """Return what a person must do about a tip, "" where nothing is to be done.

    Args:
        filing: how far it came.
        appealed: a case of it that is under appeal.
        overturned: a case of it that was overturned.
        trouble: why it cannot be read, "" where it can.
        elsewhere: at which line it was filed, "" where that is the one in force.
        undrafted: a case of it that stands and has no tip where reports go now.
    """
    if filing.state is TipState.WITHDRAWN:
        return ""
    if filing.state is TipState.FILED:
        return "; ".join(_of_filed(filing, overturned, trouble, elsewhere, undrafted))
    if trouble:
        but = f", but nothing of {overturned}, which was overturned" if overturned else ""
        return (
            f"{trouble}: restore what is stored of it from a backup, it is tried every hour; until"
            f" then report by hand{but}: docs/operations/tips.md, Set aside"
        )
    if filing.state is TipState.REFUSED:
        return _of_refused(filing)
    if appealed:
        return (
            f"answer the appeal: nightlight case answer {appealed} --uphold (or --overturn)"
            " --reviewer WHO --reason WHY"
        )
    return ""


def _of_filed(
    filing: Filing,
    overturned: CaseId | None,
    trouble: str,
    elsewhere: str,
    undrafted: CaseId | None,
) -> Iterator[str]:
    if overturned:
        report = f"report {filing.remote_id}" if filing.remote_id else f"package {_package(filing)}"
        what = filing.tip_id if trouble else report
        yield f"tell the authority that {overturned} was overturned after {what} was filed"
    if trouble:
        yield (
            f"{trouble}: restore what is stored of it from a backup; it was filed, and is not to be"
            " reported again: docs/operations/tips.md, Set aside"
        )
    if elsewhere and undrafted:
        yield (
            f"it was filed at {elsewhere}, and is no report where reports go now; if the account is"
            f" real: nightlight report draft {undrafted} --by WHO --reason WHY"
        )


def _package(filing: Filing) -> str:
    """Return what who fetched a package knows it by; the tip's id where no receipt says so."""
    try:
        return msgspec.json.decode(filing.receipt, type=_PackageReceipt).package
    except msgspec.MsgspecError:
        return filing.tip_id


def is_set_aside(filing: Filing) -> bool:
    """Return whether a filing is of a tip that was set aside just now."""
    return filing.failure.startswith(f"{SET_ASIDE}: ")


def is_in_doubt(filing: Filing) -> bool:
    """Return whether nobody but NCMEC knows if the report of a refused tip was finished."""
    return filing.state is TipState.REFUSED and ASK_FIRST in filing.failure


def _of_refused(filing: Filing) -> str:
    tip_id, remote_id = filing.tip_id, filing.remote_id
    if is_in_doubt(filing):
        rest = f"{tip_id} --report {remote_id} --by WHO --reason 'what NCMEC said'"
        anew = "" if filing.retry_from is TipState.FINISHING else " (nothing is filed anew of it)"
        return (
            f"ask NCMEC whether they have report {remote_id}. If they do: nightlight report found"
            f" {rest}. Only if not: nightlight report refile {rest}{anew}"
        )
    retry = f"nightlight report retry {tip_id} --by WHO --reason WHY"
    if remote_id:
        return f"report {remote_id} may be open or finished; this asks about it: {retry}"
    return (
        f"mend what it was refused for, then: {retry}. If it will never be filed there:"
        f" nightlight report abandon {tip_id} --by WHO --reason WHY"
    )
