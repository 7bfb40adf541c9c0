"""``nightlight report``: CyberTips, drafted from confirmed cases and filed once."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nightlight.cli import report_decisions
from nightlight.cli.console import (
    Actor,
    Json,
    Reason,
    err,
    fields_of,
    out,
    print_json,
    print_rows,
    printable,
)
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput, NightlightError
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.model.incident import IncidentType
from nightlight.report.plain import fields, summary
from nightlight.report.progress import SET_ASIDE
from nightlight.report.remedy import remedy
from nightlight.services.receipts import changed
from nightlight.transaction import StoredTip

app = typer.Typer(
    name="report", no_args_is_help=True, help="CyberTips: list, preview, file; report decisions."
)
app.add_typer(report_decisions.app)

_ROUND = 20

Tip = Annotated[str, typer.Argument(metavar="TIP", help="The tip's id.")]


@app.command("list")
def list_tips(
    *,
    state: Annotated[TipState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List tips, the newest first: how far their filing came, and what a person must do."""
    with open_services().unit_of_work.read() as tx:
        tips = tx.tips.newest(limit, state)
    if json:
        for tip in tips:
            print_json({**fields_of(tip), "to_do": _to_do(tip)})
        return
    print_rows(
        (
            (t.tip_id, t.case_id, t.filing.state, t.filing.remote_id, _waits_because(t))
            for t in tips
        ),
        columns=("tip", "case", "state", "report id", "waits because"),
        empty="No tips: they are drafted when a reviewer confirms a reportable case.",
    )
    for tip in tips:
        if to_do := _to_do(tip):
            typer.echo(f"{tip.tip_id}: {printable(to_do)}")


def _pair(change: str, option: str) -> tuple[str, str]:
    field, found, value = change.partition("=")
    if not found:
        raise InvalidInput("FIELD=... was expected", field=option)
    return field.strip(), value


def _said_in(file: str) -> str:
    """Return what a file says, but for the end of its last line."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise InvalidInput(f"cannot be read: {why}", field=file) from None


def _print_drafted(tips: Sequence[CyberTip], *, json: bool) -> None:
    for tip in tips:
        if json:
            print_json({"tip": tip.id, "case": tip.case_id, "destination": tip.destination})
        else:
            out.print(f"{tip.id} is drafted, to be filed with {tip.destination}", markup=False)


def _waits_because(tip: StoredTip) -> str:
    return f"{SET_ASIDE}: {tip.trouble}" if tip.trouble else tip.filing.failure


def _to_do(tip: StoredTip) -> str:
    return remedy(
        tip.filing,
        appealed=tip.appealed,
        overturned=tip.overturned,
        trouble=tip.trouble,
        elsewhere=tip.elsewhere,
        undrafted=tip.undrafted,
    )


@app.command()
def preview(
    tip_id: Tip,
    *,
    xml: Annotated[bool, typer.Option("--xml", help="The document itself.")] = False,
) -> None:
    """Show a tip as it would be filed now; leaves with 1 if it could not be sent so.

    Once its report was opened, what was sent is shown; --xml then shows every document.

    The names on the left are those that `report correct --set` takes.
    """
    found = open_services().tip_desk.preview(TipId(tip_id))
    if xml:
        for document in found.sent or (found.document,):
            typer.echo(document.decode())
    else:
        if found.sent:
            where = f" to {found.filing.line}" if found.filing.line else ""
            out.print(f"As it was sent{where}:", markup=False, highlight=False)
        for line in summary(found.tip):
            out.print(line, markup=False, highlight=False)
        print_rows(fields(found.tip), columns=("field", "says"), empty="It says nothing.")
    if found.unchecked:
        err.print(f"Not held against the schema: {found.unchecked}", markup=False)
    if found.fault:
        err.print(
            found.fault if found.sent else f"It could not be sent: {found.fault}", markup=False
        )
        raise typer.Exit(1)


@app.command()
def correct(
    tip_id: Tip,
    *,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field as `report preview` names it, and what it says; may be given again.",
        ),
    ] = None,
    from_files: Annotated[
        list[str] | None,
        typer.Option(
            "--set-from",
            metavar="FIELD=FILE",
            help="The same, where a file says it, so that no shell keeps it; - is the input.",
        ),
    ] = None,
    by: Actor,
    reason: Reason,
) -> None:
    """Correct a tip that is not opened yet; who viewed a file is not a person's to correct."""
    pairs = [_pair(change, "--set") for change in changes or ()]
    for change in from_files or ():
        field, file = _pair(change, "--set-from")
        pairs.append((field, _said_in(file)))
    if not pairs:
        raise InvalidInput("nothing is corrected", field="--set", hint="--set FIELD=VALUE")
    desk = open_services().tip_desk
    desk.correct(TipId(tip_id), pairs, by=by, reason=reason)
    out.print(f"{tip_id} is corrected in {len(pairs)} field(s)", markup=False)
    if unchecked := desk.preview(TipId(tip_id)).unchecked:
        err.print(
            f"Not held against the schema: {unchecked}. Until `nightlight report preview {tip_id}`"
            " does so, it may be refused.",
            markup=False,
        )


