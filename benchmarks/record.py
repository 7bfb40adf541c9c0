"""Measures the record: ``python -m benchmarks.record``.

Writes entries as the pipeline does, a thousand a transaction with a checkpoint each, durable on a
new SQLite database; then verifies them whole, verifies what is new, exports them, and has the
separate verifier read database and export. The floor is a plain loop over ``hashlib`` that hashes
as many bytes as often. Rates are of processor time, since the machine may be shared.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from msgspec import Struct

import nightlight_verify
from benchmarks.machine import describe_machine
from nightlight.bootstrap import build_services
from nightlight.model.audit import AuditEntry
from nightlight.services import Services
from nightlight.services.record_export import export
from nightlight.settings import read_settings

_BATCH = 1_000
#: The system's own word for the most memory of a process, which no parent's adds to.
_PEAK = (
    "import sys, nightlight_verify; assert nightlight_verify.main(sys.argv[1:]) in (0, 3);"
    "print([one for one in open('/proc/self/status') if one.startswith('VmHWM')][0])"
)


class Measured(Struct, frozen=True, kw_only=True):
    """Entries a second of processor time, but for the bytes."""

    entries: int
    checkpoints: int
    floor: float
    written: float
    verified: float
    verified_new: float
    exported: float
    verifier_database: float
    verifier_export: float
    verifier_peak_bytes: int
    bytes_an_entry: float
    export_bytes_an_entry: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size and print it."""
    parser = argparse.ArgumentParser(description="Measure the record.")
    parser.add_argument("--entries", default="100000,1000000", help="how many entries, each size")
    parser.add_argument("--json", action="store_true", help="print one JSON object a size")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
    for size in (int(one) for one in options.entries.split(",")):
        with TemporaryDirectory() as folder:
            found = measure(size, Path(folder))
        shown = {name: getattr(found, name) for name in found.__struct_fields__}
        if options.json:
            print(json.dumps(shown), flush=True)
        else:
            print("\n".join(f"{name:22} {value:>14,.0f}" for name, value in shown.items()))


def measure(size: int, folder: Path) -> Measured:
    """Return what a record of a size came to."""
    services = build_services(read_settings({"NIGHTLIGHT_HOME": str(folder)}))
    record, database = services.record, folder / "nightlight.db"
    written = timed(lambda: write(services, size))
    anchors = services.settings.anchors_file
    verified = timed(lambda: assert_intact(record.verify().intact))
    write(services, _BATCH)
    new = timed(lambda: assert_intact(record.verify(since_last=True).intact))
    path = folder / "export.ndjson"
    exported = timed(lambda: write_export(services, path))
    arguments = ["--key", record.verifier_key, "--checkpoints", str(anchors)]
    total = size + _BATCH
    return Measured(
        entries=total,
        checkpoints=total // _BATCH,
        floor=total / timed(lambda: floor(total)),
        written=size / written,
        verified=size / verified,
        verified_new=_BATCH / new,
        exported=total / exported,
        verifier_database=total / timed(lambda: verify_alone(database, arguments)),
        verifier_export=total / timed(lambda: verify_alone(path, arguments)),
        verifier_peak_bytes=peak_of(path, arguments),
        bytes_an_entry=database.stat().st_size / total,
        export_bytes_an_entry=path.stat().st_size / total,
    )


def timed(work: Callable[[], object]) -> float:
    """Return the processor time that work took."""
    start = process_time()
    work()
    return process_time() - start


def write(services: Services, count: int) -> None:
    """Commit entries such as judging makes, a batch a transaction."""
    for start in range(0, count, _BATCH):
        with services.unit_of_work.begin() as tx:
            tx.commit(*(entry(number) for number in range(start, min(start + _BATCH, count))))
        services.record.anchor()


def entry(number: int) -> AuditEntry:
    """Return what the record says of a decision."""
    return AuditEntry(
        actor="nightlight",
        action="decision.made",
        subject=f"dec_{number:024x}",
        policy_version="default@3:0123456789abcdef",
        reason="known_media_exact; term_beside_cue",
        detail={
            "subject": f"post:post-{number}",
            "account": f"account-{number % 997}",
            "category": "known_media",
            "effects": ["preserve", "hide", "review"],
            "withheld": [],
            "case": f"case_{number % 997:024x}",
        },
    )


def assert_intact(intact: bool) -> None:  # noqa: FBT001  it is the one thing asked
    """Return if the record is intact."""
    if not intact:
        raise AssertionError("the record is broken")


def write_export(services: Services, path: Path) -> None:
    """Write an export of the record."""
    with path.open("wb") as file:
        for line in export(services.record, services.unit_of_work):
            file.write(line)


def verify_alone(path: Path, arguments: Sequence[str]) -> None:
    """Have the separate verifier verify, in this process and in silence."""
    options = nightlight_verify.read_options([str(path), *arguments])
    assert_intact(bool(nightlight_verify.verify(options)["intact"]))


def peak_of(path: Path, arguments: Sequence[str]) -> int:
    """Return the most memory that the separate verifier took, in a process of its own."""
    command = [sys.executable, "-c", _PEAK, str(path), *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(said.split()[-2]) * 1024


def floor(count: int) -> None:
    """Hash as many bytes as verifying an entry takes, as often, in the plainest loop there is."""
    salt, field, body = b"s" * 16, b"f" * 60, b"b" * 560
    for _ in range(count):
        hashlib.sha512(salt).digest()
        for _ in range(4):
            hashlib.sha256(field).hexdigest()
        hashlib.sha256(body).hexdigest()


if __name__ == "__main__":
    main()
