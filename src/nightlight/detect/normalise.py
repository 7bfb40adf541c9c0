"""Undoes disguised spelling: one text becomes the views in which terms are looked for.

The first view keeps every script as it is. Each further view undoes one more disguise, and exists
only where it changed something. Every function here is linear in the text, total (any ``str``,
lone surrogates included) and, but for ``views``, idempotent. Folding letters is ``folding``'s work.
"""

import re
from functools import lru_cache

from msgspec import Struct

from nightlight.detect.first_look import Look, has_doubles, is_stretched_ascii, look_at
from nightlight.detect.folding import (
    doubtful_skeleton,
    fold_all,
    plain,
    plain_and_folded,
    skeleton,
    skeleton_of,
)
from nightlight.detect.masked_words import masked_words
from nightlight.detect.seams import Joined, close_seams, holds_sign, without_links

__all__ = ["View", "fold_all", "join_letters", "leet", "plain", "skeleton", "squeeze", "views"]

PLAIN = "plain"
SKELETON = "skeleton"
JOINED = "joined"
LEET = "leet"
LEET_L = "leet_l"
SQUEEZED = "squeezed"
#: Parts of words joined; found terms are said to be "split", "punctuated" or "compound".
PARTS = "parts"
PARTS_L = "parts_l"
MASKED = "masked"
TURNED = "turned"


class View(Struct, frozen=True, gc=False):
    """A text with one more disguise undone.

    Attributes:
        source: for "squeezed", the text that was squeezed (to see how long the runs were).
        joined: for "parts", where its words were joined.
    """

    name: str
    text: str
    source: str = ""
    joined: Joined | None = None

    def __repr__(self) -> str:
        return f"<View {self.name}: masked>"

    __str__ = __repr__


_ALNUM = r"[^\W_]"
_LETTER = r"[^\W\d_]"
_UNIT = rf"(?:{_ALNUM}|[@$])"
#: Three or more single characters, each pair parted by the same one to three separators.
_SPACED_OUT = re.compile(
    rf"(?<!{_ALNUM})(?<![@$]){_UNIT}((?:[^\w@$]|_){{1,3}}){_UNIT}(?:\1{_UNIT})+(?!{_ALNUM})(?![@$])"
)
#: "!", "|" and "+" end sentences and phrases, so they count as letters only before one.
_LEET_CHAR = rf"(?:[0-9@$]|[!|+](?={_ALNUM}))"
_LEET_WORD = re.compile(
    rf"(?<!{_ALNUM})(?<![@$!|+])(?:{_LETTER}++{_LEET_CHAR}|{_LEET_CHAR}++{_LETTER})"
    rf"(?:{_LETTER}|{_LEET_CHAR})*+"
)
_LEET_SIGN = re.compile(r"[0-9@$!|+]")
_LEET_AS_I = str.maketrans("0123456789@$!|+", "oizeasgtbgasiit")
_LEET_AS_L = str.maketrans("0123456789@$!|+", "olzeasgtbgaslit")
#: Letters drawn with several signs, where a letter stands beside.
_DRAWN = {
    "\\/\\/": "w",
    "|-|": "h",
    "|_|": "u",
    "()": "o",
    "[]": "o",
    "|<": "k",
    "|)": "d",
    "\\/": "v",
    "/\\": "a",
    "><": "x",
}
_SOME_DRAWN = "|".join(map(re.escape, _DRAWN))
_DRAWN_LETTER = re.compile(rf"(?<={_ALNUM})(?:{_SOME_DRAWN})|(?:{_SOME_DRAWN})(?={_ALNUM})")
#: A run of three, or two doubled letters in one word: what ordinary spelling seldom has.
_STRETCHED = re.compile(rf"({_LETTER})\1(?:\1|{_LETTER}*?({_LETTER})\2)")
_RUN = re.compile(r"(.)\1+", re.DOTALL)
#: What stands for a letter upside down; the first are seldom written for anything else.
_TURNED = {
    "ɐ": "a",
    "ɔ": "c",
    "ǝ": "e",
    "ɟ": "f",
    "ƃ": "g",
    "ɓ": "g",
    "ɥ": "h",
    "ᴉ": "i",
    "ɾ": "j",
    "ʞ": "k",
    "ɯ": "m",  # noqa: RUF001  on purpose
    "ɹ": "r",
    "ʇ": "t",
    "ʍ": "w",
    "ʎ": "y",
    "Ɐ": "a",
    "Ɔ": "c",
    "Ǝ": "e",
    "Ⅎ": "f",
    "⅁": "g",
    "⅂": "l",
    "ᴚ": "r",
    "⅄": "y",
}
_TURNED_TOO = dict(zip("ıʌbdnpquMWԀԁ∩Λ∀˥⊥┴", "ivqpudbnwmppuvaltt", strict=True))  # noqa: RUF001  on purpose
_TURN = str.maketrans(_TURNED | _TURNED_TOO)
_ONLY_TURNED = frozenset(_TURNED)


