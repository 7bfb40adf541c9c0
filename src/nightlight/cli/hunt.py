"""``nightlight hunt``: search what is stored for what newly came onto a list."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.detect.hunting import Hunt, HuntFinding
from nightlight.services import Services
from nightlight.services.hunts import STEP

app = typer.Typer(
    name="hunt",
    no_args_is_help=True,
    help="Retro-hunts: search what is stored for what newly came onto a list.",
)

HuntArgument = Annotated[str, typer.Argument(metavar="HUNT", help="The hunt's id.")]
_SHOWN = 20
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3600, 60


@app.command("list")
def list_hunts(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List hunts, the newest first: how far each is and how much it found."""
    hunts = open_services().hunts.newest(limit)
    if json:
        for hunt in hunts:
            print_json(fields_of(hunt))
        return
    print_rows(
        (
            (h.id, h.kind, h.name, h.state, f"{h.share_done:.0%}", h.found, h.known_before)
            for h in hunts
        ),
        columns=("hunt", "for", "list", "state", "searched", "found", "known before"),
        empty="No hunts: one begins by itself when something comes onto a list.",
    )


@app.command()
def show(
    hunt_id: HuntArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many findings.")] = _SHOWN,
    json: Json = False,
) -> None:
    """Show a hunt and what it found: what, how long it was up, and what was decided."""
    services = open_services()
    hunt, findings = services.hunts.get(hunt_id, findings=limit)
    if json:
        print_json({**fields_of(hunt), "findings": [fields_of(one) for one in findings]})
        return
    _print_hunt(hunt)
    print_rows(
        (
            (
                f"{one.subject.kind}:{one.subject.id}",
                one.account_id,
                _span(one),
                "deleted" if one.up_until else "up",
                one.views,
                one.decision_id or "no rule asked for anything",
            )
            for one in findings
        ),
        columns=("found", "account", "was up", "now", "views", "decision"),
        empty="It has found nothing so far that was not found before.",
    )
    if hunt.found - hunt.known_before > limit:
        err.print(f"The {limit} that were up longest; --limit shows more.")


@app.command()
def run(
    *,
    batch: Annotated[int, typer.Option(min=1, help="Events a step; each step is kept.")] = STEP,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Carry out every unfinished hunt now; interrupted, it goes on where it was.

    `nightlight serve` and `nightlight worker` do this by themselves, a step at a time.
    """
    services = open_services()
    services.banks.wake_due()
    services.hunts.notice_new_hashes()
    if not _carry_out(services, batch=batch, quiet=quiet or not err.is_terminal):
        err.print("No hunt waits.")


@app.command()
def start(
    *,
    lexicon: Annotated[str, typer.Option(help="Look for every term of this lexicon.")] = "",
    bank: Annotated[str, typer.Option(help="Look for every entry of this bank.")] = "",
    by: Actor,
    reason: Reason,
) -> None:
    """Ask for a hunt over everything stored, for a whole lexicon or bank."""
    hunt = open_services().hunts.ask(lexicon=lexicon, bank=bank, actor=by, reason=reason)
    out.print(hunt.id)
    err.print("It waits: `nightlight hunt run` carries it out, as a running worker does.")


@app.command()
def cancel(hunt_id: HuntArgument, *, by: Actor, reason: Reason) -> None:
    """Let a hunt go no further; what it found stays found."""
    hunt = open_services().hunts.cancel(hunt_id, actor=by, reason=reason)
    out.print(f"cancelled at {hunt.share_done:.0%} of the window; {hunt.found:,} found")


def _carry_out(services: Services, *, batch: int, quiet: bool) -> int:
    """Return how many hunts were brought to an end."""
    ended = 0
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task("hunting")
        while (hunt := services.hunts.step(limit=batch)) is not None:
            said = f"{hunt.name}: {hunt.looked_at:,} events, {hunt.found:,} found"
            progress.update(task, total=hunt.to_seq, completed=hunt.at_seq, description=said)
            if hunt.ended_at is not None:
                ended += 1
                _print_hunt(hunt)
    return ended


def _print_hunt(hunt: Hunt) -> None:
    new = hunt.found - hunt.known_before
    out.print(f"hunt {hunt.id}: {hunt.kind} of {hunt.name}, {hunt.state}", markup=False)
    out.print(f"    searched {hunt.share_done:.0%} of the window, {hunt.looked_at:,} events")
    out.print(f"    found {hunt.found:,}: {new:,} new, {hunt.known_before:,} known before")
    if hunt.raised or hunt.lowered or hunt.returned:
        out.print(
            f"    {len(hunt.raised):,} terms severer, {len(hunt.lowered):,} less severe,"
            f" {len(hunt.returned):,} after a withdrawal:"
            f" {hunt.graver:,} of those known before decided anew"
        )
    if hunt.started_at and hunt.ended_at:
        seconds = (hunt.ended_at - hunt.started_at).total_seconds()
        rate = hunt.looked_at / seconds if seconds else 0
        out.print(f"    took {seconds:,.1f} s, {rate:,.0f} events a second")


def _span(finding: HuntFinding) -> str:
    """Return how long a finding was up, or has been up so far."""
    seconds = ((finding.up_until or finding.found_at) - finding.up_from).total_seconds()
    for unit, length in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{max(0, seconds):.0f} s"
