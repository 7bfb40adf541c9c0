"""``nightlight lexicon``: term lists come in and are withdrawn; terms are never shown."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.lists import new_file, print_import, print_rejected, print_summaries
from nightlight.cli.services import open_services
from nightlight.cli.suggestions import decline, propose, suggest
from nightlight.errors import InvalidInput, NightlightError
from nightlight.exchange.lexicon_file import format_lexicon, format_lexicon_csv
from nightlight.model.lexicon import ChangeAction, LexiconChange
from nightlight.services.lexicons import Proposed, is_program
from nightlight.services.lists import read_list

app = typer.Typer(
    name="lexicon",
    no_args_is_help=True,
    help="Lexicons: import, list, withdraw, suggest; two people change them. Never shown.",
)

for _command in (suggest, propose, decline):
    app.command()(_command)

Alone = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="For who works here alone: at once, without a second person, said each time; the "
        "record says so and `doctor` warns. Refused where another person changed lexicons or "
        "decided cases, unless NIGHTLIGHT_ONE_PERSON_LISTS is true.",
    ),
]
ChangeId = Annotated[str, typer.Argument(metavar="CHANGE", help="Its id: `lexicon changes`.")]


@app.command("import")
def import_lexicon(
    file: Annotated[
        Path,
        typer.Argument(
            help="NDJSON or CSV: text, kind (term, cue, exclusion, abbreviation, hashtag, emoji, "
            "pattern), severity and more (docs: lexicons)."
        ),
    ],
    *,
    name: Annotated[str, typer.Option(help="The lexicon's name.", show_default=False)],
    by: Actor,
    reason: Reason,
    alone: Alone = False,
    json: Json = False,
) -> None:
    """Propose to add the terms in FILE to a lexicon; another person approves it.

    With --alone they are used at once.
    """
    lines = read_list(file)
    if alone:
        _check_person(by)
        done = open_services().lists.import_lexicon(name, lines, actor=by, reason=reason)
        print_import(done, json=json)
        return
    proposed = open_services().lexicons.propose_import(name, lines, actor=by, reason=reason)
    _print_proposed(proposed, json=json)
    print_rejected(proposed.rejected)
    if proposed.rejected:
        raise typer.Exit(1)


@app.command("list")
def list_lexicons(*, json: Json = False) -> None:
    """List lexicons: how many terms each holds and when it last grew."""
    _, lexicons = open_services().lists.summaries()
    print_summaries(lexicons, json=json, empty="No lexicon yet: `nightlight lexicon import FILE`.")


@app.command("withdraw")
def withdraw(
    name: str, *, by: Actor, reason: Reason, alone: Alone = False, json: Json = False
) -> None:
    """Propose to withdraw a whole lexicon; another person approves it.

    With --alone none of its terms is found from now on.
    """
    if not alone:
        proposed = open_services().lexicons.propose_withdrawal(name, actor=by, reason=reason)
        _print_proposed(proposed, json=json)
        return
    _check_person(by)
    removed = open_services().lists.remove_lexicon(name, actor=by, reason=reason)
    if json:
        print_json({"lexicon": name, "withdrawn": removed})
    else:
        out.print(f"{removed:,} terms withdrawn")
        err.print("Decisions already made stand until a person changes them.")


@app.command("changes")
def changes(
    *,
    name: Annotated[str, typer.Option(help="Only of this lexicon.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 30,
    json: Json = False,
) -> None:
    """List changes of lexicons, newest first: what waits, and every version there was."""
    found = open_services().lexicons.changes(lexicon=name, limit=limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.id,
                one.lexicon,
                one.version or "",
                one.action.value,
                _state(one),
                f"+{one.added:,} ~{one.changed:,} -{one.removed:,}",
                one.proposed_by,
                one.decided_by,
                one.proposed_at,
                one.digest[:12],
            )
            for one in found
        ),
        columns=(
            *("change", "lexicon", "version", "action", "state", "terms"),
            *("proposed by", "decided by", "proposed at", "digest"),
        ),
        empty="No change yet: `nightlight lexicon import FILE`.",
    )


@app.command("approve")
def approve(change: ChangeId, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Let a proposed change take effect; who proposed it cannot.

    What is stored already is hunted for the new terms.
    """
    done = open_services().lexicons.approve(change, actor=by, reason=reason)
    if json:
        print_json(fields_of(done))
    elif done.action is ChangeAction.IMPORT:
        out.print(
            f"{done.lexicon}: {done.added:,} added, {done.changed:,} changed,"
            f" now version {done.version}"
        )
        if done.raised or done.lowered:
            err.print(
                f"{done.raised:,} severer: what is stored is decided anew where that is graver;"
                f" {done.lowered:,} less severe: nothing is taken back, `hunt show` lists what was"
                " found by them"
            )
    else:
        out.print(f"{done.lexicon}: {done.removed:,} terms withdrawn")
        err.print("Decisions already made stand until a person changes them.")


@app.command("reject")
def reject(change: ChangeId, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Let a proposed change never take effect; what it would have added is forgotten."""
    done = open_services().lexicons.reject(change, actor=by, reason=reason)
    if json:
        print_json(fields_of(done))
    else:
        out.print(f"{done.lexicon}: change rejected")


@app.command("export")
def export(
    *,
    to: Annotated[Path, typer.Option("--out", help="A new file, for you alone to read.")],
    by: Actor,
    reason: Reason,
    name: Annotated[str, typer.Option(help="The lexicon to write.")] = "",
    change: Annotated[str, typer.Option(help="Instead: what a proposed change would add.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of NDJSON.")] = False,
) -> None:
    """Write a lexicon, or what a change would add, in clear; the record says who had it."""
    if bool(name) == bool(change):
        raise InvalidInput("one list must be named", field="export", hint="--name or --change")
    lexicons = open_services().lexicons
    new_file(to)
    try:
        if name:
            terms = lexicons.export(name, actor=by, reason=reason)
        else:
            terms = lexicons.export_proposed(change, actor=by, reason=reason)
    except NightlightError:
        to.unlink()
        raise
    with to.open("w", encoding="utf-8") as file:
        file.writelines(format_lexicon_csv(terms) if csv else format_lexicon(terms))
    err.print(f"{len(terms):,} terms written")


def _check_person(by: str) -> None:
    """Check that a person, and no program's name, stands for a change without a second person.

    Raises:
        InvalidInput: it is a program's.
    """
    if is_program(by):
        raise InvalidInput("names a program", field="--by", hint="say who you are")


def _state(change: LexiconChange) -> str:
    return f"{change.state.value} (alone)" if change.alone else change.state.value


def _print_proposed(proposed: Proposed, *, json: bool) -> None:
    change = proposed.change
    if json:
        print_json(fields_of(proposed))
        return
    out.print(
        f"{change.lexicon}: change {change.id} waits for a second person"
        f" ({change.added:,} to add, {change.changed:,} to change, {change.removed:,} to withdraw)"
    )
    err.print(
        f"Another person: nightlight lexicon approve {change.id} --by WHO --reason WHY",
        markup=False,
    )
