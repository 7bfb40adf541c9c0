"""``nightlight evidence``: for how long it is kept, and its destruction."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from nightlight.cli.console import Actor, Json, Reason, err, fields_of, out, print_json, print_rows
from nightlight.cli.services import open_services
from nightlight.errors import InvalidInput
from nightlight.model.custody import KeptPost
from nightlight.model.hold import Hold
from nightlight.model.ids import CaseId

#: A day that is named without a zone ends last twelve hours west of Greenwich.
_A_DAY = timedelta(days=1)
_OVER_EVERYWHERE = _A_DAY + timedelta(hours=12)
_CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
_HoldArgument = Annotated[str, typer.Argument(metavar="HOLD", help="The hold's id.")]
_Until = Annotated[
    str,
    typer.Option(
        "--until",
        help="A day (YYYY-MM-DD), all of it wherever it ends last; or `released`: until somebody"
        " does.",
    ),
]
_Reference = Annotated[
    str, typer.Option("--reference", help="What it follows, such as a letter's number.")
]


def holds(case_id: _CaseArgument, *, json: Json = False) -> None:
    """Show for how long a case's evidence is kept and what holds it."""
    services = open_services()
    retained = services.retention.of_case(CaseId(case_id))
    found = services.holds.of_case(CaseId(case_id))
    if json:
        for one in retained:
            print_json({"evidence": one.evidence.id, **fields_of(one.kept)})
        for hold in found:
            print_json({"hold": hold.id, **fields_of(hold)})
        return
    print_rows(
        (
            (
                one.evidence.id,
                one.kept.due_at or "no end",
                one.kept.rule,
                "; ".join(one.kept.because),
            )
            for one in retained
        ),
        columns=("evidence", "kept until", "rule", "kept by"),
        empty="Nothing is kept for this case.",
    )
    for hold in found:
        _print(hold)


def place_hold(
    case_id: _CaseArgument,
    *,
    reference: _Reference,
    until: _Until,
    by: Actor,
    reason: Reason,
    json: Json = False,
) -> None:
    """Hold a case's evidence, all of it, as a preservation request asks."""
    hold = open_services().holds.place(
        CaseId(case_id), reference=reference, until=_end(until), person=by, reason=reason
    )
    _tell(hold, json=json)


def extend_hold(
    hold_id: _HoldArgument, *, until: _Until, by: Actor, reason: Reason, json: Json = False
) -> None:
    """Let a hold hold longer; nothing shortens one."""
    hold = open_services().holds.extend(hold_id, until=_end(until), person=by, reason=reason)
    _tell(hold, json=json)


def release_hold(hold_id: _HoldArgument, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Release a hold: what nothing else keeps becomes due."""
    hold = open_services().holds.release(hold_id, person=by, reason=reason)
    _tell(hold, json=json)


def due(
    *,
    at: Annotated[
        str, typer.Option("--at", help="The end of a day (YYYY-MM-DD, UTC) instead of now.")
    ] = "",
    json: Json = False,
) -> None:
    """List evidence that is due to be destroyed, now or on a day to come."""
    found = open_services().retention.due(at=_after(at) if at else None)
    if json:
        for one in found:
            print_json({"evidence": one.evidence.id, **fields_of(one.kept)})
        return
    print_rows(
        ((one.evidence.id, one.evidence.case_id, one.kept.due_at, one.kept.rule) for one in found),
        columns=("evidence", "case", "due", "rule"),
        empty="Nothing is due.",
    )


def deleted(
    *,
    account: Annotated[str, typer.Option(help="Only posts of this account.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List deleted posts that are kept since a signal had fired on them, the newest first.

    Their ids stand in the place of a case: `evidence list`, `holds`, `hold` and `export` take them.
    """
    found = open_services().kept_posts.newest(limit, account_id=account)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        ((one.id, one.post_id, one.account_id, one.deleted_at, _sealing(one)) for one in found),
        columns=("kept as", "post", "account", "deleted", "sealed"),
        empty="No deleted post is kept without a case.",
    )


def _sealing(post: KeptPost) -> str:
    if post.complete:
        return "whole"
    return "in part" if post.next_at is None else f"not yet, tried {post.attempts} times"


