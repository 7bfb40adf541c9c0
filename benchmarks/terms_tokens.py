"""Word rules as automod-style engines have them: cut a text into tokens and look each up."""

import re
from collections.abc import Callable, Iterable

_NOT_WORD = re.compile(r"\W+")


def token_finder(terms: Iterable[str]) -> Callable[[str], set[str]]:
    """Return what finds single-word terms by case folding, cutting and looking up."""
    known = frozenset(terms)
    return lambda text: {one for one in _NOT_WORD.split(text.casefold()) if one in known}
