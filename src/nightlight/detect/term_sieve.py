"""Says of a text, at a small part of the price of searching it, that no term can stand in it.

For searching millions of stored texts for a few terms. Saying that one may costs time; saying that
none can is never wrong, whichever disguise ``term_finder`` undoes. Texts are held against terms as
bare letters: what a view may read as one letter is one letter here, and what a view may leave out
is left out.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import compress

from ahocorasick_rs import BytesAhoCorasick, Implementation

from nightlight.detect import normalise
from nightlight.detect.term_patterns import spellings_of
from nightlight.model.lexicon import Term

_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"
_SIGNS = bytes(set(range(0x21, 0x7F)) - set(_LETTERS + _LETTERS.upper() + _DIGITS))
#: Signs that draw a letter which is written with none.
_DRAWN_WITH = b"|\\"
#: Signs that may be letters or stand for some wherever they are.
_LETTER_SIGNS = b"@$*+"
_READ_AS_LETTER = re.compile(rb"![0-9A-Za-z]")
_VAGUE = b"aeioulst"
#: "1" is read as "i" and as "l", "6" and "9" as "g".
_ALIKE = bytes.maketrans(
    _LETTERS.upper() + b"l0123456789", _LETTERS.replace(b"l", b"i") + b"ioizeasgtbg"
)
_NO_LETTERS = bytes(set(range(256)) - set(_LETTERS + _LETTERS.upper() + _DIGITS))
#: What is put for a character that may be several things: it makes the text pass.
_UNSURE = "\\"
_SOME_SIGN = "~"
_VARIATION_SELECTORS = "\ufe0e\ufe0f"


def _kinds() -> bytes:
    table = bytearray(b" " * 256)
    alnum = _LETTERS + _LETTERS.upper() + _DIGITS
    for members, kind in (
        (alnum, b"a"), (_SIGNS, b"."), (_LETTER_SIGNS, b"$"), (_DRAWN_WITH, b"|"),
    ):  # fmt: skip
        for byte in members:
            table[byte] = kind[0]
    return bytes(table)


_KINDS = _kinds()
#: The first makes a text pass; the others say that letters may be missing where there are signs.
_SUSPICIOUS = (b"|", b"$", b"a.a", b"a..a", b"a...a", b"a....a", b".....")


class TermSieve:
    """Passes every text in which one of some terms may stand, and few others."""

    def __init__(self, terms: Iterable[Term]) -> None:
        """Keep the letters of the terms.

        Raises:
            InvalidInput: nothing is left of a term once it is normalised; names its id.
        """
        spelt = {text for term in terms for text, _, _ in spellings_of(term)}
        bare = {_bare(text.encode()) for text in spelt if text.isascii()}
        self._knows_ascii_only = all(map(str.isascii, spelt))
        self._plain = _Letters(bare)
        clear = {text.translate(None, _VAGUE) for text in bare}
        # Masked words are looked for backwards, too.
        self._vague = _Letters(clear | {text[::-1] for text in clear})
        self._ascii = _Ascii()
        self._suspicious = BytesAhoCorasick(_SUSPICIOUS, implementation=Implementation.DFA)

    def passes(self, text: str) -> bool:
        """Return whether one of the terms may stand in the text."""
        if not text.isascii():
            if not self._knows_ascii_only:
                return True
            text = text.translate(self._ascii)
        raw = text.encode("ascii")
        if b"()" in raw or b"[]" in raw or b"><" in raw:
            return True
        found = self._suspicious.find_matches_as_indexes(raw.translate(_KINDS))
        if not found and not (b"!" in raw and _READ_AS_LETTER.search(raw)):
            return self._plain.are_in(_bare(raw))
        if any(index == 0 for index, _, _ in found):
            return True
        return self._vague.are_in(_bare(raw).translate(None, _VAGUE))


class _Letters:
    """Runs of letters, looked for in others; how often a letter is repeated does not matter."""

    def __init__(self, runs: Iterable[bytes]) -> None:
        single = {_once(run) for run in runs}
        self._all_pass = b"" in single
        self._none = not single
        patterns = [] if self._all_pass else sorted(single)
        self._automaton = BytesAhoCorasick(patterns, implementation=Implementation.DFA)

    def are_in(self, letters: bytes) -> bool:
        if self._all_pass or self._none:
            return self._all_pass
        return bool(self._automaton.find_matches_as_indexes(_once(letters)))


class _Ascii(dict[int, str]):
    """What each character beyond ASCII may be read as in ASCII, found out when first asked."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = found = char if code < 0x80 else _read_as(char)  # noqa: PLR2004  ASCII ends
        return found


def _read_as(char: str) -> str:
    """Return the ASCII letters that a character may be read as, a sign where it is none."""
    if char in _VARIATION_SELECTORS:
        return _SOME_SIGN
    if unicodedata.category(char)[0] == "M" or unicodedata.category(char) == "Cs":
        return _UNSURE  # what it is depends on what stands before it
    if any(view.name == normalise.TURNED for view in normalise.views(f"d{char}")):
        return _UNSURE  # other letters, too, may stand upside down
    forms = {normalise.plain(char), normalise.skeleton(char), normalise.fold_all(char)}
    forms.add(normalise.skeleton(f"x{char}x").strip()[1:-1])
    # A letter that stays one of another script is no part of a term in ASCII.
    ascii_only = [form for form in forms if not any(map(_is_other_letter, form))]
    readings = {_bare(form.encode("ascii", "ignore")) for form in ascii_only}
    if len(readings) > 1:
        return _UNSURE
    return (readings.pop() if readings else b"").decode("ascii") or _SOME_SIGN


def _is_other_letter(char: str) -> bool:
    return char.isalnum() and not char.isascii()


def _bare(raw: bytes) -> bytes:
    """Return the letters of an ASCII text as they may be read, digits as letters."""
    return raw.translate(_ALIKE, _NO_LETTERS)


def _once(letters: bytes) -> bytes:
    """Return the letters, each run of one shortened to that one."""
    number = int.from_bytes(letters, "big")
    differs = (number ^ (number >> 8)).to_bytes(len(letters), "big")
    return bytes(compress(letters, differs)) if 0 in differs else letters