@app.command()
def draft(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="The confirmed case's id.")],
    *,
    incident_type: Annotated[
        IncidentType | None,
        typer.Option("--as", help="What it is reported as, where the policy does not say so."),
    ] = None,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Draft the tip of a case that was confirmed and has none, at each place that lacks it.

    For cases that were confirmed before the policy, its threshold or a person said that they are
    to be reported.
    """
    tips = open_services().tip_desk.order(CaseId(case_id), incident_type, by=by, reason=reason)
    _print_drafted(tips, json=json)


@app.command()
def supplement(
    case_id: Annotated[str, typer.Argument(metavar="CASE", help="The reported case's id.")],
    *,
    note: Annotated[str, typer.Option(help="What is to be added to what was reported.")] = "",
    note_from: Annotated[
        str, typer.Option(metavar="FILE", help="The note, where a file says it; - is the input.")
    ] = "",
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Draft further tips about a reported case: the note, and files that are new since.

    There is one at each place that has the report, and it names the earlier one.
    """
    if note and note_from:
        raise InvalidInput("one note is needed", field="--note", hint="--note or --note-from")
    said = _said_in(note_from) if note_from else note
    found = open_services().tip_desk.supplement(CaseId(case_id), said, by=by, reason=reason)
    _print_drafted(found.tips, json=json)
    for one in found.unfiled:
        err.print(
            f"{one.destination} has no report of {one.tip_id}, which is {one.filing.state}:"
            " nothing was added there",
            markup=False,
        )


@app.command()
def retry(
    tip_id: Annotated[str, typer.Argument(metavar="[TIP]", help="The tip's id.")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every refused tip.")] = False,
    by: Actor,
    reason: Reason,
    as_it_is: Annotated[
        bool,
        typer.Option(
            "--as-it-is", help="Also without sealed addresses and devices that cannot be read."
        ),
    ] = False,
) -> None:
    """Let a refused tip be filed again, once what it was refused for is mended."""
    if every == bool(tip_id):
        raise InvalidInput("name one tip, or give --all", field="TIP")
    services = open_services()
    if not every:
        services.tip_desk.retry(TipId(tip_id), by=by, reason=reason, as_it_is=as_it_is)
        out.print(
            f"{tip_id} is due again: `nightlight report file`, or a running worker, files it",
            markup=False,
        )
        return
    with services.unit_of_work.read() as tx:
        refused = [one.tip_id for one in tx.tips.refused() if not one.trouble]
    left = 0
    for one in refused:
        try:
            services.tip_desk.retry(one, by=by, reason=reason, as_it_is=as_it_is)
        except NightlightError as error:
            left += 1
            err.print(f"{one} stays refused: {error}", markup=False)
    out.print(f"{len(refused) - left:,} of {len(refused):,} refused tips are due again")
    if left:
        raise typer.Exit(1)


@app.command()
def abandon(tip_id: Tip, *, by: Actor, reason: Reason) -> None:
    """Give a refused tip up for good, where its destination will never take it.

    No retry files it any more. What of its cases is filed at other places counts without it.
    """
    desk = open_services().tip_desk
    desk.abandon(TipId(tip_id), by=by, reason=reason)
    out.print(f"{tip_id} is given up: nothing files it any more", markup=False)


@app.command()
def refile(
    tip_id: Tip,
    *,
    report: Annotated[str, typer.Option(help="The report id that NCMEC was asked about.")],
    by: Actor,
    reason: Reason,
) -> None:
    """Let a refused tip be filed in a new report, once NCMEC said that it never had the first.

    Only where the answer to finishing was lost and the report is gone. The CyberTipline is asked
    about the first report once more: if it has it, nothing is filed anew.
    """
    filing = open_services().tip_desk.refile(TipId(tip_id), report, by=by, reason=reason)
    anew = "a new one is opened only if it does not have it"
    if filing.state is TipState.WITHDRAWING:
        anew = "none is opened of what is taken back"
    out.print(
        f"{tip_id} is due again: the CyberTipline is asked about report {report} once more, and"
        f" {anew}. `nightlight report file`, or a running worker, does so",
        markup=False,
    )


@app.command()
def found(
    tip_id: Tip,
    *,
    report: Annotated[str, typer.Option(help="The report id that NCMEC was asked about.")],
    by: Actor,
    reason: Reason,
) -> None:
    """Note that NCMEC has the report of a refused tip: what it said is kept as the receipt.

    Only where the answer to finishing was lost and the report is gone.
    """
    filing = open_services().tip_desk.found(TipId(tip_id), report, by=by, reason=reason)
    check = f": {filing.failure}" if filing.failure else ""
    out.print(f"{tip_id} is filed as report {report}{check}", markup=False)


@app.command()
def receipts(*, json: Json = False) -> None:
    """Hold every filed tip against the record; leaves with 1 if a receipt or report id was changed.

    The record keeps the digest of each receipt, under which report and at which line it came.
    """
    with open_services().unit_of_work.read() as tx:
        found, count = changed(tx), len(tx.tips.filed())
    if json:
        for one in found:
            print_json(fields_of(one))
    else:
        for one in found:
            out.print(f"{one.tip_id}: {one.says}", markup=False)
    err.print(f"{count:,} filed tips were held against the record.", markup=False)
    if found:
        raise typer.Exit(1)


@app.command()
def file(*, json: Json = False) -> None:
    """File every tip that is due; leaves with 1 if one was refused, 3 if one waits."""
    services = open_services()
    if services.filer is None:
        raise InvalidInput(
            "no place to file tips is configured",
            field="NIGHTLIGHT_CYBERTIPLINE_URL",
            hint="`nightlight simulate cybertipline` is one to try things out with",
        )
    states: list[TipState] = []
    while filings := services.filer.run_due(_ROUND):
        for filing in filings:
            states.append(filing.state)
            if json:
                print_json(fields_of(filing))
            else:
                waits = f"  waits: {filing.failure}" if filing.failure else ""
                out.print(
                    f"{filing.tip_id}  {filing.state}  {filing.remote_id}{waits}", markup=False
                )
    services.record.anchor()
    if not states:
        err.print("No tip is due.")
    if TipState.REFUSED in states:
        raise typer.Exit(1)
    if any(state is not TipState.FILED for state in states):
        raise typer.Exit(3)
