"""Where a run of characters is a word, in scripts with spaces and without, and how it is stretched.

Knows no term: ``term_patterns`` asks about the places that it finds.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby

#: Digits may touch words of at least so many characters.
_SHORTEST_WITH_DIGITS = 4
#: Scripts that write words without spaces between them: Thai to Myanmar, Khmer, Han and kana.
_UNSPACED = (
    (0x0E00, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_FIRST_UNSPACED = chr(_UNSPACED[0][0])
_SOME_UNSPACED = re.compile(
    "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSPACED) + "]"
)
_HANGUL = (0xAC00, 0xD7A3)
_ZERO_WIDTH_JOINER = "\u200d"
_LONG_RUN = 3


def is_whole_word(
    text: str, start: int, end: int, *, opens: bool = False, closes: bool = False
) -> bool:
    """Say whether what stands at ``start`` to ``end`` is no part of a longer word.

    Digits may touch a term of four or more characters (handles end in years), unless letters
    stand behind them. ``opens`` and ``closes`` say that a word begins or ends there anyway.
    """
    skips_digits = end - start >= _SHORTEST_WITH_DIGITS
    if start and not opens and _goes_on(text, start, -1, skips_digits=skips_digits):
        return False
    if end == len(text) or closes:
        return True
    return not _goes_on(text, end - 1, 1, skips_digits=skips_digits)


def is_in_unspaced_script(word: str) -> bool:
    """Say whether a word has letters of a script that writes words without spaces."""
    return not word.isascii() and _SOME_UNSPACED.search(word) is not None


def run_lengths(text: str) -> list[int]:
    """Return how long each run of one character is."""
    return [sum(1 for _ in run) for _, run in groupby(text)]


def is_stretched_from(spelt: str, lengths: Sequence[int]) -> bool:
    """Say whether a word with runs of ``lengths`` is ``spelt`` with letters repeated on purpose.

    One doubled letter makes another word ("hop", "hoop"), so a run of three or two doubled
    letters are asked for; a letter that the term doubles must be doubled in the text.
    """
    own = run_lengths(spelt)
    if any(found < asked for found, asked in zip(lengths, own, strict=True)):
        return False
    longer = [found for found, asked in zip(lengths, own, strict=True) if found > asked]
    return len(longer) > 1 or any(found >= _LONG_RUN for found in longer)


def pictures_in(text: str) -> list[str]:
    """Return the pictures of a text, each with what is joined to it."""
    found: list[str] = []
    for char in text:
        joined = _ZERO_WIDTH_JOINER in {char, found[-1][-1] if found else ""}
        marks = unicodedata.category(char).startswith("M") or _is_skin_tone(char)
        if found and (joined or marks or (_is_flag(char) and _is_half_flag(found[-1]))):
            found[-1] += char
        else:
            found.append(char)
    return found


def _is_skin_tone(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_half_flag(picture: str) -> bool:
    return len(picture) == 1 and _is_flag(picture)


def _goes_on(text: str, edge: int, step: int, *, skips_digits: bool) -> bool:
    """Say whether the word whose character at ``edge`` is a term's goes on past it."""
    inside, outside = text[edge], text[edge + step]
    if outside == " " and inside.isalnum():
        return False
    if not _is_letter(inside):
        return _ZERO_WIDTH_JOINER in {outside, inside}
    if step > 0 and unicodedata.category(outside).startswith("M"):
        return True
    if _is_unspaced(inside) or _is_unspaced(outside) or (step > 0 and _is_hangul(inside)):
        return False
    at = edge + step
    if skips_digits and not inside.isdigit():
        while 0 <= at < len(text) and text[at].isdigit():
            at += step
    return 0 <= at < len(text) and _is_letter(text[at])


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _is_unspaced(char: str) -> bool:
    return char >= _FIRST_UNSPACED and any(first <= ord(char) <= last for first, last in _UNSPACED)


def _is_hangul(char: str) -> bool:
    """Say whether ``char`` is Korean, which attaches particles to the ends of its words."""
    return _HANGUL[0] <= ord(char) <= _HANGUL[1]
