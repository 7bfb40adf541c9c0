"""``nightlight town``: writes a harmless generated platform, and the truth about it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nightlight.errors import InvalidInput
from nightlight.town import Town, TownPlan, TownTruth, build_town

_STDOUT = "-"
_SHOW_EVERY = 2_000
_LONGEST_NAP_S = 0.05
_STOPPED = 130  # what a shell expects of a command ended by Ctrl-C


class _Stop:
    """Whether the user pressed Ctrl-C; lines are finished first."""

    asked = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Ask to stop after the current line; a second Ctrl-C stops at once."""
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def town(
    *,
    out: Annotated[str, typer.Option(help="File for the events, or - for standard output.")],
    seed: Annotated[int, typer.Option(help="Same seed and numbers, same town.")] = 1,
    accounts: Annotated[int, typer.Option(help="How many accounts.")] = 2_000,
    posts: Annotated[int, typer.Option(help="How many posts; events are about 2.8 times that.")] = (
        20_000
    ),
    days: Annotated[int, typer.Option(help="How many days the posts spread over.")] = 21,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first of those days, in UTC.")
    ] = datetime(2026, 3, 1),  # noqa: DTZ001  typer parses dates without a zone
    truth: Annotated[
        Path | None,
        typer.Option(help="File for the truth; beside --out if not given.", show_default=False),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Events a second at most; 0 is as fast as possible.")
    ] = 0.0,
    media: Annotated[
        bool, typer.Option("--media/--no-media", help="Draw pictures and a hash bank.")
    ] = True,
    unseen: Annotated[
        bool,
        typer.Option("--unseen", help="Adverts, look-alikes and spellings kept for measuring."),
    ] = False,
) -> None:
    """Write a harmless synthetic platform: events, pictures, hash bank, lexicon and truth."""
    plan = TownPlan(
        seed=seed,
        accounts=accounts,
        posts=posts,
        days=days,
        start=start.replace(tzinfo=UTC),
        media=media,
        unseen=unseen,
    )
    if rate < 0:
        raise InvalidInput("is negative", field="--rate", hint="give 0 for no limit")
    generated = _build(plan)
    truth_path = _truth_path(out, truth)
    stem = truth_path.with_suffix("") if out == _STDOUT else Path(out).with_suffix("")
    _check_folder("--truth", truth_path)
    _check_folder("--out" if out != _STDOUT else "--truth", stem)

    console = Console(stderr=True)
    started = time.monotonic()
    with _stoppable() as stop, _progress(console) as progress:
        with _writing("--out", stem):
            _draw(generated, stem, stop, progress)
        with _writing("--out", Path(out)), _opened(out) as sink:
            _stream(generated, sink, rate, stop, progress)
        with _writing("--truth", truth_path):
            truth_path.write_bytes(_truth_file(generated.truth(), stem, truth_path))
    _summarise(generated, time.monotonic() - started, stopped=stop.asked)
    if stop.asked:
        raise typer.Exit(_STOPPED)


def _build(plan: TownPlan) -> Town:
    try:
        return build_town(plan)
    except InvalidInput as error:
        message = str(error.args[0])
        raise InvalidInput(message, field=f"--{error.field}", hint=error.hint) from error


def _truth_path(out: str, truth: Path | None) -> Path:
    if truth is not None:
        return truth
    if out == _STDOUT:
        raise InvalidInput(
            "is missing", field="--truth", hint="events go to standard output: name a truth file"
        )
    return Path(out).with_suffix(".truth.json")


def _check_folder(option: str, path: Path) -> None:
    if not path.parent.is_dir():
        raise InvalidInput("its folder does not exist", field=option, hint="create the folder")


@contextmanager
def _writing(option: str, path: Path) -> Iterator[None]:
    """Turn a failure to write into an error that names the option.

    A reader who has had enough of standard output is no failure.
    """
    try:
        yield
    except BrokenPipeError:
        # Python flushes standard output once more at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise InvalidInput(
            f"cannot write {path.name}: {error.strerror}",
            field=option,
            hint="choose a place that can be written and has room",
        ) from error


@contextmanager
def _opened(out: str) -> Iterator[BinaryIO]:
    if out == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with Path(out).open("wb") as sink:
            yield sink


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """Hold Ctrl-C back until the current line is whole."""
    stop = _Stop()
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _progress(console: Console) -> Progress:
    """Return bars on standard error that stay away where it is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _draw(generated: Town, stem: Path, stop: _Stop, progress: Progress) -> None:
    task = progress.add_task("pictures", total=generated.file_count or None)

    def drawn(files: int) -> None:
        if stop.asked:
            raise typer.Exit(_STOPPED)
        progress.update(task, completed=files)

    generated.write_materials(stem, drawn=drawn)


def _stream(generated: Town, sink: BinaryIO, rate: float, stop: _Stop, progress: Progress) -> None:
    task = progress.add_task("posts", total=generated.plan.posts)
    wait = _pace(rate, sink, stop)
    for number, line in enumerate(generated.events()):
        wait(number)
        sink.write(line + b"\n")
        if stop.asked:
            return
        if number % _SHOW_EVERY == 0:
            progress.update(task, completed=generated.posts_written)
    progress.update(task, completed=generated.posts_written)


def _pace(rate: float, sink: BinaryIO, stop: _Stop) -> Callable[[int], None]:
    """Return what waits until the event of that number is due."""
    started = time.monotonic()

    def wait(number: int) -> None:
        while rate and not stop.asked:
            early_s = started + number / rate - time.monotonic()
            if early_s <= 0:
                return
            sink.flush()
            time.sleep(min(early_s, _LONGEST_NAP_S))

    return wait


def _truth_file(truth: TownTruth, stem: Path, truth_path: Path) -> bytes:
    """Return the truth with its materials named as seen from the truth file's folder."""

    def seen(name: str) -> str:
        return os.path.relpath(stem.parent / name, truth_path.parent) if name else ""

    placed = msgspec.structs.replace(
        truth, bank=seen(truth.bank), lexicon=seen(truth.lexicon), media=seen(truth.media)
    )
    return msgspec.json.encode(placed)


def _summarise(generated: Town, seconds: float, *, stopped: bool) -> None:
    typer.echo(
        f"{'stopped early: ' if stopped else ''}{generated.events_written} events, "
        f"{generated.posts_written} posts, {generated.planted_posts} planted, "
        f"{generated.file_count} media files, {seconds:.1f} s",
        err=True,
    )
