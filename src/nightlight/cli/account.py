"""``nightlight account``: one account, whom it is tied to, and whom it may continue."""

from typing import Annotated

import typer

from nightlight.cli.console import Json, fields_of, out, print_json, print_rows, printable
from nightlight.cli.services import open_services
from nightlight.detect.predecessors import Tie
from nightlight.model.ids import AccountId
from nightlight.services.account_view import AccountView, view_account
from nightlight.services.clusters import Found, cluster_of
from nightlight.services.clusters import clusters as clusters_of
from nightlight.services.networks import known_account, linked_accounts, predecessors_of

app = typer.Typer(
    name="account",
    no_args_is_help=True,
    help="Accounts: what is known, whom they are tied to, whom they may continue.",
)

AccountArgument = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="The account's id, as in the platform's events.")
]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
_MOMENTS = 30


@app.command()
def show(account_id: AccountArgument, *, limit: Limit = _MOMENTS, json: Json = False) -> None:
    """Show an account: score, role, cases and timeline; never the content."""
    with open_services().unit_of_work.read() as tx:
        view = view_account(tx, AccountId(account_id))
    if json:
        print_json(_fields(view, limit))
        return
    _print_view(view)
    print_rows(
        ((one.at, one.what, one.about, one.note) for one in view.timeline[:limit]),
        columns=("when", "what", "about", "note"),
        empty="Nothing is known.",
    )


@app.command()
def links(account_id: AccountArgument, *, limit: Limit = 50, json: Json = False) -> None:
    """Show which accounts have things in common with this one: of what kind, never what.

    A tie is a lead, not a finding: families share machines, and fans share words.
    """
    with open_services().unit_of_work.read() as tx:
        known_account(tx, AccountId(account_id))
        found = linked_accounts(tx, AccountId(account_id), limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        ((one.account_id, f"{one.strength:.0%}", _said(one.ties)) for one in found),
        columns=("account", "strength", "in common"),
        empty="Nobody: nothing that few show is shown by this account and another.",
    )


@app.command()
def predecessors(account_id: AccountArgument, *, limit: Limit = 10, json: Json = False) -> None:
    """Show which earlier accounts this one may continue, the likeliest first, and why.

    Accounts that were confirmed, suspended, flagged, or fell silent before this one began count
    more than those that go on posting.
    """
    with open_services().unit_of_work.read() as tx:
        found = predecessors_of(tx, AccountId(account_id), limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.account_id,
                f"{one.score:.0%}",
                one.standing,
                f"{one.handle_alike:.0%}",
                _said(one.ties),
            )
            for one in found
        ),
        columns=("account", "likely", "standing", "handles alike", "in common"),
        empty="None: no earlier account shares anything that few show.",
    )


@app.command()
def clusters(
    *,
    around: Annotated[str, typer.Option(help="Only the one around this account.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The largest so many.")] = 20,
    json: Json = False,
) -> None:
    """List groups of accounts that post in the same wordings, or tell the same of themselves.

    Groups in which something was found about two accounts or more. A wording that hundreds
    of accounts use ties nobody, and who words alike may be quoting: a lead, not a finding.
    """
    with open_services().unit_of_work.read() as tx:
        if around:
            one = cluster_of(tx, AccountId(around))
            found = [one] if one is not None else []
        else:
            found = clusters_of(tx, limit=limit)
    if json:
        for one in found:
            print_json(fields_of(one))
        return
    print_rows(
        (
            (
                one.members[0].account_id,
                len(one.members) if one.is_whole else f"{len(one.members)} and more",
                one.count(Found.CONFIRMED),
                one.count(Found.SUSPENDED),
                one.count(Found.WAITING),
                one.posts,
                one.first_at,
                one.last_at,
            )
            for one in found
        ),
        columns=(
            *("around", "accounts", "confirmed", "suspended", "waiting"),
            *("posts", "first", "last"),
        ),
        empty="None: no two accounts about which something was found word alike.",
    )


def _said(ties: tuple[Tie, ...]) -> str:
    """Return what is shared, in words: "link target (2 show it)"."""
    return ", ".join(f"{tie.kind.value.replace('_', ' ')} ({tie.holders} show it)" for tie in ties)


def _fields(view: AccountView, limit: int) -> dict[str, object]:
    account = view.account
    return {
        "account": account.account_id,
        "score": fields_of(view.score),
        "role": fields_of(view.role) if view.role else None,
        "created_at": account.created_at,
        "first_seen": account.first_seen,
        "posts": account.posts,
        "deletions": account.deletions,
        "user_reports": account.user_reports,
        "suspended": account.suspended,
        "human_decision": account.human_decision,
        "account_actions": [fields_of(one) for one in view.account_actions],
        "timeline": [fields_of(one) for one in view.timeline[:limit]],
        "signals": [fields_of(one) for one in view.signals],
        "decisions": [fields_of(one) for one in view.decisions],
        "cases": [fields_of(one) for one in view.cases],
    }


def _print_view(view: AccountView) -> None:
    account = view.account
    asked = ", suspension asked for" if account.suspended else ""
    role = f", {view.role.role.value} in confirmed material" if view.role else ""
    out.print(
        f"{printable(account.account_id)}  score {view.score.value} of 100{role}{asked}\n"
        f"registered {account.created_at or 'unknown'}  posts {account.posts}, "
        f"{account.deletions} deleted  user reports {account.user_reports}  "
        f"cases {len(view.cases)}",
        markup=False,
    )
    for one in view.account_actions:
        ended = ", reinstated" if one.action.ended_at else ""
        why = f" ({one.decision.reason})" if one.decision.reason else ""
        out.print(
            f"    {one.action.effect} {one.action.at}{ended}: {one.decision.state}{why}"
            f"  {one.action.id}",
            markup=False,
        )
    for part in view.score.parts:
        out.print(
            f"    {part.detector}: {part.share:.0%}, {part.findings} finding(s)", markup=False
        )
