"""Measures searching what is stored for what is new on a list: ``python -m benchmarks.hunts``.

A town's events, told again and again under new names until the window is as large as asked for, lie
in the event log; among them adverts for ten words that no list has, in every spelling. Then the
words come onto a lexicon, and the hunt that begins is carried out in steps as the worker does it.
``--files`` measures the same for hashes: files whose hashes and views are known, and two new ones.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.machine import describe_machine
from nightlight.bootstrap import build_services
from nightlight.detect.hunting import Hunt, HuntState
from nightlight.ingest.envelope import build_event, parse_event
from nightlight.model.audit import AuditEntry
from nightlight.model.context import MediaContext
from nightlight.model.event import Event, EventType, MediaUploaded, PostCreated
from nightlight.model.ids import AccountId, MediaId, event_key
from nightlight.model.media import MediaHashes, Scan, ScanState, ViewHash
from nightlight.services import Services
from nightlight.settings import read_settings
from nightlight.town import TownPlan, build_town
from nightlight.town.disguise import DISGUISES, UNSEEN_DISGUISES, spell

#: Posts of the town that is told again, and one planted advert in so many of its events.
_TOLD, _PLANTED_EVERY = 20_000, 20_000
_WORDS = (
    *("plimquater", "vorbledash", "snizzlecrump", "gorpwhistle", "twindlefrop"),
    *("brackenflim", "dozzlewick", "fumblekrant", "hestermoop", "jibberlane"),
)
_ADVERT = "fresh {word} in stock today, {n} coins each, price list on request, dm me"
_BATCH = 20_000
_VIEWS, _HASHES = 117, 2
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ENTRY = AuditEntry(actor="benchmark", action="events.processed", subject="a window")


class Measured(Struct, frozen=True, kw_only=True):
    """What a hunt over one window took; ``found`` of ``planted`` were found.

    Attributes:
        posts: posts, or files, in the window.
        gib: the database.
        cpu_s, wall_s: for the whole hunt, its findings judged and stored.
        longest_step_s: how long at most the worker was kept from other work.
    """

    kind: str
    posts: int
    events: int
    gib: float
    cpu_s: float
    wall_s: float
    longest_step_s: float
    planted: int
    found: int

    @property
    def events_per_s(self) -> float:
        """Events of the window a second of processor time."""
        return self.events / self.cpu_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size and print it."""
    parser = argparse.ArgumentParser(description="Measure hunts.")
    parser.add_argument("--posts", default="100000,1000000", help="posts, each size")
    parser.add_argument("--files", default="", help="instead: files, each size")
    parser.add_argument("--folder", type=Path, help="a place with room: 2 GiB a million posts")
    parser.add_argument("--json", action="store_true", help="print one JSON object a size")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
        print(_HEADER)
    for size in (int(one) for one in (options.files or options.posts).split(",")):
        with TemporaryDirectory(dir=options.folder) as folder:
            home = Path(folder)
            one = measure_files(size, home) if options.files else measure_posts(size, home)
        print(json.dumps(msgspec.to_builtins(one)) if options.json else _row(one), flush=True)


def measure_posts(posts: int, home: Path) -> Measured:
    """Return what a hunt for words over so many posts took."""
    services = _services(home)
    planted = 0
    for part in _parts(_window(posts)):
        planted += sum(one.source == "planted" for one in part)
        _store(services, part)
    lines = [f'{{"text": "{word}", "kind": "term", "severity": 80}}' for word in _WORDS]
    lines.append('{"text": "price list", "kind": "cue"}')
    services.lists.import_lexicon("new", lines, actor="benchmark", reason="measuring")
    return _hunted(services, home, posts=posts, planted=planted)


