"""How far the filing of a tip came: its states, what may follow what, and its progress."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.errors import Conflict
from nightlight.model.ids import TipId


class TipState(StrEnum):
    """How far the filing of a tip came; each is stored before the call it describes.

    ``OPENED`` is the only state with a report open and no call under way.
    """

    DRAFTED = "drafted"
    OPENING = "opening"
    OPENED = "opened"
    UPLOADING = "uploading"
    DESCRIBING = "describing"
    FINISHING = "finishing"
    PACKING = "packing"
    FILED = "filed"
    RETRACTING = "retracting"
    REFUSED = "refused"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


#: What a report that is open may become besides going on: given up, or withdrawn for good.
_LEFT = frozenset({TipState.RETRACTING, TipState.DRAFTED, TipState.REFUSED, TipState.WITHDRAWING})

#: The whole state machine: what may follow what, besides staying. Back to DRAFTED is starting
#: over in a new report; REFUSED is left only by a person's order, to FILED by NCMEC's word that it
#: has a report whose answer was lost. PACKING is the only step of a
#: destination that takes a package instead of calls. Where finishing was asked, RETRACTING finds
#: out whether it was done: it leads to FILED then, and to DRAFTED only where it certainly was not.
TIP_TRANSITIONS: dict[TipState, frozenset[TipState]] = {
    TipState.DRAFTED: frozenset(
        {TipState.OPENING, TipState.PACKING, TipState.REFUSED, TipState.WITHDRAWN},
    ),
    TipState.OPENING: frozenset({TipState.OPENED, TipState.REFUSED, TipState.WITHDRAWN}),
    TipState.OPENED: frozenset({TipState.UPLOADING, TipState.DESCRIBING, TipState.FINISHING})
    | _LEFT,
    TipState.UPLOADING: frozenset({TipState.OPENED}) | _LEFT,
    TipState.DESCRIBING: frozenset({TipState.OPENED}) | _LEFT,
    TipState.FINISHING: frozenset(
        {
            TipState.FILED,
            TipState.DRAFTED,
            TipState.REFUSED,
            TipState.RETRACTING,
            TipState.WITHDRAWING,
        },
    ),
    TipState.PACKING: frozenset({TipState.FILED, TipState.REFUSED, TipState.WITHDRAWING}),
    TipState.FILED: frozenset(),
    TipState.RETRACTING: frozenset(
        {TipState.DRAFTED, TipState.FILED, TipState.REFUSED, TipState.WITHDRAWING},
    ),
    TipState.REFUSED: frozenset(
        {
            TipState.DRAFTED,
            TipState.FILED,
            TipState.RETRACTING,
            TipState.FINISHING,
            TipState.WITHDRAWING,
            TipState.WITHDRAWN,
        },
    ),
    TipState.WITHDRAWING: frozenset({TipState.WITHDRAWN, TipState.FILED, TipState.REFUSED}),
    TipState.WITHDRAWN: frozenset(),
}

#: States in which nothing more happens by itself.
SETTLED = frozenset({TipState.FILED, TipState.REFUSED, TipState.WITHDRAWN})
#: States in which a report may be open whose id is known; unfinished, it expires where it is.
UNFINISHED = frozenset(
    {
        TipState.OPENED,
        TipState.UPLOADING,
        TipState.DESCRIBING,
        TipState.FINISHING,
        TipState.RETRACTING,
        TipState.WITHDRAWING,
    },
)


def check_tip_transition(before: TipState, after: TipState) -> None:
    """Return only if ``after`` may follow ``before``; staying is always allowed.

    Raises:
        Conflict: it may not.
    """
    if after is not before and after not in TIP_TRANSITIONS[before]:
        raise Conflict(f"a tip that is {before.value} cannot become {after.value}")


class Line(Struct, frozen=True, kw_only=True):
    """The CyberTipline that reports go to now: what was filed at another is no report there.

    Attributes:
        address: its base URL, "" where none is configured: then nothing is told apart.
        formerly: its other addresses, as before a proxy: what was filed there counts.
    """

    address: str = ""
    formerly: tuple[str, ...] = ()

    @property
    def addresses(self) -> frozenset[str]:
        """Every address of it; none where none is configured."""
        named = (self.address, *self.formerly) if self.address else ()
        return frozenset(one.rstrip("/") for one in named)

    def has(self, address: str) -> bool:
        """Return whether what was opened at an address was opened here; "" is not known to differ.

        What was filed before the address was kept counts as filed here.
        """
        return not address or not self.address or address.rstrip("/") in self.addresses


class Filing(Struct, frozen=True, kw_only=True):
    """The stored progress of one tip towards its receipt.

    Attributes:
        remote_id: the CyberTipline's report id, "" until it answered.
        opened_at: when it answered with that id; a day later it drops what is not finished.
        uploaded: remote file ids, in the order of the tip's files.
        described: how many of the uploaded files have their details filed.
        receipt: the body of /finish's answer, verbatim: the legal notification of
            18 USC 2258A(h)(1). Where that was lost, what NCMEC told a person.
        failure: why the tip was refused or waits; on a filed tip, what a person must check.
        retry_from: on a refused tip, where filing goes on if a person orders it to.
        refusal: why the tip was refused, while its open report is being retracted for it; "" where
            it starts over in a new report.
        attempts: failed attempts so far; sets how long the next one waits.
        restarts: how often the tip was started over in a new report.
        next_attempt_at: when the next attempt is due; while filing goes on, when another filer may
            take over.
        filed_at: when the receipt came; preservation for one year counts from here.
        corrected: a person corrected the tip, or the one that it was drafted anew from, so nothing
            is bundled into it.
        document: SHA-256 of the report document that was sent last, "" before the first.
        line: where its report was asked for: the base URL of a CyberTipline, or who a package is
            for; "" before that, or where it was not kept yet.
        finish_asked: the open report was asked to finish, so that it may have been finished.
        denied: ids of reports that NCMEC told a person it never had; asked once more, they are left
            behind for a new one. What is drafted anew of the tip keeps them.
        taken_back_for: why the tip is being withdrawn, "" while it is not.
        revision: one more with every save, so that of two filers that load the same filing only
            one goes on.
    """

    tip_id: TipId
    state: TipState
    remote_id: str = ""
    opened_at: datetime | None = None
    uploaded: tuple[str, ...] = ()
    described: int = 0
    receipt: str = ""
    failure: str = ""
    retry_from: TipState | None = None
    refusal: str = ""
    attempts: int = 0
    restarts: int = 0
    next_attempt_at: datetime | None = None
    filed_at: datetime | None = None
    corrected: bool = False
    document: str = ""
    line: str = ""
    finish_asked: bool = False
    denied: tuple[str, ...] = ()
    taken_back_for: str = ""
    revision: int = 0
