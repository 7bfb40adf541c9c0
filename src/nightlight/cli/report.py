"""``nightlight report``: CyberTips, drafted from confirmed cases and filed once."""

from typing import Annotated

import typer

from nightlight.cli import report_decisions
from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.filing import TipState
from nightlight.model.ids import TipId
from nightlight.report.document import report_xml
from nightlight.report.progress import retried

app = typer.Typer(
    name="report", no_args_is_help=True, help="CyberTips: list, preview, file; report decisions."
)
app.add_typer(report_decisions.app)

_ROUND = 20


@app.command("list")
def list_tips(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List tips and how far their filing came, the newest first."""
    with open_services().unit_of_work.read() as tx:
        tips = tx.tips.newest(limit)
    if json:
        for tip in tips:
            print_json(fields_of(tip))
        return
    print_rows(
        ((t.tip_id, t.case_id, t.filing.state, t.filing.remote_id, t.filing.failure) for t in tips),
        columns=("tip", "case", "state", "report id", "waits because"),
        empty="No tips: they are drafted when a reviewer confirms a reportable case.",
    )


@app.command()
def preview(tip_id: Annotated[str, typer.Argument(metavar="TIP", help="The tip's id.")]) -> None:
    """Print the report's XML as it would be filed."""
    services = open_services()
    with services.unit_of_work.read() as tx:
        tip, _ = tx.tips.load(TipId(tip_id))
    typer.echo(report_xml(tip, reporter=services.settings.reporter).decode())


@app.command()
def retry(
    tip_id: Annotated[str, typer.Argument(metavar="TIP", help="The refused tip's id.")],
    *,
    by: Actor,
    reason: Reason,
) -> None:
    """Let a refused tip be filed again, once what it was refused for is mended."""
    services = open_services()
    with services.unit_of_work.begin() as tx:
        _, filing = tx.tips.load(TipId(tip_id))
        tx.tips.save(retried(filing), at=services.clock.now())
        tx.commit(AuditEntry(actor=by, action="tip.retried", subject=tip_id, reason=reason))
    out.print(f"{tip_id} is due again: `nightlight report file`, or a running worker, files it")


@app.command()
def file(*, json: Json = False) -> None:
    """File every tip that is due; leaves with 1 if one was refused, 3 if one waits."""
    services = open_services()
    if services.filer is None:
        raise InvalidInput(
            "no CyberTipline is configured",
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
