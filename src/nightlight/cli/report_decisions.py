"""``nightlight report``: whether accounts that were acted on are reported, and how it adds up."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

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
from nightlight.errors import InvalidInput
from nightlight.model.ids import AccountActionId
from nightlight.model.report_decision import Accounted
from nightlight.report.account_actions import PersonsWord
from nightlight.report.reconciliation import Sums
from nightlight.report.wanted import Wanted
from nightlight.services.lists import check_policy
from nightlight.services.report_decisions import Flip
from nightlight.services.rules import active_policy

app = typer.Typer()

ActionArgument = Annotated[
    str, typer.Argument(metavar="ACTION", help="The account action's id.", show_default=False)
]
_COLUMNS = ("suspended", "reported", "explained", "undecided", "unexplained", "overdue")


@app.command()
def reconcile(*, json: Json = False) -> None:
    """Account for every locked or suspended account: reported, explained, undecided; by month.

    Leaves with 1 if anything is unexplained.
    """
    found = open_services().report_decisions.reconcile()
    if json:
        print_json(found)
    else:
        rows = [(one.month, *_numbers(one)) for one in found.months]
        print_rows(
            [*rows, ("in all", *_numbers(found.total))] if rows else [],
            columns=("month", *_COLUMNS),
            empty="No account was locked or suspended yet.",
        )
        reasons = list(found.explained_by_reason)
        if reasons:
            explained = [one for one in found.months if one.explained]
            out.print("\nexplained by", markup=False)
            print_rows(
                [
                    *((one.month, *_of(one.explained_by_reason, reasons)) for one in explained),
                    ("in all", *_of(found.explained_by_reason, reasons)),
                ],
                columns=("month", *reasons),
                empty="",
            )
        if found.total.reported_elsewhere:
            out.print(
                "reported at another line than the one in force:"
                f" {found.total.reported_elsewhere:,}: nightlight report list"
            )
        if found.total.undecided:
            out.print(f"oldest undecided: {found.total.oldest_undecided_days} days")
    if found.total.unexplained:
        raise typer.Exit(1)


@app.command()
def undecided(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List accounts that were acted on and are not decided, the soonest due first."""
    services = open_services()
    found, now = services.report_decisions.undecided(limit), services.clock.now()
    if json:
        for waiting in found:
            tip = waiting.tip and waiting.tip[0]
            print_json({**_fields(waiting.one), "tip": tip, "waits_for": fields_of(waiting.wanted)})
        return
    print_rows(
        (
            (
                one.action.id,
                one.action.account_id,
                one.action.category,
                one.action.severity,
                one.decision.part.role or "not told",
                one.decision.due_at,
                "overdue" if one.decision.due_at and one.decision.due_at < now else "",
                waiting.wanted.what,
            )
            for waiting in found
            for one in (waiting.one,)
        ),
        columns=("action", "account", "category", "severity", "role", "due", "", "waits for"),
        empty="Nothing is undecided.",
    )
    _print_commands((one.one, one.wanted) for one in found)


@app.command()
def decision(action_id: ActionArgument, *, json: Json = False) -> None:
    """Show an account action and every version of its report decision, oldest first."""
    one, versions = open_services().report_decisions.history(AccountActionId(action_id))
    if json:
        print_json({**fields_of(one.action), "decisions": [fields_of(each) for each in versions]})
        return
    action = one.action
    ended = f", reinstated {action.ended_at}" if action.ended_at else ""
    out.print(
        printable(
            f"{action.id}  {action.effect} of {action.account_id}  {action.category}"
            f" {action.severity}\nasked by {action.asked_by} at {action.at}{ended}"
        ),
        markup=False,
    )
    print_rows(
        (
            (
                each.version,
                each.decided_at,
                each.state,
                each.reason or each.tip_id or f"says {each.says}",
                each.part.role or "not told",
                ", ".join(each.part.knowledge_for) or "nothing",
                ", ".join(each.part.knowledge_against) or "nothing",
                f"{each.threshold} {each.rule}",
                each.decided_by,
                each.note,
            )
            for each in versions
        ),
        columns=(
            *("version", "at", "state", "why", "role", "for knowledge", "against"),
            *("threshold", "decided by", "note"),
        ),
        empty="No decision.",
    )