def destroy(
    evidence_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="EVIDENCE", help="Evidence to be destroyed before it is due."),
    ] = None,
    *,
    by: Annotated[str, typer.Option("--by", help="Who proposes it; stands in the record.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; stands in the record.")] = "",
    reference: Annotated[str, typer.Option("--reference", help="What it follows.")] = "",
    json: Json = False,
) -> None:
    """Destroy what is due, as the worker does; or propose to destroy evidence early.

    Early destruction waits for `evidence approve` by another person. Nothing that the law, a hold,
    an open case, an unfiled tip or an open report decision keeps can be destroyed early.
    """
    services = open_services()
    if evidence_ids:
        request = services.early_destruction.propose(
            evidence_ids, person=by, reference=reference, reason=reason
        )
        if json:
            print_json(fields_of(request))
        else:
            out.print(f"{request.id} waits for another person: `nightlight evidence approve`")
        return
    done = services.retention.run_due()
    if json:
        print_json(fields_of(done))
    else:
        out.print(
            f"{done.destroyed} destroyed, the bytes of {done.shared} of them kept for others;"
            f" {done.spared} spared, {done.failed} failed, {done.missing} missing"
        )
        if done.missing:
            err.print("what is missing is not in the vault: `nightlight evidence missing`")
        if done.failure:
            err.print(f"their orders stand; the last failed since {done.failure}", markup=False)
    if done.failed or done.missing:
        raise typer.Exit(1)


def missing(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List what is to be destroyed and is not in the vault: leaves with 1 if there is any."""
    found = open_services().destroying.missing(limit)
    if json:
        for one in found:
            print_json(fields_of(one))
    else:
        print_rows(
            ((one.evidence_id, one.case_id, one.due_at, one.missing_at) for one in found),
            columns=("evidence", "case", "due", "found missing"),
            empty="Nothing that is to be destroyed was missing.",
        )
    if found:
        raise typer.Exit(1)


def give_up(
    evidence_id: Annotated[str, typer.Argument(metavar="EVIDENCE", help="The evidence's id.")],
    *,
    by: Actor,
    reason: Reason,
) -> None:
    """Let evidence that is due and missing count as gone; the certificate says it was missing."""
    open_services().destroying.give_up(evidence_id, person=by, reason=reason)
    out.print(f"{evidence_id} counts as gone: it was missing, nothing was destroyed", markup=False)


def requests(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List what people asked to do with evidence, the newest first."""
    found = open_services().requests.newest(limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.id,
                one.what,
                one.state,
                one.case_id,
                one.reference,
                one.proposed_by,
                one.decided_by,
                one.lapses_at,
                one.written_at,
            )
            for one in found
        ),
        columns=(
            "request",
            "to",
            "state",
            "case",
            "reference",
            "proposed by",
            "decided by",
            "lapses",
            "written",
        ),
        empty="Nobody asked for anything.",
    )


RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]


def reject(request_id: RequestArgument, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Reject a request: it is never carried out."""
    request = open_services().requests.reject(request_id, person=by, reason=reason)
    if json:
        print_json(fields_of(request))
    else:
        out.print(f"{request.id} is {request.state}", markup=False)


def revoke(request_id: RequestArgument, *, by: Actor, reason: Reason, json: Json = False) -> None:
    """Revoke a request, also one that was approved: nothing is done by it any more."""
    request = open_services().requests.revoke(request_id, person=by, reason=reason)
    if json:
        print_json(fields_of(request))
    else:
        out.print(f"{request.id} is {request.state}", markup=False)


def _tell(hold: Hold, *, json: bool) -> None:
    if json:
        print_json(fields_of(hold))
    else:
        _print(hold)


def _print(hold: Hold) -> None:
    end = f"until {hold.until:%Y-%m-%d %H:%M}" if hold.until else "until it is released"
    state = f"released {hold.released_at:%Y-%m-%d}" if hold.released_at else end
    out.print(f"{hold.id}  {hold.reference}  {state}  by {hold.placed_by}", markup=False)


def _after(text: str) -> datetime:
    """Return when a day is over, UTC."""
    try:
        return _day(text, field="at") + _A_DAY
    except OverflowError as error:
        raise InvalidInput("is further away than can be counted", field="at") from error


def _end(text: str) -> datetime | None:
    """Return when a day is over in every zone; None for no end."""
    if text == "released":
        return None
    try:
        return _day(text, field="until") + _OVER_EVERYWHERE
    except OverflowError as error:
        raise InvalidInput(
            "is further away than can be counted", field="until", hint="--until released: no end"
        ) from error


def _day(text: str, *, field: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput("must be a day such as 2027-03-01", field=field) from error
