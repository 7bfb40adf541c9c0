"""How the console says times, sizes, severities and states."""

from datetime import UTC, datetime

_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S
_JUST_NOW_S = 5
_KIBI = 1024
#: (least severity, word, tone), the highest first.
_SEVERITIES = (
    (90, "critical", "bad"),
    (70, "high", "warn"),
    (40, "medium", "note"),
    (0, "low", "quiet"),
)
_TONES = {
    # cases
    "open": "warn",
    "confirmed": "bad",
    "dismissed": "quiet",
    "reported": "good",
    "appealed": "warn",
    "upheld": "bad",
    "overturned": "quiet",
    # report decisions
    "undecided": "warn",
    "explained": "quiet",
    # tips
    "drafted": "note",
    "opening": "note",
    "opened": "note",
    "uploading": "note",
    "describing": "note",
    "finishing": "note",
    "filed": "good",
    "packing": "note",
    "retracting": "warn",
    "withdrawing": "warn",
    "withdrawn": "quiet",
    "refused": "bad",
    # effects
    "pending": "note",
    "delivered": "good",
    "dead": "bad",
}
_STATE_WORDS = {"dead": "undeliverable", "pending": "waiting"}


def ago(when: datetime, now: datetime) -> str:
    """Return how long ago, or how soon, in one unit."""
    seconds = (now - when).total_seconds()
    if abs(seconds) < _JUST_NOW_S:
        return "just now"
    amount = duration(abs(seconds))
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def duration(seconds: float) -> str:
    """Return a time span in one unit, rounded down."""
    if seconds < _MINUTE_S:
        return f"{int(seconds)} s"
    if seconds < _HOUR_S:
        return f"{int(seconds // _MINUTE_S)} min"
    if seconds < _DAY_S:
        return f"{int(seconds // _HOUR_S)} h"
    days = int(seconds // _DAY_S)
    return f"{days} day" if days == 1 else f"{days} days"


def utc(when: datetime) -> str:
    """Return the time in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def size(byte_count: int) -> str:
    """Return a size with a unit."""
    if byte_count < _KIBI:
        return f"{byte_count} B"
    if byte_count < _KIBI**2:
        return f"{byte_count / _KIBI:.1f} KiB"
    return f"{byte_count / _KIBI**2:.1f} MiB"


def number(value: int) -> str:
    """Return a count with groups of three digits."""
    return f"{value:,}".replace(",", "\u202f")


def plain(name: str) -> str:
    """Return a name from the code as words."""
    return _STATE_WORDS.get(name, name.replace("_", " ").replace(".", " "))


def severity_word(severity: int) -> str:
    """Return what a severity means to the reader."""
    return next(word for least, word, _ in _SEVERITIES if severity >= least or least == 0)


def severity_tone(severity: int) -> str:
    """Return the tone in which a severity is shown."""
    return next(tone for least, _, tone in _SEVERITIES if severity >= least or least == 0)


def tone(state: str) -> str:
    """Return the tone in which a state is shown; its name stands beside it."""
    return _TONES.get(state, "quiet")


def percent(value: float | None) -> str:
    """Return a share as a percentage; a dash where there is none."""
    return "\N{EN DASH}" if value is None else f"{value * 100:.1f} %"
