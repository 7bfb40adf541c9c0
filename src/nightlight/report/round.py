"""One round of filing: every due tip has its turn, whatever becomes of the others."""

from collections.abc import Callable, Iterable

from nightlight.errors import Conflict, NightlightError, NotPermitted, Unavailable
from nightlight.model.filing import Filing
from nightlight.model.ids import TipId
from nightlight.report.ports import TipStore


def file_each(
    due: Iterable[TipId], advance: Callable[[TipId], Filing], *, store: TipStore
) -> list[Filing]:
    """Return the filings of due tips after advancing each; what cannot be filed is set aside.

    Raises:
        NotPermitted: the credentials are not taken, which every tip would meet.
        Unavailable: the store does not answer.
    """
    filings = []
    for tip_id in due:
        try:
            filings.append(advance(tip_id))
        except Conflict:
            continue  # another filer has this tip, so it is in good hands
        except (NotPermitted, Unavailable):
            raise
        except NightlightError as fault:
            filings.append(store.set_aside(tip_id, str(fault)))
        except Exception as fault:  # noqa: BLE001  one tip must not stop the reports of all others
            # What the fault says may be of the tip's content: its kind is told, and no more.
            filings.append(store.set_aside(tip_id, f"a fault nobody foresaw: {_kind(fault)}"))
    return filings


def _kind(fault: Exception) -> str:
    return type(fault).__name__
