"""``nightlight hash``: the hashes of files, one JSON object a line."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.bootstrap import build_hasher
from nightlight.cli.console import err, print_json
from nightlight.errors import InvalidInput
from nightlight.model.media import ScanState


def hash_files(
    *, files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to hash.")]
) -> None:
    """Print file, md5, sha1, sha256, pdq and quality of each FILE as a line of JSON.

    `pdq` is null for what is no picture or could not be decoded; the reason goes to stderr, and
    the command leaves with 1.
    """
    hasher = build_hasher()
    failed = False
    for path in files:
        try:
            scan = hasher.scan(path.read_bytes())
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error
        hashes = scan.hashes
        print_json(
            {
                "file": str(path),
                "md5": hashes.md5,
                "sha1": hashes.sha1,
                "sha256": hashes.sha256,
                "pdq": hashes.pdq or None,
                "quality": hashes.pdq_quality if hashes.pdq else None,
            }
        )
        if scan.state is not ScanState.SCANNED:
            err.print(f"{path}: {scan.reason}", markup=False)
            failed = True
    if failed:
        raise typer.Exit(1)