def measure_files(files: int, home: Path) -> Measured:
    """Return what a hunt for hashes over so many files took."""
    services = _services(home)
    rng = Random(3)  # noqa: S311  made hashes, the same each time
    planted: list[str] = []
    for part in _parts(_uploads(files)):
        media = [_scanned(one, rng) for one in part]
        if not planted:
            planted = [one.scan.hashes.pdq for one in media[:: max(1, len(media) // _HASHES)]]
        _store(services, part, media)
    lines = [f'{{"kind": "pdq", "value": "{value}"}}' for value in planted]
    services.banks.import_entries("new", lines, actor="benchmark", reason="measuring")
    services.hunts.ask(lexicon="", bank="new", actor="benchmark", reason="measuring")
    return _hunted(services, home, posts=files, planted=len(planted))


def _services(home: Path) -> Services:
    return build_services(read_settings({"NIGHTLIGHT_HOME": str(home)}))


def _window(posts: int) -> Iterator[Event]:
    """Yield a town's events until there were so many posts, some of them adverts for the words."""
    rng = Random(7)  # noqa: S311  made posts, the same each time
    plan = TownPlan(seed=9, accounts=_TOLD // 12, posts=min(posts, _TOLD), media=False)
    told = [parse_event(line) for line in build_town(plan).events()]
    spellings = [*DISGUISES, *UNSEEN_DISGUISES]
    written = number = 0
    while written < posts:
        for event in told:
            number += 1
            data = event.data
            source = f"again {number}"
            if isinstance(data, PostCreated):
                written += 1
                data = replace(data, post_id=f"{data.post_id}-{number}")
            if number % _PLANTED_EVERY == 0:
                word = spell(rng.choice(_WORDS), rng.choice(spellings), rng)
                said = _ADVERT.format(word=word, n=rng.randint(2, 90))
                post_id = f"planted-{number}"
                source = "planted"
                data = PostCreated(post_id=post_id, account_id=event.account_id, text=said)
            kind = EventType.POST_CREATED if source == "planted" else event.type
            key = event_key(source, str(number))
            yield replace(event, key=key, source=source, id=str(number), type=kind, data=data)
            if written >= posts:
                return


def _uploads(files: int) -> Iterator[Event]:
    for number in range(files):
        data = MediaUploaded(media_id=f"media-{number}", account_id=f"account-{number % 1000}")
        yield build_event(
            source="made",
            event_id=str(number),
            event_type=EventType.MEDIA_UPLOADED,
            time=_AT,
            data=data,
        )


def _scanned(event: Event, rng: Random) -> MediaContext:
    made = [f"{rng.getrandbits(256):064x}" for _ in range(_VIEWS + 1)]
    views = tuple(ViewHash(view=f"view-{at}", pdq=one, quality=100) for at, one in enumerate(made))
    hashes = MediaHashes(
        md5=f"{rng.getrandbits(128):032x}", pdq=made[0], pdq_quality=100, views=views[1:]
    )
    return MediaContext(
        media_id=MediaId(event.media_id),
        account_id=AccountId(event.account_id),
        scan=Scan(state=ScanState.SCANNED, hashes=hashes),
        uploaded_at=_AT,
        event_key=event.key,
    )


def _parts(events: Iterator[Event]) -> Iterator[list[Event]]:
    while part := list(islice(events, _BATCH)):
        yield part


def _store(services: Services, events: Sequence[Event], media: Iterable[MediaContext] = ()) -> None:
    """Put events into the log as if they had been judged, and nothing found in them."""
    with services.unit_of_work.begin() as tx:
        tx.events.offset()
        logged = tx.events.append(events, at=_AT)
        tx.context.save(accounts=(), posts=(), media=media)
        tx.events.advance(logged[-1].seq)
        tx.commit(_ENTRY)


def _hunted(services: Services, home: Path, *, posts: int, planted: int) -> Measured:
    """Return what carrying out the only hunt took."""
    cpu, wall, longest = time.process_time(), time.perf_counter(), 0.0
    hunt: Hunt | None = None
    while hunt is None or hunt.state is not HuntState.DONE:
        began = time.perf_counter()
        hunt = services.hunts.step()
        longest = max(longest, time.perf_counter() - began)
        if hunt is None:
            raise RuntimeError("no hunt waits")
    _, findings = services.hunts.get(hunt.id, findings=10 * planted + 10)
    return Measured(
        kind=hunt.kind.value,
        posts=posts,
        events=hunt.to_seq,
        gib=sum(one.stat().st_size for one in home.rglob("*.db*")) / 2**30,
        cpu_s=time.process_time() - cpu,
        wall_s=time.perf_counter() - wall,
        longest_step_s=longest,
        planted=planted,
        found=len(findings),
    )


_HEADER = (
    "| looked for | posts or files | events | GiB | CPU s | wall s | events a CPU second |"
    " longest step, s | found |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
)


def _row(one: Measured) -> str:
    cells = (
        one.kind,
        f"{one.posts:,}",
        f"{one.events:,}",
        f"{one.gib:.2f}",
        f"{one.cpu_s:.1f}",
        f"{one.wall_s:.1f}",
        f"{one.events_per_s:,.0f}",
        f"{one.longest_step_s:.2f}",
        f"{one.found:,} of {one.planted:,}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
