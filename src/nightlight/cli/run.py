"""``nightlight run``: the main job on files or a pipe."""

import re
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Annotated, Self

import typer
from msgspec import Struct
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nightlight.cli.console import err, print_json
from nightlight.cli.events_in import Source, open_sources
from nightlight.cli.scoring import print_scorecard, write_scorecard
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.ingest.formats import Format
from nightlight.ingest.lines import Rejected
from nightlight.measure.truth import Truth, parse_truth
from nightlight.model.event import Event
from nightlight.pipeline import Batch, Judged
from nightlight.services import Services
from nightlight.services.intake import quarantine
from nightlight.services.lists import read_list

_NAME_OF_TRUTH = "TRUTH"
_REASONS_SHOWN = 5


class Tally:
    """What a run came to, counted batch by batch."""

    def __init__(self) -> None:
        self.events = 0
        self.duplicates = 0
        self.unscanned = 0
        self.delivered = 0
        self.rejected: Counter[str] = Counter()
        self.signals: Counter[str] = Counter()
        self.decisions: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.cases: set[str] = set()
        self.started = perf_counter()

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.events += batch.events
        self.duplicates += batch.duplicates
        self.unscanned += batch.unscanned
        self.signals.update(signal.detector for signal in batch.signals)
        for one in batch.judged:
            self.decisions[one.decision.category] += 1
            self.effects.update(effect.kind.value for effect in one.plan.effects)
            if one.case_id:
                self.cases.add(one.case_id)

    @property
    def seconds(self) -> float:
        """How long the run took so far."""
        return perf_counter() - self.started


class Outcome(Struct, frozen=True, kw_only=True):
    """One decision as printed on stdout."""

    decision: str
    time: str
    subject: str
    account: str
    category: str
    severity: int
    rules: list[str]
    effects: list[str]
    withheld: list[str]
    signals: list[str]
    case: str | None
    policy: str


