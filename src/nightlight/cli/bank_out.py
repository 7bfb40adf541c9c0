"""How ``nightlight bank`` prints what it did and what there is."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TextIO, TypeVar

import typer

from nightlight.cli.console import err, fields_of, out, print_json, print_rows, printable
from nightlight.cli.lists import print_rejected
from nightlight.errors import Conflict, InvalidInput, Unavailable
from nightlight.exchange.ports import BankSummary
from nightlight.model.bank import BankVersion, EntryState
from nightlight.services.bank_import import ImportedBank
from nightlight.services.banks import Explained
from nightlight.services.updates import HeldUpdate

_Named = TypeVar("_Named", bound=StrEnum)


def print_import(done: ImportedBank, *, dry_run: bool, json: bool) -> None:
    """Print what an import came to; leaves with 1 where lines had to be left out."""
    if json:
        print_json({**fields_of(done), "dry_run": dry_run})
    else:
        same = done.read - done.added - done.changed
        out.print(
            f"{done.name}: {done.added:,} added, {done.changed:,} changed, {same:,} already there",
            markup=False,
        )
        _print_traffic(done.matched_files, done.looked_at)
    if dry_run:
        err.print("[yellow]dry run: nothing was stored[/]")
    if done.held:
        err.print(
            f"[yellow]{done.held:,} entries are held:[/] they would match too much of recent "
            "traffic. A person decides: `nightlight bank held`"
        )
    print_rejected(done.rejected)
    if done.rejected:
        raise typer.Exit(1)


def _print_traffic(matched: int, looked_at: int) -> None:
    if looked_at:
        out.print(f"matches {matched:,} of {looked_at:,} recent files that nothing matched so far")


def print_summaries(summaries: Sequence[BankSummary], *, json: bool) -> None:
    """Print what may be shown of banks."""
    if json:
        for one in summaries:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.bank.name,
                one.bank.purpose,
                *(f"{one.entries.get(state, 0):,}" for state in EntryState),
                _counts(one.kinds),
                one.bank.threshold_bits,
                f"{one.bank.enabled_ratio:g}",
                _counts(one.opinions),
                one.updated_at or "",
            )
            for one in summaries
        ),
        columns=(
            *("bank", "purpose", *(state.value for state in EntryState)),
            *("kinds", "threshold", "ratio", "opinions", "last change"),
        ),
        empty="No hash bank yet: `nightlight bank import FILE`.",
    )


def print_bank(summary: BankSummary, versions: Sequence[BankVersion], *, json: bool) -> None:
    """Print a bank's settings and its newest versions."""
    if json:
        print_json({**fields_of(summary), "versions": [fields_of(one) for one in versions]})
        return
    bank = summary.bank
    out.print(
        f"{bank.name}  {bank.purpose}\n"
        f"threshold {bank.threshold_bits} bits  ratio {bank.enabled_ratio:g}"
        f"  classification {bank.classification or '-'}\n"
        f"from {printable(bank.provenance) or '-'}\n"
        f"entries: {_counts(summary.entries) or 'none'}\n"
        f"active by kind: {_counts(summary.kinds) or 'none'}\n"
        f"active by opinion: {_counts(summary.opinions) or 'none'}",
        markup=False,
    )
    print_rows(
        (
            (
                *(one.number, one.at, one.actor, one.reason),
                *(one.added, one.held, one.changed, one.withdrawn),
            )
            for one in versions
        ),
        columns=("version", "at", "by", "reason", "added", "held", "changed", "withdrawn"),
        empty="No version is noted.",
    )


def print_held(updates: Sequence[HeldUpdate], *, json: bool) -> None:
    """Print the updates that wait for a person."""
    if json:
        for one in updates:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                *(one.version, one.bank, f"{one.entries:,}"),
                *(f"{one.matched_files:,} of {one.looked_at:,}", f"{one.share:.2%}"),
                *(one.at, one.actor, one.reason),
            )
            for one in updates
        ),
        columns=("version", "bank", "entries", "would match", "share", "at", "by", "reason"),
        empty="No update is held.",
    )


def print_decided(update: HeldUpdate, what: str, *, dry_run: bool, json: bool) -> None:
    """Print what became of a held update."""
    if json:
        print_json({**fields_of(update), "dry_run": dry_run})
        return
    out.print(f"{update.bank}: {update.entries:,} entries {what}", markup=False)
    _print_traffic(update.matched_files, update.looked_at)
    if dry_run:
        err.print("[yellow]dry run: nothing was stored[/]")


def print_explained(explained: Sequence[Explained], *, json: bool) -> None:
    """Print what entries were; their hashes are left out."""
    for one in explained:
        entry, bank = one.entry, one.bank
        if entry is None:
            continue
        told = {
            name: value
            for name, value in fields_of(entry).items()
            if name not in ("value", "disabled_until")
        }
        if json:
            settings = None if bank is None else fields_of(bank)
            print_json({"version": one.version, "entry": told, "bank": settings})
            continue
        out.print(f"at version {one.version}:", markup=False)
        for name, value in told.items():
            out.print(f"  {name}: {printable(str(value))}", markup=False)
        if bank is not None:
            out.print(
                f"  bank: {bank.purpose}, threshold {bank.threshold_bits} bits,"
                f" ratio {bank.enabled_ratio:g}, classification {bank.classification or '-'}",
                markup=False,
            )


def write_export(
    name: str, export: Callable[[], Iterator[str]], *, output: Path | None, json: bool
) -> None:
    """Write the lines of a bank to a new file or to a program that reads stdout.

    Raises:
        InvalidInput: stdout is a terminal, where hashes must not stand.
        Conflict: the file is there already.
        Unavailable: the file cannot be written.
    """
    if output is None:
        if sys.stdout.isatty():
            hint = "give --output FILE, or pipe it into a program"
            raise InvalidInput("hashes are not shown on a terminal", field="stdout", hint=hint)
        _write(export(), sys.stdout)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            count = _write(export(), file)
    except FileExistsError as error:
        raise Conflict("there is a file of this name", field=str(output)) from error
    except OSError as error:
        told = f"cannot be written: {error.strerror}"
        raise Unavailable(told, field=str(output)) from error
    if json:
        print_json({"bank": name, "output": str(output), "lines": count})
    else:
        out.print(f"{name}: {count:,} lines written to {output}", markup=False)
    err.print("The file holds hashes in clear: keep it as you keep the list itself.")


def _write(lines: Iterator[str], file: TextIO) -> int:
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007  told after the last
        file.write(f"{line}\n")
    return count


def _counts(counts: Mapping[_Named, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
