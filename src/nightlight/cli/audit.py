"""``nightlight audit``: the record, read and verified."""

from typing import Annotated

import typer

from nightlight.cli.console import Json, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services

app = typer.Typer(name="audit", no_args_is_help=True, help="The record: verify, anchor, read.")


@app.command()
def verify(*, json: Json = False) -> None:
    """Prove that no audit entry was changed, removed or reordered; leaves with 1 if one was."""
    found = open_services().record.verify()
    if json:
        print_json({**fields_of(found), "intact": found.intact})
    elif found.intact:
        out.print(
            f"intact: {found.entries:,} entries, {found.anchors:,} anchors, head {found.head[:16]}"
        )
    for fault in found.faults:
        err.print(f"[bold red]entry {fault.seq}[/]: {fault.problem}")
    if not found.intact:
        raise typer.Exit(1)


@app.command()
def anchor(*, json: Json = False) -> None:
    """Keep the newest entry's hash outside the database, so that losing entries is found."""
    made = open_services().record.anchor()
    if json:
        print_json(fields_of(made) if made else {"seq": None})
    elif made is None:
        out.print("nothing new to anchor")
    else:
        out.print(f"anchored entry {made.seq:,}: {made.hash}")


@app.command("list")
def list_entries(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List audit entries, the newest first."""
    with open_services().unit_of_work.read() as tx:
        entries = tx.audit.newest(limit)
    if json:
        for entry in entries:
            print_json(fields_of(entry))
        return
    print_rows(
        ((e.seq, e.at, e.entry.actor, e.entry.action, e.entry.subject) for e in entries),
        columns=("entry", "at", "who", "did", "to"),
        empty="The record is empty.",
    )
