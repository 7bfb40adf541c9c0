"""The shapes of a price, of a handle at another service, and of a link, in a folded text.

Every pattern is linear: what it repeats is bounded or cannot be given back.
"""

import re

from nightlight.model.lexicon import Beside

_AMOUNT = r"\d{1,6}(?:[.,]\d{1,3})?k?"
_SIGN = r"[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20bf]"
_MONEY = (
    r"usd|eur|gbp|brl|btc|eth|xmr|usdt|euros?|dollars?|bucks|pounds?|quid|coins?|credits?|reais"
    r"|\u0440\u0443\u0431(?:\u043b\u0435\u0439)?|rupees?|pesos?|yen|\u5186|\uc6d0"
)
PRICE = re.compile(
    rf"{_SIGN}\s?{_AMOUNT}|(?<![\w.,])\d{{1,6}}(?:[.,]\d{{1,3}})?k?\s?(?:{_SIGN}|(?:{_MONEY})(?!\w))"
)

_SERVICE = (
    r"telegram|tele|tg|snapchat|snap|instagram|insta|ig|kik|wickr|session|signal|discord|whatsapp"
    r"|threema|viber|wire|matrix|twitter|skype|wechat"
)
HANDLE = re.compile(
    rf"(?<!\w)(?:{_SERVICE})\s{{0,2}}(?:[:=\u2192>-]|is|me)?\s{{0,2}}@[\w.]{{3,32}}"
    rf"|(?<!\w)(?:{_SERVICE})\s{{0,2}}[:=\u2192>-]{{1,2}}\s{{0,2}}@?[\w.]{{3,32}}"
    r"|(?<![\w.])(?:t\.me|telegram\.me|wa\.me|kik\.me|signal\.me|discord\.gg|snapchat\.com/add)/[\w.+-]{3,64}"
)
LINK = re.compile(
    r"https?://[^\s/]{1,253}\S*+|(?<![\w.-])www\.[a-z0-9-]{1,63}\.\S++"
    r"|(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,3}[a-z]{2,24}/\S++"
)
_SHAPES = {Beside.PRICE: PRICE, Beside.HANDLE: HANDLE, Beside.LINK: LINK}


def places_of(beside: Beside, folded: str) -> list[int]:
    """Return where marks of this shape begin in a folded text."""
    shape = _SHAPES.get(beside)
    return [found.start() for found in shape.finditer(folded)] if shape else []