def run(
    *,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Event files; - reads from a pipe.")
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Answer sheet (as `nightlight town` writes it): score the findings against it. "
            "The hash bank and lexicon that it names are imported first.",
        ),
    ] = None,
    scorecard: Annotated[
        Path | None, typer.Option(help="Write the scores here as JSON (needs --truth).")
    ] = None,
    media_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder for media urls that are relative; by default that of --truth, then "
            "NIGHTLIGHT_MEDIA_ROOT.",
        ),
    ] = None,
    source_format: Annotated[
        Format, typer.Option("--format", help="How to read the lines; auto looks at each.")
    ] = Format.AUTO,
    batch: Annotated[
        int, typer.Option(min=1, max=20_000, help="Events judged in one transaction.")
    ] = 4_000,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Judge every event in FILES and print each decision as a line of JSON.

    Reads CloudEvents 1.0 JSON lines, AT Protocol Jetstream lines and Mastodon statuses. What was
    processed before is not processed again, so an interrupted run is simply started again. Lines
    that cannot be read are quarantined with their reason. Effects are delivered if a platform is
    configured, otherwise they wait.
    """
    if scorecard is not None and truth is None:
        raise InvalidInput("scores need an answer sheet", field="--scorecard", hint="give --truth")
    answers = parse_truth(_read(truth)) if truth else None
    services = open_services(media_root=media_root or _media_beside(truth, answers))
    if truth and answers:
        _import_lists(services, truth, answers)
    sources = open_sources(files, source_format)
    tally = Tally()
    with _Progress(sources, shown=not quiet and err.is_terminal) as progress:
        for source in sources:
            for chunk in source.batches(batch):
                _process(services, source, chunk, tally)
                progress.show(tally)
    _deliver_rest(services, tally)
    while services.kept_posts.run_due():
        pass
    services.sealing.tell()
    services.record.anchor()
    if not quiet:
        _summarise(services, tally)
    if answers:
        card = write_scorecard(services, answers, scorecard)
        if not quiet:
            print_scorecard(card)


def _process(
    services: Services, source: Source, chunk: list[Event | Rejected], tally: Tally
) -> None:
    events = [one for one in chunk if isinstance(one, Event)]
    rejected = [one for one in chunk if isinstance(one, Rejected)]
    if rejected:
        quarantine(
            rejected,
            origin=source.origin,
            unit_of_work=services.unit_of_work,
            clock=services.clock,
        )
        tally.rejected.update(_kind_of(one.reason) for one in rejected)
    if events:
        done = services.processor.run(events)
        for part in done:
            tally.add(part)
            for one in part.judged:
                print_json(_outcome(one))
        if any(part.judged for part in done):
            tally.delivered += _delivered(services)


def _kind_of(reason: str) -> str:
    """Return a reason without the place in an array, so that equal ones are counted together."""
    return re.sub(r"^element \d+ of the array: ", "", reason)


def _delivered(services: Services) -> int:
    if services.dispatcher is None:
        return 0
    settled = services.dispatcher.run_due()
    return sum(one.state.value == "delivered" for one in settled)


def _deliver_rest(services: Services, tally: Tally) -> None:
    """Deliver until a whole round brings nothing over; what then waits is retried by `serve`."""
    while (done := _delivered(services)) > 0:
        tally.delivered += done


def _outcome(judged: Judged) -> Outcome:
    decision = judged.decision
    return Outcome(
        decision=decision.id,
        time=decision.time.isoformat(),
        subject=f"{decision.subject.kind}:{decision.subject.id}",
        account=decision.account_id,
        category=decision.category,
        severity=decision.severity,
        rules=[reason.rule for reason in decision.reasons],
        effects=[effect.kind.value for effect in judged.plan.effects],
        withheld=list(judged.plan.withheld),
        signals=sorted({signal.detector for signal in judged.signals}),
        case=judged.case_id,
        policy=decision.policy_version,
    )


def _import_lists(services: Services, truth: Path, answers: Truth) -> None:
    who = {"actor": "nightlight run --truth", "reason": f"named by {truth.name}"}
    for name, importer in (
        (answers.bank, services.banks.import_entries),
        (answers.lexicon, services.lists.import_lexicon),
    ):
        if name:
            done = importer(_NAME_OF_TRUTH, read_list(truth.parent / name), **who)
            if done.added:
                err.print(f"imported {done.added} entries from {name}, which {truth.name} names")


def _media_beside(truth: Path | None, answers: Truth | None) -> Path | None:
    if truth is None or answers is None or not answers.media:
        return None
    folder = truth.parent / answers.media
    return folder if folder.is_dir() else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error


class _Progress:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, sources: list[Source], *, shown: bool) -> None:
        self._sources = sources
        self._stack = ExitStack()
        self._bar: Progress | None = None
        if shown:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=err,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._stack.enter_context(self._bar)
            sizes = [source.size for source in self._sources]
            total = None if None in sizes else sum(size or 0 for size in sizes)
            self._task = self._bar.add_task("reading", total=total)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def show(self, tally: Tally) -> None:
        """Show how far the run is."""
        if self._bar is None:
            return
        rate = tally.events / max(tally.seconds, 1e-9)
        text = (
            f"{tally.events:,} events  {rate:,.0f}/s  {sum(tally.decisions.values()):,} decisions"
            f"  {len(tally.cases):,} cases"
        )
        read = sum(source.bytes_read for source in self._sources)
        self._bar.update(self._task, completed=read, description=text)


def _summarise(services: Services, tally: Tally) -> None:
    rate = tally.events / max(tally.seconds, 1e-9)
    err.print(
        f"\n[bold]{tally.events:,} events[/] in {tally.seconds:.1f} s ({rate:,.0f}/s)"
        f", {tally.duplicates:,} seen before, {sum(tally.rejected.values()):,} quarantined"
    )
    for reason, count in tally.rejected.most_common(_REASONS_SHOWN):
        err.print(f"  quarantined {count:,}: {reason}", markup=False)
    _line("signals", tally.signals)
    _line("decisions", tally.decisions)
    _line("effects", tally.effects)
    if tally.unscanned:
        err.print(f"[yellow]not scanned[/]  {tally.unscanned:,} files could not be scanned: held")
    with services.unit_of_work.read() as tx:
        waiting = tx.outbox.pending()
    if waiting and services.dispatcher is None:
        err.print(f"outbox     {waiting:,} effects wait: set NIGHTLIGHT_PLATFORM_URL to deliver")
    elif tally.delivered or waiting:
        err.print(f"outbox     {tally.delivered:,} effects delivered, {waiting:,} waiting")
    if tally.cases:
        err.print(
            f"cases      {len(tally.cases):,} touched: `nightlight case list` shows the queue"
        )


def _line(name: str, counts: Counter[str]) -> None:
    shown = ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))
    err.print(f"{name:<10} {shown or 'none'}", markup=False)