@lru_cache(maxsize=16)
def views(text: str) -> tuple[View, ...]:
    """Return the views of ``text``, plain first, each different from those before it.

    Only the views of parts and of masked words, which are searched in other ways, may say the same.
    The newest are remembered: who finds a term in a text soon asks for its views again.
    """
    first, folding = plain_and_folded(text)
    composed, folded, unusual = folding
    look = look_at(folded)
    found = [View(PLAIN, first)]
    if folded != first:
        found.append(View(SKELETON, folded))
    _add_read(found, folded, doubtful_skeleton(text, folding), look)
    if unusual and not _ONLY_TURNED.isdisjoint(unusual):
        _add(found, TURNED, skeleton_of(composed.translate(_TURN)))
    bare = without_links(folded)
    signs = holds_sign(bare) if look.signs or not folded.isascii() else False
    joined = close_seams(text, composed, bare, signs=signs)
    if joined:
        parts = zip((PARTS, PARTS_L), _read_parts(joined), strict=False)
        found += [View(name, one.text, joined=one) for name, one in parts]
    if (signs or "*" in bare) and masked_words(bare):
        found.append(View(MASKED, bare))
    return tuple(found)


def _add_read(found: list[View], folded: str, marked: str, look: Look) -> None:
    """Add the views in which letters set apart, digits for letters and stretched words are read.

    ``marked`` is the skeleton with "1" for what may be "i" or "l", "" where nothing may.
    """
    base = folded
    if look.spaced:
        base, marked = join_letters(folded), join_letters(marked)
        _add(found, JOINED, base)
    if look.leet or look.spaced or marked or _may_be_drawn(folded):
        read = _read_leet(marked or base)
        for name, as_letters in zip((LEET, LEET_L), read, strict=False):
            _add(found, name, as_letters)
        base = read[0]
    if is_stretched(base):
        _add(found, SQUEEZED, squeeze(base), base)


def _add(found: list[View], name: str, text: str, source: str = "") -> None:
    if all(text != one.text for one in found):
        found.append(View(name, text, source))


def join_letters(text: str) -> str:
    """Return ``text`` with spaced-out or dotted single letters joined to words."""
    return _SPACED_OUT.sub(_without_separators, text)


def leet(text: str, *, one_as_l: bool = False) -> str:
    """Return ``text`` with digits and symbols read as letters in words that mix both."""
    table = _LEET_AS_L if one_as_l else _LEET_AS_I
    # Looking at the few words that hold a digit takes a fraction of looking at every letter.
    return " ".join(
        [
            word
            if word.isalpha() or not _LEET_SIGN.search(word)
            else _LEET_WORD.sub(lambda found: found[0].translate(table), word)
            for word in text.split(" ")
        ]
    )


def squeeze(text: str) -> str:
    """Return ``text`` with every run of one character shortened to that character."""
    return _RUN.sub(r"\1", text) if has_doubles(text) else text


def is_stretched(text: str) -> bool:
    """Say whether a word of ``text`` repeats letters as ordinary spelling seldom does."""
    if text.isascii():
        return is_stretched_ascii(text)
    return has_doubles(text) and _STRETCHED.search(text) is not None


def _read_leet(text: str) -> tuple[str, ...]:
    """Return ``text`` with leet read, the digit 1 as "i" and, where it has one, then as "l"."""
    drawn = _DRAWN_LETTER.sub(lambda sign: _DRAWN[sign[0]], text) if _may_be_drawn(text) else text
    as_i = leet(drawn)
    if "1" in drawn or "!" in drawn or "|" in drawn:
        return as_i, leet(drawn, one_as_l=True)
    return (as_i,)


def _may_be_drawn(text: str) -> bool:
    return "|" in text or "\\" in text or "()" in text or "[]" in text or "><" in text


def _read_parts(joined: Joined) -> list[Joined]:
    """Return the joined text, its digits read as letters: one for one, so that seams stay."""
    read = [Joined(leet(joined.text), joined.places, joined.kinds)]
    if "1" in joined.text:
        as_l = leet(joined.text, one_as_l=True)
        read.append(Joined(as_l, joined.places, joined.kinds))
    return read


def _without_separators(spaced: re.Match[str]) -> str:
    return spaced[0].replace(spaced[1], "")
