"""Words whose vowels are masked by signs, and the terms that they stand for.

A masked word and a term are alike in their consonants, so these find candidates; the letters that
are shown must then agree, each in its place.
"""

import re
from collections.abc import Iterator

from nightlight.detect.seams import SIGNS

_ALNUM = r"[^\W_]"
_MASK = rf"[{SIGNS}]"
#: Runs of words and signs; the look behind keeps a long word from being tried at every letter.
_CANDIDATE = re.compile(
    rf"(?<![\w{SIGNS}]){_MASK}{{0,2}}+{_ALNUM}++(?:{_MASK}{{1,3}}+{_ALNUM}++)++{_MASK}{{0,2}}+"
)
#: Signs that join words; one alone between letters is more often that than a mask.
_JOINERS = frozenset("-./:,;'+=&()[]{}<>\"`|\\~\u2019")
_VOWELS = "aeiou\u0430\u0435\u0438\u043e\u0443\u044b\u044d\u044e\u044f\u0451\u0456"
_NO_VOWELS = str.maketrans("", "", _VOWELS)
_ANY_MASK = re.compile(_MASK)
_FEWEST_CONSONANTS = 3
_FEWEST_SHOWN = 4
_LONGEST = 80
_MOST_KINDS = 4


def masked_words(folded: str) -> list[tuple[int, str]]:
    """Return the words of a folded text that hold signs, with their offsets."""
    return [
        (found.start(), found[0])
        for found in _CANDIDATE.finditer(folded)
        if len(found[0]) <= _LONGEST and sum(map(str.isalpha, found[0])) >= _FEWEST_SHOWN
    ]


class MaskedTerms:
    """Terms by their consonants."""

    def __init__(self) -> None:
        self._by_consonants: dict[str, list[tuple[str, int]]] = {}

    def add(self, spelt: str, number: int) -> None:
        """Keep a spelling, with its number, if it can be told with its vowels masked."""
        consonants = spelt.translate(_NO_VOWELS)
        if _FEWEST_CONSONANTS <= len(consonants) < len(spelt) and spelt.isalpha():
            self._by_consonants.setdefault(consonants, []).append((spelt, number))

    def find(self, word: str) -> Iterator[int]:
        """Yield the numbers of the terms that a masked word stands for, in either direction."""
        if not self._by_consonants:
            return
        for part in _parts(word):
            consonants = _ANY_MASK.sub("", part).translate(_NO_VOWELS)
            for shown, key in ((part, consonants), (part[::-1], consonants[::-1])):
                for spelt, number in self._by_consonants.get(key, ()):
                    if _is_masked(spelt, shown):
                        yield number


def _parts(word: str) -> Iterator[str]:
    """Yield what of a word may be masked: all of it, or parts in which one sign is the mask."""
    seen = set()
    kinds = dict.fromkeys(_ANY_MASK.findall(word))
    splits = [[word]]
    if 1 < len(kinds) <= _MOST_KINDS:
        others = ("".join(one for one in kinds if one != kind) for kind in kinds)
        splits += [re.split(f"[{re.escape(each)}]+", word) for each in others]
    for part in (part for split in splits for part in split):
        trimmed = _trimmed(part)
        if not _has_mask(trimmed):
            continue
        for each in (part, trimmed):
            if each not in seen:
                seen.add(each)
                yield each


def _has_mask(trimmed: str) -> bool:
    signs = _ANY_MASK.findall(trimmed)
    return len(signs) > 1 or (len(signs) == 1 and signs[0] not in _JOINERS)


def _trimmed(part: str) -> str:
    while part and _ANY_MASK.fullmatch(part[0]):
        part = part[1:]
    while part and _ANY_MASK.fullmatch(part[-1]):
        part = part[:-1]
    return part


def _is_masked(spelt: str, shown: str) -> bool:
    """Say whether ``shown`` is ``spelt`` with vowels masked, one sign each or one for a run."""
    return all(map(_fits, _gaps(spelt), _gaps(shown)))


def _gaps(word: str) -> list[str]:
    """Return what stands before, between and behind the consonants."""
    gaps = [""]
    for char in word:
        if char in _VOWELS or _ANY_MASK.fullmatch(char):
            gaps[-1] += char
        else:
            gaps.append("")
    return gaps


def _fits(vowels: str, gap: str) -> bool:
    if len(vowels) == len(gap):
        return all(a == b or _ANY_MASK.fullmatch(b) for a, b in zip(vowels, gap, strict=True))
    return bool(vowels and gap) and all(_ANY_MASK.fullmatch(one) for one in gap)
