"""HTML that a platform delivers becomes the text a person reads.

Its own small tokenizer, linear in the input: the standard library's parser takes half a minute
for 200 kB of unclosed comments (Python 3.11). Markup it cannot make out stays as text, so no
malformed tag hides what was written.
"""

import html
import re
from typing import Final

_TAG = re.compile(r"""[a-zA-Z/!?](?:[^"'>]|"[^"]*+"|'[^']*+')*+>""")
_TAG_NAME = re.compile(r"/?([a-zA-Z0-9]*)")
_LEADING_ZEROS = re.compile(r"&#0++(?=[0-9])")
# No character has a number this long; int() would refuse thousands of digits.
_TOO_LARGE = re.compile(r"&#[0-9]{8,}+;?")
_SPACES = re.compile(r"[ \t\r\n]+")
_BREAKS = re.compile(r"\n{2,}")
_BLOCKS: Final = frozenset(
    {"p", "br", "div", "li", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
)


def text_of_html(source: str) -> str:
    """Return the text: blocks and breaks on lines of their own, entities as characters."""
    first, *pieces = source.split("<")
    parts = [_plain(first)]
    for piece in pieces:
        tag, rest = _split_tag(piece)
        parts.append("\n" if tag in _BLOCKS else "")
        parts.append(_plain(rest))
    lines = (line.strip(" ") for line in "".join(parts).split("\n"))
    return _BREAKS.sub("\n", "\n".join(lines)).strip("\n")


def _split_tag(piece: str) -> tuple[str, str]:
    """Return the tag's name and what follows it; without a tag, the piece as it stood."""
    if found := _TAG.match(piece):
        name = _TAG_NAME.match(piece)
        return (name[1].lower() if name else ""), piece[found.end() :]
    return "", f"<{piece}"


def _plain(text: str) -> str:
    spaced = _SPACES.sub(" ", text)
    bounded = _TOO_LARGE.sub("\N{REPLACEMENT CHARACTER}", _LEADING_ZEROS.sub("&#", spaced))
    return html.unescape(bounded)
