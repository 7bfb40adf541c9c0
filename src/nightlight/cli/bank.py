"""``nightlight bank``: hash banks come in, are changed and withdrawn; hashes are never shown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from nightlight.bootstrap import build_file_scanner
from nightlight.cli.bank_out import (
    print_bank,
    print_decided,
    print_explained,
    print_held,
    print_import,
    print_summaries,
    write_export,
)
from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput, NotFound
from nightlight.model.bank import Bank, BankPurpose, Classification, EntryState, Opinion
from nightlight.model.media import ScanState
from nightlight.services.banks import Banks
from nightlight.services.contents import hashes_of
from nightlight.services.lists import stream_list

app = typer.Typer(
    name="bank", no_args_is_help=True, help="Hash banks: import, change, hold back, withdraw."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The bank's name.", show_default=False)]
Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="The entry's id.", show_default=False)]
OfBank = Annotated[
    str | None, typer.Option("--bank", help="The entry's bank, where several have the id.")
]
Version = Annotated[
    int, typer.Argument(metavar="VERSION", help="The update's version.", show_default=False)
]
Threshold = Annotated[
    int | None, typer.Option("--threshold", help="The greatest PDQ distance that is a match.")
]
Classified = Annotated[
    Classification | None,
    typer.Option("--classification", help="Of entries that say nothing themselves."),
]
Provenance = Annotated[str | None, typer.Option(help="Where it comes from, in words.")]
Ratio = Annotated[
    float | None, typer.Option("--ratio", help="Of how many files it is asked, 0.0 to 1.0.")
]
Purpose = Annotated[
    BankPurpose | None,
    typer.Option(help="known: a match is abuse media; negative: it takes other matches back."),
]


@app.command("import")
def import_bank(
    file: Annotated[
        Path,
        typer.Argument(
            help="NDJSON or CSV: kind, value; classification, id, opinion, state, source, "
            "source_ref, note, view, quality where known.",
        ),
    ],
    *,
    name: Annotated[str, typer.Option(help="The bank's name.", show_default=False)],
    by: Actor,
    reason: Reason,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would come in, and what match.")
    ] = False,
    json: Json = False,
) -> None:
    """Add the hashes in FILE to a bank; running processes match against them within a second.

    More than 5,000 hashes are taken in piece by piece, and other changes do not wait for them.

    An update that would match much of recent harmless traffic is held for a person: see
    `nightlight bank held`.
    """
    banks = open_services().banks
    lines = stream_list(file)
    if dry_run:
        done = banks.preview_import(name, lines)
    else:
        done = banks.import_entries(name, lines, actor=by, reason=reason)
    print_import(done, dry_run=dry_run, json=json)


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures or videos.")],
    *,
    name: Annotated[str, typer.Option(help="The bank's name.", show_default=False)],
    note: Annotated[str, typer.Option(help="What to remember about them; never shown.")] = "",
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Add the hashes of each FILE to a bank, cropped and tilted as others may post it.

    Far more edited copies are found than by a list of plain hashes. The files themselves are not
    kept. Leaves with 1 where a file could not be hashed.
    """
    banks, scan_file = open_services().banks, build_file_scanner(for_bank=True)
    failed = False
    for path in files:
        scan = scan_file(path)
        hashes = hashes_of(scan.hashes)
        if scan.state is not ScanState.SCANNED:
            err.print(f"{path}: only its bytes are known: {scan.reason}", markup=False)
            failed = True
        number = banks.add_content(name, hashes, note=note, actor=by, reason=reason)
        if json:
            print_json({"file": str(path), "bank": name, "content": number, "hashes": len(hashes)})
        else:
            out.print(f"{path}: {len(hashes)} hashes, content {number} of {name}", markup=False)
    if failed:
        raise typer.Exit(1)


@app.command("export")
def export(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    output: Annotated[
        Path | None, typer.Option(help="A new file, for its owner alone; stdout if not given.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of NDJSON.")] = False,
    json: Json = False,
) -> None:
    """Write a bank's hashes out in clear; the record says who did it and why.

    Never to a terminal, unless to a file with --output.
    """
    banks = open_services().banks
    banks.get(name)
    write_export(
        name,
        lambda: banks.export(name, as_csv=as_csv, actor=by, reason=reason),
        output=output,
        json=json,
    )


@app.command("list")
def list_banks(*, json: Json = False) -> None:
    """List banks: how much each holds, how it is matched against, and when it last changed."""
    print_summaries(open_services().banks.summaries(), json=json)


@app.command()
def show(name: Name, *, json: Json = False) -> None:
    """Show a bank: its settings, what it holds, and what was changed when, by whom and why."""
    banks = open_services().banks
    banks.get(name)
    (summary,) = (one for one in banks.summaries() if one.bank.name == name)
    print_bank(summary, banks.history(name), json=json)


@app.command()
def create(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    purpose: Purpose = None,
    threshold: Threshold = None,
    classification: Classified = None,
    provenance: Provenance = None,
    ratio: Ratio = None,
    json: Json = False,
) -> None:
    """Make a bank, still empty."""
    given = {
        "purpose": purpose,
        "threshold_bits": threshold,
        "classification": classification,
        "provenance": provenance,
        "enabled_ratio": ratio,
    }
    settings = {field: value for field, value in given.items() if value is not None}
    bank = Bank(name=name, **settings)  # type: ignore[arg-type]  # typer checked each by its field
    _say(open_services().banks.create(bank, actor=by, reason=reason), "made", json=json)


