"""Spellings that neither town knows: ``python -m benchmarks.spellings`` says which are undone.

They were written down after the code that undoes spellings, by looking for what it might miss, and
nothing was changed for them.
"""

import argparse
import json
from collections.abc import Callable
from random import Random

from nightlight.detect.term_finder import TermFinder
from nightlight.model.lexicon import TermKind
from nightlight.town.disguise import is_disguisable
from nightlight.town.words import lexicon_terms, load_planted_words

_LEET = str.maketrans("aeio", "4310")
_TWINS = str.maketrans({"a": "\u0430", "e": "\u0435", "o": "\u043e", "p": "\u0440"})
_TIMES = 20


def _place(word: str, chance: Random) -> int:
    return chance.randrange(2, len(word) - 2)


def _swapped(word: str, chance: Random) -> str:
    at = _place(word, chance)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _without_a_letter(word: str, chance: Random) -> str:
    at = _place(word, chance)
    return word[:at] + word[at + 1 :]


def _doubled(word: str, chance: Random) -> str:
    at = _place(word, chance)
    return word[:at] + word[at] + word[at:]


def _halves(word: str, chance: Random) -> tuple[str, str]:
    at = _place(word, chance)
    return word[:at], word[at:]


def _leet_and_point(word: str, chance: Random) -> str:
    first, second = _halves(word, chance)
    return first.translate(_LEET) + chance.choice(".-_") + second


def _twins_and_picture(word: str, chance: Random) -> str:
    first, second = _halves(word, chance)
    return first.translate(_TWINS) + chance.choice("\N{HOT BEVERAGE}\N{HERB}") + second


SPELLINGS: dict[str, Callable[[str, Random], str]] = {
    "digits, and a sign inside": _leet_and_point,
    "look-alikes, and a picture inside": _twins_and_picture,
    "backwards, in digits": lambda word, _: word[::-1].translate(_LEET),
    "every second letter bold in Markdown": lambda word, _: "".join(
        f"**{letter}**" if at % 2 else letter for at, letter in enumerate(word)
    ),
    "letters in brackets": lambda word, _: "".join(f"[{letter}]" for letter in word),
    "slashes between letters": lambda word, _: "/".join(word),
    "variation selectors": lambda word, _: "".join(f"{letter}\ufe0f" for letter in word),
    "two letters swapped": _swapped,
    "a letter left out": _without_a_letter,
    "a letter doubled": _doubled,
    "vowels left out": lambda word, _: (
        word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")
    ),
    "plural": lambda word, _: f"{word}s",
    "HTML entities": lambda word, _: "".join(f"&#{ord(letter)};" for letter in word),
}


def measure() -> dict[str, tuple[int, int]]:
    """Return by spelling how many of how many words were found."""
    terms = lexicon_terms(load_planted_words())
    finder = TermFinder(terms)
    words = [one for one in terms if one.kind is TermKind.TERM and is_disguisable(one.text)]
    chance = Random(7)  # noqa: S311  reproducible, not secret
    found: dict[str, tuple[int, int]] = {}
    for name, spell in SPELLINGS.items():
        hits = [
            any(
                one.term.id == word.id
                for one in finder.find_in("text", f"new {spell(word.text, chance)} today, dm me")
            )
            for word in words
            for _ in range(_TIMES)
        ]
        found[name] = (sum(hits), len(hits))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found = measure()
    if as_json:
        print(json.dumps(found))
        return
    for name, (hits, of) in found.items():
        print(f"{name:<40} {hits}/{of}")


if __name__ == "__main__":
    main()
