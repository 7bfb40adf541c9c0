"""Says whether one text is another one posted again, by comparing the two as they were written.

A sketch (``near_duplicate``) finds what is alike; of two short texts, or of two adverts with other
goods in one template, only the letters themselves tell whether they are the same one.
"""

import re
import unicodedata
from difflib import SequenceMatcher

#: Shorter texts are "the same again" by chance: greetings, single words.
SHORTEST = 8
#: Changed letters, as a share of the text, that make it no other text: a typo, a swapped pair.
_CHANGED = 0.06
#: What may be put before, after or into a text ("again:"), as a share of it, and at least so much.
_ADDED, _ADDED_LEAST = 0.3, 12
#: Texts are compared this far; beyond, the work would grow with the square of the length.
_LONGEST = 2_000

_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")


def closeness(a: str, b: str) -> float:
    """Return 1.0 for the same text, down to about 0.7 for one with a part added, else 0.0.

    Numbers and spaces make no difference: a new price makes no new text.
    """
    a, b = _as_compared(a), _as_compared(b)
    shorter, longer = sorted((len(a), len(b)))
    if shorter < SHORTEST:
        return 0.0
    if a == b:
        return 1.0
    left, right = _middles(a, b)
    if not left or not right:
        added = len(left) + len(right)
        allowed = max(_ADDED_LEAST, int(_ADDED * shorter))
        return 1 - added / (longer + added) if added <= allowed else 0.0
    most = max(1, int(_CHANGED * shorter))
    changed = _changed(left, right, most)
    return 1 - changed / longer if changed <= most else 0.0


def _as_compared(text: str) -> str:
    text = unicodedata.normalize("NFC", text[:_LONGEST])
    return _SPACE.sub(" ", _DIGITS.sub("0", text)).strip()


def _middles(a: str, b: str) -> tuple[str, str]:
    """Return the two texts without what they begin and end with alike."""
    first, shorter = 0, min(len(a), len(b))
    while first < shorter and a[first] == b[first]:
        first += 1
    last = 0
    while last < shorter - first and a[-1 - last] == b[-1 - last]:
        last += 1
    return a[first : len(a) - last], b[first : len(b) - last]


def _changed(left: str, right: str, most: int) -> int:
    """Return how many letters changed between the first change and the last one."""
    longer = max(len(left), len(right))
    if abs(len(left) - len(right)) > most:
        return longer
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return longer - sum(block.size for block in blocks)
