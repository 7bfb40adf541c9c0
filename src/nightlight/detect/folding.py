"""Folds a text to the letters it is read as: case, compatibility forms, look-alikes, marks.

Owns the plain form, which keeps every script, and the skeleton, which is Latin where it can be.
Leaves disguises of whole words to ``normalise``. Everything here is linear in the text, total
(any ``str``, lone surrogates included) and idempotent.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from nightlight.detect.lookalikes import tables

_MIXED_WORD = re.compile(r"(?<!\S)(?=\S*[A-Za-z])\S+")
_ASCII_LETTER = re.compile(r"[A-Za-z]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CAPITAL_I_INSIDE = re.compile(r"(?<=[a-z])I")
#: Unicode's Stream-Safe Text Format (UAX 15) allows 30; sorting longer runs takes square time.
_MARKS_KEPT = 30
_LONG_MARKS_POSSIBLE = 256
_FEW = 40
_ASCII = frozenset(map(chr, range(0x80)))
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")

_ASCII_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_SPACES = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f"
_CONTROLS = bytes(set(range(0x20)) - set(_SPACES)) + b"\x7f"
_CONTROL_CHARS = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_CONTROL = re.compile(f"[{_CONTROL_CHARS}]+")
_UNSAFE = re.compile(f"[{_CONTROL_CHARS}\ud800-\udfff\ufe0e\ufe0f]")
#: Latin letters and common punctuation: no mark among them, so each folds by itself.
_UNMARKED_LATIN = re.compile(r"[\t-\r\x1c-~\x85\xa0-\u02ff\u2013\u2014\u2018-\u201e\u2026\u20ac]*+")
#: Greek with a mark that case folding makes a letter of: only there does the order of folding and
#: composing matter.
_IOTA_BELOW = re.compile("[\u0345\u1f80-\u1fff]")
_LOWER = bytes.maketrans(_SPACES + _ASCII_UPPER, b" " * len(_SPACES) + _ASCII_UPPER.lower())


def plain(text: str) -> str:
    """Return ``text`` with Unicode's compatibility forms and case folded, scripts kept."""
    if text.isascii():
        lowered = text.encode("ascii").translate(_LOWER, _CONTROLS).decode("ascii")
        return " ".join(lowered.split()) if "  " in lowered else lowered
    if _UNMARKED_LATIN.fullmatch(text):
        return settle(text.casefold())
    return _plain_of_any(compose(text), text)


def skeleton(text: str) -> str:
    """Return ``text`` in the Latin letters that it looks like, without marks and invisible ones.

    Where the text also holds letters that look like no Latin one, it is written in another
    script: then only words that mix in Latin letters are folded, and the others keep theirs.
    """
    return plain(text) if text.isascii() else composed_and_folded(text).skeleton


def fold_all(text: str) -> str:
    """Return ``text`` with every look-alike folded, as ``skeleton`` folds mixed words."""
    return settle(_replace_in(compose(text), tables().fold).casefold())


class Folded(NamedTuple):
    """A text composed, its skeleton, and its characters outside ASCII."""

    composed: str
    skeleton: str
    unusual: frozenset[str]


@lru_cache(maxsize=64)
def composed_and_folded(text: str) -> Folded:
    """Return a text composed and folded; views and fingerprint of a post both ask for it."""
    composed = compose(text)
    unusual = frozenset(_OUTSIDE_ASCII.findall(composed))
    return Folded(composed, _skeleton(composed, tables().fold, unusual), unusual)


def plain_and_folded(text: str) -> tuple[str, Folded]:
    """Return the plain form of ``text`` and the others, at less than the price of each."""
    if text.isascii():
        first = plain(text)
        return first, Folded(text, first, frozenset())
    folded = composed_and_folded(text)
    if _UNMARKED_LATIN.fullmatch(text):
        return settle(text.casefold()), folded
    return _plain_of_any(folded.composed, text), folded


def compose(text: str) -> str:
    """Return ``text`` in compatibility composition, without what no text needs."""
    return unicodedata.normalize("NFKC", _safe(text))


def skeleton_of(composed: str) -> str:
    """Return the skeleton of a composed text."""
    return _skeleton(composed, tables().fold, frozenset(composed) - _ASCII)


def doubtful_skeleton(text: str, folded: Folded) -> str:
    """Return the skeleton with "1" for what looks like "i" and "l" alike, "" if nothing does."""
    composed = folded.composed
    if not folded.unusual or tables().doubtful.isdisjoint(folded.unusual):
        # Counting is four times faster than the pattern: most capitals "I" stand before words.
        inside = composed.count("I") - composed.count(" I")
        if not inside or not _CAPITAL_I_INSIDE.search(composed):
            return ""
    elif not _ASCII_LETTER.search(composed) and any(map(_is_native, folded.unusual)):
        return ""  # only words that mix in Latin letters would be read as Latin
    marked = _CAPITAL_I_INSIDE.sub("1", composed)
    if text.isascii():
        return plain(marked)
    marked = _skeleton(marked, tables().mark, folded.unusual)
    return "" if marked == folded.skeleton else marked


def settle(text: str) -> str:
    """Return ``text`` composed again, its spaces single."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def without_controls(text: str) -> str:
    """Return ``text`` in lower case with single spaces, without control characters."""
    return " ".join(_CONTROL.sub("", text).lower().split())


def _plain_of_any(composed: str, text: str) -> str:
    if _IOTA_BELOW.search(text):
        text = unicodedata.normalize("NFD", _safe(text)).casefold()
        return settle(unicodedata.normalize("NFKC", text).casefold())
    folded = composed.casefold()
    again = unicodedata.normalize("NFKC", folded)
    return settle(folded if again == folded else again.casefold())


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


def _skeleton(composed: str, table: dict[str, str], unusual: frozenset[str]) -> str:
    if any(map(_is_native, unusual)):
        folded = _replace(composed, tables().strip, unusual)
        if _ASCII_LETTER.search(folded):
            folded = _MIXED_WORD.sub(lambda word: _replace_in(word[0], table), folded)
    else:
        folded = _replace(composed, table, unusual)
    return settle(folded.casefold())


def _replace_in(word: str, table: dict[str, str]) -> str:
    return word if word.isascii() else _replace(word, table, frozenset(word))


@lru_cache(maxsize=1 << 14)
def _is_native(char: str) -> bool:
    """Say whether a character is a letter that looks like no Latin one, in lower case."""
    return any(
        folded.isalnum() and not folded.isdecimal() and not folded.isascii()
        for folded in tables().fold.get(char, char).casefold()
    )


def _replace(text: str, table: dict[str, str], among: frozenset[str]) -> str:
    """Return ``text`` with ``table`` applied; ``among`` holds its characters that may be in it.

    Replacing each of a few characters is several times faster than ``str.translate``.
    """
    found = [char for char in among if char in table]
    if len(found) > _FEW:
        return "".join([table.get(char, char) for char in text])
    for char in found:
        text = text.replace(char, table[char])
    return text
