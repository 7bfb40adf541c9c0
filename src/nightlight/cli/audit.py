"""``nightlight audit``: the record, read, verified, published and exported."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import (
    Actor,
    Json,
    Reason,
    err,
    fields_of,
    out,
    print_json,
    print_rows,
)
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.services.record_export import disclose as disclose_parts
from nightlight.services.record_export import export as export_lines

app = typer.Typer(
    name="audit", no_args_is_help=True, help="The record: verify, anchor, export, read."
)


@app.command()
def verify(
    *,
    since_last: Annotated[
        bool,
        typer.Option("--since-last", help="Only what is new since it was last found intact."),
    ] = False,
    json: Json = False,
) -> None:
    """Prove that no audit entry was changed, removed or reordered; leaves with 1 if one was."""
    record = open_services().record
    with err.status("verifying") as status:
        found = record.verify(
            since_last=since_last,
            progress=lambda seq: status.update(f"verifying: entry {seq:,}"),
        )
    if json:
        print_json({**fields_of(found), "intact": found.intact})
    elif found.intact:
        out.print(
            f"intact: {found.entries:,} entries, {found.anchors:,} anchors, head {found.head[:16]}"
            + (f", all after entry {found.since:,}" if found.since else "")
        )
    for fault in found.faults:
        err.print(f"[bold red]entry {fault.seq}[/]: {fault.problem}")
    if not found.intact:
        raise typer.Exit(1)


@app.command()
def settle(
    *,
    by: Annotated[str, typer.Option(help="Who settles it; stands in the record.")] = "",
    reason: Annotated[str, typer.Option(help="Why; stands in the record.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show; change nothing.")] = False,
    json: Json = False,
) -> None:
    """Go on with a record that is right in itself and not what was known of it: a person says so.

    As after restoring a database older than the anchors. The record says who settled it, why, and
    which entries are lost; anchors that do not fit are laid aside.
    """
    record = open_services().record
    found = record.unsettled() if dry_run else record.settle(by=by, reason=reason)
    if json:
        print_json({**fields_of(found), "keep": len(found.keep), "settled": not dry_run})
        return
    for fault in found.faults:
        err.print(f"entry {fault.seq}: {fault.problem}", markup=False)
    lost = f"entries {found.lost_from:,} to {found.lost_to:,} are lost"
    out.print(
        f"{'dry run: would be settled' if dry_run else 'settled'}:"
        f" {lost if found.lost_to else 'no entry is known to be lost'};"
        f" {found.set_aside:,} anchors {'would be ' if dry_run else ''}laid aside",
        markup=False,
    )


@app.command()
def anchor(*, json: Json = False) -> None:
    """Sign the newest entry's hash and keep it outside the database: losing entries then shows."""
    made = open_services().record.anchor()
    if json:
        print_json(fields_of(made) if made else {"seq": None})
    elif made is None:
        out.print("nothing new to anchor")
    else:
        out.print(made.note, markup=False, end="")


@app.command()
def key(*, json: Json = False) -> None:
    """Print the public key by which anybody can verify this record's checkpoints."""
    found = open_services().record.verifier_key
    if json:
        print_json({"key": found})
    else:
        out.print(found, markup=False)


@app.command()
def publish(*, json: Json = False) -> None:
    """Sign the newest entry and publish that now; leaves with 3 where a place does not take it."""
    record = open_services().record
    if not record.publishes:
        raise InvalidInput(
            "no place to publish checkpoints is configured",
            hint="NIGHTLIGHT_CHECKPOINT_FOLDER or NIGHTLIGHT_CHECKPOINT_URL",
        )
    record.anchor()
    published = record.publish()
    if json:
        print_json(fields_of(published) if published else {"seq": None})
    elif published is None:
        out.print("nothing to publish yet")
    elif not published.failure:
        out.print(f"published: the checkpoint of entry {published.seq:,}")
    if published is not None and published.failure:
        err.print(published.failure, markup=False)
        raise typer.Exit(3)


@app.command()
def export(
    *,
    to: Annotated[Path, typer.Option("--out", help="The file to write; - for stdout.")],
    after: Annotated[int, typer.Option(min=0, help="Only entries after this one.")] = 0,
    with_former_names: Annotated[
        bool,
        typer.Option(
            "--with-former-names",
            help="Even though names from before version 0.2 can be traced to accounts.",
        ),
    ] = False,
) -> None:
    """Write the record for an auditor: it proves the chain, and names nobody."""
    services = open_services()
    lines = export_lines(
        services.record, services.unit_of_work, after=after, former_names=with_former_names
    )
    count = 0
    first = next(lines)
    with nullcontext(sys.stdout.buffer) if str(to) == "-" else to.open("wb") as file:
        file.write(first)
        for line in lines:
            count += 1
            file.write(line)
    err.print(f"{count:,} entries; verify with: nightlight-verify FILE --key KEY")


@app.command()
def disclose(
    seq: Annotated[int, typer.Argument(help="The entry's number.")],
    *,
    field: Annotated[
        list[str], typer.Option(help="actor, subject, reason or detail; may be repeated.")
    ],
    by: Actor,
    reason: Reason,
) -> None:
    """Print withheld parts of an entry with what proves them, for nightlight-verify."""
    unit_of_work = open_services().unit_of_work
    for one in disclose_parts(unit_of_work, seq, field, actor=by, reason=reason):
        print_json(fields_of(one))


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
