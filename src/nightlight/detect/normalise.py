"""Undoes disguised spelling: one text becomes the views in which terms are looked for.

The first view keeps every script as it is. Each further view undoes one more disguise on top of
the one before, and exists only where it changed something. Every function here is linear in the
text, total (any ``str``, lone surrogates included) and idempotent.
"""

import re
import unicodedata
from functools import lru_cache

from msgspec import Struct

from nightlight.detect.lookalikes import tables

PLAIN = "plain"
SKELETON = "skeleton"
JOINED = "joined"
LEET = "leet"
LEET_L = "leet_l"
SQUEEZED = "squeezed"


class View(Struct, frozen=True, gc=False):
    """A text with one more disguise undone.

    Attributes:
        source: for "squeezed", the text that was squeezed (to see how long the runs were).
    """

    name: str
    text: str
    source: str = ""

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
_LEET_AS_I = str.maketrans("0123456789@$!|+", "oizeasgtbgasiit")
_LEET_AS_L = str.maketrans("0123456789@$!|+", "olzeasgtbgaslit")
#: A run of three, or two doubled letters in one word: what ordinary spelling seldom has.
_STRETCHED = re.compile(rf"({_LETTER})\1(?:\1|{_LETTER}*?({_LETTER})\2)")
_RUN = re.compile(r"(.)\1+", re.DOTALL)
_NATIVE_LETTER = re.compile(r"[^\W\d_\x00-\x7f]")
_ASCII_LETTER = re.compile(r"[A-Za-z]")
_MIXED_WORD = re.compile(r"(?<!\S)(?=\S*[A-Za-z])\S+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASCII_STRETCHED = re.compile(r"([a-z])\1(?:\1|[a-z]*?([a-z])\2)")
_CAPITAL_I_INSIDE = re.compile(r"(?<=[a-z])I")
#: Unicode's Stream-Safe Text Format (UAX 15) allows 30; sorting longer runs takes square time.
_MARKS_KEPT = 30
_LONG_MARKS_POSSIBLE = 256
_FEW = 40


def _byte_table(letters: bytes, leet: bytes, before_letter: bytes) -> bytes:
    table = bytearray(b" " * 256)
    for members, kind in ((letters, b"a"), (leet, b"1"), (before_letter, b"!")):
        for byte in members:
            table[byte] = kind[0]
    return bytes(table)


_ASCII_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_ASCII_LETTERS = _ASCII_UPPER + _ASCII_UPPER.lower()
_SPACES = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f"
_CONTROLS = bytes(set(range(0x20)) - set(_SPACES)) + b"\x7f"
_CONTROL_CHARS = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_CONTROL = re.compile(f"[{_CONTROL_CHARS}]+")
_UNSAFE = re.compile(f"[{_CONTROL_CHARS}\ud800-\udfff\ufe0e\ufe0f]")
#: Latin letters and common punctuation: no mark among them, so each folds by itself.
_UNMARKED_LATIN = re.compile(r"[\t-\r\x1c-~\x85\xa0-\u02ff\u2013\u2014\u2018-\u201e\u2026\u20ac]*+")
_LOWER = bytes.maketrans(_SPACES + _ASCII_UPPER, b" " * len(_SPACES) + _ASCII_UPPER.lower())
#: What each byte may be: a letter, a digit or symbol used as one, or neither. Characters outside
#: ASCII arrive as "?", which may be a unit that is spaced out, or a symbol between such units.
_KINDS = _byte_table(_ASCII_LETTERS, b"0123456789@$", b"!|+")
_UNITS = _byte_table(_ASCII_LETTERS + b"0123456789@$" + b"?", b"", b"")
_ASCII_UNITS = _byte_table(_ASCII_LETTERS + b"0123456789@$", b"", b"")
_LEET_PAIRS = (b"a1", b"1a", b"!a", b"!1")
_SPACED_PATTERNS = (b" a a a ", b" a  a  a ", b" a   a   a ")


def views(text: str) -> tuple[View, ...]:
    """Return the views of ``text``, plain first, each different from those before it."""
    first = plain(text)
    if text.isascii():
        folded = first
        marked = _marked(text, frozenset())
    else:
        composed, folded = _composed_and_folded(text)
        marked = _marked(composed, tables().doubtful)
    if marked or _is_suspicious(folded):
        return _all_views(first, folded, marked)
    if folded == first:
        return (View(PLAIN, first),)
    return (View(PLAIN, first), View(SKELETON, folded))


def plain(text: str) -> str:
    """Return ``text`` with Unicode's compatibility forms and case folded, scripts kept."""
    if text.isascii():
        return _collapse(text.encode("ascii").translate(_LOWER, _CONTROLS).decode("ascii"))
    if _UNMARKED_LATIN.fullmatch(text):
        return _settle(text.casefold())
    return _plain_of_any(text)


def _plain_of_any(text: str) -> str:
    text = unicodedata.normalize("NFD", _safe(text)).casefold()
    return _settle(unicodedata.normalize("NFKC", text).casefold())


def skeleton(text: str) -> str:
    """Return ``text`` in the Latin letters that it looks like, without marks and invisible ones.

    Where the text also holds letters that look like no Latin one, it is written in another
    script: then only words that mix in Latin letters are folded, and the others keep theirs.
    """
    return plain(text) if text.isascii() else _composed_and_folded(text)[1]


def fold_all(text: str) -> str:
    """Return ``text`` with every look-alike folded, as ``skeleton`` folds mixed words."""
    return _settle(_replace(_compose(text), tables().fold).casefold())


def join_letters(text: str) -> str:
    """Return ``text`` with spaced-out or dotted single letters joined to words."""
    return _SPACED_OUT.sub(_without_separators, text)


def leet(text: str, *, one_as_l: bool = False) -> str:
    """Return ``text`` with digits and symbols read as letters in words that mix both."""
    table = _LEET_AS_L if one_as_l else _LEET_AS_I
    return _LEET_WORD.sub(lambda word: word[0].translate(table), text)


def squeeze(text: str) -> str:
    """Return ``text`` with every run of one character shortened to that character."""
    return _RUN.sub(r"\1", text)


def is_stretched(text: str) -> bool:
    """Say whether a word of ``text`` repeats letters as ordinary spelling seldom does."""
    pattern = _ASCII_STRETCHED if text.isascii() else _STRETCHED
    return pattern.search(text) is not None


def _is_suspicious(folded: str) -> bool:
    """Say, at a tenth of the price of the views, whether there can be one after the skeleton."""
    raw = folded.encode("ascii", "replace")
    kinds = raw.translate(_KINDS)
    if (b"1" in kinds or b"!" in kinds) and any(pair in kinds for pair in _LEET_PAIRS):
        return True
    units = b" " + raw.translate(_UNITS) + b" "
    if not folded.isascii():
        units += raw.translate(_ASCII_UNITS) + b" "
    for pattern in _SPACED_PATTERNS:
        if pattern in units:
            return True
    return is_stretched(folded)


def _all_views(first: str, folded: str, marked: str) -> tuple[View, ...]:
    """Return the views from plain on; ``marked`` has "1" where "i" or "l" may be meant."""
    found = [View(PLAIN, first)]
    seen = {first}

    def add(name: str, text: str, source: str = "") -> None:
        if text not in seen:
            seen.add(text)
            found.append(View(name, text, source))

    add(SKELETON, folded)
    joined = join_letters(folded)
    add(JOINED, joined)
    base = join_letters(marked) if marked else joined
    as_i = leet(base)
    add(LEET, as_i)
    if "1" in base or "!" in base or "|" in base:
        add(LEET_L, leet(base, one_as_l=True))
    if is_stretched(as_i):
        add(SQUEEZED, squeeze(as_i), as_i)
    return tuple(found)


def _marked(text: str, doubtful: frozenset[str]) -> str:
    """Return the skeleton with "1" for what looks like "i" and "l" alike, "" if nothing does."""
    if not doubtful or doubtful.isdisjoint(text):
        # Counting is four times faster than the pattern: most capitals "I" stand before words.
        inside = text.count("I") - text.count(" I")
        if not inside or not _CAPITAL_I_INSIDE.search(text):
            return ""
    text = _CAPITAL_I_INSIDE.sub("1", text)
    return plain(text) if text.isascii() else _skeleton(text, tables().mark)


@lru_cache(maxsize=64)
def _composed_and_folded(text: str) -> tuple[str, str]:
    """Return a text composed, and its skeleton; views and fingerprint of a post both ask for it."""
    composed = _compose(text)
    return composed, _skeleton(composed, tables().fold)


def _compose(text: str) -> str:
    return unicodedata.normalize("NFKC", _safe(text))


def _safe(text: str) -> str:
    """Return ``text`` without lone surrogates, control characters and endless runs of marks."""
    unsafe = _UNSAFE.search(text) is not None
    if unsafe and _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if len(text) > _LONG_MARKS_POSSIBLE:
        text = _cut_marks(text)
    if not unsafe:
        return text
    text = _CONTROL.sub("", text)
    # Variation selectors choose how a character is drawn, not which one it is.
    return text.replace("\ufe0f", "").replace("\ufe0e", "")


def _cut_marks(text: str) -> str:
    kept = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MARKS_KEPT:
            kept.append(char)
    return "".join(kept)


def _skeleton(composed: str, table: dict[str, str]) -> str:
    folded = _replace(composed, table)
    if not folded.isascii() and _NATIVE_LETTER.search(folded.casefold()):
        folded = _replace(composed, tables().strip)
        if _ASCII_LETTER.search(folded):
            folded = _MIXED_WORD.sub(lambda word: _replace(word[0], table), folded)
    return _settle(folded.casefold())


def _replace(text: str, table: dict[str, str]) -> str:
    """Return ``text`` with ``table`` applied.

    Replacing each of a few characters is several times faster than ``str.translate``.
    """
    found = [char for char in set(text) if char in table]
    if len(found) > _FEW:
        return "".join([table.get(char, char) for char in text])
    for char in found:
        text = text.replace(char, table[char])
    return text


def _settle(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _collapse(text: str) -> str:
    return " ".join(text.split()) if "  " in text else text


def _without_separators(spaced: re.Match[str]) -> str:
    return spaced[0].replace(spaced[1], "")
