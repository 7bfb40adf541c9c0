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
    "small_capitals",
    "mathematical",
    "circled",
    "flag_letters",
    "upside_down",
    "reversed",
    "split_tags",
    "split_line",
    "camel_tag",
    "emoji_inside",
    "punctuated",
    "masked_vowels",
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
_PICTURES = ("\N{HOT BEVERAGE}", "\N{HERB}", "\N{GLOWING STAR}", "\N{SNOWFLAKE}")
_CLUBS = ("Club", "Friends", "Daily", "")
_SMALL_CAPITALS = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
_TURNED = str.maketrans("abcdefghijklmnopqrtuvwy", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹʇnʌʍʎ")  # noqa: RUF001  on purpose


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


def _shifted(first: int) -> Callable[[str, Random], str]:
    """Return a spelling in letters that stand one after the other from a code point on."""
    return lambda word, _: "".join(chr(first + ord(letter) - ord("a")) for letter in word)


def _cut(word: str, rng: Random) -> tuple[str, str]:
    place = rng.randint(3, len(word) - 3)
    return word[:place], word[place:]


def _put_in(word: str, rng: Random, signs: tuple[str, ...]) -> str:
    return pick(rng, signs).join(_cut(word, rng))


def _split_tags(word: str, rng: Random) -> str:
    return " ".join(f"#{part}" for part in _cut(word, rng))


def _camel_tag(word: str, rng: Random) -> str:
    return f"#{word.title()}{pick(rng, _CLUBS)}"


def _masked_vowels(word: str, rng: Random) -> str:
    sign = pick(rng, ("*", "#", "_"))
    return word[0] + "".join(sign if letter in "aeiou" else letter for letter in word[1:])


#: Spellings that no part of Nightlight was fitted to; ``TownPlan.unseen`` asks for them.
_UNSEEN: dict[Disguise, Callable[[str, Random], str]] = {
    "small_capitals": lambda word, _: word.translate(_SMALL_CAPITALS),
    "mathematical": _shifted(0x1D41A),
    "circled": _shifted(0x24D0),
    "flag_letters": _shifted(0x1F1E6),
    "upside_down": lambda word, _: word.translate(_TURNED)[::-1],
    "reversed": lambda word, _: word[::-1],
    "split_tags": _split_tags,
    "split_line": lambda word, rng: _put_in(word, rng, ("\n", "\n\n")),
    "camel_tag": _camel_tag,
    "emoji_inside": lambda word, rng: _put_in(word, rng, _PICTURES),
    "punctuated": lambda word, rng: _put_in(word, rng, (".", "-", "/", "'", "][")),
    "masked_vowels": _masked_vowels,
}

DISGUISES: tuple[Disguise, ...] = tuple(_SPELLINGS)
UNSEEN_DISGUISES: tuple[Disguise, ...] = ("plain", *_UNSEEN)


def is_disguisable(term: str) -> bool:
    """Return whether every disguise can spell the term: one word of Latin letters."""
    return term.isascii() and term.isalpha()


def spell(term: str, disguise: Disguise, rng: Random) -> str:
    """Return the term in that spelling; one that is no single Latin word stays plain."""
    return (_SPELLINGS | _UNSEEN)[disguise](term, rng) if is_disguisable(term) else term
