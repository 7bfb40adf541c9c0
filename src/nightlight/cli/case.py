"""``nightlight case``: the review queue, and a person's decisions."""

from typing import Annotated

import typer

from nightlight.cli.console import (
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
from nightlight.model.case import STANDING, Case, CaseState, CaseStep
from nightlight.model.ids import CaseId
from nightlight.report.wanted import draft_command
from nightlight.review.resolve import Resolution
from nightlight.services.roles import roles_in_case
from nightlight.services.rules import active_policy
from nightlight.transaction import is_live

app = typer.Typer(name="case", no_args_is_help=True, help="Cases: list, show, decide, appeal.")

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]


@app.command("list")
def list_cases(
    *,
    state: Annotated[CaseState | None, typer.Option(help="Only cases in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List cases, the most severe first, then the oldest."""
    with open_services().unit_of_work.read() as tx:
        cases = tx.cases.queue(state, limit)
    if json:
        for case in cases:
            print_json(fields_of(case))
        return
    print_rows(
        (
            (c.id, c.state, c.severity, c.category, c.account_id, len(c.decisions), c.opened_at)
            for c in cases
        ),
        columns=("case", "state", "severity", "category", "account", "findings", "opened"),
        empty="No cases.",
    )


@app.command()
def roles(case_id: CaseArgument, *, json: Json = False) -> None:
    """Show what part each account had in what a case confirmed, and what shows it."""
    with open_services().unit_of_work.begin() as tx:
        told = roles_in_case(tx, CaseId(case_id))
    if json:
        for one in told:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.account_id,
                one.role,
                ", ".join(dict.fromkeys(act.what for act in one.acts)),
                ", ".join(one.knowledge_for) or "nothing",
                ", ".join(one.knowledge_against) or "nothing",
            )
            for one in told
        ),
        columns=("account", "role", "did", "for knowledge", "against"),
        empty="No roles: they are told once a person confirmed the case.",
    )


@app.command()
def show(case_id: CaseArgument, *, json: Json = False) -> None:
    """Show a case: why each decision was made, and what is sealed; never the content."""
    with open_services().unit_of_work.begin() as tx:
        case = tx.cases.get(CaseId(case_id))
        decisions = tx.decisions.get(case.decisions)
        signals = tx.signals.of_events([decision.event_key for decision in decisions])
        evidence = tx.evidence.of_case(case.id)
        tips = tx.tips.of_case(case.id)
        reportable = active_policy(tx).reportable
    if json:
        shown = [{**fields_of(one), "digest": None} for one in evidence]
        print_json(
            {
                **fields_of(case),
                "decisions": [fields_of(one) for one in decisions],
                "signals": [fields_of(one) for one in signals],
                "evidence": shown,
            }
        )
        return
    _print_case(case)
    for decision in decisions:
        because = "; ".join(reason.text for reason in decision.reasons)
        about = printable(f"{decision.subject.kind}:{decision.subject.id}")
        out.print(f"{decision.time}  {about}", markup=False)
        out.print(f"    {decision.category} {decision.severity}: {because}", markup=False)
        out.print(f"    finding {decision.id}", markup=False)
    print_rows(
        ((one.id, one.kind, one.content_type, one.byte_count, one.sealed_at) for one in evidence),
        columns=("evidence", "kind", "type", "bytes", "sealed"),
        empty="Nothing is sealed for this case.",
    )
    for tip in tips:
        out.print(f"tip {tip.tip_id}, {tip.destination}: {tip.filing.state}", markup=False)
    if case.state in STANDING and not any(is_live(one) for one in tips):
        command = draft_command(case.id, case.category, reportable=reportable)
        typer.echo(printable(f"No tip reports it. To report it: {command}"))


@app.command()
def decide(
    case_id: CaseArgument,
    *,
    confirm: Annotated[
        bool, typer.Option("--confirm/--dismiss", help="What the reviewer decides.")
    ],
    reviewer: Annotated[str, typer.Option(help="Who decides.", show_default=False)],
    reason: Reason,
    viewed: Annotated[
        list[str] | None,
        typer.Option(help="Evidence that the reviewer viewed in its entirety; repeatable."),
    ] = None,
    finding: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these findings; repeatable. By default, confirming is about all findings "
            "of the case's category and dismissing about all; the rest stays open.",
        ),
    ] = None,
    findings_shown: Annotated[
        int | None,
        typer.Option(help="How many findings you were shown: refused if more came in since."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would follow.")
    ] = False,
    json: Json = False,
) -> None:
    """Decide a case. A confirmed one is reported as the policy says; a dismissed one restored.

    A file is reported as viewed only if the view log says so: --viewed writes into it, as
    `nightlight evidence viewed` does. Say so only of what a person saw from beginning to end.
    """
    step = CaseStep.CONFIRM if confirm else CaseStep.DISMISS
    resolution = Resolution(
        step=step,
        reviewer=reviewer,
        reason=reason,
        findings=tuple(finding or ()),
        findings_shown=findings_shown,
        viewed=tuple(viewed or ()),
    )
    _resolve(case_id, resolution, dry_run=dry_run, json=json)


@app.command()
def appeal(
    case_id: CaseArgument,
    *,
    by: Annotated[str, typer.Option(help="Who appeals, or for whom.", show_default=False)],
    reason: Reason,
    json: Json = False,
) -> None:
    """Record an appeal against a confirmed case."""
    resolution = Resolution(step=CaseStep.APPEAL, reviewer=by, reason=reason)
    _resolve(case_id, resolution, json=json)


@app.command()
def answer(
    case_id: CaseArgument,
    *,
    uphold: Annotated[bool, typer.Option("--uphold/--overturn", help="The answer to the appeal.")],
    reviewer: Annotated[str, typer.Option(help="Who answers.", show_default=False)],
    reason: Reason,
    json: Json = False,
) -> None:
    """Answer an appeal; an overturned case is restored."""
    step = CaseStep.UPHOLD if uphold else CaseStep.OVERTURN
    resolution = Resolution(step=step, reviewer=reviewer, reason=reason)
    _resolve(case_id, resolution, json=json)


def _resolve(
    case_id: str, resolution: Resolution, *, dry_run: bool = False, json: bool = False
) -> None:
    resolved = open_services().review.decide(CaseId(case_id), resolution, dry_run=dry_run)
    case = resolved.case
    effects = [f"{one.kind} {one.subject.kind}:{one.subject.id}" for one in resolved.effects]
    if json:
        left = resolved.left.id if resolved.left else None
        print_json({**fields_of(case), "effects": effects, "left": left, "dry_run": dry_run})
        return
    if dry_run:
        err.print("[yellow]dry run: nothing was stored[/]")
    out.print(f"{case.id} is {case.state}: {len(resolved.findings)} finding(s)", markup=False)
    for effect in effects:
        out.print(f"  asks the platform to {printable(effect)}", markup=False)
    if resolved.left is not None:
        out.print(
            f"  {len(resolved.left.decisions)} other finding(s) stay open as {resolved.left.id}",
            markup=False,
        )


def _print_case(case: Case) -> None:
    out.print(
        f"{case.id}  {case.state}  severity {case.severity}  {case.category}\n"
        f"account {printable(case.account_id)}  opened {case.opened_at}",
        markup=False,
    )
    if case.decided_by:
        said = printable(f"{case.state} by {case.decided_by}: {case.decision_reason}")
        out.print(said, markup=False)
