"""``nightlight bank``: hash banks come in and are withdrawn; what is in them is never shown."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, out, print_json
from nightlight.cli.lists import print_import, print_summaries
from nightlight.cli.services import open_services
from nightlight.services.lists import read_list

app = typer.Typer(
    name="bank", no_args_is_help=True, help="Hash banks: import, list, withdraw. Never shown."
)


@app.command("import")
def import_bank(
    file: Annotated[Path, typer.Argument(help="NDJSON or CSV: kind, value, classification, id.")],
    *,
    name: Annotated[str, typer.Option(help="The bank's name.", show_default=False)],
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Add the hashes in FILE to a bank; running processes match against them at once."""
    services = open_services()
    done = services.lists.import_bank(name, read_list(file), actor=by, reason=reason)
    print_import(done, json=json)


@app.command("list")
def list_banks(*, json: Json = False) -> None:
    """List banks: how many entries each holds and when it last grew."""
    banks, _ = open_services().lists.summaries()
    print_summaries(banks, json=json, empty="No hash bank yet: `nightlight bank import FILE`.")


@app.command("withdraw")
def withdraw(name: str, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Withdraw a whole bank: nothing matches it from now on."""
    removed = open_services().lists.remove_bank(name, actor=by, reason=reason)
    if json:
        print_json({"bank": name, "withdrawn": removed})
    else:
        out.print(f"{removed:,} entries withdrawn")
        err.print("Decisions already made stand until a person changes them.")
