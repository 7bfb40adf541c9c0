"""Takes out of words what was put inside them, and remembers each seam.

A word may be split over tags, mentions or lines, parted by punctuation or pictures, or stand in a
compound of capitalised parts. Seams let a term end where the text has no space; ``joins`` says
whether a place between two seams is a disguise.
"""

import re
from bisect import bisect_left, bisect_right
from enum import IntEnum
from itertools import pairwise

from msgspec import Struct

from nightlight.detect.first_look import may_be_capitalised_inside
from nightlight.detect.folding import skeleton_of, without_controls


class Seam(IntEnum):
    """What stood between two parts of a word; of several at one place the greatest counts."""

    CAPITAL = 1
    SIGN = 2
    SPLIT = 3


class Joined(Struct, frozen=True, gc=False):
    """A text with its seams closed: ``kinds[i]`` was between the characters around ``places[i]``.

    Attributes:
        places: offsets in the text, rising.
    """

    text: str
    places: tuple[int, ...]
    kinds: tuple[Seam, ...]

    def __repr__(self) -> str:
        return "<Joined: masked>"

    __str__ = __repr__


_ALNUM = r"[^\W_]"
#: Punctuation, symbols and pictures; no marks, of which other scripts build their words.
SIGNS = (
    r"!-/:-@\[-`{-~\xa1-\xa9\xab-\xb4\xb6-\xb8\xbb-\xbf\xd7\xf7\u2010-\u2027\u2030-\u205e"
    r"\u2190-\u2bff\u3001-\u3003\u3008-\u3020\u30fb\U0001f000-\U0001f12f\U0001f18f-\U0001f1e5"
    r"\U0001f200-\U0001fbff"
)
#: Letters of scripts that part words by spaces; in others a sign between letters parts words.
_LETTER = r"[^\W\d_\u0e00-\u109f\u1780-\u17ff\u2e80-\u9fff]"
#: An apostrophe behind one letter, or before one or two, is ordinary spelling.
_ORDINARY = rf"(?<=['\u2019])(?:(?<=[^a-z][a-z].)|[a-z]{{1,2}}(?!{_ALNUM}))"
_SIGN = re.compile(
    rf"[{SIGNS}](?!{_ORDINARY})(?:"
    rf"(?<={_LETTER}.)[{SIGNS}]{{0,3}}(?={_ALNUM})|(?<={_ALNUM}.)[{SIGNS}]{{0,3}}(?={_LETTER}))"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: Each begins with what it is looked for by, or finding none would take several times as long.
_SPLIT_LINE = re.compile(r"\n(?<=\w.)\s{0,4}[#@]{0,2}(?=\w)", re.DOTALL)
_LINE_END = re.compile(r" {1,3}\n")
_SPLIT_TAG = re.compile(r" (?<=\w.) {0,2}[#@]{1,2}(?=\w)")
_AFTER_TAG = re.compile(r"([#@](?<!\w.)\w++) {1,3}(?=\w)")
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_LINK = re.compile(r"https?://\S++", re.IGNORECASE)

#: Code points that Unicode promises never to use stand for seams while a text is folded.
_MARKS = {"\ufdd0": Seam.CAPITAL, "\ufdd1": Seam.SIGN, "\ufdd2": Seam.SPLIT}
_CAPITAL_MARK, _SIGN_MARK, _SPLIT_MARK = _MARKS
_ANY_MARK = re.compile("[\ufdd0-\ufdd2]")
_SHORTEST_PART = 2


def close_seams(text: str, composed: str, bare: str, *, signs: bool) -> Joined | None:
    """Return the text with its seams closed, None where it has none.

    Args:
        text: as it was written.
        composed: what ``folding`` made of it, capitals and lines kept.
        bare: its skeleton, links left out.
        signs: whether there may be signs inside words.
    """
    if _has_outer_seams(composed):
        marked = without_links(_ANY_MARK.sub("", composed))
        marked = _CAPITAL.sub(_CAPITAL_MARK, marked)
        # Spaces around it, or two words of different scripts would be folded as one.
        marked = _SPLIT_LINE.sub(f" {_SPLIT_MARK} ", _trimmed_lines(marked))
        marked = _SPLIT_TAG.sub(f" {_SPLIT_MARK} ", marked)
        marked = _AFTER_TAG.sub(rf"\1 {_SPLIT_MARK} ", marked)
        # The sign of a mention is no letter, unlike the one inside a word.
        marked = _MENTION.sub("#", marked)
        marked = without_controls(marked) if text.isascii() else skeleton_of(marked)
        marked = marked.replace(f" {_SPLIT_MARK} ", _SPLIT_MARK)
    elif signs:
        marked = _ANY_MARK.sub("", bare)
    else:
        return None
    return _joined(_SIGN.sub(_SIGN_MARK, marked) if signs else marked)


def without_links(text: str) -> str:
    """Return ``text`` with a space for each web address."""
    return _LINK.sub(" ", text) if "://" in text else text


def holds_sign(text: str) -> bool:
    """Return whether a sign stands inside a word."""
    return _SIGN.search(text) is not None


def joins(joined: Joined, start: int, end: int) -> Seam | None:
    """Return which kind of seam lies inside a place or bounds it, None for an ordinary word.

    Nothing is a word split in parts if one part is a single letter.
    """
    places = joined.places
    first, last = bisect_right(places, start), bisect_left(places, end)
    inside = joined.kinds[first:last]
    greatest = max(inside, default=Seam.CAPITAL)
    if greatest is Seam.CAPITAL:
        edges = {_seam_at(joined, start), _seam_at(joined, end)}
        return Seam.CAPITAL if Seam.CAPITAL in edges else None
    if greatest is Seam.SPLIT:
        ends = zip(joined.places[first:last], inside, strict=True)
        cuts = [start, *(place for place, kind in ends if kind is Seam.SPLIT), end]
        if any(b - a < _SHORTEST_PART for a, b in pairwise(cuts)):
            return None
    return greatest


def is_seam(joined: Joined, place: int) -> bool:
    """Say whether there is a seam at this offset."""
    return _seam_at(joined, place) is not None


def _has_outer_seams(composed: str) -> bool:
    if "\n" in composed and _SPLIT_LINE.search(_trimmed_lines(composed)):
        return True
    if ("#" in composed or "@" in composed) and (
        _SPLIT_TAG.search(composed) or _AFTER_TAG.search(composed)
    ):
        return True
    return may_be_capitalised_inside(composed) and _CAPITAL.search(composed) is not None


def _trimmed_lines(text: str) -> str:
    """Return ``text`` without up to three spaces at the end of each line."""
    return _LINE_END.sub("\n", text) if " \n" in text else text


def _seam_at(joined: Joined, place: int) -> Seam | None:
    at = bisect_left(joined.places, place)
    here = at < len(joined.places) and joined.places[at] == place
    return joined.kinds[at] if here else None


def _joined(marked: str) -> Joined | None:
    pieces: list[str] = []
    seams: dict[int, Seam] = {}
    at = done = 0
    for mark in _ANY_MARK.finditer(marked):
        pieces.append(marked[done : mark.start()])
        at += mark.start() - done
        done = mark.end()
        seams[at] = max(seams.get(at, Seam.CAPITAL), _MARKS[mark[0]])
    if not seams:
        return None
    pieces.append(marked[done:])
    return Joined("".join(pieces), tuple(seams), tuple(seams.values()))
