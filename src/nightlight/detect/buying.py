"""Says whether an answer asks to buy: what somebody writes under an offer who wants it.

Ordinary words in a few languages; they mean nothing but under an offer that a person confirmed.
Who names a price to object to it does not ask: words of those who object, report or help decide.
"""

import re

from nightlight.detect.folding import plain, skeleton
from nightlight.detect.selling import marks_in

_ASKS = re.compile(
    r"(?<!\w)(?:how much|prices? ?\?|what'?s the price|(?:i'?m |i am )?interested"
    r"|i (?:want|need|take|paid)|(?:still )?available ?\?|got (?:more|any)"
    r"|do you (?:still )?(?:have|sell)|(?:sent|send) (?:you )?(?:a )?(?:dm|pm|message)"
    r"|(?:dm|pm)(?:ed|'?d| me| sent)|check (?:your )?(?:dms?|inbox|messages)"
    r"|(?:where|how) (?:can|do|to)? ?(?:i )?(?:buy|pay|order|get)|(?:one|two|some|it) for me"
    r"|i (?:buy|order|'?ll take)|cu[a\u00e1]nto|precio ?\?|me interesa|lo quiero|combien"
    r"|[c\u00e7]a m'int[e\u00e9]resse|je prends|wie ?viel|ich nehme|interesse ?an|quanto"
    r"|\u0441\u043a\u043e\u043b\u044c\u043a\u043e|\u0445\u043e\u0447\u0443)"
    r"(?!\w)"
)
_OBJECTS = frozenset({"moderation", "news", "research", "help", "survivor"})


def asks_to_buy(text: str) -> bool:
    """Return whether a text, under an offer, asks for what is offered."""
    views = dict.fromkeys((plain(text), skeleton(text)))
    if not any(map(_ASKS.search, views)):
        return False
    return _OBJECTS.isdisjoint(marks_in([*views]))
