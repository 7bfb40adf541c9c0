"""``nightlight offer``: what makes a text an offer, and fitting that to an operator's own cases."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.detect.offer_weights import PARTS, shown
from nightlight.errors import InvalidInput
from nightlight.services.lists import stream_list

app = typer.Typer(
    name="offer",
    no_args_is_help=True,
    help="The offer detector: what counts towards an offer, and how much.",
)


@app.command()
def show(*, json: Json = False) -> None:
    """Show the weights in force: what counts for an offer and what against."""
    weights = open_services().offers.in_force()
    if json:
        print_json({**fields_of(weights), "version": weights.version})
        return
    out.print(f"weights {weights.version}, fitted to {weights.fitted_to or 'nothing that is told'}")
    out.print(f"a text is called an offer from a score of {weights.threshold:.2f} on")
    counted = sorted(PARTS, key=lambda part: -weights.weights.get(part, 0.0))
    print_rows(
        ((f"{weights.weights.get(part, 0.0):+.2f}", shown(part), part) for part in counted),
        columns=("counts", "what", "named"),
        empty="Nothing counts.",
    )


@app.command()
def fit(
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            help='Labelled texts, one {"text": ..., "offer": true} a line; without it, the posts '
            "that people confirmed or dismissed.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--out", help="Where to write the weights; nothing uses them yet.")
    ],
    json: Json = False,
) -> None:
    """Fit weights to your own cases, on this machine, and write them to a file to look at."""
    offers = open_services().offers
    done = offers.fit_to_cases() if file is None else offers.fit_to_lines(stream_list(file))
    try:
        body = msgspec.json.format(msgspec.json.encode(done.weights), indent=2)
        output.write_bytes(body + b"\n")
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", field="--out") from error
    if json:
        told = {name: value for name, value in fields_of(done).items() if name != "weights"}
        print_json({**told, "version": done.weights.version, "file": str(output)})
        return
    out.print(f"fitted to {done.fitted:,} texts, tried on {done.kept:,} others:")
    out.print(f"precision {done.precision:.1%}, recall {done.recall:.1%}, Brier {done.brier:.4f}")
    err.print(f"Not in force yet: `nightlight offer use {output}` puts it in force.")


@app.command()
def use(
    file: Annotated[Path, typer.Argument(help="A file of weights, as `offer fit` writes it.")],
    *,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Put weights in force; running processes judge by them from their next batch on."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(file)) from error
    weights = open_services().offers.activate(body, actor=by, reason=reason)
    if json:
        print_json({"version": weights.version})
    else:
        out.print(f"weights {weights.version} are in force")


@app.command()
def explain(*, json: Json = False) -> None:
    """Say what the detector makes of a text on standard input, and why; the text is not kept."""
    told = open_services().offers.explain(sys.stdin.read())
    if json:
        print_json(fields_of(told))
        return
    called = "an offer" if told.offer else "no offer"
    out.print(f"{called}: score {told.score:.3f}, {told.terms} listed terms")
    for reason in told.why:
        out.print(f"    {reason}", markup=False)