@app.command()
def reasons(*, json: Json = False) -> None:
    """List the reasons for which the policy lets an account go unreported."""
    with open_services().unit_of_work.read() as tx:
        threshold = active_policy(tx).reporting
    if json:
        for one in threshold.reasons:
            print_json({**fields_of(one), "threshold": threshold.full_name})
        return
    print_rows(
        ((one.name, one.because, "yes" if one.settles else "") for one in threshold.reasons),
        columns=("reason", "because", "settles"),
        empty="The policy has no reasons.",
    )


@app.command()
def decide(
    action_id: ActionArgument,
    *,
    to_report: Annotated[
        bool, typer.Option("--report", help="It is to be reported; undecided until it is.")
    ] = False,
    not_for: Annotated[
        str, typer.Option("--not", help="It is not reported, for this reason of the policy.")
    ] = "",
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Decide whether an account that was acted on is reported; `reasons` lists why it may not be.

    A person's decision is not changed by another threshold. Reported is said only once a tip was
    filed: with --report, the command that leads to one is printed.
    """
    if to_report == bool(not_for):
        raise InvalidInput("one answer is needed", field="decide", hint="--report or --not REASON")
    word = PersonsWord(action_id=AccountActionId(action_id), reason=not_for, by=by, note=reason)
    service = open_services().report_decisions
    one = service.decide(word)
    if json:
        print_json(_fields(one))
        return
    said = one.decision.reason or "to be reported"
    out.print(f"{one.action.id} is {one.decision.state}: {said}", markup=False)
    if to_report:
        [wanted] = service.to_report([one])
        out.print(f"It waits for {wanted.what}.", markup=False)
        _print_commands([(one, wanted)])


@app.command()
def reconsider(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list; change nothing.")] = False,
    policy: Annotated[
        Path | None, typer.Option(help="Ask this policy file's threshold; only with --dry-run.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who does this; stands in the record.")] = "",
    reason: Annotated[str, typer.Option(help="Why; stands in the record.")] = "",
    json: Json = False,
) -> None:
    """Ask the threshold about every past account action, and list what it decides otherwise.

    Without --dry-run, what would be reportable now, and what the threshold explained and now leaves
    to a person, is put before one: undecided, with a new clock. What would no longer be reported is
    only listed.
    """
    service = open_services().report_decisions
    if policy is not None and not dry_run:
        raise InvalidInput("only with --dry-run", field="--policy", hint="activate it first")
    if policy is not None:
        try:
            threshold = check_policy(policy.read_bytes()).reporting
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", field=str(policy)) from error
        found = service.compare(threshold)
    elif dry_run:
        found = service.compare()
    else:
        found = service.reconsider(by=by, note=reason)
    if json:
        for one in found:
            print_json(_flip(one))
        return
    if dry_run:
        err.print("[yellow]dry run: nothing was stored[/]")
    print_rows(
        (
            (
                _now(flip),
                flip.one.action.id,
                flip.one.action.account_id,
                flip.one.decision.part.role,
                flip.one.decision.reason or flip.one.decision.state,
                flip.one.decision.threshold,
                flip.answer.rule,
            )
            for flip in found
        ),
        columns=("now", "action", "account", "role", "was", "by threshold", "rule now"),
        empty="The threshold decides nothing otherwise.",
    )
    if not dry_run:
        reported = [flip.one for flip in found if flip.is_reportable]
        _print_commands(zip(reported, service.to_report(reported), strict=True))


def _print_commands(found: Iterable[tuple[Accounted, Wanted]]) -> None:
    """Print the command that goes on with each, whole."""
    for one, wanted in found:
        if wanted.command:
            typer.echo(printable(f"{one.action.id}: {wanted.command}"))


def _of(counts: dict[str, int], reasons: list[str]) -> list[str]:
    return [f"{counts.get(name, 0):,}" for name in reasons]


def _numbers(sums: Sums) -> list[str]:
    return [f"{getattr(sums, name):,}" for name in _COLUMNS]


def _fields(one: Accounted) -> dict[str, object]:
    return {**fields_of(one.action), "decision": fields_of(one.decision)}


def _flip(flip: Flip) -> dict[str, object]:
    answer = {"says": flip.answer.says, "rule": flip.answer.rule, "reason": flip.answer.reason}
    return {
        **_fields(flip.one),
        "is_reportable": flip.is_reportable,
        "asks_a_person": flip.asks_a_person,
        "now": answer,
    }


def _now(flip: Flip) -> str:
    if flip.asks_a_person:
        return "a person decides"
    return "reportable" if flip.is_reportable else "no longer"
