"""``nightlight demo``: the whole story on a harmless town, with simulated partners."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from time import perf_counter, sleep
from types import FrameType
from typing import Annotated

import httpx
import msgspec
import typer
from rich.progress import Progress

from nightlight.bootstrap import build_clock, build_services
from nightlight.cli.console import err
from nightlight.cli.demo_partners import Partners
from nightlight.cli.scoring import print_scorecard, write_scorecard
from nightlight.errors import Conflict, Unavailable
from nightlight.ingest.lines import bounded_lines
from nightlight.ingest.reader import EventReader
from nightlight.measure.truth import Truth, parse_truth
from nightlight.model.case import Case, CaseState, CaseStep
from nightlight.model.event import Event
from nightlight.review.resolve import Resolution
from nightlight.services import Services
from nightlight.services.lists import read_list
from nightlight.settings import environment_with, read_settings
from nightlight.web.auth import ensure_token

_MARKER = "this-folder-is-made-by-nightlight-demo"
_REVIEWER = "demo reviewer (simulated person)"
_BATCH = 100
#: The town ends about now, its last views counted, so that the console shows fresh times.
_TOWN_DAYS = 21
_WAIT_LIMIT_S = 120.0
_WAIT_PAUSE_S = 0.25


def demo(
    *,
    once: Annotated[
        bool,
        typer.Option("--once", help="Tell the story and leave: 0 only if a tip was filed."),
    ] = False,
    home: Annotated[
        Path, typer.Option(help="Folder for the demo's state; emptied at the start.")
    ] = Path(".nightlight-demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the console listens.")] = 8420,
    seed: Annotated[int, typer.Option(help="Which town.")] = 7,
    accounts: Annotated[int, typer.Option(min=50, help="How many accounts it has.")] = 400,
    posts: Annotated[int, typer.Option(min=500, help="How many posts they write.")] = 4_000,
    reviewed: Annotated[
        int, typer.Option(min=1, help="How many cases the simulated reviewer decides.")
    ] = 8,
) -> None:
    """Show everything at work: a generated town, its posts judged, cases decided, tips filed.

    Nothing is real: the town is generated, its pictures are drawn, its coded words are nonsense,
    and platform and CyberTipline are simulated on this machine. Ctrl-C ends it.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    home = _fresh(home)
    events, truth_file = _make_town(home, seed=seed, accounts=accounts, posts=posts)
    truth = parse_truth(truth_file.read_bytes())
    with Partners(home, truth_file.parent / truth.media) as partners:
        environment = environment_with(
            {
                **partners.settings(),
                "NIGHTLIGHT_HOME": str(home / "state"),
                "NIGHTLIGHT_MEDIA_ROOT": str(truth_file.parent / truth.media),
            }
        )
        services = build_services(read_settings(environment))
        _import_lists(services, truth_file, truth)
        if once:
            _judge_here(services, events)
            _review(services, truth, reviewed)
            _file_here(services)
            filed = _conclude(services, partners, truth)
            raise typer.Exit(0 if filed else 1)
        with _server(port, environment):
            address = f"http://127.0.0.1:{port}/?token={ensure_token(services.settings)}"
            err.print(f"\n[bold]console:[/] [link]{address}[/]\n")
            _post_events(services, events, port)
            _review(services, truth, reviewed)
            _wait(lambda: _settled(services), "the tips to be filed")
            _conclude(services, partners, truth)
            err.print(f"\n[bold]console:[/] {address}   (Ctrl-C ends the demo)")
            _until_interrupted()


def _fresh(home: Path) -> Path:
    """Return the demo's folder, emptied; one that the demo did not make is left alone."""
    home = home.absolute()
    if home.exists() and any(home.iterdir()) and not (home / _MARKER).exists():
        raise Conflict(f"{home} holds something else", hint="choose another --home")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    (home / _MARKER).touch()
    return home


def _make_town(home: Path, *, seed: int, accounts: int, posts: int) -> tuple[Path, Path]:
    """Write the town's events, pictures, lists and truth, and return events and truth."""
    start = f"{build_clock().now() - timedelta(days=_TOWN_DAYS + 2):%Y-%m-%d}"
    err.print(f"drawing a town of {accounts:,} accounts and {posts:,} posts (seed {seed}) ...")
    folder = home / "town"
    folder.mkdir()
    command = [sys.executable, "-m", "nightlight", "town", "--seed", str(seed)]
    command += ["--accounts", str(accounts), "--posts", str(posts), "--start", start]
    events, truth = folder / "events.ndjson", folder / "truth.json"
    subprocess.run(  # noqa: S603  our own program
        [*command, "--out", str(events), "--truth", str(truth)], check=True
    )
    return events, truth


def _import_lists(services: Services, truth_file: Path, truth: Truth) -> None:
    who = {"actor": "nightlight demo", "reason": "the town's operator holds these lists"}
    folder = truth_file.parent
    services.banks.import_entries("TOWN", read_list(folder / truth.bank), **who)
    services.lists.import_lexicon("TOWN", read_list(folder / truth.lexicon), **who)


