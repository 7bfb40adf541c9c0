"""``nightlight lexicon suggest``: words that no list has yet, by their numbers, never shown."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.lists import new_file
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput, NightlightError
from nightlight.services.suggestions import Suggestion

Ids = Annotated[
    list[str], typer.Argument(metavar="SUGGESTION...", help="Their ids: `lexicon suggest`.")
]


def suggest(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 30,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="A new file for the words, for you alone to read."),
    ] = None,
    by: Annotated[str, typer.Option(help="With --out: who reads them.")] = "",
    reason: Annotated[str, typer.Option(help="With --out: why.")] = "",
    json: Json = False,
) -> None:
    """List words and hashtags that sellers use and others do not, the likeliest terms first.

    By id and numbers; the words themselves only with --out, and the record says who had them.
    Nothing acts on a suggestion but `lexicon propose`, and then a second person.
    """
    suggestions = open_services().suggestions
    if to is None:
        _print(suggestions.all(limit=limit), json=json)
        return
    if not by or not reason:
        raise InvalidInput("who reads the words, and why, must be said", field="--by, --reason")
    file = new_file(to)
    try:
        found = suggestions.export(limit=limit, actor=by, reason=reason)
    except NightlightError:
        to.unlink()
        raise
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{one.id}\t{one.form.value}\t{one.word.text}\n" for one in found)
    err.print(f"{len(found):,} words written")


def propose(
    suggestions: Ids,
    *,
    name: Annotated[str, typer.Option(help="The lexicon to add them to.", show_default=False)],
    severity: Annotated[int, typer.Option(min=0, max=100, help="How much each says alone.")] = 50,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Propose suggested words as terms of a lexicon; another person approves the change."""
    proposed = open_services().suggestions.accept(
        suggestions, lexicon=name, severity=severity, actor=by, reason=reason
    )
    if json:
        print_json(fields_of(proposed))
        return
    out.print(f"{name}: change {proposed.change.id} waits for a second person")
    err.print(
        f"Another person: nightlight lexicon approve {proposed.change.id} --by WHO --reason WHY",
        markup=False,
    )


def decline(suggestions: Ids, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Let words not be suggested again."""
    count = open_services().suggestions.decline(suggestions, actor=by, reason=reason)
    if json:
        print_json({"declined": count})
    else:
        out.print(f"{count:,} declined")


def _print(found: list[Suggestion], *, json: bool) -> None:
    if json:
        for one in found:
            shown = fields_of(one)
            print_json({name: value for name, value in shown.items() if name != "word"})
        return
    print_rows(
        ((one.id, one.form.value, f"{one.score:.0f}", one.why) for one in found),
        columns=("suggestion", "kind", "score", "why"),
        empty="Nothing: no word that is not listed is used by several who sell and few others.",
    )
