"""``nightlight lexicon``: term lists come in and are withdrawn; terms are never shown."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, out, print_json
from nightlight.cli.lists import print_import, print_summaries
from nightlight.cli.services import open_services
from nightlight.services.lists import read_list

app = typer.Typer(
    name="lexicon", no_args_is_help=True, help="Lexicons: import, list, withdraw. Never shown."
)


@app.command("import")
def import_lexicon(
    file: Annotated[
        Path, typer.Argument(help="NDJSON or CSV: text, kind (term, cue, exclusion), severity.")
    ],
    *,
    name: Annotated[str, typer.Option(help="The lexicon's name.", show_default=False)],
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Add the terms in FILE to a lexicon; running processes use them at once."""
    services = open_services()
    done = services.lists.import_lexicon(name, read_list(file), actor=by, reason=reason)
    print_import(done, json=json)


@app.command("list")
def list_lexicons(*, json: Json = False) -> None:
    """List lexicons: how many terms each holds and when it last grew."""
    _, lexicons = open_services().lists.summaries()
    print_summaries(lexicons, json=json, empty="No lexicon yet: `nightlight lexicon import FILE`.")


@app.command("withdraw")
def withdraw(name: str, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Withdraw a whole lexicon: none of its terms is found from now on."""
    removed = open_services().lists.remove_lexicon(name, actor=by, reason=reason)
    if json:
        print_json({"lexicon": name, "withdrawn": removed})
    else:
        out.print(f"{removed:,} terms withdrawn")
        err.print("Decisions already made stand until a person changes them.")
