"""``nightlight evidence``: packages for authorities."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.bootstrap import open_package, verify_package
from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json
from nightlight.cli.custody import RequestArgument
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.model.custody import RequestKind
from nightlight.model.ids import CaseId

_CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
_Package = Annotated[Path, typer.Argument(metavar="PACKAGE", help="The package.")]
_Key = Annotated[
    str, typer.Option("--key", help="The provider's public key, which it told you by another way.")
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="Of an export: the new file for the package.")
]
_PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file with the passphrase in its first line."),
]


def export(
    case_id: _CaseArgument,
    *,
    reference: Annotated[str, typer.Option("--request", help="The authority's request.")],
    to: Annotated[
        str, typer.Option("--to", help="The authority's public key (age1...), or `passphrase`.")
    ],
    by: Actor,
    reason: Reason,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="This evidence alone; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Propose to export a case's evidence; another person approves it with `evidence approve`."""
    request = open_services().exports.propose(
        CaseId(case_id),
        recipient=to,
        reference=reference,
        person=by,
        reason=reason,
        only=only or (),
    )
    if json:
        print_json(fields_of(request))
    else:
        out.print(f"{request.id}: {len(request.evidence_ids)} items wait for another person")


def approve(
    request_id: RequestArgument,
    *,
    by: Actor,
    reason: Reason,
    to: _Out = None,
    passphrase_file: _PassphraseFile = None,
    json: Json = False,
) -> None:
    """Approve, as a second person, what another proposed, and carry it out."""
    services = open_services()
    if services.requests.get(request_id).what is RequestKind.EXPORT:
        if to is None:
            raise InvalidInput("an export needs a file to go to", field="out")
        services.exports.approve(request_id, person=by, reason=reason)
        package(request_id, by=by, to=to, passphrase_file=passphrase_file, json=json)
        return
    done = services.early_destruction.approve(request_id, person=by, reason=reason)
    if json:
        print_json(fields_of(done))
    else:
        out.print(f"{done.destroyed} destroyed, {done.spared} spared")


def package(
    request_id: RequestArgument,
    *,
    by: Actor,
    to: Annotated[Path, typer.Option("--out", help="The new file for the package.")],
    passphrase_file: _PassphraseFile = None,
    json: Json = False,
) -> None:
    """Write the package of an approved export again, as one of the two who asked for it."""
    done = open_services().exports.write(
        request_id, to, person=by, passphrase=_first_line(passphrase_file)
    )
    if json:
        print_json({"request": request_id, "output": str(to), **fields_of(done.packed)})
        return
    out.print(f"{to}: {len(done.request.evidence_ids)} items, sha256 {done.packed.sha256}")
    err.print("Tell the recipient the public key by another way: `nightlight evidence signing-key`")


def signing_key() -> None:
    """Print the public key that verifies packages of this Nightlight."""
    out.print(open_services().exports.public_key, markup=False)


def verify(path: _Package, *, key: _Key, json: Json = False) -> None:
    """Check a package's signature and digests without opening it; needs no Nightlight home."""
    manifest = verify_package(path, public=key)
    if json:
        print_json(fields_of(manifest))
    else:
        out.print(
            f"genuine and whole: {manifest.package}, {len(manifest.members)} members,"
            f" made {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"
        )


def decrypt(
    path: _Package,
    *,
    key: _Key,
    to: Annotated[Path, typer.Option("--out", help="A new folder.")],
    identity: Annotated[
        Path | None, typer.Option("--identity", help="Your age identity file.")
    ] = None,
    passphrase_file: _PassphraseFile = None,
    json: Json = False,
) -> None:
    """Open a package that was made for you into a new folder; needs no Nightlight home."""
    if (identity is None) == (passphrase_file is None):
        raise InvalidInput("name --identity or --passphrase-file", field="identity")
    contents = open_package(
        path,
        public=key,
        to=to,
        identity=_read(identity) if identity else "",
        passphrase=_first_line(passphrase_file),
    )
    if json:
        print_json({"output": str(to), "evidence": len(contents.evidence)})
    else:
        out.print(f"{to}: {len(contents.evidence)} items, each as it was sealed; see contents.json")


def _first_line(path: Path | None) -> str:
    return _read(path).partition("\n")[0].rstrip("\r") if path else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("cannot be read", field=str(path)) from error
