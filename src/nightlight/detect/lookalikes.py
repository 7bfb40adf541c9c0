"""Which character stands for which Latin letter: the tables behind the skeleton view.

The look-alikes are those of Unicode Technical Standard 39 as packaged by ``confusable_homoglyphs``,
joined by letters with strokes and marks, small capitals and enclosed letters. Terms and texts go
through the same tables, so a gap costs a disguise and never a plain match.
"""

import re
import string
import unicodedata
from collections.abc import Iterator
from functools import cache

from confusable_homoglyphs import confusables
from msgspec import Struct

#: Blocks of marks that decorate letters; marks of other scripts are part of their words.
_DECORATIONS = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x064B, 0x0655),  # Arabic vowel signs, which everyday writing leaves out
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
_TATWEEL = 0x0640
_LATIN_BLOCKS = (
    (0x00C0, 0x02AF),
    (0x1D00, 0x1DBF),
    (0x1E00, 0x1EFF),
    (0x2C60, 0x2C7F),
    (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
)
_LATIN_NAME = re.compile(r"LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL) ([A-Z])\b")
#: First code points of runs of enclosed or regional letters A to Z that NFKC leaves alone.
_ENCLOSED_RUNS = (0x1F150, 0x1F170, 0x1F1E6)
_ASCII_END = 0x80
_BASIC_PLANE_END = 0x10000
_LAST_WITH_CASE = 0x1F000
#: Used for Latin letters everywhere, but absent from TR39's data.
_CUSTOMARY = {
    "\N{CYRILLIC SMALL LETTER KA}": "k",
    "\N{GREEK SMALL LETTER KAPPA}": "k",
    "\N{CYRILLIC SMALL LETTER EM}": "m",
    "\N{CYRILLIC SMALL LETTER VE}": "b",
    "\N{CYRILLIC SMALL LETTER SHA}": "w",
    "\N{GREEK SMALL LETTER ETA}": "n",
    "\N{GREEK SMALL LETTER BETA}": "b",
    "\N{GREEK SMALL LETTER OMEGA}": "w",
}


class Tables(Struct, frozen=True, kw_only=True):
    """What to put in place of a character: lower-case ASCII letters or nothing, in either case.

    Attributes:
        strip: drops marks and invisible characters, and folds Latin letters with marks.
        fold: ``strip``, and folds look-alikes of other scripts to Latin.
        mark: ``fold``, but with "1" for what may stand for both "i" and "l".
        doubtful: the characters that ``mark`` turns to "1".
    """

    strip: dict[str, str]
    fold: dict[str, str]
    mark: dict[str, str]
    doubtful: frozenset[str]


@cache
def tables() -> Tables:
    """Return the tables, built on the first call (tens of milliseconds)."""
    strip = _in_both_cases(
        dict.fromkeys(map(chr, _invisible()), "") | dict(_decorated_latin()) | dict(_enclosed())
    )
    fold = _in_both_cases(_CUSTOMARY | dict(_look_alikes()))
    fold = _in_both_cases(fold | dict(_decorated_look_alikes(fold)))
    mark = {char: "1" if letter in {"i", "l"} else letter for char, letter in fold.items()}
    doubtful = frozenset(char for char, letter in mark.items() if letter == "1")
    return Tables(strip=strip, fold=fold | strip, mark=mark | strip, doubtful=doubtful)


def _in_both_cases(table: dict[str, str]) -> dict[str, str]:
    """Return ``table`` with the capitals of what it holds, so that folding once is enough."""
    whole = dict(table)
    for code in range(_ASCII_END, _LAST_WITH_CASE):
        char = chr(code)
        lower = char.casefold()
        if lower != char and char not in table and all(c in table or c.isascii() for c in lower):
            whole[char] = "".join(table.get(c, c) for c in lower)
    return whole


def _invisible() -> Iterator[int]:
    for first, last in _DECORATIONS:
        yield from range(first, last + 1)
    yield _TATWEEL
    for code in range(_ASCII_END, _BASIC_PLANE_END):
        if unicodedata.category(chr(code)) == "Cf":
            yield code
    yield from range(0x1D173, 0x1D17B)  # musical beams and slurs
    yield from range(0xE0000, 0xE0080)  # tags
    yield from range(0xFE00, 0xFE10)  # variation selectors
    yield from range(0xE0100, 0xE01F0)
    yield from (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)  # blank letters


def _decorated_latin() -> Iterator[tuple[str, str]]:
    for first, last in _LATIN_BLOCKS:
        for code in range(first, last + 1):
            name = _LATIN_NAME.match(unicodedata.name(chr(code), ""))
            if name and not name.string[name.end() :].startswith((" LETTER", " DIGRAPH")):
                yield chr(code), name[1].lower()


def _enclosed() -> Iterator[tuple[str, str]]:
    for first in _ENCLOSED_RUNS:
        for offset, letter in enumerate(string.ascii_lowercase):
            yield chr(first + offset), letter


def _look_alikes() -> Iterator[tuple[str, str]]:
    """Yield single characters that look like one to three Latin letters."""
    for latin, found in confusables.confusables_data.items():
        if latin.isascii() and latin.isalpha() and len(latin) <= 3:  # noqa: PLR2004  ffi is the longest
            yield from _fold_each(found, latin.lower())
    # A small capital is the prototype of its own class: Cyrillic "in small" looks like it.
    for letter in string.ascii_uppercase:
        small = _small_capital(letter)
        if small:
            yield from _fold_each(confusables.confusables_data.get(small, []), letter.lower())


def _decorated_look_alikes(fold: dict[str, str]) -> Iterator[tuple[str, str]]:
    for code in (*range(0x0370, 0x0530), *range(0x1F00, 0x2000)):  # Greek, Cyrillic, Greek again
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and parts[0] in fold:
            yield chr(code), fold[parts[0]]


def _small_capital(letter: str) -> str:
    try:
        return unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")
    except KeyError:
        return ""


def _fold_each(found: list[dict[str, str]], latin: str) -> Iterator[tuple[str, str]]:
    for entry in found:
        # Entries of right-to-left characters come wrapped in direction marks.
        char = entry["c"].strip("\u200e\u200f")
        if len(char) == 1 and not char.isascii() and unicodedata.category(char) != "Mn":
            # A capital that looks like TR39's "l" looks like a capital "I" as well.
            looks_like_i = latin == "l" and char.isupper()
            yield char, "i" if looks_like_i else latin
