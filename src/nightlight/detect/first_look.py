"""Says, at a tenth of the price of looking closely, which disguises a text may wear.

A text becomes a string of what each character may be, and one small automaton finds the pairs and
triples that a disguise needs. Saying yes too often costs time; a no is never wrong for ASCII.
"""

import re
from functools import cache
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation


class Look(NamedTuple):
    """Which disguises there may be: digits for letters, signs in words, letters set apart."""

    leet: bool
    signs: bool
    spaced: bool


_LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
_DIGITS = b"0123456789"
_SPACES = bytes(range(33))


def _table(rest: bytes, *classes: tuple[bytes, bytes]) -> bytes:
    table = bytearray(rest * 256)
    for members, kind in classes:
        for byte in members:
            table[byte] = kind[0]
    return bytes(table)


_KINDS = _table(
    b".", (_LETTERS, b"a"), (_DIGITS, b"1"), (b"@$", b"$"), (b"!|+", b"!"), (b"'", b"'"),
    (_SPACES, b" "),
)  # fmt: skip
#: Characters outside ASCII arrive as "?": a unit that is spaced out, or a sign between such units.
_UNITS = _table(b" ", (_LETTERS + _DIGITS + b"@$?", b"a"))
_ASCII_UNITS = _table(b" ", (_LETTERS + _DIGITS + b"@$", b"a"))
_SPACED = re.compile(rb" a( {1,3})a\1a ")
_CASES = _table(b" ", (_LETTERS[26:] + _DIGITS, b"a"), (_LETTERS[:26], b"A"))

_LEET = (b"a1", b"1a", b"!a", b"!1", b"a$", b"$a", b"!$")
#: An apostrophe before one or two letters is ordinary spelling.
_SIGNS = (
    *(b"a.a", b"a!a", b"a$a", b"1.a", b"a.1"),
    *(b"a..a", b"a...a", b"a....a"),
    *(b"a'aaa", b".'", b"'."),
)


@cache
def _automaton() -> BytesAhoCorasick:
    return BytesAhoCorasick([*_LEET, *_SIGNS], implementation=Implementation.DFA)


def look_at(folded: str) -> Look:
    """Return which disguises a folded text may wear."""
    raw = f" {folded} ".encode("ascii", "replace")
    units = raw.translate(_UNITS)
    if not folded.isascii():
        units += raw.translate(_ASCII_UNITS)
    spaced = _SPACED.search(units) is not None
    kinds = raw.translate(_KINDS)
    hits = _automaton().find_matches_as_indexes(kinds, overlapping=True)
    if not hits:
        return Look(leet=False, signs=False, spaced=spaced)
    found = {hit[0] for hit in hits}
    return Look(leet=min(found) < len(_LEET), signs=max(found) >= len(_LEET), spaced=spaced)


def may_be_capitalised_inside(text: str) -> bool:
    """Say whether a capital may stand behind a small letter or digit."""
    return b"aA" in text.encode("ascii", "replace").translate(_CASES)


def has_doubles(text: str) -> bool:
    """Say whether a character stands twice in a row."""
    if text.isascii():
        return _equal_neighbours(text.encode("ascii"), 1).find(0, 1) >= 0
    raw = text.encode("utf-32-be", "surrogatepass")
    equal = _equal_neighbours(raw, 4)
    at = equal.find(_SAME, 4)
    while at >= 0 and at % 4:
        at = equal.find(_SAME, at + 1)
    return at >= 0


def is_stretched_ascii(text: str) -> bool:
    """Say whether a word of an ASCII text has a run of three letters, or two doubled ones."""
    raw = text.encode("ascii")
    equal = _equal_neighbours(raw, 1)
    here = equal.find(0, 1)
    while here >= 0:
        following = equal.find(0, here + 1)
        if following < 0:
            return False
        if raw[here - 1 : following + 1].isalpha():
            return True
        here = following
    return False


_SAME = bytes(4)


def _equal_neighbours(raw: bytes, width: int) -> bytes:
    """Return zeros where a unit of that width is the one before; the first unit says nothing."""
    number = int.from_bytes(raw, "big")
    return (number ^ (number >> 8 * width)).to_bytes(len(raw), "big")
