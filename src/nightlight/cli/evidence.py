"""``nightlight evidence``: sealed evidence, opened to people who say what for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from nightlight.cli.console import Actor, Json, err, fields_of, out, print_json, print_rows
from nightlight.cli.custody import (
    deleted,
    destroy,
    due,
    extend_hold,
    give_up,
    holds,
    missing,
    place_hold,
    reject,
    release_hold,
    requests,
    revoke,
)
from nightlight.cli.packages import approve, decrypt, export, package, signing_key, verify
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.model.custody import Access
from nightlight.model.ids import CaseId

app = typer.Typer(
    name="evidence", no_args_is_help=True, help="Sealed evidence: open, view log, holds."
)

EvidenceArgument = Annotated[str, typer.Argument(metavar="EVIDENCE", help="The evidence's id.")]
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Purpose = Annotated[
    str, typer.Option("--purpose", help="What for; stands in the record.", show_default=False)
]


@app.command("list")
def list_evidence(case_id: CaseArgument, *, json: Json = False) -> None:
    """List what was sealed for a case, and what of it was destroyed; never the content."""
    found = open_services().evidence.of_case(CaseId(case_id))
    if json:
        for one in found:
            print_json({**fields_of(one), "digest": None})
        return
    print_rows(
        (
            (one.id, one.kind, one.content_type, one.byte_count, one.sealed_at, one.destroyed_at)
            for one in found
        ),
        columns=("evidence", "kind", "type", "bytes", "sealed", "destroyed"),
        empty="Nothing is sealed for this case.",
    )


@app.command("open")
def open_evidence(
    evidence_id: EvidenceArgument,
    *,
    by: Actor,
    purpose: Purpose,
    to: Annotated[
        Path,
        typer.Option("--out", help="A new file, made for you alone; - for stdout."),
    ],
) -> None:
    """Open sealed evidence into a file; the record and the view log say who did, and what for."""
    with _destination(to) as file:
        desk = open_services().evidence
        opened = desk.open(evidence_id, Access(person=by, purpose=purpose))
        for part in opened.parts:
            file.write(part)
        _to_the_last_byte(file, to)
        desk.given(opened)
    err.print(f"{opened.evidence.byte_count:,} bytes opened; delete them when you are done")


@app.command()
def viewed(
    evidence_id: EvidenceArgument,
    *,
    by: Actor,
    purpose: Purpose = "review",
    exif: Annotated[
        bool, typer.Option("--exif", help="You viewed its metadata (EXIF) too.")
    ] = False,
    on_platform: Annotated[
        bool, typer.Option("--on-platform", help="You saw it on the platform, not here.")
    ] = False,
    json: Json = False,
) -> None:
    """Say that you viewed the ENTIRE file: this is what a tip's fileViewedByEsp stands on.

    Only who was given all of it here can say so, or who says with --on-platform to have seen it
    there.
    """
    access = Access(person=by, purpose=purpose)
    reads = open_services().evidence.view(evidence_id, access, exif=exif, on_platform=on_platform)
    for one in reads:
        if json:
            print_json(fields_of(one))
        else:
            out.print(f"{one.evidence_id}: {one.what} by {one.person}, {one.where}", markup=False)


@app.command()
def log(evidence_id: EvidenceArgument, *, json: Json = False) -> None:
    """Show who opened and who viewed a file, oldest first."""
    reads = open_services().evidence.log(evidence_id)
    if json:
        for one in reads:
            print_json(fields_of(one))
        return
    print_rows(
        ((one.at, one.what, one.where, one.person, one.purpose) for one in reads),
        columns=("at", "what", "where", "who", "purpose"),
        empty="Nobody has read it.",
    )


app.command("holds")(holds)
app.command("hold")(place_hold)
app.command("extend")(extend_hold)
app.command("release")(release_hold)
app.command("deleted")(deleted)
app.command("due")(due)
app.command("destroy")(destroy)
app.command("missing")(missing)
app.command("give-up")(give_up)
app.command("requests")(requests)


app.command("approve")(approve)
app.command("reject")(reject)
app.command("revoke")(revoke)
app.command("export")(export)
app.command("package")(package)
app.command("signing-key")(signing_key)
app.command("verify")(verify)
app.command("decrypt")(decrypt)


def _to_the_last_byte(file: BinaryIO, path: Path) -> None:
    """Return only once everything is written where the person has it."""
    file.flush()
    if str(path) != "-":
        os.fsync(file.fileno())


@contextmanager
def _destination(path: Path) -> Iterator[BinaryIO]:
    """Give a file that only its owner can read; what did not come whole is taken away again."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"cannot be made: {error.strerror}", field=str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InvalidInput(f"cannot be written: {error.strerror}", field=str(path)) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
