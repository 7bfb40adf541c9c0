"""``nightlight match``: which bank entries files or hashes match, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec.structs import replace

from nightlight.bootstrap import build_file_scanner
from nightlight.cli.console import err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.detect.bank_index import MATCHABLE_QUALITY, BankIndex, Looked
from nightlight.errors import InvalidInput
from nightlight.model.bank import BankMatch, BankPurpose, HashKind
from nightlight.model.media import MediaHashes, Scan, ScanState

_HASH_KINDS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256, HashKind.PDQ)


def match(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Pictures or videos.")
    ] = None,
    *,
    hash_: Annotated[
        list[str] | None,
        typer.Option("--hash", help="A hash instead of a file, as KIND:HEX; repeatable."),
    ] = None,
    bank: Annotated[list[str] | None, typer.Option(help="Ask only this bank; repeatable.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line, for programs.")
    ] = False,
) -> None:
    """Print which bank entries each FILE or hash matches, through which view, and why.

    Nothing is stored and nothing follows from it. Leaves with 1 where a file could not be looked
    at, because then nobody knows what it matches.
    """
    services, scan_file = open_services(), build_file_scanner()
    asked = [(f"{one.partition(':')[0]} hash", _hash_of(one)) for one in hash_ or ()]
    if not files and not asked:
        raise InvalidInput("nothing to match", hint="name files, or give --hash KIND:HEX")
    index = services.matcher.refresh()
    failed = False
    for path in files or ():
        scan = scan_file(path)
        failed |= scan.state is not ScanState.SCANNED
        _print(str(path), scan, index, banks=bank, json=json)
    for name, hashes in asked:
        scan = Scan(state=ScanState.SCANNED, hashes=hashes)
        _print(name, scan, index, banks=bank, json=json)
    if failed:
        raise typer.Exit(1)


def _hash_of(text: str) -> MediaHashes:
    kind, _, value = text.partition(":")
    if kind not in _HASH_KINDS or not value:
        known = ", ".join(_HASH_KINDS)
        raise InvalidInput("not a hash", field="--hash", hint=f"KIND:HEX with a kind of {known}")
    found = replace(MediaHashes(), **{kind: value.lower()})
    return replace(found, pdq_quality=100) if kind == HashKind.PDQ else found


def _print(
    name: str, scan: Scan, index: BankIndex, *, banks: Sequence[str] | None, json: bool
) -> None:
    looked = index.look(scan.hashes, banks=banks)
    why = _why_nothing(scan, looked, index)
    if json:
        print_json(
            {
                "file": name,
                "state": scan.state,
                "reason": scan.reason,
                "bank_version": index.version,
                "matches": [fields_of(one) for one in looked.matches],
                "taken_back": [fields_of(one) for one in looked.taken_back],
                "vetoes": [fields_of(one) for one in looked.vetoes],
                "why": why,
            }
        )
        return
    out.print(f"{name}: {_sum_of(looked)} (banks at version {index.version})", markup=False)
    for said in why:
        err.print(f"  {said}", markup=False)
    shown = [
        *(_row("match", one, index) for one in looked.matches),
        *(_row("taken back", one, index) for one in looked.taken_back),
        *(_row("takes back", one, index) for one in looked.vetoes),
    ]
    if shown:
        columns = (
            "",
            "bank",
            "entry",
            "kind",
            "seen as",
            "known as",
            "distance",
            "class",
            "opinion",
        )
        print_rows(shown, columns=columns, empty="")


def _sum_of(looked: Looked) -> str:
    count = len(looked.matches)
    if not count:
        return "no match"
    return "1 match" if count == 1 else f"{count} matches"


def _row(what: str, match: BankMatch, index: BankIndex) -> tuple[Any, ...]:
    if match.kind is HashKind.PDQ:
        near = f"{match.distance_bits} of {index.bank(match.bank).threshold_bits} bits"
    elif match.kind is HashKind.VPDQ:
        near = f"{match.distance_bits} bits, {match.query_share:.0%} of it"
        near += f", {match.bank_share:.0%} of the known video"
    else:
        near = "the same bytes"
    return (
        what,
        match.bank,
        match.entry_id,
        match.kind,
        match.view or "as it is",
        match.bank_view or "as it is",
        near,
        match.classification,
        match.opinion,
    )


def _why_nothing(scan: Scan, looked: Looked, index: BankIndex) -> list[str]:
    """Return what a person should know who expected something else."""
    hashes = scan.hashes
    said: list[str] = []
    if scan.state is not ScanState.SCANNED:
        said.append(f"could not be looked at: {scan.reason}")
    elif hashes.pdq and hashes.pdq_quality < MATCHABLE_QUALITY:
        said.append(
            f"its PDQ quality is {hashes.pdq_quality}, under {MATCHABLE_QUALITY}: it says too"
            " little to be compared, only the same bytes match"
        )
    if looked.taken_back:
        said.append("an entry of a negative bank takes matches back")
    if not len(index):
        said.append("no bank has entries yet: `nightlight bank import`")
    off = sorted(
        {
            one.bank
            for one in looked.matches
            if index.bank(one.bank).enabled_ratio < 1.0
            and index.bank(one.bank).purpose is BankPurpose.KNOWN
        }
    )
    said += [f"bank {name} is asked about a share of files only" for name in off]
    return said
