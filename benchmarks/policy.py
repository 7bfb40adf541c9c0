"""Measures the policy evaluator alone, on every event: ``python -m benchmarks.policy``.

``nightlight run`` evaluates rules only on events with signals. Engines such as Osprey evaluate
theirs on every event, so that is what all are asked here: the facts of each event of a town, with
or without signals, prepared beforehand.
"""

import argparse
import json
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Self

import msgspec
from msgspec import Struct

from benchmarks.engines import Engine, Facts, own_engines, peer_engines
from benchmarks.machine import describe_machine
from benchmarks.published import osprey
from benchmarks.rules import make_rules
from nightlight.decide.facts import CONTEXT_FACTS, declare_facts, gather_facts
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.known import Known
from nightlight.detect.term_finder import TermFinder
from nightlight.exchange.lexicon_file import parse_lexicon
from nightlight.ingest.envelope import parse_event
from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.event import Event
from nightlight.model.ids import AccountId, EventKey, MediaId, PostId
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken
from nightlight.model.media import Scan
from nightlight.model.word_use import Answered, Counted, Users, Word, WordUse
from nightlight.services.rules import build_detectors
from nightlight.town import TownPlan, build_town

_EVENTS_A_POST = 2.5
_REPEATS = 5


class Measured(Struct, frozen=True, kw_only=True):
    """What one engine did; ``holding`` is how often a rule held, the same for all engines."""

    engine: str
    rules: int
    events: int
    events_per_s: float
    holding: int

    @property
    def evaluations_per_s(self) -> float:
        """Rules evaluated a second."""
        return self.events_per_s * self.rules


class _NoWords:
    """Counts the words of nobody."""

    def is_counted(self, users: Users, account_id: AccountId) -> bool:  # noqa: ARG002  protocol
        return False

    def add(self, uses: Iterable[WordUse]) -> None:
        pass

    def token_of(self, word: Word) -> int:  # noqa: ARG002  protocol
        return 0

    def totals(self) -> Mapping[Users, int]:
        return {}

    def counted(self, *, least: int) -> list[Counted]:  # noqa: ARG002  protocol
        return []

    def answer(self, answers: Iterable[Answered]) -> None:
        pass

    def answered(self) -> list[Answered]:
        return []


