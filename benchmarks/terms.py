"""Measures finding terms in posts: ``python -m benchmarks.terms``.

A town's posts, half of them ASCII, some with a disguised term of a made lexicon, are searched by
a plain Aho-Corasick pass, by tokens as automod-style word rules do it, and by Nightlight: finding
alone, and with both detectors that ask for it.
``--linear`` instead measures how the time grows with the length of texts made to be slow.
"""

import argparse
import gc
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from benchmarks.machine import describe_machine
from benchmarks.terms_linear import linear_table
from benchmarks.terms_tokens import token_finder
from nightlight.detect import normalise
from nightlight.detect.folding import composed_and_folded
from nightlight.detect.offer import Offer
from nightlight.detect.term_finder import TermFinder
from nightlight.detect.term_match import TermMatch
from nightlight.model.context import Context
from nightlight.model.event import Event, EventType, PostCreated
from nightlight.model.ids import EventKey
from nightlight.model.lexicon import Term
from nightlight.town import TownPlan, build_town
from nightlight.town.disguise import DISGUISES, UNSEEN_DISGUISES, spell

_CONSONANTS = "bcdfghjklmnprstvwz"
_VOWELS = "aeiou"
_REPEATS = 5
_PART = 250
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Measured(Struct, frozen=True, kw_only=True):
    """What one engine did over the same posts.

    Attributes:
        mib: what building it added to the process's memory.
        found: share of the posts with a planted term in which it was found.
    """

    terms: int
    engine: str
    posts_per_s: float
    build_s: float
    mib: float
    found: float


class Posts(Struct, frozen=True, kw_only=True):
    """Posts to search; those in ``planted`` hold a term, each in some spelling."""

    texts: list[str]
    planted: dict[int, str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    parser = argparse.ArgumentParser(description="Measure finding terms in posts.")
    parser.add_argument("--posts", type=int, default=20_000, help="how many posts")
    parser.add_argument("--terms", default="1000,10000,100000", help="sizes of lexicons")
    parser.add_argument("--share", type=float, default=0.05, help="share of posts with a term")
    parser.add_argument("--linear", action="store_true", help="how time grows with length")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
    if options.linear:
        print(*linear_table(json_lines=options.json), sep="\n")
        return
    if not options.json:
        print(_HEADER)
    for count in (int(one) for one in options.terms.split(",")):
        measured = measure(count, options.posts, options.share)
        for one in measured:
            shown = json.dumps(msgspec.to_builtins(one)) if options.json else _row(one, measured[0])
            print(shown, flush=True)


def made_terms(count: int) -> list[str]:
    """Return so many different nonsense words of six letters or more, always the same."""
    rng = Random(7)  # noqa: S311  made words, the same each time
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = (
            rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + rng.choice(("", *_CONSONANTS))
            for _ in range(rng.randint(3, 4))
        )
        found["".join(syllables)] = None
    return list(found)


def made_posts(count: int, terms: Sequence[str], share: float = 0.05) -> Posts:
    """Return a town's posts, every second one ASCII, some with a term in some spelling."""
    rng = Random(11)  # noqa: S311  made posts, the same each time
    town = build_town(
        TownPlan(seed=5, accounts=max(100, count // 12), posts=max(500, 2 * count), media=False)
    )
    written = _texts(town.events())
    plain = [one for one in written if one.isascii()][: count // 2]
    other = [one for one in written if not one.isascii()][: count // 2]
    texts = plain + other
    rng.shuffle(texts)
    planted: dict[int, str] = {}
    spellings = [*DISGUISES, *UNSEEN_DISGUISES]
    for number, text in enumerate(texts):
        if rng.random() < share:
            planted[number] = rng.choice(terms)
            texts[number] = f"{text} {spell(planted[number], rng.choice(spellings), rng)}"
    return Posts(texts=texts, planted=planted)


def _texts(events: Iterator[bytes]) -> list[str]:
    read = (json.loads(line)["data"] for line in events)
    return [data["text"] for data in read if data.get("text")]


def measure(count: int, posts: int, share: float = 0.05) -> list[Measured]:
    """Return what each engine did with so many terms, Nightlight first."""
    terms = made_terms(count)
    made = made_posts(posts, terms, share)
    listed = [Term(id=f"t{number}", text=text) for number, text in enumerate(terms)]
    text_of = dict(enumerate(terms))

    def own() -> Callable[[str], set[str]]:
        finder = TermFinder(listed)
        return lambda text: {one.term.text for one in finder.find_in("text", text)}

    def plain_pass() -> Callable[[str], set[str]]:
        automaton = AhoCorasick(
            terms, store_patterns=False, implementation=Implementation.ContiguousNFA
        )
        return lambda text: {
            text_of[hit[0]]
            for hit in automaton.find_matches_as_indexes(text.casefold(), overlapping=True)
        }

    def detectors() -> Callable[[str], set[str]]:
        finder = TermFinder(listed)
        term_match, offer = TermMatch(finder), Offer(finder)
        none = Context()

        def find(text: str) -> set[str]:
            event = _posted(text)
            signals = [*term_match.detect(event, none), *offer.detect(event, none)]
            return {one.term.text for one in finder.find(event)} if signals else set()

        return find

    engines = {
        "Nightlight, finding terms": own,
        "Nightlight, with both detectors": detectors,
        "plain Aho-Corasick pass": plain_pass,
        "tokens in a set, automod-style": lambda: token_finder(terms),
    }
    return [_measure(name, build, count, made) for name, build in engines.items()]


def _posted(text: str) -> Event:
    return Event(
        key=EventKey("benchmark"),
        source="benchmark",
        id="benchmark",
        type=EventType.POST_CREATED,
        time=_AT,
        data=PostCreated(post_id="post", account_id="account", text=text),
    )


def _measure(
    name: str, build: Callable[[], Callable[[str], set[str]]], count: int, posts: Posts
) -> Measured:
    """Return the best of several goes over each part of the posts: the machine may be busy."""
    gc.collect()
    before, started = _memory(), time.process_time()
    find = build()
    build_s = time.process_time() - started
    gc.collect()
    mib = (_memory() - before) / 2**20
    parts = [posts.texts[at : at + _PART] for at in range(0, len(posts.texts), _PART)]
    took = sum(min(_seconds(find, part) for _ in range(_REPEATS)) for part in parts)
    right = sum(term in find(posts.texts[number]) for number, term in posts.planted.items())
    return Measured(
        terms=count,
        engine=name,
        posts_per_s=len(posts.texts) / took,
        build_s=build_s,
        mib=max(0.0, mib),
        found=right / max(1, len(posts.planted)),
    )


def _seconds(find: Callable[[str], set[str]], texts: Sequence[str]) -> float:
    composed_and_folded.cache_clear()
    normalise.views.cache_clear()
    started = time.process_time()
    for text in texts:
        find(text)
    return time.process_time() - started


def _memory() -> int:
    """Return the memory of this process's own, 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


_HEADER = (
    "| terms | engine | posts/s | against Nightlight | to build, s | memory, MiB | found |\n"
    "| ---: | --- | ---: | ---: | ---: | ---: | ---: |"
)


def _row(one: Measured, own: Measured) -> str:
    cells = (
        f"{one.terms:,}",
        one.engine,
        f"{one.posts_per_s:,.0f}",
        f"{one.posts_per_s / own.posts_per_s:.2f} x",
        f"{one.build_s:.1f}",
        f"{one.mib:,.0f}",
        f"{one.found:.1%}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
