"""``nightlight statement``: statements of reasons for the public DSA database."""

from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.model.statement import StatementState
from nightlight.services import Services
from nightlight.services.statements import Statements

app = typer.Typer(
    name="statement",
    no_args_is_help=True,
    help="Statements of reasons for the DSA Transparency Database: list, send.",
)


@app.command("list")
def list_statements(
    *,
    state: Annotated[StatementState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List statements of reasons, the newest first."""
    with open_services().unit_of_work.read() as tx:
        found = tx.statements.newest(limit, state)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (one.statement.id, one.made_at, one.statement.restriction, one.state, one.failure)
            for one in found
        ),
        columns=("statement", "made", "restricts by", "state", "why not yet"),
        empty="No statement of reasons. They are made once NIGHTLIGHT_DSA_URL is set.",
    )


@app.command()
def send(*, json: Json = False) -> None:
    """Send every statement that is due; leaves with 1 if one was refused, 3 if some wait."""
    services = open_services()
    statements = _statements(services)
    counts = dict.fromkeys(StatementState, 0)
    while settled := statements.run_due():
        for one in settled:
            counts[one.state] += 1
        if all(one.state is StatementState.WAITING and one.failure for one in settled):
            err.print(settled[0].failure, markup=False)
            break
    with services.unit_of_work.read() as tx:
        waiting = tx.statements.counts().get(StatementState.WAITING, 0)
    sent, refused = counts[StatementState.SENT], counts[StatementState.REFUSED]
    if json:
        print_json({"sent": sent, "refused": refused, "waiting": waiting})
    else:
        out.print(f"{sent:,} sent, {refused:,} refused, {waiting:,} waiting")
    if refused:
        raise typer.Exit(1)
    if waiting:
        raise typer.Exit(3)


@app.command()
def retry(
    statement_id: Annotated[str, typer.Argument(help="Which refused statement.")],
    *,
    by: Actor,
    reason: Reason,
) -> None:
    """Let a refused statement be sent again, once what it was refused for is mended."""
    _statements(open_services()).retry(statement_id, actor=by, reason=reason)
    out.print(f"{statement_id} will be sent again")


def _statements(services: Services) -> Statements:
    if services.statements is None:
        raise InvalidInput(
            "no database of statements is configured", hint="set NIGHTLIGHT_DSA_URL and _TOKEN"
        )
    return services.statements
