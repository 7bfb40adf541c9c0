"""``nightlight keys``: master keys, never shown."""

from collections.abc import Sequence
from typing import Annotated

import typer

from nightlight.bootstrap import cover_keys
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
from nightlight.services.keys import Rewrapped
from nightlight.settings import read_settings

app = typer.Typer(
    name="keys", no_args_is_help=True, help="Master keys: status, rotate, retire. Never shown."
)


@app.command()
def status(*, json: Json = False) -> None:
    """Say how much is under which master key; leaves with 1 if something is under a lost one.

    Or if a vault file is damaged: its name is the one under which it lies in the vault.
    """
    survey = open_services().keys.status()
    found = survey.keys
    if json:
        for one in found:
            print_json(fields_of(one))
    else:
        print_rows(
            (
                (
                    one.id,
                    "in use" if one.is_newest else ("older" if one.is_known else "LOST"),
                    one.made_at or "",
                    one.files,
                    one.values,
                )
                for one in found
            ),
            columns=("key", "state", "made", "vault files", "database values"),
            empty="There are no keys.",
        )
    are_known = all(one.is_known for one in found)
    if not are_known:
        err.print("[bold red]something is under a key that the key file lacks[/]")
    _warn_of(survey.unreadable)
    if not are_known or survey.unreadable:
        raise typer.Exit(1)


@app.command()
def rotate(
    *,
    by: Actor,
    reason: Reason,
    lazily: Annotated[
        bool, typer.Option("--lazily", help="Leave older things under the older keys for now.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a fresh master key, then wrap everything older again. Back the key file up then."""
    keys = open_services().keys
    key_id = keys.rotate(person=by, reason=reason)
    done = None if lazily else keys.rewrap(person=by, reason=reason)
    err.print("[bold]Back the key file up now[/]: what is sealed from now on needs the new key.")
    _tell(done or Rewrapped(key=key_id, files=0, values=0), json=json)


@app.command()
def rewrap(*, by: Actor, reason: Reason, json: Json = False) -> None:
    """Wrap what is under older keys again under the newest; goes on where it was cut off.

    Leaves with 1 if vault files could not be: they are damaged, or under a key that is lost.
    """
    _tell(open_services().keys.rewrap(person=by, reason=reason), json=json)


@app.command()
def retire(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")],
    *,
    by: Actor,
    reason: Reason,
    despite_unreadable: Annotated[
        bool,
        typer.Option(
            "--despite-unreadable",
            help="Also where vault files are damaged, whose copies in backups may need it.",
        ),
    ] = False,
) -> None:
    """Take out a master key that nothing needs any more: copies made in its time open no more."""
    open_services().keys.retire(
        key_id, person=by, reason=reason, despite_unreadable=despite_unreadable
    )
    out.print(f"{key_id} is retired; take it out of the key file's backups too", markup=False)


@app.command()
def cover() -> None:
    """Let the configured key service cover a key file that holds its keys in clear."""
    name = cover_keys(read_settings())
    out.print(f"the key file is covered by {name}; destroy older copies of it", markup=False)


def _tell(done: Rewrapped, *, json: bool) -> None:
    if json:
        print_json(fields_of(done))
    else:
        out.print(
            f"master key {done.key}: {done.files:,} vault files and {done.values:,} values"
            " were wrapped again"
        )
    _warn_of(done.unreadable)
    if done.unreadable:
        raise typer.Exit(1)


def _warn_of(unreadable: Sequence[str]) -> None:
    for name in unreadable:
        err.print(f"not readable, restore it from a backup: {name}", markup=False)