def _batches(path: Path) -> Iterator[list[Event]]:
    """Yield the town's events; each line of it is known to be sound."""
    batch: list[Event] = []
    with path.open("rb") as stream:
        for one in EventReader().read_lines(bounded_lines(stream)):
            if isinstance(one, Event):
                batch.append(one)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _judge_here(services: Services, events: Path) -> None:
    started, count = perf_counter(), 0
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("judging events", total=None)
        for batch in _batches(events):
            count += sum(done.events for done in services.processor.run(batch))
            bar.update(task, completed=count)
    err.print(f"judged {count:,} events in {perf_counter() - started:.1f} s")


def _post_events(services: Services, events: Path, port: int) -> None:
    """Send the events as a platform would, and wait until they are judged."""
    headers = {
        "authorization": f"Bearer {ensure_token(services.settings)}",
        "content-type": "application/x-ndjson",
    }
    lines = events.read_bytes().splitlines(keepends=True)
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        for start in bar.track(range(0, len(lines), _BATCH), description="sending events"):
            body = b"".join(lines[start : start + _BATCH])
            client.post("/v1/events", content=body).raise_for_status()
    err.print(f"sent {len(lines):,} events to the API; the worker judges them")
    _wait(lambda: _backlog(services) == 0, "the events to be judged")


def _backlog(services: Services) -> int:
    with services.unit_of_work.read() as tx:
        return tx.events.backlog()


def _settled(services: Services) -> bool:
    with services.unit_of_work.read() as tx:
        tips = tx.figures.figures().tips
    return sum(tips.values()) > 0 and set(tips) <= {"filed", "refused"}


def _review(services: Services, truth: Truth, count: int) -> None:
    """Let the simulated reviewer decide the most urgent cases as the truth says.

    It never claims to have viewed anything: no person did.
    """
    with services.unit_of_work.read() as tx:
        cases = tx.cases.queue(CaseState.OPEN, count)
    decided = {CaseStep.CONFIRM: 0, CaseStep.DISMISS: 0}
    for case in cases:
        right = _right_findings(services, case, truth)
        step = CaseStep.CONFIRM if right else CaseStep.DISMISS
        reason = "as the town's truth says"
        resolution = Resolution(step=step, reviewer=_REVIEWER, reason=reason, findings=right)
        services.review.decide(case.id, resolution)
        decided[step] += 1
    err.print(
        f"the simulated reviewer decided {len(cases)} cases:"
        f" {decided[CaseStep.CONFIRM]} confirmed, {decided[CaseStep.DISMISS]} dismissed"
    )


def _right_findings(services: Services, case: Case, truth: Truth) -> tuple[str, ...]:
    """Return the findings that the truth calls right."""
    with services.unit_of_work.read() as tx:
        decisions = tx.decisions.get(case.decisions)
    right = {name for name, post in truth.posts.items() if post.act}
    right.update(name for name, file in truth.media_files.items() if file.act)
    return tuple(one.id for one in decisions if one.subject.id in right)


def _file_here(services: Services) -> None:
    while services.filer is not None and services.filer.run_due(20):
        pass
    while services.dispatcher is not None and services.dispatcher.run_due():
        pass
    services.record.anchor()


def _conclude(services: Services, partners: Partners, truth: Truth) -> int:
    """Print what came of it and return how many tips the simulated CyberTipline holds."""
    card = write_scorecard(services, truth, None)
    print_scorecard(card)
    with services.unit_of_work.read() as tx:
        figures = tx.figures.figures()
    record = services.record.verify()
    filed = partners.tips_filed()
    shown = msgspec.json.encode(figures.cases).decode()
    err.print()
    err.print(f"events    {sum(figures.events.values()):,}", markup=False)
    err.print(f"decisions {sum(figures.decisions.values()):,}", markup=False)
    err.print(f"effects   {figures.effects.get('delivered', 0):,} confirmed by the platform")
    err.print(f"cases     {shown}", markup=False)
    err.print(f"tips      {filed:,} filed with the simulated CyberTipline")
    state = "intact" if record.intact else "BROKEN"
    err.print(f"record    {record.entries:,} audit entries, {state}")
    return filed if record.intact else 0


@contextmanager
def _server(port: int, environment: dict[str, str]) -> Iterator[None]:
    """Run ``nightlight serve`` in a process of its own."""
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "nightlight", "serve", "--port", str(port)],
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def answers() -> bool:
        if process.poll() is not None:
            raise Unavailable(f"the console did not start: is port {port} in use?", hint="--port")
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).is_success
        except httpx.HTTPError:
            return False

    try:
        _wait(answers, "the console to start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(until: Callable[[], bool], what: str) -> None:
    """Return once ``until`` holds.

    Raises:
        Unavailable: it did not within two minutes.
    """
    started = perf_counter()
    while not until():
        if perf_counter() - started > _WAIT_LIMIT_S:
            raise Unavailable(f"waited in vain for {what}")
        sleep(_WAIT_PAUSE_S)


def _until_interrupted() -> None:
    with suppress(KeyboardInterrupt):
        signal.pause()
    err.print("ending the demo")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM like Ctrl-C, so that the partners are ended too."""
    raise KeyboardInterrupt