class _Nothing:
    """A store that knows nothing: the whole town is one batch."""

    def accounts(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:  # noqa: ARG002  protocol
        return {}

    def posts(self, ids: Collection[PostId]) -> dict[PostId, PostContext]:  # noqa: ARG002  protocol
        return {}

    def media(self, ids: Collection[MediaId]) -> dict[MediaId, MediaContext]:  # noqa: ARG002  protocol
        return {}

    def tombstones(
        self,
        ids: Collection[AccountId],  # noqa: ARG002  protocol
        *,
        deleted_after: datetime,  # noqa: ARG002  protocol
        each: int,  # noqa: ARG002  protocol
    ) -> dict[AccountId, list[PostContext]]:
        return {}

    def posted_since(
        self,
        ids: Collection[AccountId],  # noqa: ARG002  protocol
        *,
        posted_after: datetime,  # noqa: ARG002  protocol
        each: int,  # noqa: ARG002  protocol
    ) -> dict[AccountId, list[PostContext]]:
        return {}

    def posts_of(self, account_id: AccountId, limit: int) -> list[PostContext]:  # noqa: ARG002  protocol
        return []

    def recent_scans(self, limit: int) -> Iterator[Scan]:  # noqa: ARG002  protocol
        return iter(())

    @property
    def word_uses(self) -> "_NoWords":
        return _NoWords()

    @property
    def context(self) -> Self:
        return self

    @property
    def events(self) -> Self:
        return self

    @property
    def links(self) -> Self:
        return self

    def post_times(
        self,
        ids: Collection[AccountId],  # noqa: ARG002  protocol
        *,
        posted_after: datetime,  # noqa: ARG002  protocol
        each: int,  # noqa: ARG002  protocol
    ) -> dict[AccountId, dict[PostId, datetime]]:
        return {}

    def stopped(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:  # noqa: ARG002  protocol
        return {}

    def keyed(self, marks: Iterable[LinkMark]) -> tuple[LinkToken, ...]:
        return tuple(LinkToken(kind=one.kind, value=hash(one.text)) for one in marks)

    def add(self, links: Iterable[Link]) -> None:
        raise NotImplementedError

    def of_account(
        self,
        account_id: AccountId,  # noqa: ARG002  protocol
        limit: int,  # noqa: ARG002  protocol
        *,
        kinds: Collection[LinkKind] = (),  # noqa: ARG002  protocol
    ) -> list[Link]:
        return []

    def holders(self, tokens: Collection[int], *, most: int) -> dict[int, list[Link]]:  # noqa: ARG002  protocol
        return {}

    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]:  # noqa: ARG002  protocol
        return {}

    def save(self, **_: object) -> None:
        raise NotImplementedError


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    parser = argparse.ArgumentParser(description="Measure the policy evaluator on every event.")
    parser.add_argument("--events", type=int, default=20_000, help="how many events")
    parser.add_argument("--rules", default="1,100", help="numbers of policy rules")
    parser.add_argument("--peers", type=Path, help="folder that peers are installed in")
    parser.add_argument("--json", action="store_true", help="print one JSON object an engine")
    options = parser.parse_args(arguments)
    if options.peers:
        # Last, so that what peers depend on does not take the place of what Nightlight does.
        sys.path.append(str(options.peers))
    if not options.json:
        print(describe_machine())
        print(_HEADER)
    declared, facts = facts_of_town(options.events)
    missing: list[str] = []
    for count in (int(one) for one in options.rules.split(",")):
        measured, missing = compare(declared, facts, count)
        for one in measured:
            built = msgspec.to_builtins(one)
            print(json.dumps(built) if options.json else _row(one, measured[0]))
    if not options.json:
        print(*_notes(missing, facts), sep="\n")


def facts_of_town(events: int) -> tuple[Facts, list[Facts]]:
    """Return the detectors' neutral facts, and all facts of each of so many events of a town."""
    posts = max(500, round(events / _EVENTS_A_POST))
    town = build_town(TownPlan(seed=7, accounts=max(100, posts // 12), posts=posts, media=False))
    lines = list(islice(town.events(), events))
    with TemporaryDirectory() as folder:
        town.write_materials(Path(folder) / "town")
        lexicon = (Path(folder) / "town.lexicon.ndjson").read_text(encoding="utf-8").splitlines()
    terms, _ = parse_lexicon(lexicon, name="town")
    detectors = build_detectors(BankIndex(()), TermFinder(terms))
    declared = {name: value for one in detectors for name, value in one.facts.items()}
    neutral = declare_facts(declared)

    def each() -> Iterator[Facts]:
        known = Known()
        read = [parse_event(line) for line in lines]
        known.load(read, _Nothing())
        for event in read:
            context = known.context_for(event)
            signals = [one for detector in detectors for one in detector.detect(event, context)]
            yield gather_facts(neutral, event, context, signals)
            known.advance(event)

    return declared, list(each())


def compare(
    declared: Facts, facts: Sequence[Facts], count: int
) -> tuple[list[Measured], list[str]]:
    """Return what each engine did with ``count`` rules, and the peers that are not installed.

    Raises:
        RuntimeError: two engines disagree about which rules hold.
    """
    types = {name: type(value).__name__ for name, value in {**CONTEXT_FACTS, **declared}.items()}
    rules = make_rules(types, count)
    own = own_engines(rules, declared)
    peers, missing = peer_engines(rules)
    sample = facts[: max(1, len(facts) // 100)]
    held = {one.name: [one.evaluate(each) for each in sample] for one in (*own, *peers)}
    for name, found in held.items():
        if found != held[own[0].name]:
            raise RuntimeError(f"{name} disagrees about which rules hold")
    return [_measure(engine, facts, count) for engine in (*own, *peers)], missing


def _measure(engine: Engine, facts: Sequence[Facts], rules: int) -> Measured:
    """Return the median of several goes, by processor time: the machine may be busy."""
    asked = facts[: max(1, round(len(facts) * engine.share / _REPEATS)) * _REPEATS]
    each = len(asked) // _REPEATS
    took: list[float] = []
    holding = 0
    for start in range(0, len(asked), each):
        part = asked[start : start + each]
        started = time.process_time()
        holding += sum(map(engine.evaluate, part))
        took.append((time.process_time() - started) / len(part))
    return Measured(
        engine=engine.name,
        rules=rules,
        events=len(asked),
        events_per_s=1 / max(median(took), 1e-9),
        holding=holding,
    )


_HEADER = (
    "| rules | engine | events/s | evaluations/s | Nightlight is | against Osprey's published |\n"
    "| ---: | --- | ---: | ---: | ---: | ---: |"
)


def _row(one: Measured, own: Measured) -> str:
    published = osprey(one.rules)
    cells = (
        f"{one.rules}",
        one.engine,
        f"{one.events_per_s:,.0f}",
        f"{one.evaluations_per_s:,.0f}",
        f"{own.events_per_s / one.events_per_s:,.1f} x",
        published.ratio(one.events_per_s) if published else "",
    )
    return f"| {' | '.join(cells)} |"


def _notes(missing: Sequence[str], facts: Sequence[Facts]) -> Iterator[str]:
    different = len({repr(each) for each in facts})
    yield ""
    yield f"{len(facts):,} events, {different:,} different combinations of facts."
    yield "Osprey cannot be installed from PyPI and was not run: its figures are published ones."
    if missing:
        yield (
            f"Not installed, so not measured: {', '.join(missing)}."
            f" To compare: python -m pip install --target PEERS {' '.join(missing)}"
            " && python -m benchmarks.policy --peers PEERS"
        )


if __name__ == "__main__":
    main()
