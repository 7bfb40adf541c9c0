"""Texts that are made to be slow to search, and how the time grows when they get longer."""

import json
import time
from collections.abc import Iterator

from nightlight.detect import normalise
from nightlight.detect.folding import composed_and_folded
from nightlight.detect.term_finder import TermFinder
from nightlight.model.lexicon import Beside, Term, TermForm

_LENGTHS = (2_000, 20_000, 200_000)
_REPEATS = 3
#: Each is repeated to the length asked for.
ADVERSARIAL = {
    "one letter": "a",
    "letters and spaces": "a ",
    "letters and stops": "a.",
    "two letters and signs": "a-b_",
    "masked": "z*",
    "long masked words": "zrb*" * 15 + " ",
    "capitals inside": "aA",
    "lines": "zorb\n",
    "blank lines": "a" + " \n" * 8,
    "tags": "#zorb ",
    "tag signs": "#@",
    "mentions": "@a ",
    "leet": "z0",
    "drawn letters": "|_|()",
    "doubled letters": "aabb",
    "marks": "a\u0301\u0316",
    "only marks": "\u0316\u0301",
    "look-alikes and native": "\u043e\u0436 a\u0436 ",
    "upside down": "\u0250\u01dd",
    "surrogates": "\ud800",
    "zero width": "z\u200b",
    "digits": "1",
    "spaces": " ",
    "slashes of links": "http://",
    "joined pictures": "\U0001f993\u200d",
    "the term itself": "zorble ",
    "the term run together": "zorble",
    "masked term": "z*rble ",
    "tagged term": "#zorble",
    "price after price": "$1 ",
}
_TERMS = (
    Term(id="t1", text="zorble", variants=("a", "aa")),
    Term(id="t2", text="zrbzrb"),
    Term(id="t3", text="zorble", near="zorble", within=3),
    Term(id="t4", text="zorble", beside=Beside.PRICE, within=3, script="Latn"),
    Term(id="t5", text="zorble", form=TermForm.HASHTAG),
    Term(id="t6", text="AB", form=TermForm.ABBREVIATION, case_sensitive=True),
)


def linear_table(*, json_lines: bool = False) -> Iterator[str]:
    """Yield a line for each kind of text: nanoseconds a character at each length."""
    finder = TermFinder(_TERMS)
    if not json_lines:
        lengths = " | ".join(f"{one:,} characters" for one in _LENGTHS)
        yield f"| text | {lengths} | longest against shortest |"
        yield "| --- | ---: | ---: | ---: | ---: |"
    for name, unit in ADVERSARIAL.items():
        took = [_ns_a_character(finder, unit, length) for length in _LENGTHS]
        growth = took[-1] / took[0]
        if json_lines:
            yield json.dumps({"text": name, "ns_a_character": took, "growth": growth})
        else:
            cells = " | ".join(f"{one:,.0f} ns" for one in took)
            yield f"| {name} | {cells} | {growth:.1f} x |"


def _ns_a_character(finder: TermFinder, unit: str, length: int) -> float:
    text = (unit * (length // len(unit) + 1))[:length]
    took = []
    for _ in range(_REPEATS):
        composed_and_folded.cache_clear()
        normalise.views.cache_clear()
        started = time.process_time_ns()
        for _found in finder.find_in("text", text):
            pass
        took.append(time.process_time_ns() - started)
    return min(took) / length
