"""Spellings that hide a code word from a plain search and from no reader."""

from collections.abc import Callable
from random import Random
from typing import Literal, TypeAlias

from nightlight.town.chance import pick

Disguise: TypeAlias = Literal[
    "plain",
    "lookalike_letters",
    "full_width",
    "combining",
    "zero_width",
    "leet",
    "spaced",
    "repeated",
    "mixed_case",
]

#: Letters of other scripts that look the same: Cyrillic, and Greek for v and u.
_TWINS = {
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "i": "\u0456",
    "o": "\u043e",
    "p": "\u0440",
    "s": "\u0455",
    "x": "\u0445",
    "y": "\u0443",
    "v": "\u03bd",
}
_LEET = {"a": "4", "b": "8", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_FULL_WIDTH_OFFSET = 0xFEE0
_MARKS = ("\u0301", "\u0308", "\u0336", "\u0332", "\u030a")
_INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad")
_SEPARATORS = (" ", ".", "-", "_")


def _swap(word: str, table: dict[str, str], rng: Random) -> str:
    """Return the word with most replaceable letters replaced, and always at least one."""
    places = [index for index, letter in enumerate(word) if letter in table]
    kept = {place for place in places if rng.random() < 1 / 4}
    if len(kept) == len(places):
        kept.discard(places[0])
    return "".join(
        table[letter] if index in places and index not in kept else letter
        for index, letter in enumerate(word)
    )


def _between(word: str, rng: Random, signs: tuple[str, ...]) -> str:
    """Return the word with a sign after some letters, and always after the second."""
    return (
        "".join(
            letter + pick(rng, signs) if index == 1 or rng.random() < 1 / 3 else letter
            for index, letter in enumerate(word[:-1])
        )
        + (word[-1:])
    )


def _repeated(word: str, rng: Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.randint(3, 6) + word[place + 1 :]


def _mixed_case(word: str, rng: Random) -> str:
    first = rng.randrange(2)
    return "".join(
        letter.upper() if index % 2 == first else letter for index, letter in enumerate(word)
    )


_SPELLINGS: dict[Disguise, Callable[[str, Random], str]] = {
    "plain": lambda word, _: word,
    "lookalike_letters": lambda word, rng: _swap(word, _TWINS, rng),
    "full_width": lambda word, _: "".join(chr(ord(sign) + _FULL_WIDTH_OFFSET) for sign in word),
    "combining": lambda word, rng: _between(word, rng, _MARKS),
    "zero_width": lambda word, rng: _between(word, rng, _INVISIBLE),
    "leet": lambda word, rng: _swap(word, _LEET, rng),
    "spaced": lambda word, rng: pick(rng, _SEPARATORS).join(word),
    "repeated": _repeated,
    "mixed_case": _mixed_case,
}

DISGUISES: tuple[Disguise, ...] = tuple(_SPELLINGS)


def is_disguisable(term: str) -> bool:
    """Return whether every disguise can spell the term: one word of Latin letters."""
    return term.isascii() and term.isalpha()


def spell(term: str, disguise: Disguise, rng: Random) -> str:
    """Return the term in that spelling; one that is no single Latin word stays plain."""
    return _SPELLINGS[disguise](term, rng) if is_disguisable(term) else term
