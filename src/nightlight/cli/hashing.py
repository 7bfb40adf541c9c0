"""``nightlight hash``: the hashes of files, one JSON object a line."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.bootstrap import build_file_scanner
from nightlight.cli.console import err, print_json
from nightlight.model.media import FRAME_BYTES, ScanState


def hash_files(
    *, files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to hash.")]
) -> None:
    """Print file, md5, sha1, sha256, pdq, quality and further views of each FILE as JSON.

    `pdq` is null for what is no picture or could not be decoded; the reason goes to stderr, and
    the command leaves with 1. `video_frames` is how many frames of a video were hashed.
    """
    scan_file = build_file_scanner()
    failed = False
    for path in files:
        scan = scan_file(path)
        hashes = scan.hashes
        print_json(
            {
                "file": str(path),
                "md5": hashes.md5,
                "sha1": hashes.sha1,
                "sha256": hashes.sha256,
                "pdq": hashes.pdq or None,
                "quality": hashes.pdq_quality if hashes.pdq else None,
                "views": {one.view: one.pdq for one in hashes.views},
                "video_frames": len(hashes.video.frames) // FRAME_BYTES if hashes.video else None,
            }
        )
        if scan.state is not ScanState.SCANNED:
            err.print(f"{path}: {scan.reason}", markup=False)
            failed = True
    if failed:
        raise typer.Exit(1)
