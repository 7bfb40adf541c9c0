"""Which scripts a text is written in, by their ISO 15924 codes."""

import unicodedata
from functools import lru_cache

#: First words of the names of letters, and the code of their script.
_BY_NAME = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "ARMENIAN": "Armn",
    "GEORGIAN": "Geor",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "GURMUKHI": "Guru",
    "GUJARATI": "Gujr",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "KANNADA": "Knda",
    "MALAYALAM": "Mlym",
    "SINHALA": "Sinh",
    "THAI": "Thai",
    "LAO": "Laoo",
    "MYANMAR": "Mymr",
    "KHMER": "Khmr",
    "TIBETAN": "Tibt",
    "ETHIOPIC": "Ethi",
    "HANGUL": "Hang",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "CJK": "Hani",
}
#: Codes of writing that mixes scripts, or of one way to write another.
_MIXED = {
    "Jpan": {"Hani", "Hira", "Kana"},
    "Kore": {"Hang", "Hani"},
    "Hans": {"Hani"},
    "Hant": {"Hani"},
}


def scripts_in(text: str) -> frozenset[str]:
    """Return the codes of the scripts that a text has letters of."""
    return frozenset(map(_script_of, set(text))) - {""}


def is_among(script: str, found: frozenset[str]) -> bool:
    """Return whether a script is among those found, or none was found at all."""
    return not found or not _MIXED.get(script, {script}).isdisjoint(found)


@lru_cache(maxsize=1 << 14)
def _script_of(char: str) -> str:
    if not char.isalpha():
        return ""
    return _BY_NAME.get(unicodedata.name(char, "").partition(" ")[0], "other")