@app.command("set")
def set_settings(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    new_name: Annotated[str | None, typer.Option("--rename", help="Its name from now on.")] = None,
    purpose: Purpose = None,
    threshold: Threshold = None,
    classification: Classified = None,
    provenance: Provenance = None,
    ratio: Ratio = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even if recent harmless files would match.")
    ] = False,
    json: Json = False,
) -> None:
    """Change a bank's settings; those that are not named stay as they are.

    A bank that is to match further, or to veto, is tried on recent harmless traffic first.
    """
    bank = open_services().banks.change(
        name,
        new_name=new_name,
        purpose=purpose,
        threshold_bits=threshold,
        classification=classification,
        provenance=provenance,
        enabled_ratio=ratio,
        anyway=anyway,
        actor=by,
        reason=reason,
    )
    _say(bank, "changed", json=json)


@app.command()
def opinion(
    entry: Entry,
    opinion: Annotated[Opinion, typer.Argument(help="What those who looked at it say.")],
    *,
    by: Actor,
    reason: Reason,
    bank: OfBank = None,
    json: Json = False,
) -> None:
    """Set an entry's opinion: a negative one makes no match any more."""
    banks = open_services().banks
    found = banks.entry(entry, bank=bank)
    banks.set_opinion(found.bank, entry, opinion, actor=by, reason=reason)
    _did(found.bank, entry, f"{opinion.value}", 1, json=json)


@app.command()
def disable(
    entry: Entry,
    *,
    by: Actor,
    reason: Reason,
    until: Annotated[
        str | None, typer.Option(help="When it acts again, such as 2027-01-31T12:00Z.")
    ] = None,
    bank: OfBank = None,
    json: Json = False,
) -> None:
    """Let an entry match nothing, until a time or until it is enabled.

    One that is disabled already, and gets a time, is tried for a flood as by enable.
    """
    banks = open_services().banks
    end = None if until is None else _time(until)
    found = banks.entry(entry, bank=bank)
    count = banks.disable_entry(found.bank, entry, end, actor=by, reason=reason)
    _did(found.bank, entry, "disabled", count, json=json)
    _say_if_held(banks, found.bank, entry)


@app.command()
def enable(
    entry: Entry, *, by: Actor, reason: Reason, bank: OfBank = None, json: Json = False
) -> None:
    """Let a disabled entry act again; one that would match much of recent traffic waits."""
    banks = open_services().banks
    found = banks.entry(entry, bank=bank)
    count = banks.enable_entry(found.bank, entry, actor=by, reason=reason)
    _did(found.bank, entry, "enabled", count, json=json)
    _say_if_held(banks, found.bank, entry)


@app.command("withdraw")
def withdraw(
    name: Name,
    *,
    by: Actor,
    reason: Reason,
    entry: Annotated[str | None, typer.Option(help="Only the entry with this id.")] = None,
    json: Json = False,
) -> None:
    """Withdraw a whole bank or an entry: nothing matches it from now on, hashes are erased."""
    banks = open_services().banks
    if entry is None:
        removed = banks.remove(name, actor=by, reason=reason)
    else:
        removed = banks.withdraw_entry(name, entry, actor=by, reason=reason)
    if json:
        print_json({"bank": name, "withdrawn": removed})
    else:
        out.print(f"{removed:,} entries withdrawn")
        err.print("Decisions already made stand until a person changes them.")


@app.command()
def held(*, json: Json = False) -> None:
    """List updates that wait for a person, and how much of recent traffic they would match."""
    print_held(open_services().banks.held_updates(), json=json)


@app.command()
def release(
    version: Version,
    *,
    by: Actor,
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would match.")] = False,
    json: Json = False,
) -> None:
    """Let a held update act."""
    banks = open_services().banks
    if dry_run:
        print_decided(banks.held_update(version), "would act", dry_run=True, json=json)
    else:
        done = banks.release(version, actor=by, reason=reason)
        print_decided(done, "act from now on", dry_run=False, json=json)


@app.command()
def reject(version: Version, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Withdraw a held update: its hashes are erased."""
    done = open_services().banks.reject(version, actor=by, reason=reason)
    print_decided(done, "are withdrawn", dry_run=False, json=json)


@app.command()
def explain(
    entry: Annotated[
        str, typer.Argument(metavar="ENTRY", help="The entry's id or number.", show_default=False)
    ],
    *,
    version: Annotated[
        int, typer.Option(help="The version of the banks that a finding names.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Say what an entry and its bank were at a version, to explain a decision made then."""
    banks = open_services().banks
    explained = [banks.explain(one.number, version) for one in banks.entries_of(entry)]
    there = [one for one in explained if one.entry is not None]
    if not there:
        raise NotFound(f"no entry {entry!r} at version {version}")
    print_explained(there, json=json)


def _say(bank: Bank, what: str, *, json: bool) -> None:
    if json:
        print_json(fields_of(bank))
    else:
        out.print(f"{bank.name}: {what}", markup=False)


def _did(bank: str, entry: str, what: str, count: int, *, json: bool) -> None:
    if json:
        print_json({"bank": bank, "entry": entry, "done": what, "changed": count})
    else:
        out.print(f"{bank} {entry}: {what if count else 'nothing to change'}", markup=False)


def _say_if_held(banks: Banks, bank: str, entry: str) -> None:
    if banks.entry(entry, bank=bank).state is EntryState.HELD:
        err.print("It would match much of recent harmless traffic: see `nightlight bank held`.")


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "such as 2027-01-31T12:00Z"
        raise InvalidInput("not a time", field="--until", hint=hint) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
