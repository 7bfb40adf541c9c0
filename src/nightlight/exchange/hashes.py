"""Hash values as exchanges write them: checked, and in this project's form."""

import re

from nightlight.errors import InvalidInput
from nightlight.model.bank import HASH_DIGITS, HashKind

_HEX = re.compile(r"[0-9a-f]+")


def checked_hash(kind: HashKind, text: str) -> str:
    """Return the value in lower-case hex.

    Raises:
        InvalidInput: it is none of this kind; the message does not show it.
    """
    value = text.strip().lower()
    digits = HASH_DIGITS[kind]
    if len(value) != digits or not _HEX.fullmatch(value):
        raise InvalidInput(f"{kind.value}: not {digits} hex digits")
    return value
